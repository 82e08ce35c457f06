"""A control group of the agent's own making, for programs that run without an engine that would make one."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from podium.agents.executors.measuring import CGROUPS, Folders, Measured, groups_version
from podium.platform.jobs import Limits

_PERIOD = 100_000  # microseconds over which CPU time is shared out


class LimitedGroup:
    """Limits and measures all processes of one program together."""

    def __init__(self, name: str, limits: Limits, *, cpus: float, root: Path = CGROUPS) -> None:
        """Make the group `name`.

        Raises:
            OSError: The agent may not make control groups here.
        """
        version = groups_version(root)
        self._folders = Folders.named(name, version=version, root=root)
        self._cpu = self._folders.memory if version == 2 else root / "cpu" / name
        self._pids = self._folders.memory if version == 2 else root / "pids" / name
        self._all = dict.fromkeys((self._folders.memory, self._folders.cpu, self._cpu, self._pids))
        try:
            for folder in self._all:
                folder.mkdir(parents=True)
            if version == 2:
                _delegate(self._folders.memory, root)
            self._limit(version, limits, cpus)
        except OSError:
            self.remove()
            raise

    def add(self, pid: int) -> None:
        """Put a process in; those that it starts are in it too.

        Raises:
            OSError: The process is gone.
        """
        for folder in self._all:
            (folder / "cgroup.procs").write_text(str(pid))

    def measured(self) -> Measured:
        """What its processes have used."""
        return self._folders.read()

    def processes(self) -> list[int]:
        """Its processes."""
        return self._folders.processes()

    def kill(self) -> None:
        """Kill every process in it."""
        everything = self._folders.memory / "cgroup.kill"
        if everything.exists():
            everything.write_text("1")
            return
        for _ in range(100):  # a program may go on forking while it is being killed
            pids = [int(pid) for pid in (self._pids / "cgroup.procs").read_text().split()]
            if not pids:
                return
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def remove(self) -> None:
        """Remove the group, which must be empty."""
        self._folders.remove()

    def _limit(self, version: int, limits: Limits, cpus: float) -> None:
        memory, quota = str(limits.memory_bytes), int(cpus * _PERIOD)
        if version == 2:
            (self._folders.memory / "memory.max").write_text(memory)
            _write_if_there(self._folders.memory / "memory.swap.max", "0")
            (self._cpu / "cpu.max").write_text(f"{quota} {_PERIOD}")
        else:
            (self._folders.memory / "memory.limit_in_bytes").write_text(memory)
            _write_if_there(self._folders.memory / "memory.memsw.limit_in_bytes", memory)
            (self._cpu / "cpu.cfs_period_us").write_text(str(_PERIOD))
            (self._cpu / "cpu.cfs_quota_us").write_text(str(quota))
        (self._pids / "pids.max").write_text(str(limits.processes))


def _delegate(folder: Path, root: Path) -> None:
    # Version 2 gives a group the controllers that the one above it hands down.
    for above in reversed([parent for parent in folder.parents if parent.is_relative_to(root)]):
        (above / "cgroup.subtree_control").write_text("+memory +pids +cpu")


def _write_if_there(path: Path, text: str) -> None:
    if path.exists():
        path.write_text(text)
