"""What a container used, from the kernel's control groups.

A container's own group is gone as soon as it ended. Where the engine makes groups as plain folders (`cgroupfs`), each
container gets a parent of its own: the parent outlives it, is read afterwards and removed, and its numbers are exact.
Where systemd makes them, the container's own group is read again and again while it runs; both numbers only ever
grow, so the last reading is short by what happened after it. An agent that sees no groups measures nothing.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from podium.agents.executors.engine import EngineFacts

CGROUPS = Path("/sys/fs/cgroup")
_REMOVE_TRIES = 20


@dataclass(frozen=True, slots=True)
class Measured:
    """What a container used. `None` where it could not be measured.

    Attributes:
        peak_memory_bytes: With the files it had in the page cache, as the limit counts them.
        peak_processes: The most processes and threads at once, its init process included.
        oom_kills: Processes that the kernel killed because the container was at its memory limit.
        host_oom_kills: Processes that the kernel killed because the host itself had no memory left.
        forks_refused: Processes and threads that it was refused, being at the limit.
    """

    cpu_seconds: float | None = None
    peak_memory_bytes: int | None = None
    peak_processes: int | None = None
    oom_kills: int | None = None
    host_oom_kills: int | None = None
    forks_refused: int | None = None


class Meter(Protocol):
    """Measures one container."""

    cgroup_parent: str | None
    """What the engine is told; `None` leaves it the engine's choice."""

    def look(self, container: str) -> Measured:
        """Read what the running container has used so far."""

    def processes(self) -> list[int]:
        """The running container's processes, as the host numbers them; empty where they can't be seen."""

    def measured(self) -> Measured:
        """What it has used in all, after it ended."""

    def remove(self) -> None:
        """Remove what the meter made."""


class NoMeter:
    """Measures nothing: the agent does not see the engine's control groups."""

    cgroup_parent: str | None = None

    def look(self, container: str) -> Measured:  # noqa: ARG002 -- as the others have it
        """Nothing is known."""
        return Measured()

    def processes(self) -> list[int]:
        """Nothing is known."""
        return []

    def measured(self) -> Measured:
        """Nothing is known."""
        return Measured()

    def remove(self) -> None:
        """Do nothing."""


class ParentMeter:
    """Measures by a parent group of the container's own.

    On version 1 the kernel counts kills for memory and refused forks in the container's own group alone, so these two
    are read while it runs, and may be short by what happened after the last reading.
    """

    def __init__(self, name: str, *, version: int, root: Path = CGROUPS) -> None:
        self.cgroup_parent: str | None = f"/{name}"
        self._name, self._version, self._root = name, version, root
        self._folders = Folders.named(name, version=version, root=root)
        self._own: Folders | None = None
        self._events = Measured()

    def look(self, container: str) -> Measured:
        """Read the parent; and the container's own group, for what is counted there alone."""
        if self._version == 1:
            if self._own is None:
                self._own = Folders.named(f"{self._name}/{container}", version=1, root=self._root)
            reading = self._own.events()
            if reading.oom_kills is not None:
                self._events = reading
        return self.measured()

    def processes(self) -> list[int]:
        """Those of all groups in the parent."""
        return self._folders.processes()

    def measured(self) -> Measured:
        """Exact numbers, but for what the kernel counts in the container's own group alone."""
        found = self._folders.read()
        if self._version == 1:
            return replace(found, oom_kills=self._events.oom_kills, forks_refused=self._events.forks_refused)
        return found

    def remove(self) -> None:
        """Remove the parent from every controller; the container's own group must be gone."""
        self._folders.remove()


class SamplingMeter:
    """Measures by reading the container's own group while it lives."""

    cgroup_parent: str | None = None

    def __init__(self, *, version: int, root: Path = CGROUPS) -> None:
        self._version = version
        self._root = root
        self._last = Measured()
        self._folders: Folders | None = None

    def look(self, container: str) -> Measured:
        """Take a reading; one that fails keeps the last."""
        if self._folders is None:
            name = f"system.slice/docker-{container}.scope"
            self._folders = Folders.named(name, version=self._version, root=self._root)
        reading = self._folders.read()
        if reading.cpu_seconds is not None:
            self._last = reading
        return self._last

    def processes(self) -> list[int]:
        """Those of the container's own group."""
        return self._folders.processes() if self._folders else []

    def measured(self) -> Measured:
        """The last reading."""
        return self._last

    def remove(self) -> None:
        """Nothing was made."""


@dataclass(frozen=True, slots=True)
class Folders:
    """One control group: a folder, or on version 1 a folder for each controller."""

    version: int
    all: tuple[Path, ...]
    memory: Path
    cpu: Path
    pids: Path

    @classmethod
    def named(cls, name: str, *, version: int, root: Path) -> Folders:
        """The group `name`, a path without a leading slash."""
        if version == 2:
            only = root / name
            return cls(version, (only,), only, only, only)
        controllers = sorted({path.resolve() for path in root.iterdir() if path.is_dir()}) if root.is_dir() else []
        every = tuple(controller / name for controller in controllers)
        return cls(version, every, root / "memory" / name, root / "cpuacct" / name, root / "pids" / name)

    def read(self) -> Measured:
        """Read the counters; those that are not there are `None`."""
        events = self.events()
        if self.version == 2:
            usage = _field(self.cpu / "cpu.stat", "usage_usec")
            return replace(
                events,
                cpu_seconds=None if usage is None else usage / 1e6,
                peak_memory_bytes=_number(self.memory / "memory.peak") or None,
                peak_processes=_number(self.pids / "pids.peak") or None,
            )
        usage = _number(self.cpu / "cpuacct.usage")
        return replace(
            events,
            cpu_seconds=usage / 1e9 if usage else None,
            peak_memory_bytes=_number(self.memory / "memory.max_usage_in_bytes") or None,
            peak_processes=_number(self.pids / "pids.peak") or None,
        )

    def events(self) -> Measured:
        """Read only what is counted of events: kills for memory, refused forks."""
        refused = _field(self.pids / "pids.events", "max")
        if self.version == 1:
            return Measured(oom_kills=_field(self.memory / "memory.oom_control", "oom_kill"), forks_refused=refused)
        kills = _field(self.memory / "memory.events", "oom_kill")
        # A kill without the group ever having been at its limit was for want of memory of the host.
        at_limit = bool(_field(self.memory / "memory.events", "oom"))
        own, of_host = (kills, 0) if at_limit or not kills else (0, kills)
        return Measured(oom_kills=own, host_oom_kills=None if kills is None else of_host, forks_refused=refused)

    def processes(self) -> list[int]:
        """The processes in it and in the groups right below."""
        found: list[int] = []
        for folder in (self.memory, *(_inner(self.memory))):
            try:
                found += [int(pid) for pid in (folder / "cgroup.procs").read_text().split()]
            except (OSError, ValueError):
                continue
        return found

    def remove(self) -> None:
        """Remove the folders. The kernel needs a moment to let go of the last process."""
        left = [folder for folder in self.all if folder.is_dir()]
        for _ in range(_REMOVE_TRIES):
            left = [folder for folder in left if not group_removed(folder)]
            if not left:
                return
            time.sleep(0.01)


def meter_for(name: str, facts: EngineFacts, *, root: Path = CGROUPS) -> Meter:
    """The best meter that this host allows, for the control group `name`."""
    if facts.cgroup_driver == "systemd":
        return SamplingMeter(version=facts.cgroup_version, root=root)
    if facts.cgroup_driver == "cgroupfs" and can_make_groups(facts.cgroup_version, root=root):
        return ParentMeter(name, version=facts.cgroup_version, root=root)
    return NoMeter()


def can_make_groups(version: int, *, root: Path = CGROUPS) -> bool:
    """Whether the agent may make and remove control groups here; if not, it must not leave them to the engine."""
    probe = (root if version == 2 else root / "memory") / f"podium-probe-{time.monotonic_ns()}"
    try:
        probe.mkdir()
        probe.rmdir()
    except OSError:
        return False
    return True


def owned_groups(owner: str) -> str:
    """The control group that holds those of an owner's programs; its name is a safe one whatever the owner's is."""
    return f"podium/{re.sub(r'[^A-Za-z0-9_-]', '_', owner)}"


def groups_version(root: Path = CGROUPS) -> int:
    """Which version of control groups this host has, 1 or 2."""
    return 2 if (root / "cgroup.controllers").exists() else 1


def group_removed(folder: Path) -> bool:
    """Remove one folder of a group; false where something is still in it."""
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def host_oom_kills() -> int:
    """Processes that the kernel killed for memory on this host since it started, in groups or not."""
    return _field(Path("/proc/vmstat"), "oom_kill") or 0


def _inner(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_dir()]
    except OSError:
        return []


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _field(path: Path, name: str) -> int | None:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.split()[:1] == [name]), None)
