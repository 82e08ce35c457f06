"""The files of a bundle, whether it is a zip or a folder: listed and read, never unpacked."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from podium.platform.archive_rules import name_fault
from podium.platform.archives import (
    Archive,
    ArchiveFault,
    ArchiveLimits,
    ArchiveMember,
    ArchiveRefused,
    is_platform_junk,
    open_archive,
)
from podium.platform.bundles.folder_zips import PackedFile, write_zip

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class FileEntry:
    """What is known of a file of a bundle before it is read."""

    size: int
    is_executable: bool


class _Source(Protocol):
    """Where a bundle's bytes come from; paths are the bundle's own."""

    def chunks(self, path: str) -> Iterator[bytes]: ...

    def close(self) -> None: ...


class BundleFiles:
    """The files and folders of a bundle, read only. Made by `open_bundle`; a context manager.

    Paths are relative to the bundle's root, with `/` between their parts and none at the end. What macOS adds to
    archives by itself is not there.

    Attributes:
        files: Every file, by path.
        folders: Every folder's path.
        root: The folder of the archive that is taken as the bundle's root, `""` for the archive's own.
    """

    def __init__(
        self, source: _Source, files: Mapping[str, FileEntry], folders: frozenset[str], root: str = ""
    ) -> None:
        self._source = source
        self.files = dict(sorted(files.items()))
        self.folders = folders
        self.root = root
        self._composed = {unicodedata.normalize("NFC", path): path for path in (*self.folders, *self.files)}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the bundle; its files can't be read any more."""
        self._source.close()

    def find(self, path: str) -> str | None:
        """Give the bundle's own spelling of a path, or `None` where it has no such file or folder.

        `./a`, `a/` and `a//b` are understood, and so are accents written in the other Unicode form: macOS packs
        `é` as two characters, editors write one. Letter case must fit.
        """
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if path.startswith("/") or not parts:
            return None
        return self._composed.get(unicodedata.normalize("NFC", "/".join(parts)))

    def is_file(self, path: str) -> bool:
        """Whether the bundle has this file."""
        return path in self.files

    def is_folder(self, path: str) -> bool:
        """Whether the bundle has this folder."""
        return path in self.folders

    def files_under(self, folder: str) -> list[str]:
        """List the files below a folder, sorted."""
        return [path for path in self.files if path.startswith(f"{folder}/")]

    def chunks(self, path: str) -> Iterator[bytes]:
        """Give a file's bytes, piece by piece.

        Raises:
            ArchiveRefused: The file is damaged in its archive, or has changed since the bundle was opened.
        """
        return self._source.chunks(self._inside(path))

    def read(self, path: str, *, max_bytes: int) -> bytes:
        """Read a file from its beginning, up to `max_bytes`.

        Raises:
            ArchiveRefused: The file is damaged in its archive, or has changed since the bundle was opened.
        """
        collected = bytearray()
        for piece in self.chunks(path):
            collected += piece
            if len(collected) >= max_bytes:
                break
        return bytes(collected[:max_bytes])

    def copy_file(self, path: str, destination: Path) -> int:
        """Write a file of the bundle to a new file, and return how many bytes it has.

        Raises:
            ArchiveRefused: The file is damaged in its archive, or has changed since the bundle was opened.
            FileExistsError: There is something at the destination.
        """
        with destination.open("xb") as copy:
            try:
                return sum(copy.write(piece) for piece in self.chunks(path))
            except BaseException:
                destination.unlink()
                raise

    def write_folder_zip(self, path: str, destination: Path) -> int:
        """Write a folder of the bundle as a zip; equal content gives equal bytes, wherever the bundle came from.

        Returns:
            The size of the zip in bytes.

        Raises:
            ArchiveRefused: A file is damaged in its archive, or has changed since the bundle was opened.
            FileExistsError: There is something at the destination.
        """
        prefix = f"{path}/"
        packed = [
            PackedFile(name.removeprefix(prefix), entry.size, entry.is_executable)
            for name, entry in self.files.items()
            if name.startswith(prefix)
        ]
        folders = [name.removeprefix(prefix) for name in self.folders if name.startswith(prefix)]
        return write_zip(destination, packed, folders, lambda name: self.chunks(prefix + name))

    def rooted_at(self, folder: str) -> BundleFiles:
        """The same bundle with one of its folders as the root; closing it closes this one."""
        prefix = f"{folder}/"
        files = {name.removeprefix(prefix): entry for name, entry in self.files.items() if name.startswith(prefix)}
        folders = frozenset(name.removeprefix(prefix) for name in self.folders if name.startswith(prefix))
        return BundleFiles(self._source, files, folders, "/".join(part for part in (self.root, folder) if part))

    def _inside(self, path: str) -> str:
        return f"{self.root}/{path}" if self.root else path


def open_bundle(path: Path, limits: ArchiveLimits | None = None) -> BundleFiles:
    """Open a zip or a folder as the files of a bundle.

    Raises:
        ArchiveRefused: It is neither, or is broken or unsafe; see `podium.platform.archives`.
        OSError: It can't be read at all.
    """
    limits = limits or ArchiveLimits()
    return _open_folder(path, limits) if path.is_dir() else _open_zip(path, limits)


class _ZipSource:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._members: dict[str, ArchiveMember] = {
            member.path: member for member in archive.members if not member.is_folder
        }

    def chunks(self, path: str) -> Iterator[bytes]:
        return self._archive.chunks(self._members[path])

    def close(self) -> None:
        self._archive.close()


class _FolderSource:
    def __init__(self, root: Path) -> None:
        self._root = root

    def chunks(self, path: str) -> Iterator[bytes]:
        # Looked at without following links when the bundle was opened; the same holds when it is read.
        descriptor = os.open(self._root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ArchiveRefused([ArchiveFault(f"{path!r} has changed while it was read.")])
            while piece := stream.read(_CHUNK_BYTES):
                yield piece

    def close(self) -> None:
        """Nothing stays open."""


def _open_zip(path: Path, limits: ArchiveLimits) -> BundleFiles:
    archive = open_archive(path, limits)
    files = {
        member.path: FileEntry(member.size, member.is_executable) for member in archive.members if not member.is_folder
    }
    explicit = {member.path for member in archive.members if member.is_folder}
    return BundleFiles(_ZipSource(archive), files, _folders_of(files) | explicit)


def _open_folder(root: Path, limits: ArchiveLimits) -> BundleFiles:
    files: dict[str, FileEntry] = {}
    folders: set[str] = set()
    faults: list[ArchiveFault] = []
    for path in _walk(root, limits):
        name = path.relative_to(root).as_posix()
        status = path.lstat()
        if fault := name_fault(name, limits):
            faults.append(fault)
        elif stat.S_ISDIR(status.st_mode):
            folders.add(name)
        elif stat.S_ISREG(status.st_mode):
            files[name] = FileEntry(status.st_size, bool(status.st_mode & 0o100))
        elif stat.S_ISLNK(status.st_mode):
            faults.append(ArchiveFault(f"{name!r} is a symbolic link.", "Replace it with a copy of what it points to."))
        else:
            faults.append(ArchiveFault(f"{name!r} is neither a regular file nor a folder.", "Leave it out."))
    if sum(entry.size for entry in files.values()) > limits.total_bytes:
        faults.append(ArchiveFault(f"The folder has more than {limits.total_bytes} bytes."))
    if faults:
        raise ArchiveRefused(faults)
    return BundleFiles(_FolderSource(root), files, frozenset(folders))


def _walk(root: Path, limits: ArchiveLimits) -> Iterator[Path]:
    """List what lies below a folder, never through a link."""
    seen = 0
    waiting = [root]
    while waiting:
        for path in waiting.pop().iterdir():
            seen += 1
            if seen > limits.members:
                raise ArchiveRefused([ArchiveFault(f"The folder has more than {limits.members} files and folders.")])
            if is_platform_junk(path.name):
                continue
            yield path
            if path.is_dir() and not path.is_symlink():
                waiting.append(path)


def _folders_of(files: Mapping[str, FileEntry]) -> frozenset[str]:
    found: set[str] = set()
    for path in files:
        parts = path.split("/")
        found.update("/".join(parts[:count]) for count in range(1, len(parts)))
    return frozenset(found)


class _Nothing:
    """A bundle without a file."""

    def chunks(self, path: str) -> Iterator[bytes]:
        raise FileNotFoundError(path)

    def close(self) -> None:
        """There is nothing to close."""


NO_FILES = BundleFiles(_Nothing(), {}, frozenset())
"""For what is read without a bundle."""
