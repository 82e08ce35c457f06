"""Files and folders of images, as they are sent: large files alone, small ones in packs, so that few requests are made.

A thousand slices are a thousand files. A pack is a zip that is not compressed, made beside the file system's other
temporary files and gone once it is sent.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from podium.platform.bundles.folder_zips import PackedFile, write_zip
from podium.platform.client.progress import OnProgress, Progress, Step
from podium.platform.client.transfers import CHUNK_BYTES
from podium.platform.errors import InvalidInput

ALONE_BYTES = 32 << 20
"""From this size on a file is sent alone."""
PACK_BYTES = 256 << 20
"""Files are packed together up to this size."""
PACK_FILES = 5000


@dataclass(frozen=True, slots=True)
class Piece:
    """What is sent at once.

    Attributes:
        path: The file to send.
        name: What it is called while it is sent.
        shown: Under which path the session knows it.
        is_pack: Whether it only holds others.
    """

    path: Path
    name: str
    shown: str
    is_pack: bool


@dataclass(frozen=True, slots=True)
class _Found:
    path: Path
    shown: str
    size: int


def pieces_of(paths: Sequence[Path], on_progress: OnProgress) -> Iterator[Piece]:
    """What to send of files and folders, one after another. A pack is there until the next piece is asked for.

    Raises:
        InvalidInput: There is nothing at a path, or something that can't be read.
    """
    waiting: list[_Found] = []
    size = 0
    for found in files_in(paths):
        if found.size >= ALONE_BYTES:
            yield Piece(found.path, found.path.name, found.shown, is_pack=False)
            continue
        if waiting and (size + found.size > PACK_BYTES or len(waiting) >= PACK_FILES):
            yield from _packed(waiting, on_progress)
            waiting, size = [], 0
        waiting.append(found)
        size += found.size
    if len(waiting) == 1 and waiting[0].size:
        yield Piece(waiting[0].path, waiting[0].path.name, waiting[0].shown, is_pack=False)
    elif waiting:
        yield from _packed(waiting, on_progress)


def files_in(paths: Sequence[Path]) -> list[_Found]:
    """All files, with the paths that the report will call them by: from the name of what was named on.

    Raises:
        InvalidInput: As for `pieces_of`.
    """
    found: list[_Found] = []
    shown: set[str] = set()
    for path in paths:
        if not path.exists():
            raise InvalidInput(f"There is no file or folder {path}.", remedy="Check the path.")
        name = path.resolve().name or "folder"
        here = list(_walk(path, name)) if path.is_dir() else [(path, name)]
        for file, called in here:
            found.append(_Found(file, _unique(called, shown), _size_of(file)))
    if not found:
        raise InvalidInput(f"There are no files in {', '.join(map(str, paths))}.")
    return found


def _walk(root: Path, name: str) -> Iterator[tuple[Path, str]]:
    for here, folders, files in os.walk(root, onerror=_refuse_unreadable):
        folders.sort()
        for folder in folders:
            if Path(here, folder).is_symlink():
                raise InvalidInput(
                    f"{Path(here, folder)} is a link to a folder, which is not followed.",
                    remedy="Put the folder itself there.",
                )
        for file in sorted(files):
            path = Path(here, file)
            yield path, f"{name}/{path.relative_to(root).as_posix()}"


def _size_of(path: Path) -> int:
    if not path.is_file():
        raise InvalidInput(f"{path} is no regular file.", remedy="Remove or replace it.")
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise InvalidInput(f"{path!r} has a name that is not UTF-8.", remedy="Rename it.") from None
    return path.stat().st_size


def _unique(called: str, shown: set[str]) -> str:
    name, number = called, 2
    while name in shown:
        name = f"{called} ({number})"
        number += 1
    shown.add(name)
    return name


def _packed(files: Sequence[_Found], on_progress: OnProgress) -> Iterator[Piece]:
    sources = {file.shown: file.path for file in files}
    total = sum(file.size for file in files)
    name = f"{len(files)} files" if len(files) > 1 else files[0].path.name
    done = 0

    def read(inside: str) -> Iterator[bytes]:
        nonlocal done
        with sources[inside].open("rb") as source:
            while chunk := source.read(CHUNK_BYTES):
                yield chunk
                done += len(chunk)
                on_progress(Progress(Step.PACKING, name, done, total))

    with tempfile.TemporaryDirectory(prefix="podium-") as folder:
        target = Path(folder, "pack.zip")
        packed = [PackedFile(file.shown, file.size, is_executable=False) for file in files]
        write_zip(target, packed, [], read, compression=zipfile.ZIP_STORED)
        names = hashlib.sha256("\n".join(sorted(sources)).encode()).hexdigest()[:16]
        yield Piece(target, name, f"pack-{names}.zip", is_pack=True)


def _refuse_unreadable(error: OSError) -> None:
    raise InvalidInput(f"{error.filename} can't be read: {error.strerror}.") from error
