"""What can be said of a file before it is sent, so that a slip costs no submission: pure, over the file's bytes."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from podium.dashboards.scores import size_text
from podium.platform.client.expected_files import file_problems_of, is_to_be_renamed
from podium.platform.client.packing import is_container_name
from podium.platform.records.competitions import PhaseRecord

_LOOKED_THROUGH = 8 * 1024 * 1024
"""Of the file that a phase declares, unpacked: more would take long, or much memory, of all viewers."""
_PROBLEMS = 8
_DIRECTORY_BYTES = 8 * 1024 * 1024
"""The longest list of contents that is read: a longer one would take much memory."""
_END = b"PK\x05\x06"
_END_BYTES = 22
_COMMENT_BYTES = 65_535
_METADATA = frozenset({"metadata", "metadata.yaml"})
_JUNK = ("__MACOSX/", ".DS_Store")
_ENCRYPTED = 0x1


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a file. `kind` is `good`, `info`, `warning`, or `bad` for what can't be submitted."""

    kind: str
    words: str


def check_upload(name: str, size: int, file: BinaryIO, phase: PhaseRecord) -> tuple[Finding, ...]:
    """What is to be said of a file that is to be submitted to a phase, the worst last.

    Args:
        name: As the participant calls it.
        size: In bytes.
        file: Its content; where it is read from is another place afterwards.
        phase: What it is for.
    """
    found = list(_findings(name, size, file, phase))
    if may_be_sent(found):
        found += _format_findings(name, file, phase)
    order = ("good", "info", "warning", "bad")
    return tuple(sorted(found, key=lambda finding: order.index(finding.kind)))


def may_be_sent(findings: Sequence[Finding]) -> bool:
    """Whether nothing was found that rules it out."""
    return all(finding.kind != "bad" for finding in findings)


def _findings(name: str, size: int, file: BinaryIO, phase: PhaseRecord) -> Iterator[Finding]:
    if size == 0:
        yield Finding("bad", f"{name} is empty. Choose the file that your program wrote.")
        return
    is_container = is_container_name(name)
    if phase.container_submissions and not is_container:
        yield Finding("bad", f"{phase.name} takes images of containers: save yours with `docker save`, as a tar file.")
        return
    if is_container and not phase.container_submissions:
        yield Finding("bad", f"{phase.name} takes no images of containers. Submit a zip with your files.")
        return
    if is_container:
        yield Finding("good", f"An image of {size_text(size)}; it is looked through before it is sent.")
        return
    yield from _zip_findings(name, size, file, phase)


def _format_findings(name: str, file: BinaryIO, phase: PhaseRecord) -> Iterator[Finding]:
    """Whether it is what the phase declares, as the command line and `podium.client` tell it."""
    if phase.submission_format is None or is_container_name(name):
        return
    problems = file_problems_of(name, file, phase, most_bytes=_LOOKED_THROUGH)
    if problems is None:
        yield Finding("info", "This is too large to be looked through here; `podium submit` does that before it sends.")
    elif problems:
        wanted = phase.submission_format.in_words()
        yield Finding("bad", f"{name} is not what {phase.name} takes ({wanted}).")
        yield from (Finding("bad", problem) for problem in problems[:_PROBLEMS])
        if len(problems) > _PROBLEMS:
            yield Finding("bad", f"And {len(problems) - _PROBLEMS} more.")


def _packed_name(name: str, phase: PhaseRecord) -> str:
    if phase.submission_format is not None and is_to_be_renamed(name, phase):
        return f"as {phase.submission_format.file}, which is what {phase.name} takes"
    return "under its own name"


def _zip_findings(name: str, size: int, file: BinaryIO, phase: PhaseRecord) -> Iterator[Finding]:
    if not zipfile.is_zipfile(file):
        if name.lower().endswith(".zip"):
            yield Finding("bad", f"{name} is called a zip but is none, or its end is missing. Make the zip again.")
        else:
            yield Finding(
                "info", f"{name} is no zip: it will be packed into one by itself, {_packed_name(name, phase)}."
            )
        return
    if (length := directory_bytes(file, size)) is None or length > _DIRECTORY_BYTES:
        yield Finding("info", "The list of this zip's contents is too long to be looked through here.")
        return
    try:
        with zipfile.ZipFile(file) as archive:
            members = [one for one in archive.infolist() if not one.is_dir()]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError):  # all that zipfile says of one
        yield Finding("bad", f"{name} is a broken zip. Make it again.")
        return
    members = [one for one in members if not one.filename.startswith(_JUNK) and not one.filename.endswith(_JUNK)]
    yield from _content_findings(members, phase)


def _content_findings(members: list[zipfile.ZipInfo], phase: PhaseRecord) -> Iterator[Finding]:
    if not members:
        yield Finding("bad", "There is no file in this zip.")
        return
    if any(one.flag_bits & _ENCRYPTED for one in members):
        yield Finding("bad", "This zip is locked with a password, which nobody here knows.")
        return
    names = [one.filename for one in members]
    unpacked = size_text(sum(one.file_size for one in members))
    files = "1 file" if len(members) == 1 else f"{len(members)} files"
    yield Finding("good", f"A zip with {files}, {unpacked} unpacked: {_some(names)}.")
    is_code = any(one.rpartition("/")[2] in _METADATA for one in names)
    if is_code and phase.only_result_submissions:
        yield Finding("warning", f"This looks like code, and {phase.name} scores results alone.")
    tops = {one.partition("/")[0] for one in names}
    if not is_code and len(tops) == 1 and all("/" in one for one in names):
        yield Finding(
            "warning",
            f"All files lie in the folder “{next(iter(tops))[:60]}”. Results are looked for at the top of the zip: "
            "zip the files, not their folder, unless the competition says otherwise.",
        )


def _some(names: list[str]) -> str:
    shown = [name[:60] for name in sorted(names, key=lambda name: (name.count("/"), name))[:4]]
    rest = len(names) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def directory_bytes(file: BinaryIO, size: int) -> int | None:
    """How long the list of a zip's contents says it is; `None` where it does not say so in the plain way."""
    file.seek(max(size - _END_BYTES - _COMMENT_BYTES, 0))
    tail = file.read(_END_BYTES + _COMMENT_BYTES)
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        return None
    (length,) = struct.unpack_from("<I", tail, at + 12)
    return int(length)
