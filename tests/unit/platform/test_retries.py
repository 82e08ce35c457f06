"""When what the platform failed is tried again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.platform.lifecycle import AttemptStatus
from podium.platform.submissions.retries import FAILED_ATTEMPTS, MAX_ATTEMPTS, retry_delay

ENDED = [status for status in AttemptStatus if status is not AttemptStatus.ACTIVE]


@pytest.mark.parametrize(
    ("status", "failed", "seconds"),
    [
        # Trouble that is told at once needs time to pass, more of it the second time.
        (AttemptStatus.PLATFORM_ERROR, 1, 3),
        (AttemptStatus.PLATFORM_ERROR, 2, 45),
        # What was lost has waited for its lease already.
        (AttemptStatus.LOST, 1, 0),
        (AttemptStatus.LOST, 2, 15),
        # The count is of both kinds of failure; how the last one ended says how long.
        (AttemptStatus.LOST, 3, 15),
        (AttemptStatus.PLATFORM_ERROR, 7, 45),
        (AttemptStatus.PLATFORM_ERROR, 0, 3),
        # Nobody waits for an agent that was stopped in good order, however often.
        (AttemptStatus.CANCELLED, 0, 0),
        (AttemptStatus.CANCELLED, 2, 0),
    ],
)
def test_how_long_the_next_attempt_waits(status: AttemptStatus, failed: int, seconds: int) -> None:
    assert retry_delay(status, failed) == timedelta(seconds=seconds)


def test_what_uses_up_a_try() -> None:
    assert set(FAILED_ATTEMPTS) == {AttemptStatus.PLATFORM_ERROR, AttemptStatus.LOST}
    assert MAX_ATTEMPTS == 3


@given(st.sampled_from(ENDED), st.integers(min_value=-3, max_value=100))
def test_a_wait_is_bounded_and_never_shrinks_with_more_failures(status: AttemptStatus, failed: int) -> None:
    delay = retry_delay(status, failed)
    assert timedelta(0) <= delay <= timedelta(minutes=1)
    assert delay <= retry_delay(status, failed + 1)
    if status not in FAILED_ATTEMPTS:
        assert not delay
