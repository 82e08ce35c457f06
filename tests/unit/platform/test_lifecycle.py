"""The tables of states, and how an attempt's outcome follows from its evaluations'."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from podium.platform.errors import Conflict
from podium.platform.lifecycle import (
    ACTIVE_SUBMISSION_STATUSES,
    ADOPTION_TRANSITIONS,
    BUNDLE_TRANSITIONS,
    LIVE_RERUN_STATUSES,
    MIGRATION_TRANSITIONS,
    PHASE_TRANSITIONS,
    RERUN_TRANSITIONS,
    SUBMISSION_TRANSITIONS,
    TERMINAL_SUBMISSION_STATUSES,
    AttemptOutcome,
    BundleStatus,
    IllegalTransition,
    PhaseStatus,
    SubmissionStatus,
    attempt_outcome,
    origins,
    require_transition,
)

LEGAL = {
    "submitted": {"queued", "cancelled"},
    "queued": {"preparing", "cancelled"},
    "preparing": {"running", "scoring", "queued", "finished", "failed", "cancelled"},
    "running": {"scoring", "queued", "finished", "failed", "cancelled"},
    "scoring": {"running", "queued", "finished", "failed", "cancelled"},
    "finished": set(),
    "failed": set(),
    "cancelled": set(),
}
LEGAL_FOR_BUNDLES = {
    "uploading": {"queued", "refused"},
    "queued": {"reading", "failed"},
    "reading": {"reading", "created", "refused", "failed"},
    "created": set(),
    "refused": set(),
    "failed": set(),
}


@pytest.mark.parametrize("before", SubmissionStatus)
@pytest.mark.parametrize("after", SubmissionStatus)
def test_every_change_of_a_submission(before: SubmissionStatus, after: SubmissionStatus) -> None:
    if after.value in LEGAL[before.value]:
        require_transition(SUBMISSION_TRANSITIONS, before, after)
    else:
        with pytest.raises(IllegalTransition, match=f"{before} can't become {after}") as refused:
            require_transition(SUBMISSION_TRANSITIONS, before, after)
        assert isinstance(refused.value, Conflict)
    assert (before in origins(SUBMISSION_TRANSITIONS, after)) == (after.value in LEGAL[before.value])


@pytest.mark.parametrize("before", BundleStatus)
@pytest.mark.parametrize("after", BundleStatus)
def test_every_change_of_a_bundle(before: BundleStatus, after: BundleStatus) -> None:
    assert (after in BUNDLE_TRANSITIONS[before]) == (after.value in LEGAL_FOR_BUNDLES[before.value])
    assert (before in origins(BUNDLE_TRANSITIONS, after)) == (after.value in LEGAL_FOR_BUNDLES[before.value])


def test_each_status_is_terminal_or_can_end() -> None:
    for status in SubmissionStatus:
        reachable = {status}
        while True:
            further = reachable | {after for before in reachable for after in SUBMISSION_TRANSITIONS[before]}
            if further == reachable:
                break
            reachable = further
        assert reachable & TERMINAL_SUBMISSION_STATUSES
        assert (status in TERMINAL_SUBMISSION_STATUSES) == (reachable == {status})
    assert not ACTIVE_SUBMISSION_STATUSES & TERMINAL_SUBMISSION_STATUSES


@given(st.lists(st.sampled_from(SubmissionStatus), min_size=1, max_size=12))
def test_no_walk_leaves_a_terminal_status(wishes: list[SubmissionStatus]) -> None:
    status, ended = SubmissionStatus.SUBMITTED, False
    for wish in wishes:
        try:
            require_transition(SUBMISSION_TRANSITIONS, status, wish)
        except IllegalTransition:
            continue
        assert not ended
        status = wish
        ended = status in TERMINAL_SUBMISSION_STATUSES


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([], "succeeded"),
        (["succeeded", "succeeded"], "succeeded"),
        (["succeeded", "user_error"], "user_error"),
        (["user_error", "platform_error"], "platform_error"),
        (["succeeded", "platform_error"], "platform_error"),
        (["platform_error", "cancelled", "user_error"], "cancelled"),
    ],
)
def test_the_gravest_outcome_wins(outcomes: list[str], expected: str) -> None:
    assert AttemptOutcome(expected) is attempt_outcome(map(AttemptOutcome, outcomes))


@given(st.lists(st.sampled_from(AttemptOutcome), min_size=1), st.randoms(use_true_random=False))
def test_an_outcome_is_one_of_those_that_happened_in_any_order(outcomes: list[AttemptOutcome], random) -> None:  # noqa: ANN001  # hypothesis has no public name for its type
    found = attempt_outcome(outcomes)
    shuffled = outcomes.copy()
    random.shuffle(shuffled)
    assert found in outcomes
    assert found is attempt_outcome(shuffled)


TABLES: dict[str, Mapping[Any, frozenset[Any]]] = {
    "submission": SUBMISSION_TRANSITIONS,
    "adoption": ADOPTION_TRANSITIONS,
    "phase": PHASE_TRANSITIONS,
    "migration": MIGRATION_TRANSITIONS,
    "rerun": RERUN_TRANSITIONS,
    "bundle": BUNDLE_TRANSITIONS,
}
ENDS: dict[str, frozenset[Any]] = {
    "submission": frozenset({"finished", "failed", "cancelled"}),
    "migration": frozenset({"finished"}),
    "rerun": frozenset({"adopted", "cancelled"}),
    "bundle": frozenset({"created", "refused", "failed"}),
}
BEGINNINGS = {"submission": "submitted", "migration": "running", "rerun": "waiting", "bundle": "uploading"}


def within_reach(table: Mapping[Any, frozenset[Any]], status: StrEnum) -> set[Any]:
    """All that can be reached in any number of steps, the beginning among it."""
    reached = {status}
    while further := {after for before in reached for after in table[before]} - reached:
        reached |= further
    return reached


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_each_status_and_origins_are_its_inverse(name: str) -> None:
    table = TABLES[name]
    kind: Any = type(next(iter(table)))
    assert set(table) == set(kind)
    for after in kind:
        assert origins(table, after) == {before for before in kind if after in table[before]}
        for before in kind:
            assert (before in origins(table, after)) == (after in table[before])
    with pytest.raises(TypeError):
        table[next(iter(table))] = frozenset()  # type: ignore[index]  # that it can't be changed is the point


@pytest.mark.parametrize("name", ENDS)
def test_every_way_can_end_and_nothing_leaves_an_end(name: str) -> None:
    table = TABLES[name]
    assert {status for status, afters in table.items() if not afters} == ENDS[name]
    for status in table:
        assert within_reach(table, status) & ENDS[name]
    beginning = next(status for status in table if status == BEGINNINGS[name])
    assert within_reach(table, beginning) == set(table)


def test_live_and_active_ones_are_those_that_can_still_change() -> None:
    assert {status for status, afters in RERUN_TRANSITIONS.items() if afters} == LIVE_RERUN_STATUSES
    assert {status for status, afters in SUBMISSION_TRANSITIONS.items() if not afters} == TERMINAL_SUBMISSION_STATUSES
    held = within_reach(SUBMISSION_TRANSITIONS, SubmissionStatus.PREPARING) - {SubmissionStatus.QUEUED}
    assert held - TERMINAL_SUBMISSION_STATUSES == ACTIVE_SUBMISSION_STATUSES


def test_adoption_alone_leads_out_of_an_end_and_only_between_results() -> None:
    results = {SubmissionStatus.FINISHED, SubmissionStatus.FAILED}
    for before in SubmissionStatus:
        assert ADOPTION_TRANSITIONS[before] == (results if before in results else frozenset())


def test_an_announced_phase_may_become_anything_else() -> None:
    for before in PhaseStatus:
        assert PHASE_TRANSITIONS[before] == set(PhaseStatus) - {before}


class Walk(RuleBasedStateMachine):
    """A submission that everybody pulls at: agents, its participant, organizers who adopt."""

    def __init__(self) -> None:
        super().__init__()
        self.status = SubmissionStatus.SUBMITTED
        self.path = [self.status]
        self.adopted = False

    @rule(wish=st.sampled_from(SubmissionStatus))
    def move(self, wish: SubmissionStatus) -> None:
        try:
            require_transition(SUBMISSION_TRANSITIONS, self.status, wish)
        except IllegalTransition:
            assert wish.value not in LEGAL[self.status.value]
        else:
            assert self.status not in TERMINAL_SUBMISSION_STATUSES
            assert wish.value in LEGAL[self.status.value]
            self.status = wish
            self.path.append(wish)

    @rule(wish=st.sampled_from(SubmissionStatus))
    def adopt(self, wish: SubmissionStatus) -> None:
        ended = {SubmissionStatus.FINISHED, SubmissionStatus.FAILED}
        try:
            require_transition(ADOPTION_TRANSITIONS, self.status, wish)
        except IllegalTransition:
            assert not {self.status, wish} <= ended
        else:
            assert {self.status, wish} <= ended
            self.status, self.adopted = wish, True

    @invariant()
    def it_was_queued_before_an_agent_had_it(self) -> None:
        for before, after in pairwise(self.path):
            if after is SubmissionStatus.PREPARING:
                assert before is SubmissionStatus.QUEUED
            assert after is not SubmissionStatus.SUBMITTED

    @invariant()
    def only_what_was_held_by_an_agent_has_results(self) -> None:
        if self.path[-1] is SubmissionStatus.FINISHED:
            assert self.path[-2] in ACTIVE_SUBMISSION_STATUSES

    @invariant()
    def it_ends_once(self) -> None:
        assert not set(self.path[:-1]) & TERMINAL_SUBMISSION_STATUSES

    def teardown(self) -> None:
        """Wherever the walk has stopped, it can be led to each end that there is, but for one that it has."""
        reached = within_reach(SUBMISSION_TRANSITIONS, self.status) & TERMINAL_SUBMISSION_STATUSES
        ended = self.status in TERMINAL_SUBMISSION_STATUSES
        assert reached == ({self.status} if ended else TERMINAL_SUBMISSION_STATUSES)


TestWalk = Walk.TestCase
