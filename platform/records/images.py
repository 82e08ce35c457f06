"""What the API answers about medical images and the sessions that import them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from podium.platform.images.metadata import ColorSpace, EyeChoice, ImageType
from podium.platform.lifecycle import ImportOutcome, ImportStatus
from podium.platform.records.storage import UploadRecord


class ImagePart(StrEnum):
    """A file of an image."""

    FILE = "file"  # the image itself, as MetaImage or TIFF
    THUMBNAIL = "thumbnail"  # a small picture of its middle slice: PNG of a segmentation, else JPEG
    PREVIEW = "preview"  # a larger one


@dataclass(frozen=True, slots=True)
class ImportSessionRecord:
    """Files that are made into images of a dataset or of a submission.

    Attributes:
        dataset: Of which dataset, or else of which `submission`; the other one is `None`.
        of: The same in words.
        message: Why it is where it is.
        version: Grows with every change; ask with `seen=version` to wait for the next.
        imported_by: Who imports.
        uploads: Files and packs of files that were sent.
        bytes: Their size together.
        kept: Whether they are all still there, so that what was rejected may be tried again.
        step: What it does now: `fetched`, `unpacked`, `scanned`, `imported` or `stored`; `done` of `total` of it are.
        images: How many there are by the last report.
        rejected: Files that are part of none, each with a reason.
        ignored: Files that nobody meant to upload, or that only held others.
        reasons: How many were rejected for each reason.
        runs: How often it was imported.
        seconds: How long the last of these took.
    """

    id: UUID
    dataset: UUID | None
    submission: UUID | None
    of: str
    status: ImportStatus
    message: str
    version: int
    imported_by: str
    uploads: int
    bytes: int
    kept: bool
    step: str
    done: int
    total: int
    images: int
    rejected: int
    ignored: int
    reasons: dict[str, int]
    runs: int
    seconds: float | None
    created: datetime
    started: datetime | None
    ended: datetime | None
    accepted: datetime | None


@dataclass(frozen=True, slots=True)
class ImportUploadRecord:
    """A file that was announced to a session, and how to send it; no `upload` if it has arrived already."""

    id: UUID
    path: str
    upload: UploadRecord | None


@dataclass(frozen=True, slots=True)
class ImportedFileRecord:
    """What became of a file of a session.

    Attributes:
        path: Where it lay for whoever sent it; what was in an archive has the archive's path before its own.
        image: The id of the image that it is part of; the first, where there are several.
        image_name: That image's name.
        reason: The one reason for which it was rejected, such as `truncated`.
        detail: What is wrong, or why it is ignored, in a sentence.
        remedy: What to do about it.
        others: What else is wrong with it.
    """

    path: str
    size: int
    sha256: str | None
    outcome: ImportOutcome
    image: UUID | None
    image_name: str
    reason: str
    detail: str
    remedy: str
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImportedFilePage:
    """Some of a session's files, by path; `total` counts all that were asked for."""

    files: tuple[ImportedFileRecord, ...]
    total: int


@dataclass(frozen=True, slots=True)
class FlagRecord:
    """Something about an image that its users should know, such as `spacing_unknown`, and the same in a sentence."""

    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """An image. From `width` to `segments` the names and meanings are panimg's.

    Attributes:
        session: The import session that it came of.
        dataset: Whose image it is: of a dataset, or else of a `submission`.
        type: `MHD` for MetaImage, in one `.mha` file; `TIFF`.
        size: Of its file, in bytes.
        sha256: Of its file.
        depth: Slices; none for a flat image.
        voxel_width_mm: Along x; none where it is not known, as also for y and z.
        timepoints: None for what has no time.
        resolution_levels: Of a pyramid; none for a volume.
        segments: The values that occur, of an image that may be a segmentation.
        value_type: Of its voxels, as numpy names it.
        channels: How many values a voxel has.
        low: The least finite value, where they were all looked at; and the largest, `high`.
        flags: What its users should know.
    """

    id: UUID
    session: UUID
    dataset: UUID | None
    submission: UUID | None
    name: str
    type: ImageType
    size: int
    sha256: str
    created: datetime
    width: int
    height: int
    depth: int | None
    voxel_width_mm: float | None
    voxel_height_mm: float | None
    voxel_depth_mm: float | None
    timepoints: int | None
    resolution_levels: int | None
    window_center: float | None
    window_width: float | None
    color_space: ColorSpace
    eye_choice: EyeChoice
    segments: tuple[int, ...] | None
    value_type: str
    channels: int
    low: float | None
    high: float | None
    flags: tuple[FlagRecord, ...]


@dataclass(frozen=True, slots=True)
class ImagePage:
    """Some of the images of a dataset or a submission, by name; `total` counts all."""

    images: tuple[ImageRecord, ...]
    total: int


@dataclass(frozen=True, slots=True)
class GridRecord:
    """Where voxels are, in millimetres, in the axes of DICOM (left, posterior, superior).

    Attributes:
        size: Along x, y, and where there are such axes z and time; so are `spacing` and `origin`.
        direction: A matrix by rows; its columns are the directions of the axes.
    """

    size: tuple[int, ...]
    spacing: tuple[float, ...]
    origin: tuple[float, ...]
    direction: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ImageSourceRecord:
    """A file that an image was made of."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ImageDetail:
    """An image, whole.

    Attributes:
        of: The dataset or submission whose image it is, in words.
        headers: Extra headers that stand in its file too.
        attributes: What else is kept of a DICOM header.
        removed: What was taken out of headers, since it may identify a person or is private.
        sources: The files that it was made of.
    """

    image: ImageRecord
    of: str
    grid: GridRecord
    headers: dict[str, str]
    attributes: dict[str, str]
    removed: tuple[str, ...]
    sources: tuple[ImageSourceRecord, ...]
