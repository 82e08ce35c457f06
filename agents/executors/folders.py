"""Folders of the host that programs may write to."""

from __future__ import annotations

import os
import stat
from pathlib import Path

NOBODY = 65534
_MOST_ENTRIES = 1000


def program_user() -> int:
    """The uid for programs: nobody's where the agent is root, otherwise the agent's own.

    An agent that is not root could not remove folders that another user made in its output folder.
    """
    return os.geteuid() or NOBODY


def make_writable(path: Path, *, user: int) -> None:
    """Make the empty folder `path`, writable by the uid `user`.

    Where the agent can't give the folder away it is writable by everyone, and its parent is closed to all others.
    """
    path.mkdir()
    if user == os.geteuid():
        path.chmod(0o700)
    elif os.geteuid() == 0:
        os.chown(path, user, user)
        path.chmod(0o700)
    else:
        path.parent.chmod(0o700)
        path.chmod(0o777)


def can_take_place(new: Path, old: Path) -> bool:
    """Whether `take_place` would be quick, and would work: both are on one disk, and `old` has few entries."""
    with os.scandir(old) as entries:
        few = sum(1 for _ in zip(range(_MOST_ENTRIES + 1), entries, strict=False)) <= _MOST_ENTRIES
    return few and new.lstat().st_dev == old.lstat().st_dev


def take_place(new: Path, old: Path) -> None:
    """Put the empty folder `new` where `old` is, with the content, mode and owner of `old`.

    A container that was made with `new` for a mount sees the content from then on. No program may have run in `old`.
    """
    replaced = old.lstat()
    for entry in list(old.iterdir()):
        entry.rename(new / entry.name)
    if os.geteuid() == 0:
        os.chown(new, replaced.st_uid, replaced.st_gid)
    new.chmod(stat.S_IMODE(replaced.st_mode))
    old.rmdir()
    new.rename(old)
