"""The command line that starts a program so that it dies with its parent, as another user where that is asked."""

from __future__ import annotations

import os
import pwd
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from podium.platform.errors import PlatformFault

_CHILD = Path(__file__).with_name("child.py")


@dataclass(frozen=True)
class Account:
    """A user of this machine that a program can be run as.

    Attributes:
        name: Login name.
        uid: User id.
        gid: Primary group id.
        groups: All group ids.
    """

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]

    @classmethod
    def named(cls, name: str) -> Account | None:
        """Return the account with this login name, or None when the machine has none."""
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            return None
        return cls(name, entry.pw_uid, entry.pw_gid, tuple(os.getgrouplist(name, entry.pw_gid)))

    def require_reach(self, folder: Path) -> None:
        """Check that this user can enter the folder's parents.

        Raises:
            PlatformFault: One of the parents is closed to this user; the message names it.
        """
        for parent in reversed(folder.parents):
            mode = parent.stat()
            if mode.st_uid == self.uid:
                open_ = bool(mode.st_mode & 0o100)
            elif mode.st_gid in self.groups:
                open_ = bool(mode.st_mode & 0o010)
            else:
                open_ = bool(mode.st_mode & 0o001)
            if not open_:
                raise PlatformFault(
                    f"PostgreSQL refuses to run as root, and user {self.name} cannot enter {parent}, "
                    f"so it cannot use {folder}.",
                    remedy=f"Choose a folder that everyone can enter (podium up --state /var/lib/podium), "
                    f"or allow it: chmod o+x {parent}.",
                )


def dying_with_parent(
    command: Sequence[str], *, death_signal: signal.Signals = signal.SIGTERM, account: Account | None = None
) -> list[str]:
    """Return the command line that runs `command` so that it gets a signal when the caller's process dies.

    The caller must start it from its main thread: to the kernel, the thread is the parent.

    Args:
        command: The program and its arguments.
        death_signal: What it gets when its parent dies.
        account: The user to run it as; None for the present one.
    """
    line = [sys.executable, "-I", "-S", str(_CHILD), "--parent", str(os.getpid()), "--signal", str(int(death_signal))]
    if account is not None:
        groups = ",".join(str(group) for group in account.groups)
        line += ["--uid", str(account.uid), "--gid", str(account.gid), "--groups", groups]
    return [*line, "--", *command]
