"""What a PostgreSQL that was killed leaves behind: processes, and a lock file with a number in it."""

from __future__ import annotations

import contextlib
import signal
import time
from pathlib import Path

from podium.platform.supervisor.processes import ProcessIdentity, has_let_go, processes_in


def end_server_in(data: Path) -> None:
    """End the server that works in a cluster's data folder, and clear away a lock file that would mislead the next.

    Args:
        data: The data folder, as the kernel names it: without links.
    """
    lock = data / "postmaster.pid"
    owner: ProcessIdentity | None = None
    with contextlib.suppress(OSError, ValueError, IndexError):
        owner = ProcessIdentity.of(int(lock.read_text().splitlines()[0]))
    leftovers = processes_in(data)
    if owner is not None and owner not in leftovers and has_let_go(owner):
        # Killed a moment ago: PostgreSQL would take it for a server that runs, by its lock on the socket too.
        owner.wait(5)
    elif owner is not None and owner not in leftovers:
        # The number belongs to a stranger by now. PostgreSQL would take it for a server of its own and refuse.
        lock.unlink(missing_ok=True)
    if owner is not None and owner in leftovers:
        owner.send(signal.SIGINT)
    for number, patience in ((signal.SIGQUIT, 15.0), (signal.SIGKILL, 5.0)):
        deadline = time.monotonic() + patience
        if all(process.wait(max(0.0, deadline - time.monotonic())) for process in leftovers):
            return
        for process in leftovers:
            process.send(number)
    for process in leftovers:
        process.wait(5)
