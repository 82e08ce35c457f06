"""Which of a participant's submissions stand on a leaderboard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.platform.bundles.content import Sorting, SubmissionRule
from podium.platform.leaderboard.columns import ColumnRule
from podium.platform.leaderboard.ranking import Entry
from podium.platform.leaderboard.selection import CHOSEN, MULTIPLE, select_entries

START = datetime(2030, 1, 1, tzinfo=UTC)
COLUMN = ColumnRule(0, "score", Sorting.DESC)
# The best one is in the middle, and a later one is as good.
SCORES = {"first": 1.0, "best": 3.0, "as good": 3.0, "last": 2.0}
ENTRIES = [Entry(name, [value], START + timedelta(hours=at)) for at, (name, value) in enumerate(SCORES.items())]


def chosen(rule: SubmissionRule, standing: set[str] | None = None, column: ColumnRule = COLUMN) -> set[str]:
    found = select_entries(rule, ENTRIES[::-1], standing=frozenset(standing or ()), columns=[column], primary_index=0)
    return set(found)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (SubmissionRule.FORCE_LAST, {"last"}),
        (SubmissionRule.FORCE_LATEST_MULTIPLE, set(SCORES)),
        (SubmissionRule.FORCE_BEST, {"best"}),
        (SubmissionRule.ADD, {"first"}),
        (SubmissionRule.ADD_AND_DELETE, {"first"}),
        (SubmissionRule.ADD_AND_DELETE_MULTIPLE, {"first"}),
    ],
)
def test_what_stands_by_itself(rule: SubmissionRule, expected: set[str]) -> None:
    assert expected == chosen(rule)


@pytest.mark.parametrize("rule", sorted(CHOSEN))
def test_what_a_participant_has_chosen_stays(rule: SubmissionRule) -> None:
    assert {"last"} == chosen(rule, {"last"})


@pytest.mark.parametrize("rule", sorted(SubmissionRule))
def test_nothing_is_put_there_for_who_took_theirs_off(rule: SubmissionRule) -> None:
    baseline = Entry("baseline", [9.0], START, is_baseline=True)
    for standing in ((), ("last",)):
        found = select_entries(
            rule,
            [*ENTRIES, baseline],
            standing=frozenset(standing),
            columns=[COLUMN],
            primary_index=0,
            is_withdrawn=True,
        )
        assert found - {"baseline"} == (set(standing) if rule in CHOSEN else chosen(rule))


@pytest.mark.parametrize("rule", sorted(set(SubmissionRule) - CHOSEN))
def test_a_forced_rule_does_not_heed_what_stands(rule: SubmissionRule) -> None:
    assert chosen(rule) == chosen(rule, {"first"})


def test_the_best_is_the_least_in_an_ascending_column() -> None:
    assert {"first"} == chosen(SubmissionRule.FORCE_BEST, column=ColumnRule(0, "loss", Sorting.ASC))


def test_without_any_score_the_earliest_stands_for_the_best() -> None:
    entries = [Entry("late", [None], START + timedelta(hours=1)), Entry("early", [None], START)]
    found = select_entries(SubmissionRule.FORCE_BEST, entries, standing=frozenset(), columns=[COLUMN], primary_index=0)
    assert {"early"} == found


@given(st.sampled_from(SubmissionRule), st.permutations(ENTRIES), st.integers(0, len(ENTRIES)))
def test_one_row_or_several_and_only_of_those_that_were_scored(
    rule: SubmissionRule, entries: list[Entry[str]], number: int
) -> None:
    found = select_entries(rule, entries[:number], standing=frozenset(), columns=[COLUMN], primary_index=0)
    assert found <= {entry.item for entry in entries[:number]}
    assert bool(found) == bool(number)
    assert len(found) <= 1 or rule in MULTIPLE
