"""Ranks by means and medians of ranks, ties as an organizer says, and baselines; and what holds of every ranking."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations
from statistics import mean, median

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from podium.platform.bundles.content import Ranking, Sorting
from podium.platform.leaderboard.columns import ColumnRule
from podium.platform.leaderboard.ranking import Entry, Ranked, best_entry, competition_ranks, rank
from podium.platform.leaderboard.ties import grouped

START = datetime(2030, 1, 1, tzinfo=UTC)
DICE = ColumnRule(0, "dice", Sorting.DESC)
DISTANCE = ColumnRule(1, "hd", Sorting.ASC)
GOLDEN = {"A": (0.9, 5), "B": (0.9, 3), "C": (0.8, 1), "D": (0.7, 9), "E": (None, 1), "F": (None, None)}
"""Of grand-challenge.org: dice descending, Hausdorff distance ascending; E and F have no dice."""
BY_RANKS = (Ranking.MEAN_RANK, Ranking.MEDIAN_RANK)


def entry(name: str, *values: float | None, minute: int = 0, is_baseline: bool = False) -> Entry[str]:
    return Entry(name, values, START + timedelta(minutes=minute), minute, is_baseline)


def ranks(rows: Sequence[Ranked[str]]) -> dict[str, int | None]:
    return {row.entry.item: row.rank for row in rows}


def golden() -> list[Entry[str]]:
    return [entry(name, *values, minute=at) for at, (name, values) in enumerate(GOLDEN.items())]


@pytest.mark.parametrize("ranking", BY_RANKS)
def test_known_vectors_by_mean_and_median_in_any_order(ranking: Ranking) -> None:
    for entries in permutations(golden()):
        rows = rank(entries, [DICE, DISTANCE], 0, ranking)
        assert [(row.entry.item, row.rank, row.combined_rank) for row in rows] == [
            ("B", 1, 1.5),
            ("A", 2, 2.0),
            ("C", 2, 2.0),
            ("D", 4, 4.0),
            ("E", None, None),
            ("F", None, None),
        ]


@pytest.mark.parametrize("hidden", [True, False])
def test_known_vectors_by_the_first_metric_alone_in_any_order(*, hidden: bool) -> None:
    second = replace(DISTANCE, hidden=hidden, exclude_from_ranking=not hidden)
    for entries in permutations(golden()):
        rows = rank(entries, [DICE, second], 0)
        assert [(row.entry.item, row.rank) for row in rows] == [
            ("A", 1),
            ("B", 1),
            ("C", 3),
            ("D", 4),
            ("E", None),
            ("F", None),
        ]


def test_a_bad_column_ruins_a_mean_and_not_a_median() -> None:
    columns = [ColumnRule(at, str(at), Sorting.ASC) for at in range(3)]
    entries = [entry("odd", 1, 1, 99), entry("even", 2, 2, 1), entry("other", 3, 3, 2), entry("last", 4, 4, 3)]
    by_mean = {row.entry.item: row.combined_rank for row in rank(entries, columns, 0, Ranking.MEAN_RANK)}
    assert by_mean == {"odd": 2.0, "even": 5 / 3, "other": 8 / 3, "last": 11 / 3}
    assert ranks(rank(entries, columns, 0, Ranking.MEDIAN_RANK)) == {"odd": 1, "even": 2, "other": 3, "last": 4}
    assert [row.combined_rank for row in rank(entries, columns, 0, Ranking.MEDIAN_RANK)] == [1, 2, 3, 4]


@pytest.mark.parametrize("ranking", BY_RANKS)
def test_excluded_columns_neither_count_nor_need_a_value(ranking: Ranking) -> None:
    columns = [DICE, replace(DISTANCE, exclude_from_ranking=True), ColumnRule(2, "hidden", Sorting.DESC, hidden=True)]
    entries = [entry("a", 0.9, None, None), entry("b", 0.8, 1, 9)]
    assert ranks(rank(entries, columns, 0, ranking)) == {"a": 1, "b": 2}


@pytest.mark.parametrize("ranking", BY_RANKS)
def test_a_row_that_lacks_a_score_counts_in_no_column(ranking: Ranking) -> None:
    columns = [DICE, DISTANCE]
    entries = [entry("half", 1.0, None), entry("a", 0.9, 2), entry("b", 0.8, 1)]
    rows = rank(entries, columns, 0, ranking)
    assert [(row.entry.item, row.rank, row.combined_rank, row.is_placed) for row in rows] == [
        ("a", 1, 1.5, True),
        ("b", 1, 1.5, True),
        ("half", None, None, False),
    ]


@pytest.mark.parametrize("ranking", Ranking)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_ranks_nobody(ranking: Ranking, bad: float) -> None:
    for sorting in Sorting:
        column = replace(DICE, sorting=sorting)
        assert ranks(rank([entry("bad", bad), entry("good", 0.5)], [column], 0, ranking)) == {"good": 1, "bad": None}


@pytest.mark.parametrize("ranking", Ranking)
def test_a_truth_value_is_the_number_that_it_is(ranking: Ranking) -> None:
    entries = [entry("true", *[True], minute=1), entry("one", 1), entry("false", *[False])]
    assert [(row.entry.item, row.rank) for row in rank(entries, [DICE], 0, ranking)] == [
        ("one", 1),
        ("true", 1),
        ("false", 3),
    ]


def test_rounded_values_that_are_the_same_are_told_apart_by_the_next_column() -> None:
    columns = [replace(DICE, ranking_precision=3), replace(DISTANCE, sorting=Sorting.DESC, ranking_precision=3)]
    entries = [entry("a", 32.0501, 0.001), entry("b", 32.05, 0.002), entry("c", 32.0506, 0.0)]
    assert ranks(rank(entries, columns, 0)) == {"c": 1, "b": 2, "a": 3}
    assert ranks(rank(entries, columns[:1], 0)) == {"c": 1, "b": 2, "a": 2}
    assert ranks(rank(entries, [replace(DICE, ranking_precision=0)], 0)) == {"a": 1, "b": 1, "c": 1}


def test_a_tolerance_is_measured_from_the_best_of_a_group() -> None:
    column = replace(DICE, tie_tolerance=0.01)
    entries = [entry("a", 0.90), entry("b", 0.895), entry("c", 0.885), entry("d", 0.5)]
    assert ranks(rank(entries, [column], 0)) == {"a": 1, "b": 1, "c": 3, "d": 4}
    rising = replace(column, sorting=Sorting.ASC)
    assert ranks(rank(entries, [rising], 0)) == {"d": 1, "c": 2, "b": 2, "a": 4}


def test_a_tolerance_of_a_later_column_holds_among_those_that_are_tied_before() -> None:
    columns = [DICE, replace(DISTANCE, tie_tolerance=1.0)]
    # b is within 1 of a, which ranks elsewhere: it begins a group of its own, that c is in.
    entries = [entry("a", 2, 1.0), entry("b", 1, 1.9), entry("c", 1, 2.8), entry("d", 1, 3.0)]
    assert ranks(rank(entries, columns, 0)) == {"a": 1, "b": 2, "c": 2, "d": 4}


@pytest.mark.parametrize("ranking", BY_RANKS)
def test_ties_within_a_tolerance_share_a_rank_in_the_column(ranking: Ranking) -> None:
    columns = [replace(DICE, tie_tolerance=0.1), DISTANCE]
    entries = [entry("a", 0.95, 1), entry("b", 0.9, 1), entry("c", 0.5, 2)]
    rows = rank(entries, columns, 0, ranking)
    assert [(row.entry.item, row.rank, row.combined_rank) for row in rows] == [("a", 1, 1), ("b", 1, 1), ("c", 3, 3)]


@pytest.mark.parametrize("ranking", Ranking)
def test_a_baseline_stands_in_its_place_and_takes_no_rank(ranking: Ranking) -> None:
    column = ColumnRule(0, "score", Sorting.ASC)
    entries = [
        entry("p1", 3),
        entry("b1", 4, is_baseline=True),
        entry("p2", 5),
        entry("b2", 1, is_baseline=True),
        entry("b3", None, is_baseline=True),
    ]
    rows = rank(entries, [column], 0, ranking)
    assert [(row.entry.item, row.rank, row.is_placed) for row in rows] == [
        ("b2", None, True),
        ("p1", 1, True),
        ("b1", None, True),
        ("p2", 2, True),
        ("b3", None, False),
    ]


def test_competition_ranks() -> None:
    assert competition_ranks([3, 1, 2, 2], [True] * 4) == [4, 1, 2, 2]
    assert competition_ranks([3, 1, 2, 2], [True, False, True, False]) == [2, 0.5, 1, 1]
    assert competition_ranks([], []) == []


def test_what_was_submitted_at_the_same_moment_is_told_apart_by_its_number() -> None:
    first, second = Entry("first", [1.0], START, 1), Entry("second", [1.0], START, 2)
    for entries in ([first, second], [second, first]):
        assert [row.entry.item for row in rank(entries, [DICE], 0)] == ["first", "second"]


VALUES = st.none() | st.sampled_from([0.0, 0.25, 1.0, 1.1, 2.0, -1.5, math.nan, math.inf])
ROWS = st.lists(st.tuples(VALUES, VALUES, st.booleans()), max_size=12)
COLUMN = st.builds(
    ColumnRule,
    index=st.just(0),
    key=st.just("score"),
    sorting=st.sampled_from(Sorting),
    hidden=st.booleans(),
    ranking_precision=st.sampled_from([None, None, 0, 1]),
    tie_tolerance=st.sampled_from([0.0, 0.0, 0.1, 1.0]),
    exclude_from_ranking=st.booleans(),
)
COLUMNS = st.tuples(COLUMN, COLUMN).map(lambda both: [both[0], replace(both[1], index=1)])
RANKINGS = st.sampled_from(Ranking)
Row = tuple[float | None, float | None, bool]


def entries_of(rows: Sequence[Row]) -> list[Entry[str]]:
    return [entry(str(at), one, two, minute=at // 2, is_baseline=base) for at, (one, two, base) in enumerate(rows)]


def numbered(rows: Sequence[Row]) -> list[Entry[str]]:
    return [one._replace(number=at) for at, one in enumerate(entries_of(rows))]


@given(ROWS, COLUMNS, RANKINGS, st.sampled_from([0, 1]), st.randoms(use_true_random=False))
def test_the_order_of_insertion_changes_nothing(
    rows: list[Row], columns: list[ColumnRule], ranking: Ranking, primary: int, order: object
) -> None:
    entries = numbered(rows)
    shuffled = list(entries)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert rank(entries, columns, primary, ranking) == rank(shuffled, columns, primary, ranking)


@given(ROWS, COLUMNS, RANKINGS, st.sampled_from([0, 1]))
def test_ranks_are_competition_ranks_and_rise_along_the_board(
    rows: list[Row], columns: list[ColumnRule], ranking: Ranking, primary: int
) -> None:
    ranked = rank(numbered(rows), columns, primary, ranking)
    assert sorted(row.entry.item for row in ranked) == sorted(map(str, range(len(rows))))
    with_rank = [row.rank for row in ranked if row.rank is not None]
    assert with_rank == sorted(with_rank)
    assert all(one == 1 + sum(other < one for other in with_rank) for one in with_rank)
    assert all((row.rank is None) == (row.entry.is_baseline or not row.is_placed) for row in ranked)
    placed = [row.is_placed for row in ranked]
    assert placed == sorted(placed, reverse=True)
    # Dense ranks are the same order without the gaps.
    dense = {one: at for at, one in enumerate(sorted(set(with_rank)), start=1)}
    assert all(dense[one] <= one for one in with_rank)
    for one, other in pairwise(ranked):
        if one.rank is not None and one.rank == other.rank:
            assert (one.entry.submitted, one.entry.number) < (other.entry.submitted, other.entry.number)


@given(ROWS, COLUMNS, RANKINGS)
def test_what_was_ranked_is_ranked_the_same_again(rows: list[Row], columns: list[ColumnRule], ranking: Ranking) -> None:
    once = rank(numbered(rows), columns, 0, ranking)
    assert rank([row.entry for row in once], columns, 0, ranking) == once


@given(ROWS, COLUMNS, st.sampled_from([0, 1]))
def test_the_best_is_the_one_that_ranks_first(rows: list[Row], columns: list[ColumnRule], primary: int) -> None:
    assume(rows)
    exact = [replace(column, tie_tolerance=0.0) for column in columns]
    assert best_entry(numbered(rows), exact, primary) == rank(numbered(rows), exact, primary)[0].entry


@given(ROWS, COLUMNS)
def test_who_is_worse_changes_nothing_about_who_is_better(rows: list[Row], columns: list[ColumnRule]) -> None:
    """Taking rows off the end of a board, or putting them back there, leaves the ranks of the others alone."""
    ranked = rank(numbered(rows), columns, 0)
    for kept in range(len(ranked)):
        assert rank([row.entry for row in ranked[:kept]], columns, 0) == ranked[:kept]


@given(ROWS, COLUMNS, RANKINGS)
def test_without_its_baselines_a_board_has_the_same_ranks(
    rows: list[Row], columns: list[ColumnRule], ranking: Ranking
) -> None:
    entries = numbered(rows)
    ranked = [row for row in rank(entries, columns, 0, ranking) if not row.entry.is_baseline]
    assert rank([one for one in entries if not one.is_baseline], columns, 0, ranking) == ranked


@given(ROWS, COLUMNS, RANKINGS)
def test_a_row_that_can_not_be_ranked_changes_nothing_about_the_others(
    rows: list[Row], columns: list[ColumnRule], ranking: Ranking
) -> None:
    entries = numbered(rows)
    more = [*entries, entry("more", None, None, minute=99)]
    assert rank(more, columns, 0, ranking)[:-1] == rank(entries, columns, 0, ranking)[: len(entries)]


@given(ROWS, COLUMNS, RANKINGS, st.sampled_from([0.5, 2.0, 8.0]), st.sampled_from([0.0, 16.0, -4.0]))
def test_stretching_and_moving_the_values_of_a_column_changes_no_rank(
    rows: list[Row], columns: list[ColumnRule], ranking: Ranking, factor: float, shift: float
) -> None:
    exact = [replace(column, ranking_precision=None, tie_tolerance=0.0) for column in columns]
    entries = numbered(rows)
    moved = [
        one._replace(values=[None if value is None else value * factor + shift for value in one.values])
        for one in entries
    ]
    assert ranks(rank(moved, exact, 0, ranking)) == ranks(rank(entries, exact, 0, ranking))


@given(ROWS, COLUMNS, RANKINGS)
def test_a_column_turned_round_with_its_values_changes_no_rank(
    rows: list[Row], columns: list[ColumnRule], ranking: Ranking
) -> None:
    other = {Sorting.ASC: Sorting.DESC, Sorting.DESC: Sorting.ASC}
    turned = [replace(column, sorting=other[column.sorting]) for column in columns]
    entries = numbered(rows)
    negated = [one._replace(values=[None if value is None else -value for value in one.values]) for one in entries]
    assert ranks(rank(negated, turned, 0, ranking)) == ranks(rank(entries, columns, 0, ranking))


@given(ROWS, COLUMNS, st.sampled_from(BY_RANKS))
def test_a_combined_rank_is_the_mean_or_median_of_ranks_by_each_column_alone(
    rows: list[Row], columns: list[ColumnRule], ranking: Ranking
) -> None:
    ranked = rank(numbered(rows), columns, 0, ranking)
    placed = [row.entry for row in ranked if row.is_placed]
    used = [0] if columns[1].hidden or columns[1].exclude_from_ranking else [0, 1]
    alone = [
        ranks(rank([one._replace(values=[one.values[at]]) for one in placed], [columns[at]], columns[at].index))
        for at in used
    ]
    combine = mean if ranking is Ranking.MEAN_RANK else median
    for row in ranked:
        if row.rank is not None:
            assert row.combined_rank == combine([by_column[row.entry.item] or 0 for by_column in alone])


@given(st.lists(st.floats(-5, 5), max_size=15), st.sampled_from([0.1, 1.0, 3.0]))
def test_groups_are_no_wider_than_the_tolerance_and_begin_where_the_last_one_is_out_of_reach(
    values: list[float], tolerance: float
) -> None:
    best_of = grouped(values, tolerance, [True] * len(values))
    assert all(0 <= value - best <= tolerance * (1 + 1e-9) for value, best in zip(values, best_of, strict=True))
    groups = sorted(set(best_of))
    assert all(other - one > tolerance for one, other in pairwise(groups))
    assert grouped(best_of, tolerance, [True] * len(values)) == best_of


@given(ROWS, COLUMNS, RANKINGS)
def test_a_larger_tolerance_of_the_only_column_never_parts_the_first_group(
    rows: list[Row], columns: list[ColumnRule], ranking: Ranking
) -> None:
    column = replace(columns[0], ranking_precision=None)
    entries = [one._replace(values=one.values[:1]) for one in numbered(rows)]
    firsts = []
    for tolerance in (0.0, 0.1, 1.0, 10.0):
        found = ranks(rank(entries, [replace(column, tie_tolerance=tolerance)], 0, ranking))
        firsts.append({name for name, place in found.items() if place == 1})
    assume(firsts[0])
    assert all(one <= other for one, other in pairwise(firsts))
