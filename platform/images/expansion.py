"""Archives unpacked into a folder of numbered files. Runs in a child process.

The members' names are never names on this machine's disk, so that no name can do harm, and two may be the same. Zips go
through `podium.platform.archives`, like everyone's; tars are gone through entry by entry, under the same rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, cast

from isal import igzip

from podium.platform.archive_rules import ArchiveFault, ArchiveLimits, ArchiveRefused, name_fault
from podium.platform.archives import open_archive
from podium.platform.images.job_kinds import Expanded, ExpandJob, Member
from podium.platform.images.kinds import Kind
from podium.platform.images.problems import ImageRefused, Reason, Refusal
from podium.platform.images.raw_streams import damage_refused
from podium.platform.tar_walk import TarDamaged, TarEntry, TarWalk

_PIECE = 1 << 20


def expand(job: ExpandJob) -> Expanded:
    """Unpack an archive.

    Raises:
        ImageRefused: It is damaged, unsafe, or over the caps; nothing of it is to be used.
    """
    folder = Path(job.folder)
    members = _expand_zip if job.kind is Kind.ZIP else _expand_tar
    try:
        with damage_refused(Reason.ARCHIVE_REFUSED):
            found = tuple(members(job, folder))
    except ArchiveRefused as error:
        others = " ".join(fault.message for fault in error.faults[1:6])
        raise ImageRefused(Reason.ARCHIVE_REFUSED, f"{error.detail} {others}".strip(), error.remedy) from error
    except TarDamaged as error:
        raise ImageRefused(Reason.ARCHIVE_REFUSED, f"The tar can't be read: {error}.") from error
    if not found:
        raise ImageRefused(Reason.ARCHIVE_REFUSED, "The archive has no files.")
    return Expanded(found)


def _expand_zip(job: ExpandJob, folder: Path) -> Iterator[Member]:
    with open_archive(Path(job.archive), job.limits.archive) as archive:
        files = [member for member in archive.members if not member.is_folder]
        for number, member in enumerate(files):
            with (folder / str(number)).open("xb") as target:
                size = sum(target.write(piece) for piece in archive.chunks(member))
            yield Member(member.path, number, size)


def _expand_tar(job: ExpandJob, folder: Path) -> Iterator[Member]:
    limits = job.limits.archive
    path = Path(job.archive)
    with ExitStack() as stack:
        if job.kind is Kind.TAR:
            stream = cast("BinaryIO", stack.enter_context(path.open("rb")))
            length: int | None = path.stat().st_size
        else:
            stream = cast("BinaryIO", stack.enter_context(igzip.open(path, "rb")))
            length = None
        room = _Room(limits, path.stat().st_size if length is None else None)
        walk = TarWalk(stream, length=length)
        for number, entry in enumerate(walk):
            shown = _path(entry, limits)
            room.take_member()
            if entry.kind == "folder":
                continue
            if entry.kind != "file":
                refusal = Refusal(Reason.UNSAFE_FILE, f"It is a {entry.kind}.", "Replace it with a copy of the file.")
                yield Member(shown, number, 0, refusal)
                continue
            room.take_bytes(entry.size)
            with (folder / str(number)).open("xb") as target:
                while piece := walk.read(_PIECE):
                    target.write(piece)
            yield Member(shown, number, entry.size)


def _path(entry: TarEntry, limits: ArchiveLimits) -> str:
    parts = [part for part in entry.name.split("/") if part not in ("", ".")]
    path = ("/" if entry.name.startswith("/") else "") + "/".join(parts)
    if fault := name_fault(path or ".", limits):
        raise ArchiveRefused([fault])
    return path


class _Room:
    """What is left of the caps while a tar is gone through."""

    def __init__(self, limits: ArchiveLimits, packed: int | None) -> None:
        self._limits = limits
        self._packed = packed
        self._members = 0
        self._bytes = 0

    def take_member(self) -> None:
        self._members += 1
        if self._members > self._limits.members:
            raise ArchiveRefused([ArchiveFault(f"The tar has more than {self._limits.members} files and folders.")])

    def take_bytes(self, size: int) -> None:
        self._bytes += size
        if self._bytes > self._limits.total_bytes:
            raise ArchiveRefused([ArchiveFault(f"Unpacked, the tar has more than {self._limits.total_bytes} bytes.")])
        grown = self._packed is not None and self._bytes > self._limits.ratio * self._packed
        if grown and self._bytes > self._limits.ratio_from_bytes:
            raise ArchiveRefused(
                [ArchiveFault(f"Unpacked, the tar grows to {self._bytes} bytes, as only a bomb does.")]
            )
