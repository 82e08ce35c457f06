"""What child processes are asked to do, and what they answer: the words between them and the session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from podium.platform.images.bricks import BrickLayout
from podium.platform.images.dicom_records import DicomHeader
from podium.platform.images.kinds import Kind
from podium.platform.images.limits import ImportLimits
from podium.platform.images.metadata import ImageType
from podium.platform.images.planes import Stack
from podium.platform.images.problems import Refusal
from podium.platform.images.report import MadeImage


@dataclass(frozen=True, slots=True)
class ExpandJob:
    """Unpack an archive.

    Attributes:
        folder: Where its members go, under numbers for names.
        limits: What the session has left.
    """

    archive: str
    kind: Kind
    folder: str
    limits: ImportLimits


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive: its path there, and its number in the folder; or why it was left out."""

    path: str
    number: int
    size: int
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Expanded:
    """What was in an archive."""

    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class ScanJob:
    """Read what a file's header says of which other files it belongs with."""

    path: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a header says.

    Attributes:
        refers_to: The file with the voxels, as the header names it.
        companions: More files that belong to it.
        parts: Of a file with several images, what is put behind its name to name each.
        ignored: Why nobody needs the file.
    """

    dicom: DicomHeader | None = None
    refers_to: str | None = None
    companions: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    ignored: str = ""
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class GroupFile:
    """A file of a group: its path in the session, and where it lies."""

    shown: str
    path: str


@dataclass(frozen=True, slots=True)
class ImportJob:
    """Make an image of a group of files.

    Attributes:
        files: The header comes first, the file with its voxels second.
        headers: Of DICOM files, as many.
        stack: Their planes; a plane's file is its place in `files`.
        folder: Where the image goes; it exists.
        part: Which image of a file with several.
    """

    kind: Kind
    name: str
    files: tuple[GroupFile, ...]
    folder: str
    limits: ImportLimits
    headers: tuple[DicomHeader, ...] = ()
    stack: Stack | None = None
    part: int = 0


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a group.

    Attributes:
        culprit: The number of the file that alone is to blame for a refusal; the others may make an image without it.
    """

    image: MadeImage | None = None
    refusal: Refusal | None = None
    culprit: int | None = None


@dataclass(frozen=True, slots=True)
class UnpackJob:
    """Unpack an image that an import has made, for slices of it to be read.

    Attributes:
        target: The file that its voxels go to, in bricks; it does not exist yet.
        side: Of a pyramid, the smallest level that has so many pixels along its longer side is taken.
    """

    path: str
    type: ImageType
    target: str
    side: int
    limits: ImportLimits


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What was unpacked.

    Attributes:
        low: Nearly the least value, by some of all that there are; none of colours, or where no value is a number.
        high: Nearly the largest.
    """

    layout: BrickLayout
    low: float | None
    high: float | None


JOBS_FILE, ANSWERS_FILE, COMPLAINTS_FILE = "jobs.txt", "answers.txt", "complaints.txt"
"""In the folder of a task: its jobs, one a line, the answers to them, and what the child wrote on standard error."""
DONE, REFUSED = b"done", b"refused"
"""What a line of answers begins with: an answer follows, or a refusal."""
Job = ExpandJob | ScanJob | ImportJob | UnpackJob
Answer = Expanded | Scanned | Made | Unpacked
ANSWERS: dict[type[Job], type[Answer]] = {
    ExpandJob: Expanded,
    ScanJob: Scanned,
    ImportJob: Made,
    UnpackJob: Unpacked,
}
NAMES: dict[str, type[Job]] = {"expand": ExpandJob, "scan": ScanJob, "import": ImportJob, "unpack": UnpackJob}


ADAPTERS: dict[type, TypeAdapter[Any]] = {kind: TypeAdapter(kind) for kind in (*ANSWERS, *ANSWERS.values(), Refusal)}
"""What writes a kind of job or answer as JSON, and reads it."""
