"""What a zip's list of members may say before any of it is unpacked.

These are the checks behind `podium.platform.archives`; nothing here reads a member's bytes.
"""

from __future__ import annotations

import stat
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from podium.platform.errors import InvalidInput

# bzip2 and LZMA are left out: `zipfile` can't bound what one read of them unpacks into memory.
_READABLE_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_UTF8_NAME = 0x800
_LOCAL_HEADER_BYTES = 30


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How large an archive may be, packed and unpacked.

    Attributes:
        members: Files and folders in it.
        total_bytes: Bytes of all files together, unpacked.
        ratio: Unpacked bytes for each packed one; looked at from `ratio_from_bytes` unpacked bytes on, since a
            small file of zeros is no bomb.
        ratio_from_bytes: Where `ratio` begins to count.
        name_bytes: Bytes of a member's whole path.
        part_bytes: Bytes of one part of a path; file systems allow 255.
        depth: Parts of a path.
        directory_bytes: Bytes of the archive's own list of members, which is held in memory.
    """

    members: int = 100_000
    total_bytes: int = 50 << 30
    ratio: int = 250
    ratio_from_bytes: int = 64 << 20
    name_bytes: int = 1024
    part_bytes: int = 255
    depth: int = 40
    directory_bytes: int = 64 << 20


@dataclass(frozen=True, slots=True)
class ArchiveFault:
    """One reason to refuse an archive.

    Attributes:
        message: What is wrong, in a sentence that names the member.
        remedy: What to do about it, in a sentence, or an empty string.
    """

    message: str
    remedy: str = ""


class ArchiveRefused(InvalidInput):
    """An archive that is broken or not safe to unpack; `faults` holds every reason that was found."""

    type = "archive-refused"
    title = "The archive can't be used"

    def __init__(self, faults: Sequence[ArchiveFault]) -> None:
        self.faults = tuple(faults)
        first, others = self.faults[0], len(self.faults) - 1
        more = f" ({others} more like it in this archive.)" if others else ""
        super().__init__(first.message + more, remedy=first.remedy)


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """A file or folder of an archive.

    Attributes:
        path: Relative, with `/` between its parts and none at the end.
        size: Bytes when unpacked, as the archive declares it.
        is_folder: Whether it is a folder.
        is_executable: Whether the archive gives the file an executable bit.
        info: What `zipfile` knows of it.
    """

    path: str
    size: int
    is_folder: bool
    is_executable: bool
    info: zipfile.ZipInfo


def checked_members(source: zipfile.ZipFile, limits: ArchiveLimits) -> list[ArchiveMember]:
    """List an archive's members, in its order, after checking every one and all together.

    Raises:
        ArchiveRefused: With every fault that was found.
    """
    infos = source.infolist()
    members = [_member(info) for info in infos]
    faults = [fault for member in members if (fault := _fault_of(member, limits))]
    members = list(_without_repetitions(members))
    faults += _clashes(members)
    faults += _overlaps(infos, source.start_dir)
    faults += _size_faults(infos, limits)
    if faults:
        raise ArchiveRefused(faults)
    return [member for member in members if member.path]


def too_many_members(limits: ArchiveLimits) -> ArchiveRefused:
    """The refusal of an archive with more members than allowed."""
    return ArchiveRefused(
        [ArchiveFault(f"The zip has more than {limits.members} files and folders.", "Put small files into fewer.")]
    )


def name_fault(path: str, limits: ArchiveLimits) -> ArchiveFault | None:
    """Say why a relative path can't be used, or `None` when it can."""
    parts = path.split("/")
    sizes = [len(part.encode("utf-8", "surrogatepass")) for part in parts]
    if path.startswith("/") or ".." in parts or _has_drive_letter(path):
        return _about(path, "leads out of the archive", "Use relative paths inside one folder.")
    if "\\" in path:
        return _about(path, "has a backslash in its name", "Pack it with a tool that writes `/` between folders.")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in path):
        return _about(path, "has a control character in its name", "Rename it.")
    if max(sizes) > limits.part_bytes or sum(sizes) + len(parts) - 1 > limits.name_bytes:
        allowed = f"{limits.part_bytes} bytes, and a whole path {limits.name_bytes}"
        return _about(path, "has a name that is too long", f"A name may have {allowed}.")
    if len(parts) > limits.depth:
        return _about(path, "lies too deep", f"Up to {limits.depth} folders may be inside each other.")
    return None


def _member(info: zipfile.ZipInfo) -> ArchiveMember:
    # `orig_filename` is the name before `zipfile` cuts it at a NUL, which would hide what comes after.
    name = info.orig_filename
    if not info.flag_bits & _UTF8_NAME:
        # Names without the flag are often UTF-8 all the same: macOS and old Linux tools write them so.
        try:
            name = name.encode("cp437").decode("utf-8")
        except (UnicodeEncodeError, UnicodeDecodeError):
            name = info.orig_filename
    is_folder = name.endswith("/")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    path = ("/" if name.startswith("/") else "") + "/".join(parts)
    is_executable = not is_folder and bool(info.external_attr >> 16 & 0o111)
    return ArchiveMember(path, info.file_size, is_folder, is_executable, info)


def _fault_of(member: ArchiveMember, limits: ArchiveLimits) -> ArchiveFault | None:
    found = _kind_fault(member) or _packing_fault(member.info)
    return name_fault(member.path, limits) or (_about(member.path, *found) if found else None)


def _about(path: str, reason: str, remedy: str) -> ArchiveFault:
    shown = path if len(path) <= 100 else path[:100] + "…"
    return ArchiveFault(f"{shown!r} {reason}.", remedy)


def _has_drive_letter(path: str) -> bool:
    return len(path) >= 2 and path[0].isalpha() and path[1] == ":"


def _kind_fault(member: ArchiveMember) -> tuple[str, str] | None:
    kind = stat.S_IFMT(member.info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "is a symbolic link", "Replace it with a copy of what it points to."
    # Archives made on Windows have no Unix mode at all.
    if kind not in (0, stat.S_IFDIR if member.is_folder else stat.S_IFREG):
        return "is neither a regular file nor a folder", "Leave it out."
    return None


def _packing_fault(info: zipfile.ZipInfo) -> tuple[str, str] | None:
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted", "Pack it again without a password."
    if info.compress_type not in _READABLE_METHODS:
        return "is packed in an unusual way", "Pack it again with ordinary compression (Deflate)."
    return None


def _without_repetitions(members: Sequence[ArchiveMember]) -> Iterator[ArchiveMember]:
    """Leave out files that stand there again with the same content, as old tools pack what is named twice to them."""
    seen: set[tuple[str, int, int]] = set()
    for member in members:
        content = (member.path, member.size, member.info.CRC)
        if member.is_folder or content not in seen:
            seen.add(content)
            yield member


def _clashes(members: Sequence[ArchiveMember]) -> Iterator[ArchiveFault]:
    """Find names that stand twice, and files that are folders of other members too."""
    files: set[str] = set()
    for member in members:
        if not member.is_folder:
            if member.path in files:
                yield ArchiveFault(f"{member.path!r} is in the zip twice.", "Pack it again.")
            files.add(member.path)
    for member in members:
        parts = member.path.split("/")
        folders = range(1, len(parts) + member.is_folder)
        for count in folders:
            if (folder := "/".join(parts[:count])) in files:
                yield ArchiveFault(f"{folder!r} is in the zip as a file and as a folder.", "Rename one of them.")
                break


def _overlaps(infos: Sequence[zipfile.ZipInfo], directory_start: int) -> Iterator[ArchiveFault]:
    """Find members that share bytes, the trick of the bombs that nest no archive in another.

    The extra field of a local header is taken as empty: its length is not known here, and can only make it worse.
    """
    spans = sorted((info.header_offset, info.compress_size + _header_bytes(info), info.orig_filename) for info in infos)
    if spans and spans[0][0] < 0:
        yield ArchiveFault("The zip begins before its own first byte.", "Pack it again.")
    for (start, length, name), (following, _, _) in pairwise([*spans, (directory_start, 0, "")]):
        if start + length > following:
            yield ArchiveFault(f"{name!r} shares bytes of the zip with what follows it.", "Pack it again.")


def _header_bytes(info: zipfile.ZipInfo) -> int:
    encoding = "utf-8" if info.flag_bits & _UTF8_NAME else "cp437"
    return _LOCAL_HEADER_BYTES + len(info.orig_filename.encode(encoding, "replace"))


def _size_faults(infos: Sequence[zipfile.ZipInfo], limits: ArchiveLimits) -> Iterator[ArchiveFault]:
    unpacked = sum(info.file_size for info in infos)
    packed = sum(info.compress_size for info in infos)
    if unpacked > limits.total_bytes:
        yield ArchiveFault(
            f"Unpacked, the zip has {unpacked} bytes.", f"At most {limits.total_bytes} bytes are allowed."
        )
    elif unpacked > limits.ratio_from_bytes and unpacked > limits.ratio * packed:
        yield ArchiveFault(
            f"Unpacked, the zip grows from {packed} to {unpacked} bytes, as only a zip bomb does.",
            "Pack very repetitive data in a format of its own, such as Parquet.",
        )
