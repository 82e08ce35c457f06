"""When what the platform failed is tried again: pure."""

from __future__ import annotations

from datetime import timedelta

from podium.platform.lifecycle import AttemptStatus

MAX_ATTEMPTS = 3
"""Tries at a submission before the platform gives up on it."""
FAILED_ATTEMPTS = (AttemptStatus.PLATFORM_ERROR, AttemptStatus.LOST)
"""Ends of an attempt that use up a try; one that was stopped in good order does not."""
_AFTER_TROUBLE = (timedelta(seconds=3), timedelta(seconds=45))
_AFTER_LOSS = (timedelta(0), timedelta(seconds=15))


def retry_delay(status: AttemptStatus, failed: int) -> timedelta:
    """How long to wait before the next attempt.

    Trouble that is told at once, such as a registry that does not answer, needs time to pass; an attempt that was lost
    has waited for its lease to run out already. An agent that was stopped in good order makes nobody wait.

    Args:
        status: How the attempt ended.
        failed: Attempts that failed so far, this one included.
    """
    if status not in FAILED_ATTEMPTS:
        return timedelta(0)
    delays = _AFTER_LOSS if status is AttemptStatus.LOST else _AFTER_TROUBLE
    return delays[min(max(failed, 1), len(delays)) - 1]
