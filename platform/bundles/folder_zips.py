"""Folders as zips that are equal, byte for byte, when their content is equal.

Stored datasets are known by their sha256, so the same folder must not become another file because it was
packed in another order, at another time, or on another machine.
"""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_FIRST_TIME = (1980, 1, 1, 0, 0, 0)
_UNIX = 3


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A file to pack: its path in the zip, its size in bytes, and whether it may be executed."""

    path: str
    size: int
    is_executable: bool


def write_zip(
    destination: Path,
    files: Iterable[PackedFile],
    folders: Iterable[str],
    read: Callable[[str], Iterator[bytes]],
    *,
    compression: int = zipfile.ZIP_DEFLATED,
) -> int:
    """Write files as a zip: sorted, all at one time, with mode 755 or 644, and folders only where they are empty.

    Args:
        destination: A file that does not exist yet; it is removed again when packing fails.
        files: What to pack.
        folders: Every folder, so that empty ones are kept.
        read: Gives the bytes of a file, by its path in the zip.
        compression: `ZIP_STORED` for what is packed already: no work, and the same bytes whatever packs.

    Returns:
        The size of the zip in bytes.

    Raises:
        FileExistsError: There is something at the destination.
    """
    packed = sorted(files, key=lambda file: file.path)
    with destination.open("xb") as target:
        try:
            with zipfile.ZipFile(target, "w") as archive:
                for folder in _empty_folders(packed, folders):
                    archive.writestr(_entry(f"{folder}/", stat.S_IFDIR | 0o755), b"")
                for file in packed:
                    _pack(archive, file, read(file.path), compression)
        except BaseException:
            destination.unlink()
            raise
    return destination.stat().st_size


def _empty_folders(files: Iterable[PackedFile], folders: Iterable[str]) -> list[str]:
    known = set(folders)
    inhabited = {parent for path in (*known, *(file.path for file in files)) for parent in _parents(path)}
    return sorted(known - inhabited)


def _parents(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts)))


def _pack(archive: zipfile.ZipFile, file: PackedFile, pieces: Iterator[bytes], compression: int) -> None:
    entry = _entry(file.path, stat.S_IFREG | (0o755 if file.is_executable else 0o644))
    entry.compress_type = compression
    # The size decides whether the entry gets the fields of a large file.
    entry.file_size = file.size
    with archive.open(entry, "w") as target:
        for piece in pieces:
            target.write(piece)


def _entry(name: str, mode: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _FIRST_TIME)
    entry.create_system = _UNIX
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = mode << 16
    return entry
