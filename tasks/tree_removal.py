"""Removing a folder that a program could write to, whatever the program made of it."""

from __future__ import annotations

import errno
import os
import stat
import uuid
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_FOLDER = frozenset({errno.ELOOP, errno.EMLINK, errno.ENOTDIR})  # what O_NOFOLLOW and O_DIRECTORY say
_BATCH = 1000


def remove_tree(path: Path) -> None:
    """Remove a tree whatever is in it; links in it are removed, never followed. Nothing happens where there is none.

    A program can nest folders deeper than any recursion or number of open descriptors goes, so what lies inside a
    folder of the tree is moved up to its top until nothing is left.

    Raises:
        OSError: Something could not be removed, which is then still there.
    """
    try:
        top = os.open(path, _FOLDER)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno not in _NO_FOLDER:
            raise
        path.unlink()
        return
    try:
        moved = count()
        while names := _some_names(top):
            for name in names:
                _remove(top, name, moved)
    finally:
        os.close(top)
    path.rmdir()


def _some_names(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in islice(entries, _BATCH)]


def _remove(top: int, name: str, moved: Iterator[int]) -> None:
    if not _unlinked(name, top):
        _open_up(top, name)
        inner = os.open(name, _FOLDER, dir_fd=top)
        try:
            while names := _some_names(inner):
                for inside in names:
                    if not _unlinked(inside, inner):
                        _open_up(inner, inside)
                        os.rename(inside, f".{next(moved)}-{uuid.uuid4().hex}", src_dir_fd=inner, dst_dir_fd=top)
        finally:
            os.close(inner)
        os.rmdir(name, dir_fd=top)


def _unlinked(name: str, folder: int) -> bool:
    """Unlink a name; false where it is a folder."""
    if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        return False
    os.unlink(name, dir_fd=folder)
    return True


def _open_up(folder: int, name: str) -> None:
    """Let the owner of a folder into it, for an agent that is not root; never through a link."""
    descriptor = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        Path(f"/proc/self/fd/{descriptor}").chmod(0o700)
    finally:
        os.close(descriptor)
