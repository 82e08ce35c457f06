"""What a supervisor that was killed may have left running, and how it is ended."""

from __future__ import annotations

import signal
import time

from podium.platform.supervisor.console import Console
from podium.platform.supervisor.live_state import LiveState
from podium.platform.supervisor.processes import group_members, kill_group


def leftover_groups(live: LiveState) -> dict[str, int]:
    """Return the process groups of parts that outlived their supervisor, by the part's name."""
    groups = {}
    for part in live.parts:
        if part.process is None:
            continue
        members = group_members(part.process.pid)
        # A group whose leader has this number but isn't our process belongs to a stranger.
        stranger = any(member.pid == part.process.pid and member != part.process for member in members)
        if members and not stranger and members[0].same_boot(part.process):
            groups[part.name] = part.process.pid
    return groups


def end_leftovers(live: LiveState, console: Console) -> int:
    """End what the last supervisor has left; each part has its grace for what it is just doing.

    The kernel told the parts to stop when their supervisor died, so that most often there is nothing to do but wait.

    Returns:
        How many parts there were.
    """
    groups = leftover_groups(live)
    begun = time.monotonic()
    for part in live.parts:
        if part.name in groups:
            group = groups[part.name]
            console.part(part.name, f"is left over from a supervisor that was killed (pid {group}); ending it")
            # Half of its grace for the kernel's word, half for ours: a second signal at once could mean "hurry" to it.
            if not _gone(group, begun + part.grace / 2):
                kill_group(group, signal.Signals(part.stop_signal))
                _gone(group, begun + part.grace)
            kill_group(group, signal.SIGKILL)
    return len(groups)


def _gone(group: int, deadline: float) -> bool:
    while group_members(group):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
