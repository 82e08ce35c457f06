"""Zip archives from people we don't know: looked at, and unpacked, without trusting a word they say.

Everything here works on the standard library alone, because agents unpack submissions, programs and datasets
with it. An archive is refused, with every reason, when a member could leave the folder (`..`, absolute paths,
drive letters, backslashes), is anything but a regular file or a folder, stands there twice, overlaps another
one, is encrypted, or when the whole would become larger than its `ArchiveLimits` allow. A declared size proves
nothing, so bytes are counted again while they are read.
"""

from __future__ import annotations

import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self

from podium.platform.archive_rules import (
    ArchiveFault,
    ArchiveLimits,
    ArchiveMember,
    ArchiveRefused,
    checked_members,
    too_many_members,
)

__all__ = [
    "Archive",
    "ArchiveFault",
    "ArchiveLimits",
    "ArchiveMember",
    "ArchiveRefused",
    "extract_archive",
    "is_platform_junk",
    "open_archive",
]

_CHUNK_BYTES = 1 << 18
_END_BYTES = 22
_COMMENT_BYTES = (1 << 16) - 1
_WIDE_END_BYTES = 56
_WIDE_LOCATOR_BYTES = 20


class Archive:
    """A zip that passed every check, open for reading. Made by `open_archive`.

    Attributes:
        members: Its files and folders, without what macOS adds by itself.
    """

    def __init__(self, source: zipfile.ZipFile, members: Sequence[ArchiveMember]) -> None:
        self._source = source
        self.members = tuple(member for member in members if not is_platform_junk(member.path))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file behind the archive."""
        self._source.close()

    def chunks(self, member: ArchiveMember) -> Iterator[bytes]:
        """Give a file's bytes, piece by piece.

        Raises:
            ArchiveRefused: The member is damaged, or longer than it declares.
        """
        left = member.size
        with _damage_named(f"{member.path!r} in the zip"), self._source.open(member.info) as stream:
            while piece := stream.read(_CHUNK_BYTES):
                left -= len(piece)
                if left < 0:
                    raise ArchiveRefused([ArchiveFault(f"{member.path!r} is longer than the zip says.")])
                yield piece


def open_archive(source: Path | BinaryIO, limits: ArchiveLimits | None = None) -> Archive:
    """Open a zip for reading after checking all that its list of members says.

    Args:
        source: The zip, as a file's path or as an open file that can seek.
        limits: Caps on its size; the defaults of `ArchiveLimits` without it.

    Raises:
        ArchiveRefused: It is no zip, is broken, or breaks a rule of this module.
    """
    limits = limits or ArchiveLimits()
    with _damage_named("The zip"):
        if isinstance(source, Path):
            with source.open("rb") as file:
                _check_directory(file, limits)
        else:
            _check_directory(source, limits)
        opened = zipfile.ZipFile(source)
    try:
        return Archive(opened, checked_members(opened, limits))
    except BaseException:
        opened.close()
        raise


def extract_archive(source: Path, destination: Path, limits: ArchiveLimits | None = None) -> int:
    """Unpack a zip into an empty folder; what macOS adds by itself is left out.

    Files get mode 755 where the archive gives them an executable bit and 644 elsewhere; no other mode, owner or
    time of the archive is kept. When the archive is refused, the folder is left empty.

    Args:
        source: The zip.
        destination: A folder that exists, is empty, and is written by nobody else meanwhile.
        limits: Caps on what is unpacked; the defaults of `ArchiveLimits` without it.

    Returns:
        How many bytes were written.

    Raises:
        ArchiveRefused: The archive is broken or unsafe.
        ValueError: The destination is not an empty folder.
    """
    if not destination.is_dir() or any(destination.iterdir()):
        raise ValueError(f"{destination} is not an empty folder")
    with open_archive(source, limits) as archive:
        try:
            return sum(_extract_member(archive, member, destination) for member in archive.members)
        except ArchiveRefused:
            for child in destination.iterdir():
                if child.is_dir():
                    shutil.rmtree(child)
                else:
                    child.unlink()
            raise


def is_platform_junk(path: str) -> bool:
    """Whether macOS puts such a path into archives by itself: `__MACOSX/`, `.DS_Store` and `._*`."""
    parts = path.split("/")
    return "__MACOSX" in parts or parts[-1] == ".DS_Store" or parts[-1].startswith("._")


def _extract_member(archive: Archive, member: ArchiveMember, destination: Path) -> int:
    target = destination / member.path
    if member.is_folder:
        target.mkdir(parents=True, exist_ok=True)
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    # "x" neither follows nor replaces what is there, should this file system take two names for one.
    with target.open("xb") as file:
        written = sum(file.write(piece) for piece in archive.chunks(member))
    target.chmod(0o755 if member.is_executable else 0o644)
    return written


@contextmanager
def _damage_named(what: str) -> Iterator[None]:
    """Turn the many ways in which a broken zip fails to be read into `ArchiveRefused`."""
    remedy = "Pack it again, and check it with `unzip -t`."
    try:
        yield
    except UnicodeDecodeError as error:
        raise ArchiveRefused([ArchiveFault("A name in the zip is not valid UTF-8.", remedy)]) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, ValueError) as error:
        raise ArchiveRefused([ArchiveFault(f"{what} is damaged ({error}).", remedy)]) from error


def _check_directory(file: BinaryIO, limits: ArchiveLimits) -> None:
    """Bound the list of members before `zipfile` reads all of it into memory, finding it as `zipfile` does."""
    length = file.seek(0, 2)
    tail_start = max(0, length - _COMMENT_BYTES - _END_BYTES - _WIDE_LOCATOR_BYTES - _WIDE_END_BYTES)
    file.seek(tail_start)
    tail = file.read()
    at = _end_record(tail)
    if at is None:
        raise ArchiveRefused([ArchiveFault("This is not a zip file, or its end is missing.", "Make the zip again.")])
    size: int = struct.unpack_from("<L", tail, at + 12)[0]
    wide = at - _WIDE_LOCATOR_BYTES - _WIDE_END_BYTES
    if wide >= 0 and tail.startswith(b"PK\x06\x06", wide) and tail.startswith(b"PK\x06\x07", at - _WIDE_LOCATOR_BYTES):
        size, at = struct.unpack_from("<Q", tail, wide + 40)[0], wide
    if size > limits.directory_bytes:
        raise too_many_members(limits)
    if size > tail_start + at:
        raise ArchiveRefused([ArchiveFault("The beginning of the zip is missing.", "Make the zip again.")])
    file.seek(tail_start + at - size)
    if _entries(file.read(size)) > limits.members:
        raise too_many_members(limits)


def _end_record(tail: bytes) -> int | None:
    """Where the record at the end of a zip begins in its last bytes; `None` when there is none."""
    last = len(tail) - _END_BYTES
    if last >= 0 and tail.startswith(b"PK\x05\x06", last) and tail.endswith(b"\0\0"):
        return last
    at = tail.rfind(b"PK\x05\x06")
    return at if 0 <= at <= last else None


def _entries(directory: bytes) -> int:
    count = at = 0
    while directory.startswith(b"PK\x01\x02", at) and at + 46 <= len(directory):
        at += 46 + sum(struct.unpack_from("<3H", directory, at + 28))
        count += 1
    return count
