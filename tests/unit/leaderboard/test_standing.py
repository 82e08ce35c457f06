"""Whole boards as of any moment: what holds whatever was submitted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.platform.bundles.content import Computation, Ranking, Sorting, SubmissionRule
from podium.platform.leaderboard.columns import ColumnRule, column_values, dependency_order
from podium.platform.leaderboard.names import pseudonym
from podium.platform.leaderboard.ranking import Entry
from podium.platform.leaderboard.selection import MULTIPLE
from podium.platform.leaderboard.standing import (
    BoardRules,
    Candidate,
    entrants_of,
    frozen_since,
    made_by,
    previous_ranks,
    ranked_entries,
    ranks_of_entrants,
    standing_entries,
    window_border,
)

START = datetime(2030, 1, 1, tzinfo=UTC)
END = START + timedelta(days=10)
HOUR = timedelta(hours=1)
COLUMNS = (
    ColumnRule(0, "score", Sorting.DESC),
    ColumnRule(1, "loss", Sorting.ASC),
    ColumnRule(2, "average", Sorting.ASC, Computation.AVERAGE_RANK, (0, 1)),
)
RULES = st.builds(
    BoardRules, st.just(COLUMNS), st.sampled_from([0, 1, 2]), st.sampled_from(SubmissionRule), st.sampled_from(Ranking)
)
VALUE = st.none() | st.sampled_from([0.0, 0.5, 1.0, 2.0])
MADE = st.lists(st.tuples(st.sampled_from("abcd"), VALUE, VALUE, st.booleans()), max_size=14)
Made = list[tuple[str, float | None, float | None, bool]]


def candidates_of(made: Made) -> list[Candidate[str, int]]:
    return [
        Candidate(who, Entry(at, [one, two, None], START + at // 2 * HOUR, at, is_baseline))
        for at, (who, one, two, is_baseline) in enumerate(made)
    ]


@given(RULES, MADE, st.sets(st.integers(0, 13)))
def test_what_stands_goes_on_to_stand(rules: BoardRules, made: Made, chosen: set[int]) -> None:
    candidates = candidates_of(made)
    standing = standing_entries(rules, candidates, frozenset(chosen))
    items = frozenset(candidate.entry.item for candidate in standing)
    assert standing_entries(rules, standing, items) == standing
    assert {one.entry.item for one in standing_entries(rules, candidates, items)} == items
    baselines = {one.entry.item for one in candidates if one.entry.is_baseline}
    assert baselines <= items
    for who in {one.entrant for one in candidates if not one.entry.is_baseline}:
        own = [one for one in standing if one.entrant == who and not one.entry.is_baseline]
        assert len(own) >= 1
        assert len(own) == 1 or rules.submission_rule in MULTIPLE


@given(RULES, MADE, st.randoms(use_true_random=False))
def test_the_order_in_which_results_come_changes_nothing(rules: BoardRules, made: Made, order: object) -> None:
    candidates = candidates_of(made)
    shuffled = list(candidates)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    boards = [
        ranked_entries(rules, [one.entry for one in standing_entries(rules, some)]) for some in (candidates, shuffled)
    ]
    assert boards[0] == boards[1]
    assert previous_ranks(rules, candidates, 2) == previous_ranks(rules, shuffled, 2)


@given(RULES, MADE, st.integers(0, 8))
def test_the_ranks_before_a_window_are_those_of_the_board_of_then(rules: BoardRules, made: Made, hours: int) -> None:
    candidates = candidates_of(made)
    border = window_border([one.entry.submitted for one in candidates], hours)
    if border is None:
        assert not candidates
        return
    then = [one for one in candidates if one.entry.submitted <= border]
    assert made_by(candidates, border) == then
    assert previous_ranks(rules, candidates, hours) == ranks_of_entrants(rules, standing_entries(rules, then))
    assert previous_ranks(rules, candidates, 0) == ranks_of_entrants(rules, standing_entries(rules, candidates))


@given(MADE)
def test_the_best_never_falls_when_more_is_submitted(made: Made) -> None:
    rules = BoardRules(COLUMNS[:1], 0, SubmissionRule.FORCE_BEST)
    candidates = candidates_of(made)
    best: dict[str, float] = {}
    for at in range(1, len(candidates) + 1):
        for one in standing_entries(rules, candidates[:at]):
            if not one.entry.is_baseline and one.entry.values[0] is not None:
                assert one.entry.values[0] >= best.get(one.entrant, one.entry.values[0])
                best[one.entrant] = one.entry.values[0]


@given(MADE)
def test_a_team_of_one_is_as_good_as_its_member_and_two_are_as_good_as_the_better(made: Made) -> None:
    rules = BoardRules(COLUMNS[:2], 0, SubmissionRule.FORCE_BEST)
    candidates = [one._replace(entry=one.entry._replace(is_baseline=False)) for one in candidates_of(made)]
    alone = entrants_of("abcd", {"a": "team"})
    together = entrants_of("abcd", {"a": "team", "b": "team"})

    def board(entrants: dict[str, str]) -> list[tuple[str, int | None]]:
        entered = [one._replace(entrant=entrants[one.entrant]) for one in candidates]
        return list(ranks_of_entrants(rules, standing_entries(rules, entered)).items())

    own = list(ranks_of_entrants(rules, standing_entries(rules, candidates)).items())
    assert board(alone) == [("team" if who == "a" else who, place) for who, place in own]
    found = dict(board(together))
    assert not {"a", "b"} & set(found)
    first = next((who for who, _ in own if who in "ab"), None)
    others = [who for who, _ in own if who not in "ab" or who == first]
    assert [who for who, _ in board(together)] == ["team" if who == first else who for who in others]


@pytest.mark.parametrize(
    ("at", "unfrozen", "frozen"),
    [
        (END - 25 * HOUR, None, False),
        (END - 24 * HOUR, None, True),
        (END - HOUR, None, True),
        (END, None, False),
        (END + HOUR, None, False),
        (END - HOUR, END - 2 * HOUR, False),
        (END - 3 * HOUR, END - 2 * HOUR, True),
        # Somebody unfroze it before it froze: of an earlier phase, and not of this one.
        (END - HOUR, END - 48 * HOUR, True),
    ],
)
def test_a_board_is_frozen_from_then_until_the_end_or_until_it_is_unfrozen(
    at: datetime, unfrozen: datetime | None, *, frozen: bool
) -> None:
    assert frozen_since(END, 24, at, unfrozen) == (END - 24 * HOUR if frozen else None)


def test_what_does_not_end_or_has_no_hours_does_not_freeze() -> None:
    assert frozen_since(None, 24, END) is None
    assert frozen_since(END, None, END - HOUR) is None


def test_a_pseudonym_is_the_same_on_one_board_and_another_on_another() -> None:
    key, ada, bob = uuid4(), UUID(int=1), UUID(int=2)
    assert pseudonym(key, ada) == pseudonym(key, ada)
    assert len({pseudonym(key, ada), pseudonym(key, bob), pseudonym(uuid4(), ada)}) == 3
    word, letters = pseudonym(key, ada).split(" ")
    assert (word, len(letters)) == ("Participant", 8)


def test_a_long_chain_of_columns_is_computed_from_its_end() -> None:
    last = 3000
    columns = [ColumnRule(at, f"c{at}", Sorting.DESC, Computation.SUM, (at + 1,)) for at in range(last)]
    columns.append(ColumnRule(last, "score", Sorting.DESC))
    assert column_values(columns, [{"score": 2.0}]) == [2.0] * (last + 1)


INDEXES = st.lists(st.lists(st.integers(0, 6), max_size=3), min_size=6, max_size=6)


@given(INDEXES)
def test_columns_come_after_what_they_are_made_of_and_those_in_circles_not_at_all(indexes: list[list[int]]) -> None:
    columns = [
        ColumnRule(at, str(at), Sorting.DESC, Computation.SUM if of else None, tuple(of))
        for at, of in enumerate(indexes)
    ]
    order = [column.index for column in dependency_order(columns)]
    assert len(order) == len(set(order))
    for at, index in enumerate(order):
        assert set(indexes[index]) <= set(order[:at])
    for index in set(range(6)) - set(order):
        # It needs a column that is not there, or another one that is left out too.
        assert set(indexes[index]) - set(order)
