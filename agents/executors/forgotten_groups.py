"""Control groups that nobody answers for any more: of an agent or an engine that died with programs under way."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Collection
from pathlib import Path

from podium.agents.executors.measuring import CGROUPS, Folders, group_removed

_GONE_SECONDS = 2.0


def kill_forgotten(name: str, *, version: int, held: Collection[str], root: Path = CGROUPS) -> int:
    """Kill what runs in the groups inside of `name` but for those that are `held`; say how many processes it was.

    An engine that was killed may come back without knowing a container that still runs, and would never end it.
    """
    folders = Folders.named(name, version=version, root=root)
    found = _groups_in(folders.memory, held)
    killed = {pid for folder in found for pid in _processes(folder)}
    for pid in killed:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    give_up = time.monotonic() + _GONE_SECONDS
    while killed and any(_processes(folder) for folder in found) and time.monotonic() < give_up:
        time.sleep(0.01)
    return len(killed)


def remove_empty_groups(name: str, *, version: int, keep: Collection[str] | None = None, root: Path = CGROUPS) -> None:
    """Remove the group `name` and those in it, where nothing runs in them.

    With `keep`, only those in it, but for the ones that it names: programs may be starting in them.
    """
    for folder in Folders.named(name, version=version, root=root).all:
        for inner in _groups_in(folder, keep or ()):
            _remove_empty(inner)
        if keep is None and folder.is_dir():
            group_removed(folder)


def _groups_in(folder: Path, held: Collection[str]) -> list[Path]:
    found = list(folder.iterdir()) if folder.is_dir() else []
    return [inner for inner in found if inner.is_dir() and inner.name not in held]


def _processes(folder: Path) -> list[int]:
    """Those in a group and in all below it, as far as the agent can name them: in its own namespace they are not 0."""
    found: list[int] = []
    for listed in (folder / "cgroup.procs", *folder.glob("**/cgroup.procs")):
        with contextlib.suppress(OSError):
            found += [int(pid) for pid in listed.read_text().split()]
    return [pid for pid in found if pid > 0]


def _remove_empty(folder: Path) -> None:
    # The engine makes groups in ours; where it died, they are still there.
    with contextlib.suppress(OSError):  # it may go by itself
        for inner in folder.iterdir():
            if inner.is_dir():
                _remove_empty(inner)
    group_removed(folder)
