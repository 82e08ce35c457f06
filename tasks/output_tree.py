"""Taking files out of a folder that a program could write to, and may still be writing to.

Whoever wrote the folder wishes the host to read, overwrite or delete something else. So nothing here opens a path:
each folder is opened relative to the descriptor of the one above it, without following links, and each file is
looked at again once it is open. What is opened can then not be swapped for something else. Only folders and plain
files with a single name are taken; everything else is refused by name and reason, and nothing is taken silently cut.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import accumulate, count, islice
from pathlib import Path
from typing import BinaryIO

from podium.platform.errors import PodiumError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_FOLDER = frozenset({errno.ELOOP, errno.EMLINK, errno.ENOTDIR})  # what O_NOFOLLOW and O_DIRECTORY say
_BATCH = 1000
_PIECE_BYTES = 1024 * 1024
_SHOWN_CHARACTERS = 200
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\\\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_ZIP_DATES = (315_532_800, 4_354_819_198)  # 1980 to 2107, what a zip archive can say

_KINDS = (
    (stat.S_ISLNK, "it is a symbolic link"),
    (stat.S_ISFIFO, "it is a named pipe"),
    (stat.S_ISSOCK, "it is a socket"),
    (stat.S_ISBLK, "it is a device"),
    (stat.S_ISCHR, "it is a device"),
)


class OutputRefused(PodiumError):
    """Something in a program's output can't be taken; the message names it and the rule.

    Attributes:
        path: What was refused, fit to be shown.
        limit: The name of the limit in `Limits` that it exceeds (`output_bytes`, `output_files`), or an empty string.
    """

    status = 422
    type = "output-refused"
    title = "The output can't be taken"

    def __init__(self, path: str, reason: str, *, limit: str = "", remedy: str = "") -> None:
        self.path = printable(path)
        self.limit = limit
        super().__init__(f"The output `{self.path}` is refused: {reason}.", remedy=remedy)


@dataclass(frozen=True, slots=True)
class OutputLimits:
    """What may leave a folder.

    Attributes:
        bytes: Sum of all files.
        files: Number of files, and of folders.
        depth: Folders within each other.
        name_bytes: Length of one name.
    """

    bytes: int = 2048 * 1024 * 1024
    files: int = 10_000
    depth: int = 32
    name_bytes: int = 255


@dataclass(frozen=True, slots=True)
class CopiedTree:
    """What was copied."""

    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A plain file of the tree, open for reading.

    Attributes:
        name: Its path inside the tree, with slashes.
        size: Its size when it was opened; what it grows by afterwards is not taken.
    """

    name: str
    size: int
    modified: float
    content: BinaryIO


def copy_tree(source: Path, destination: Path, limits: OutputLimits) -> CopiedTree:
    """Copy the tree `source` into the folder `destination`, which is made and must not exist.

    Raises:
        OutputRefused: Something in it is against the rules; what was copied before is left for the caller to remove.
    """
    destination.mkdir()
    copied = CopiedTree(0, 0)

    def make_folder(name: str) -> None:
        (destination / name).mkdir()

    for file in open_files(source, limits, on_folder=make_folder):
        descriptor = os.open(destination / file.name, _NEW_FILE, 0o644)
        with os.fdopen(descriptor, "wb") as target:
            _pour(file, target.write)
        copied = CopiedTree(copied.files + 1, copied.bytes + file.size)
    return copied


def zip_tree(source: Path, destination: Path, limits: OutputLimits) -> tuple[int, str]:
    """Zip the tree `source` into the new file `destination`; answer its size in bytes and its sha256.

    Raises:
        OutputRefused: Something in it is against the rules; the half-written archive is removed.
    """
    try:
        with destination.open("xb") as raw, zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for file in open_files(source, limits, on_folder=lambda name: archive.writestr(f"{name}/", b"")):
                with archive.open(_entry(file), "w") as target:
                    _pour(file, target.write)
    except OutputRefused:
        destination.unlink(missing_ok=True)
        raise
    with destination.open("rb") as written:
        return destination.stat().st_size, hashlib.file_digest(written, "sha256").hexdigest()


def read_file(source: Path, name: str, max_bytes: int) -> bytes | None:
    """Read one file of the tree; `None` where there is none of this name.

    Raises:
        OutputRefused: It is no plain file, or has more than `max_bytes`.
    """
    *folders, last = name.split("/")
    with ExitStack() as opened:
        top = folder = opened.enter_context(_opened_folder(source))
        device = os.fstat(top).st_dev
        for inner, path in zip(folders, accumulate(folders, "{}/{}".format), strict=True):
            if not _is_there(folder, inner):
                return None
            folder = opened.enter_context(_opened_inner(folder, inner, path, device=device))
        if not _is_there(folder, last):
            return None
        file = opened.enter_context(_opened_file(folder, last, name, device=device))
        if file.size > max_bytes:
            reason = f"it has more than {max_bytes} bytes"
            raise OutputRefused(name, reason, limit="output_bytes", remedy="Write a smaller file.")
        pieces: list[bytes] = []
        _pour(file, pieces.append)
        return b"".join(pieces)


def first_html(source: Path) -> str | None:
    """The path inside the tree of its page: `detailed_results.html`, else the first HTML file of the top folder."""
    with _opened_folder(source) as top, os.scandir(top) as entries:
        pages = [entry.name for entry in entries if entry.name.lower().endswith(".html") and _is_page(entry)]
    if "detailed_results.html" in pages:
        return "detailed_results.html"
    return min(pages, default=None)


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


def open_files(
    source: Path, limits: OutputLimits, *, on_folder: Callable[[str], object] = lambda _: None
) -> Iterator[OutputFile]:
    """Walk the tree in the order of its names: each file once, open only until the next is asked for.

    Args:
        on_folder: Called with the path inside the tree of each folder before what is in it.

    Raises:
        OutputRefused: Something in it is against the rules.
    """
    with _opened_folder(source) as top:
        walk = _Walk(limits, os.fstat(top).st_dev, on_folder)
        yield from walk.files(top, "", depth=0)


def _is_page(entry: os.DirEntry[str]) -> bool:
    return entry.is_file(follow_symlinks=False) and not _UNFIT.search(entry.name)


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
            _check_name(name, path, self._limits)
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
                    raise OutputRefused(
                        prefix or ".",
                        f"there are more than {self._limits.files} files and folders",
                        limit="output_files",
                        remedy="Write fewer files, or put them into one archive.",
                    )
                names.append(entry.name)
        return names

    def _file(self, folder: int, name: str, path: str) -> Iterator[OutputFile]:
        with _opened_file(folder, name, path, device=self._device) as file:
            self._bytes += file.size
            if self._bytes > self._limits.bytes:
                raise _too_many_bytes(path, self._limits.bytes)
            yield file


@contextmanager
def _opened_folder(source: Path) -> Iterator[int]:
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
        if os.fstat(descriptor).st_dev != device:
            raise OutputRefused(path, "it is on another file system")
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _opened_file(folder: int, name: str, path: str, *, device: int) -> Iterator[OutputFile]:
    _check_kind(_status(folder, name, path), path, device)  # before it is opened: opening a device may act on it
    try:
        descriptor = os.open(name, _FILE, dir_fd=folder)
    except OSError as error:
        raise OutputRefused(path, _words(error)) from error
    with os.fdopen(descriptor, "rb", buffering=0) as content:
        status = os.fstat(descriptor)
        _check_kind(status, path, device)
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


def _check_kind(status: os.stat_result, path: str, device: int) -> None:
    for is_kind, reason in _KINDS:
        if is_kind(status.st_mode):
            raise OutputRefused(path, reason, remedy="Only plain files and folders can be taken.")
    if not stat.S_ISREG(status.st_mode):
        raise OutputRefused(path, "it is not a plain file")
    if status.st_nlink != 1:
        raise OutputRefused(path, "it is a hard link", remedy="Write a file of its own instead.")
    if status.st_dev != device:
        raise OutputRefused(path, "it is on another file system")


def _check_name(name: str, path: str, limits: OutputLimits) -> None:
    if _UNFIT.search(name):
        raise OutputRefused(path, "its name has control characters, a backslash, or is not UTF-8")
    if len(name.encode()) > limits.name_bytes:
        raise OutputRefused(path, f"its name is longer than {limits.name_bytes} bytes")


def _pour(file: OutputFile, write: Callable[[bytes], object]) -> None:
    left = file.size
    while left:
        piece = file.content.read(min(left, _PIECE_BYTES))
        if not piece:
            raise OutputRefused(file.name, "it became shorter while it was read")
        left -= len(piece)
        write(piece)


def _entry(file: OutputFile) -> zipfile.ZipInfo:
    earliest, latest = _ZIP_DATES
    entry = zipfile.ZipInfo(file.name, time.gmtime(max(earliest, min(file.modified, latest)))[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    entry.file_size = file.size  # a large one needs the long form of the entry, which must be known before
    return entry


def _too_many_bytes(path: str, limit: int) -> OutputRefused:
    reason = f"with it, the output has more than {limit} bytes"
    return OutputRefused(path, reason, limit="output_bytes", remedy="Write less, or ask for a higher limit.")


def _words(error: OSError) -> str:
    if error.errno in _NO_FOLDER:
        return "it is a symbolic link"
    return f"it can't be opened ({error.strerror})"


def printable(path: str) -> str:
    """A path that a program chose, fit for a message: no control characters, no endless length."""
    shown = _UNFIT.sub("?", path)
    return shown if len(shown) <= _SHOWN_CHARACTERS else f"{shown[:_SHOWN_CHARACTERS]}..."
