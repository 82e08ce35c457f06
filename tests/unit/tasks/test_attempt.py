"""Giving an attempt up."""

from __future__ import annotations

import errno

import pytest

from podium.tasks.attempt import reason_of
from podium.tasks.programs import ExecutorFault


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ExecutorFault("The engine is gone.", remedy="Start it."), "The engine is gone. Start it."),
        (OSError(errno.ENOSPC, "No space", "/secret/path"), "The disk of the agent's host is full."),
        (OSError(errno.EACCES, "Denied", "/secret/path"), "PermissionError on the agent's host"),
        (KeyError("secret"), "KeyError on the agent's host"),
    ],
)
def test_the_reason_is_for_people_and_tells_nothing_of_the_host(error: Exception, says: str) -> None:
    assert reason_of(error) == says
