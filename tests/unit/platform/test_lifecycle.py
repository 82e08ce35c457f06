"""The tables of states, and how an attempt's outcome follows from its evaluations'."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.platform.errors import Conflict
from podium.platform.lifecycle import (
    ACTIVE_SUBMISSION_STATUSES,
    BUNDLE_TRANSITIONS,
    SUBMISSION_TRANSITIONS,
    TERMINAL_SUBMISSION_STATUSES,
    AttemptOutcome,
    BundleStatus,
    IllegalTransition,
    SubmissionStatus,
    attempt_outcome,
    origins,
    require_transition,
)

LEGAL = {
    "submitted": {"queued", "cancelled"},
    "queued": {"preparing", "cancelled", "failed"},
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
