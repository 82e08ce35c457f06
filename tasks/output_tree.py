"""Walking through a folder that a program could write to, and may still be writing to.

Whoever wrote the folder wishes the host to read, overwrite or delete something else. So nothing here opens a path:
each folder is opened relative to the descriptor of the one above it, without following links, and each file is
looked at again once it is open. What is opened can then not be swapped for something else. Only folders and plain
files with a single name are taken; everything else is refused by name and reason, and nothing is taken silently cut.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

from podium.tasks.output_rules import (
    OutputLimits,
    OutputRefused,
    check_device,
    check_kind,
    check_name,
    too_many_bytes,
    too_many_files,
)

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NO_FOLDER = frozenset({errno.ELOOP, errno.EMLINK, errno.ENOTDIR})  # what O_NOFOLLOW and O_DIRECTORY say
_PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A plain file of the tree, open for reading.

    Attributes:
        name: Its path inside the tree, with slashes.
        size: Its size when it was opened; what it grows by afterwards is not taken.
        modified: When it was last written to, in seconds since 1970, as the program likes to have it.
    """

    name: str
    size: int
    modified: float
    content: BinaryIO

    def pieces(self) -> Iterator[bytes]:
        """Its content, as large as it was when it was opened.

        Raises:
            OutputRefused: It became shorter meanwhile.
        """
        left = self.size
        while left:
            piece = self.content.read(min(left, _PIECE_BYTES))
            if not piece:
                raise OutputRefused(self.name, "it became shorter while it was read")
            left -= len(piece)
            yield piece


def open_files(
    source: Path, limits: OutputLimits, *, on_folder: Callable[[str], object] = lambda _: None
) -> Iterator[OutputFile]:
    """Walk the tree in the order of its names: each file once, open only until the next is asked for.

    Args:
        on_folder: Called with the path inside the tree of each folder before what is in it.

    Raises:
        OutputRefused: Something in it is against the rules.
    """
    with opened_folder(source) as top:
        walk = _Walk(limits, os.fstat(top).st_dev, on_folder)
        yield from walk.files(top, "", depth=0)


@contextmanager
def open_file(source: Path, name: str) -> Iterator[OutputFile | None]:
    """Open one file of the tree by its path inside it; `None` where there is none of this name.

    Raises:
        OutputRefused: It is no plain file, or a folder on the way is none.
    """
    *folders, last = name.split("/")
    with ExitStack() as opened:
        top = folder = opened.enter_context(opened_folder(source))
        device = os.fstat(top).st_dev
        for inner, path in zip(folders, accumulate(folders, "{}/{}".format), strict=True):
            if not _is_there(folder, inner):
                yield None
                return
            folder = opened.enter_context(_opened_inner(folder, inner, path, device=device))
        if not _is_there(folder, last):
            yield None
            return
        yield opened.enter_context(_opened_file(folder, last, name, device=device))


class _Walk:
    """One walk through a tree, with what it has counted."""

    def __init__(self, limits: OutputLimits, device: int, on_folder: Callable[[str], object]) -> None:
        self._limits = limits
        self._device = device
        self._on_folder = on_folder
        self._bytes = 0
        self._names = 0

    def files(self, folder: int, prefix: str, *, depth: int) -> Iterator[OutputFile]:
        for name in sorted(self._listed(folder, prefix)):
            path = f"{prefix}{name}"
            check_name(name, path, self._limits)
            status = _status(folder, name, path)
            if not stat.S_ISDIR(status.st_mode):
                yield from self._file(folder, name, path)
                continue
            if depth + 1 > self._limits.depth:
                raise OutputRefused(path, f"folders lie more than {self._limits.depth} deep within each other")
            with _opened_inner(folder, name, path, device=self._device) as inner:
                self._on_folder(path)
                yield from self.files(inner, f"{path}/", depth=depth + 1)

    def _listed(self, folder: int, prefix: str) -> list[str]:
        # Counted while listing: a folder of a million names must not be read into memory first.
        names = []
        with os.scandir(folder) as entries:
            for entry in entries:
                self._names += 1
                if self._names > self._limits.files:
                    raise too_many_files(prefix or ".", self._limits.files)
                names.append(entry.name)
        return names

    def _file(self, folder: int, name: str, path: str) -> Iterator[OutputFile]:
        with _opened_file(folder, name, path, device=self._device) as file:
            self._bytes += file.size
            if self._bytes > self._limits.bytes:
                raise too_many_bytes(path, self._limits.bytes)
            yield file


@contextmanager
def opened_folder(source: Path) -> Iterator[int]:
    """The descriptor of a tree's own folder, which no program can have replaced: it lies in a folder of the host."""
    descriptor = os.open(source, _FOLDER)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _opened_inner(folder: int, name: str, path: str, *, device: int) -> Iterator[int]:
    try:
        descriptor = os.open(name, _FOLDER, dir_fd=folder)
    except OSError as error:
        raise OutputRefused(path, _words(error)) from error
    try:
        check_device(os.fstat(descriptor), path, device)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _opened_file(folder: int, name: str, path: str, *, device: int) -> Iterator[OutputFile]:
    check_kind(_status(folder, name, path), path, device)  # before it is opened: opening a device may act on it
    try:
        descriptor = os.open(name, _FILE, dir_fd=folder)
    except OSError as error:
        raise OutputRefused(path, _words(error)) from error
    with os.fdopen(descriptor, "rb", buffering=0) as content:
        status = os.fstat(descriptor)
        check_kind(status, path, device)
        yield OutputFile(path, status.st_size, status.st_mtime, content)


def _is_there(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise OutputRefused(name, _words(error)) from error
    return True


def _status(folder: int, name: str, path: str) -> os.stat_result:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        raise OutputRefused(path, _words(error)) from error


def _words(error: OSError) -> str:
    if error.errno in _NO_FOLDER:
        return "it is a symbolic link"
    return f"it can't be opened ({error.strerror})"
