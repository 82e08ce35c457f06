"""Processes as /proc shows them: who is who, who still lives, and how much memory they hold.

A pid alone names nobody: numbers are used again, within minutes on a busy machine and at once after a reboot. A process
is therefore known by its pid together with the moment it started, in ticks since a boot that has a name of its own.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_AFTER_NAME_STATE = 0
_AFTER_NAME_PARENT = 1
_AFTER_NAME_GROUP = 2
_AFTER_NAME_START = 19


@dataclass(frozen=True)
class ProcessIdentity:
    """One process that lives or lived on this machine.

    Attributes:
        pid: Its number.
        started: Boot id and start time in clock ticks, as one opaque text.
    """

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity | None:
        """Return the process that has this pid now, or None when there is none (a zombie counts as none)."""
        fields = _stat(pid)
        if fields is None or fields[_AFTER_NAME_STATE] in {"Z", "X"}:
            return None
        return cls(pid, f"{_boot_id()}:{fields[_AFTER_NAME_START]}")

    def alive(self) -> bool:
        """Whether this very process still runs, and not just another one with its number."""
        return ProcessIdentity.of(self.pid) == self

    def same_boot(self, other: ProcessIdentity) -> bool:
        """Whether both lived between the same two starts of the machine."""
        return self.started.partition(":")[0] == other.started.partition(":")[0]

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless the process has ended."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait(self, timeout: float) -> bool:
        """Wait for the process to end, without being its parent.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            Whether it has ended.
        """
        deadline = time.monotonic() + timeout
        while self.alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


def group_members(group: int) -> list[ProcessIdentity]:
    """Return the living processes of a process group."""
    members = []
    for pid in _pids():
        fields = _stat(pid)
        if fields is not None and int(fields[_AFTER_NAME_GROUP]) == group and (found := ProcessIdentity.of(pid)):
            members.append(found)
    return members


def processes_in(folder: Path) -> list[ProcessIdentity]:
    """Return the living processes whose working directory is `folder`; those of other users only for root."""
    members = []
    for pid in _pids():
        with contextlib.suppress(OSError):
            if (_PROC / str(pid) / "cwd").readlink() == folder and (found := ProcessIdentity.of(pid)):
                members.append(found)
    return members


def has_let_go(process: ProcessIdentity) -> bool:
    """Whether a process is on its way out: it has left its working directory, and has not ended yet."""
    try:
        (_PROC / str(process.pid) / "cwd").readlink()
    except FileNotFoundError:
        return True
    except OSError:
        pass  # another user's, of which the kernel tells nothing
    return False


def tree_memory(pid: int) -> int:
    """Return the bytes of memory that a process and its descendants hold; pages they share are divided among them.

    Where the kernel doesn't tell the share (another user's process), the resident size is counted.
    """
    children: dict[int, list[int]] = {}
    for member in _pids():
        if fields := _stat(member):
            children.setdefault(int(fields[_AFTER_NAME_PARENT]), []).append(member)
    tree, total = [pid], 0
    while tree:
        member = tree.pop()
        total += _memory(member)
        tree += children.get(member, [])
    return total


def kill_group(group: int, number: signal.Signals) -> None:
    """Send a signal to a whole process group; none left is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _pids() -> Iterator[int]:
    for name in os.listdir(_PROC):  # noqa: PTH208  names alone, for the thousands of entries that /proc may have
        if name.isdigit():
            yield int(name)


def _stat(pid: int) -> list[str] | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The program's name stands in brackets and may itself hold brackets and blanks.
    return text[text.rindex(")") + 2 :].split()


def _memory(pid: int) -> int:
    for name, field in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        with contextlib.suppress(OSError):
            for line in (_PROC / str(pid) / name).read_text().splitlines():
                if line.startswith(field):
                    return int(line.split()[1]) * 1024
    return 0


def _boot_id() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
