"""A folder that was just unpacked, brought into the shape that its protocol expects.

- A program may lie one folder too deep. What a participant means is plain when nothing but that folder is there and
  it holds the metadata; it then takes the place of the whole. CodaLab does so; Codabench takes such a submission for
  results. A folder of results is never unwrapped: scoring programs may look for it by its name.
- CodaLab unpacks zips that lie at the top of a zip, each into a folder of its name, and so is done for its tasks.

The folder is the host's own, made by `extract_archive` of regular files and folders alone.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from podium.platform.archives import ArchiveFault, ArchiveLimits, ArchiveRefused, extract_archive
from podium.platform.bundles.content import Protocol
from podium.tasks.metadata import NAMES, BadMetadata, read_metadata


def arrange(folder: Path, protocol: Protocol, limits: ArchiveLimits | None = None) -> list[str]:
    """Arrange an unpacked zip; say what was done, in lines for whoever made it.

    Args:
        limits: Caps on what zips within it may hold, all together; the defaults of `ArchiveLimits` without it.

    Raises:
        ArchiveRefused: A zip within it can't be unpacked; the message names it.
    """
    notes = []
    if inner := _program_within(folder, protocol):
        name = inner.name
        _replace(folder, inner)
        notes.append(f"everything was in the folder '{name}', and is taken from there")
    if protocol is Protocol.V1_5:
        notes += _unpack_inner(folder, limits or ArchiveLimits())
    return notes


def _program_within(folder: Path, protocol: Protocol) -> Path | None:
    """The one folder within that holds the program, if the top holds none."""
    entries = list(folder.iterdir())
    if len(entries) != 1 or not entries[0].is_dir():
        return None
    inner = entries[0]
    if protocol is Protocol.V1_5:
        return inner if any((inner / name).is_file() for name in NAMES) else None
    try:
        metadata = read_metadata(inner)
    except BadMetadata:
        return None
    # Without a command, the folder could as well be results with a description.
    return inner if metadata and metadata.commands else None


def _replace(folder: Path, inner: Path) -> None:
    # Under a name that no member of the archive can have taken: beside the folder, not in it.
    moved = folder.with_name(f".{folder.name}-inner")
    inner.rename(moved)
    shutil.rmtree(folder)
    moved.rename(folder)


def _unpack_inner(folder: Path, limits: ArchiveLimits) -> list[str]:
    notes = []
    bytes_left, members_left = limits.total_bytes, limits.members
    for path in sorted(path for path in folder.iterdir() if path.suffix == ".zip" and path.is_file()):
        target = path.with_suffix("")
        if target.exists():
            notes.append(f"'{path.name}' was not unpacked: there is something else of the name '{target.name}'")
            continue
        target.mkdir(mode=0o755)
        left = replace(limits, total_bytes=max(0, bytes_left), members=max(0, members_left))
        try:
            bytes_left -= extract_archive(path, target, left)
        except ArchiveRefused as refused:
            target.rmdir()
            faults = [ArchiveFault(f"In '{path.name}': {fault.message}", fault.remedy) for fault in refused.faults]
            raise ArchiveRefused(faults) from refused
        members_left -= sum(1 for _ in target.rglob("*"))
        notes.append(f"'{path.name}' was unpacked into the folder '{target.name}'")
    return notes
