"""Columns over ranks, by vectors worked by hand from CodaLab v1.5's rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.platform.bundles.content import Computation, Sorting, SubmissionRule
from podium.platform.leaderboard.columns import ColumnRule, column_values
from podium.platform.leaderboard.rank_columns import columns_over_ranks, dense_ranks, with_rank_values
from podium.platform.leaderboard.ranking import Entry, rank
from podium.platform.leaderboard.selection import select_entries

ACCURACY = ColumnRule(0, "accuracy", Sorting.DESC)
LOSS = ColumnRule(1, "loss", Sorting.ASC)
SCORES: dict[str, tuple[float | None, float | None]] = {
    "ada": (0.9, 0.5),  # ranks 1 and 2
    "bob": (0.9, 0.1),  # ranks 1 and 1
    "cleo": (0.8, 0.9),  # ranks 2 and 3: the rank after a shared one is the next
    "dan": (0.7, None),  # ranks 3 and 4: a missing value comes after all others
    "eve": (None, None),
}


def over_ranks(
    computation: Computation,
    *weights: float,
    index: int = 2,
    of: tuple[int, ...] = (0, 1),
    sorting: Sorting | None = None,
) -> ColumnRule:
    is_average = computation is Computation.AVERAGE_RANK
    direction = sorting or (Sorting.ASC if is_average else Sorting.DESC)
    return ColumnRule(index, f"over{index}", direction, computation, of, computation_weights=weights)


def filled(*columns: ColumnRule) -> dict[str, list[float | None]]:
    blank = [None] * (len(columns) - 2)
    rows = with_rank_values(columns, [[*scores, *blank] for scores in SCORES.values()])
    return dict(zip(SCORES, rows, strict=True))


@pytest.mark.parametrize(
    ("values", "sorting", "expected"),
    [
        ([3.0, 1.0, 2.0], Sorting.DESC, [1, 3, 2]),
        ([3.0, 1.0, 2.0], Sorting.ASC, [3, 1, 2]),
        ([5.0, 5.0, 4.0, 4.0, 3.0], Sorting.DESC, [1, 1, 2, 2, 3]),
        ([1.0, None, 0.0, None], Sorting.DESC, [1, 3, 2, 3]),
        ([None, None], Sorting.DESC, [1, 1]),
        ([], Sorting.DESC, []),
        ([0.5, 0.5 + 4e-13, 0.5 - 4e-13], Sorting.DESC, [1, 1, 1]),
        # Apart from the best of the group by more than 1e-12, though not from its neighbour.
        ([0.0, 0.8e-12, 1.6e-12], Sorting.ASC, [1, 1, 2]),
    ],
)
def test_ranks_in_a_column(values: list[float | None], sorting: Sorting, expected: list[int]) -> None:
    assert dense_ranks(ColumnRule(0, "score", sorting), values) == expected


def test_the_average_rank() -> None:
    rows = filled(ACCURACY, LOSS, over_ranks(Computation.AVERAGE_RANK))
    assert {name: row[2] for name, row in rows.items()} == {"ada": 1.5, "bob": 1, "cleo": 2.5, "dan": 3.5, "eve": None}
    assert rows["ada"][:2] == [0.9, 0.5]


def test_weights_are_taken_as_they_are() -> None:
    rows = filled(ACCURACY, LOSS, over_ranks(Computation.AVERAGE_RANK, 0.25, 0.75))
    assert [row[2] for row in rows.values()] == [1.75, 1.0, 2.75, 3.75, None]
    rows = filled(ACCURACY, LOSS, over_ranks(Computation.AVERAGE_RANK, 2, 1))
    assert [row[2] for row in rows.values()] == [4, 3, 7, 10, None]


def test_the_mean_reciprocal_rank() -> None:
    rows = filled(ACCURACY, LOSS, over_ranks(Computation.MEAN_RECIPROCAL_RANK))
    expected = [(1 + 1 / 2) / 2, 1, (1 / 2 + 1 / 3) / 2, (1 / 3 + 1 / 4) / 2]
    assert [row[2] for row in rows.values()][:4] == pytest.approx(expected, abs=1e-15)
    assert rows["eve"][2] is None


def test_a_column_without_any_value_takes_no_part() -> None:
    columns = [ACCURACY, LOSS, over_ranks(Computation.AVERAGE_RANK)]
    assert with_rank_values(columns, [[0.9, None, None], [0.8, None, None]]) == [[0.9, None, 1], [0.8, None, 2]]


def test_columns_may_be_made_from_columns_over_ranks() -> None:
    columns = [
        ACCURACY,
        LOSS,
        over_ranks(Computation.AVERAGE_RANK),
        ColumnRule(3, "doubled", Sorting.ASC, Computation.SUM, (2, 2)),
        over_ranks(Computation.AVERAGE_RANK, index=4, of=(2, 0)),
    ]
    assert columns_over_ranks(columns) == {2, 3, 4}
    rows = filled(*columns)
    assert [row[3] for row in rows.values()] == [3, 2, 5, 7, None]
    assert [row[4] for row in rows.values()] == [1.5, 1, 2.5, 3.5, None]


def test_other_computed_columns_stay_as_they_are_stored() -> None:
    columns = [ACCURACY, ColumnRule(1, "mean", Sorting.DESC, Computation.AVG, (0,))]
    assert columns_over_ranks(columns) == frozenset()
    assert with_rank_values(columns, [[0.5, 0.25]]) == [[0.5, 0.25]]


def test_a_column_that_leads_back_to_itself_is_empty() -> None:
    circle = [
        over_ranks(Computation.AVERAGE_RANK, index=0, of=(1,)),
        over_ranks(Computation.AVERAGE_RANK, index=1, of=(0, 9)),
    ]
    assert with_rank_values(circle, [[1.0, 2.0]]) == [[None, None]]


def test_a_submission_by_itself_has_no_value_over_ranks() -> None:
    columns = [ACCURACY, over_ranks(Computation.AVERAGE_RANK, index=1, of=(0,))]
    assert column_values(columns, [{"accuracy": 0.9, "over1": 3.0}]) == [0.9, None]


def test_a_board_is_ranked_by_such_a_column() -> None:
    columns = [ACCURACY, LOSS, over_ranks(Computation.AVERAGE_RANK)]
    start = datetime(2030, 1, 1, tzinfo=UTC)
    entries = [Entry(name, values, start) for name, values in filled(*columns).items()]
    ranked = [(item.rank, item.entry.item) for item in rank(entries, columns, 2)]
    assert ranked == [(1, "bob"), (2, "ada"), (3, "cleo"), (4, "dan"), (None, "eve")]


@pytest.mark.parametrize(("of", "best"), [((0, 1), "accurate"), ((1, 0), "sure")])
def test_the_best_of_a_participant_is_chosen_by_scores_alone(of: tuple[int, ...], best: str) -> None:
    columns = [ACCURACY, LOSS, over_ranks(Computation.AVERAGE_RANK, of=of)]
    start = datetime(2030, 1, 1, tzinfo=UTC)
    entries = [
        Entry("sure", [0.8, 0.1, None], start),
        Entry("accurate", [0.9, 0.7, None], start + timedelta(hours=1)),
    ]
    chosen = select_entries(SubmissionRule.FORCE_BEST, entries, standing=frozenset(), columns=columns, primary_index=2)
    assert chosen == {best}


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), max_size=20), st.sampled_from(Sorting))
def test_ranks_follow_the_values(values: list[float | None], sorting: Sorting) -> None:
    ranks = dense_ranks(ColumnRule(0, "score", sorting), values)
    assert len(ranks) == len(values)
    assert not ranks or set(ranks) == set(range(1, max(ranks) + 1))
    for one, its_rank in zip(values, ranks, strict=True):
        for other, other_rank in zip(values, ranks, strict=True):
            if one is not None and other is None:
                assert its_rank < other_rank
            elif one is not None and other is not None and its_rank < other_rank:
                assert one < other if sorting is Sorting.ASC else one > other


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=10))
def test_an_average_lies_between_the_first_and_the_last_rank(rows: list[tuple[float, float]]) -> None:
    columns = [ACCURACY, LOSS, over_ranks(Computation.AVERAGE_RANK)]
    for row in with_rank_values(columns, [[*scores, None] for scores in rows]):
        assert row[2] is not None
        assert 1 <= row[2] <= len(rows)
