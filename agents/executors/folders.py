"""Folders of the host that programs may write to."""

from __future__ import annotations

import os
from pathlib import Path

NOBODY = 65534


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
