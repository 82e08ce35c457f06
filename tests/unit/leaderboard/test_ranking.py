"""Ranks."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from podium.platform.bundles.content import Sorting
from podium.platform.leaderboard.columns import ColumnRule
from podium.platform.leaderboard.ranking import Entry, rank, ranking_order

START = datetime(2030, 1, 1, tzinfo=UTC)
DESC = ColumnRule(0, "score", Sorting.DESC)
ASC = ColumnRule(0, "loss", Sorting.ASC)


def entry(name: str, *values: float | None, minute: int = 0) -> Entry[str]:
    return Entry(name, values, START + timedelta(minutes=minute))


def ranks(
    entries: Sequence[Entry[str]], columns: Sequence[ColumnRule], primary: int = 0
) -> list[tuple[str, int | None]]:
    return [(item.entry.item, item.rank) for item in rank(entries, columns, primary)]


def test_ties_share_a_rank_and_the_next_is_skipped_the_earlier_first() -> None:
    entries = [entry("d", 1), entry("c", 2, minute=2), entry("b", 2, minute=1), entry("a", 3)]
    assert ranks(entries, [DESC]) == [("a", 1), ("b", 2), ("c", 2), ("d", 4)]


def test_each_column_has_its_own_direction() -> None:
    columns = [ColumnRule(0, "score", Sorting.DESC), ColumnRule(1, "loss", Sorting.ASC)]
    entries = [entry("b", 2, 5), entry("c", 1, 0), entry("a", 2, 4)]
    assert ranks(entries, columns) == [("a", 1), ("b", 2), ("c", 3)]
    assert ranks(entries, columns, primary=1) == [("c", 1), ("a", 2), ("b", 3)]


def test_ascending_puts_the_least_first() -> None:
    assert ranks([entry("b", 0.5), entry("a", -0.5)], [ASC]) == [("a", 1), ("b", 2)]


def test_without_the_primary_value_there_is_no_rank() -> None:
    entries = [entry("late", None, minute=5), entry("early", None, minute=1), entry("a", -1e308)]
    assert ranks(entries, [DESC]) == [("a", 1), ("early", None), ("late", None)]


def test_in_a_later_column_missing_is_worse_than_any() -> None:
    for sorting in Sorting:
        columns = [DESC, ColumnRule(1, "second", sorting)]
        entries = [entry("missing", 1, None), entry("worst", 1, -1e308), entry("best", 1, 1e308)]
        assert ranks(entries, columns)[-1] == ("missing", 3)


def test_a_hidden_column_does_not_rank_unless_it_is_the_primary_one() -> None:
    hidden = ColumnRule(1, "secret", Sorting.DESC, hidden=True)
    entries = [entry("first", 1, 5, minute=1), entry("second", 1, 9, minute=2)]
    assert ranks(entries, [DESC, hidden]) == [("first", 1), ("second", 1)]
    assert ranks(entries, [DESC, hidden], primary=1) == [("second", 1), ("first", 2)]


def test_the_primary_column_is_found_by_its_index_and_not_its_place() -> None:
    columns = [ColumnRule(4, "x", Sorting.DESC), ColumnRule(2, "y", Sorting.DESC), ColumnRule(7, "z", Sorting.DESC)]
    assert ranking_order(columns, 7) == [2, 1, 0]
    assert ranking_order(columns, 99) == [0, 1, 2]
    assert ranking_order([], 0) == []


def test_nothing_to_rank_by_ranks_nobody() -> None:
    assert ranks([entry("a")], []) == [("a", None)]
    assert ranks([], [DESC]) == []


def test_known_vectors_by_the_first_metric() -> None:
    """Of grand-challenge.org: dice descending, Hausdorff distance ascending; E and F have no dice."""
    dice = ColumnRule(0, "dice", Sorting.DESC)
    distance = ColumnRule(1, "hd", Sorting.ASC, hidden=True)
    rows = [("A", 0.9, 5), ("B", 0.9, 3), ("C", 0.8, 1), ("D", 0.7, 9), ("E", None, 1), ("F", None, 2)]
    entries = [entry(name, first, second, minute=at) for at, (name, first, second) in enumerate(rows)]
    assert ranks(entries, [dice, distance]) == [("A", 1), ("B", 1), ("C", 3), ("D", 4), ("E", None), ("F", None)]
    by_distance = dict(ranks(entries[:4], [dice, distance], primary=1))
    assert by_distance == {"A": 3, "B": 2, "C": 1, "D": 4}


VALUES = st.none() | st.sampled_from([0.0, 1.0, 2.0, -1.5])
ROWS = st.lists(st.tuples(VALUES, VALUES), max_size=12)
COLUMNS = st.tuples(st.sampled_from(Sorting), st.sampled_from(Sorting)).map(
    lambda sortings: [ColumnRule(at, str(at), sorting) for at, sorting in enumerate(sortings)]
)


@given(ROWS, COLUMNS, st.sampled_from([0, 1]), st.integers())
def test_ranks_do_not_depend_on_the_order_of_insertion(
    rows: list[tuple[float | None, float | None]], columns: list[ColumnRule], primary: int, seed: int
) -> None:
    entries = [entry(str(at), *values, minute=at) for at, values in enumerate(rows)]
    shuffled = entries.copy()
    random.Random(seed).shuffle(shuffled)
    assert ranks(entries, columns, primary) == ranks(shuffled, columns, primary)


@given(ROWS, COLUMNS, st.sampled_from([0, 1]))
def test_ranks_are_those_of_a_competition(
    rows: list[tuple[float | None, float | None]], columns: list[ColumnRule], primary: int
) -> None:
    entries = [entry(str(at), *values, minute=at) for at, values in enumerate(rows)]
    ranked = rank(entries, columns, primary)
    assert sorted(str(at) for at in range(len(rows))) == sorted(item.entry.item for item in ranked)
    values = {item.entry.item: (tuple(item.entry.values), item.rank) for item in ranked}
    assert all((place is None) == (row[primary] is None) for row, place in values.values())
    for position, item in enumerate(ranked, start=1):
        if item.rank is not None:
            # The rank is one more than the number of rows that are better.
            better = {other.entry.item for other in ranked if other.rank is not None and other.rank < item.rank}
            assert item.rank == len(better) + 1 <= position
