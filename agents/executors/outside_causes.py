"""Whether it was the host that ended a program that failed, and not the program itself.

A program that was killed and a program that killed itself end with the same status. What tells them apart:

- the engine remembers for a while who was killed through it (`docker kill`, `docker stop`, `docker rm -f`);
- the kernel counts the processes that it killed for want of memory; where that was not the container's own limit, the
  host had none left;
- a disk that is full although the program took no more of it than it may.

A kill that leaves none of these traces, such as a signal that root sends to the process itself, can't be told from a
program's own. What becomes of it is for the verdict to say.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from docker import APIClient

from podium.agents.executors.engine_errors import engine_call

SIGNALLED = 128
"""Statuses above are those of programs that a signal ended."""
KILLED_STATUS = SIGNALLED + 9
_AFTERWARDS = timedelta(seconds=1)
"""The engine notes a kill after it was done, so that the end may come before the note: much so on a busy host."""

ENGINE_KILL = "it was killed through the host's Docker engine"
HOST_MEMORY = "the host had no memory left, and the kernel killed it"
HOST_DISK = "the host's disk is full"


def killed_through_engine(client: APIClient, container: str, state: dict[str, Any]) -> bool:
    """Whether somebody but us had the engine kill or stop the container; asked after it ended.

    Raises:
        ExecutorFault: The engine does not answer.
    """
    try:
        began, ended = (datetime.fromisoformat(state[stamp]) for stamp in ("StartedAt", "FinishedAt"))
    except (KeyError, ValueError):
        return False
    patience = _AFTERWARDS if int(state["ExitCode"]) > SIGNALLED else timedelta()
    with engine_call("while the agent asked who had killed a container"):
        found = cast("Any", client).events(  # its types take no fractions of a second, which the engine does
            since=f"{began.timestamp():.6f}",
            until=f"{(ended + patience).timestamp():.6f}",
            filters={"container": container, "event": ["kill", "stop"]},
            decode=True,
        )
        return any(True for _ in found)


def host_oom_killed(status: int, before: int, after: int, of_host: int | None) -> bool:
    """Whether a program that was killed was so for want of memory of the host.

    Args:
        before, after: Kills for memory on the whole host, at the start and at the end.
        of_host: Those in the program's own group that were not for its limit; `None` where the kernel can't say.
    """
    if status != KILLED_STATUS:
        return False
    return bool(of_host) if of_host is not None else after > before
