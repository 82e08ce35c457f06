"""Copies of what a program wrote: as a folder, as a zip, as bytes. Only plain files and folders, only within limits."""

from __future__ import annotations

import hashlib
import os
import stat
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

from podium.tasks.output_rules import OutputLimits, OutputRefused
from podium.tasks.output_tree import OutputFile, open_file, open_files

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MODE = 0o644
"""What every copied file has: no program gets a set-uid bit past the host."""
_ZIP_DATES = (315_532_800, 4_354_819_198)  # 1980 to 2107, what a zip archive can say


@dataclass(frozen=True, slots=True)
class CopiedTree:
    """What was copied."""

    files: int
    bytes: int


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
        descriptor = os.open(destination / file.name, _NEW_FILE, _MODE)
        with os.fdopen(descriptor, "wb") as target:
            target.writelines(file.pieces())
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
                    for piece in file.pieces():
                        target.write(piece)
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
    with open_file(source, name) as file:
        if file is None:
            return None
        if file.size > max_bytes:
            reason = f"it has more than {max_bytes} bytes"
            raise OutputRefused(name, reason, limit="output_bytes", remedy="Write a smaller file.")
        return b"".join(file.pieces())


def _entry(file: OutputFile) -> zipfile.ZipInfo:
    earliest, latest = _ZIP_DATES
    entry = zipfile.ZipInfo(file.name, time.gmtime(max(earliest, min(file.modified, latest)))[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (stat.S_IFREG | _MODE) << 16
    entry.file_size = file.size  # a large one needs the long form of the entry, which must be known before
    return entry
