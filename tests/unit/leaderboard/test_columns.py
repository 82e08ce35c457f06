"""The values of a leaderboard's columns."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.platform.bundles.content import Computation, Sorting
from podium.platform.leaderboard.columns import ColumnRule, column_values


def score(index: int, key: str) -> ColumnRule:
    return ColumnRule(index, key, Sorting.DESC)


def computed(index: int, computation: Computation, *of: int) -> ColumnRule:
    return ColumnRule(index, f"computed{index}", Sorting.DESC, computation, of)


def test_a_column_takes_the_score_of_its_key() -> None:
    assert column_values([score(0, "a"), score(1, "b")], [{"a": 0.5, "c": 9}]) == [0.5, None]


def test_zero_is_a_score() -> None:
    assert column_values([score(0, "a"), computed(1, Computation.AVG, 0)], [{"a": 0.0}]) == [0.0, 0.0]


def test_with_several_tasks_a_column_is_their_mean() -> None:
    assert column_values([score(0, "a")], [{"a": 1}, {"a": 3}]) == [2.0]


def test_a_task_without_the_score_leaves_the_column_empty() -> None:
    assert column_values([score(0, "a"), score(1, "b")], [{"a": 1, "b": 4}, {"b": 4}]) == [None, 4.0]


def test_without_tasks_every_column_is_empty() -> None:
    assert column_values([score(0, "a"), computed(1, Computation.SUM, 0)], []) == [None, None]


@pytest.mark.parametrize(
    ("computation", "expected"),
    [(Computation.AVG, 2.0), (Computation.SUM, 6.0), (Computation.MIN, 1.0), (Computation.MAX, 3.0)],
)
def test_computed_columns(computation: Computation, expected: float) -> None:
    columns = [score(0, "a"), score(1, "b"), score(2, "c"), computed(3, computation, 0, 1, 2)]
    assert [1, 3, 2, expected] == column_values(columns, [{"a": 1, "b": 3, "c": 2}])


@pytest.mark.parametrize("computation", Computation)
def test_a_computed_column_with_a_part_missing_is_empty(computation: Computation) -> None:
    columns = [score(0, "a"), score(1, "b"), computed(2, computation, 0, 1)]
    assert column_values(columns, [{"a": 1}]) == [1, None, None]


def test_computed_of_computed_whatever_stands_first() -> None:
    columns = [computed(5, Computation.SUM, 7, 1), score(1, "a"), computed(7, Computation.MAX, 1, 2), score(2, "b")]
    assert column_values(columns, [{"a": 1, "b": 2}]) == [3.0, 1, 2.0, 2]


def test_columns_that_name_each_other_or_nothing_are_empty() -> None:
    columns = [
        computed(0, Computation.SUM, 1),
        computed(1, Computation.SUM, 0),
        computed(2, Computation.SUM, 2),
        computed(3, Computation.SUM, 99),
        computed(4, Computation.SUM),
    ]
    assert column_values(columns, [{}]) == [None] * 5


def test_scores_too_large_to_be_added_leave_the_sum_empty_and_have_a_mean() -> None:
    columns = [score(0, "a"), score(1, "b"), computed(2, Computation.SUM, 0, 1), computed(3, Computation.AVG, 0, 1)]
    assert column_values(columns, [{"a": 1e308, "b": 1.2e308}]) == [1e308, 1.2e308, None, 1.1e308]
    assert column_values([score(0, "a")], [{"a": 1e308}, {"a": 1.2e308}]) == [1.1e308]


FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(FINITE, min_size=1, max_size=5), st.sampled_from(Computation))
def test_a_value_is_finite_or_empty(scores: list[float], computation: Computation) -> None:
    columns = [score(at, str(at)) for at in range(len(scores))]
    columns.append(computed(99, computation, *range(len(scores))))
    values = column_values(columns, [{str(at): value for at, value in enumerate(scores)}])
    assert scores == values[:-1]
    assert values[-1] is None or math.isfinite(values[-1])
    if computation in {Computation.MIN, Computation.MAX, Computation.AVG}:
        assert values[-1] is not None
