"""What became of an import: every file is part of an image, rejected with one reason, or ignored."""

from __future__ import annotations

from dataclasses import dataclass

from podium.platform.images.metadata import Grid, ImageMetadata, ImageType
from podium.platform.images.problems import Flag, Reason


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that an image was made of.

    Attributes:
        path: In the session; what was in an archive has the archive's path before its own.
    """

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class MadeImage:
    """An image as a child process leaves it: in its folder, beside two pictures of it.

    Attributes:
        file: Name of the image's file in that folder.
        size: Of the file, in bytes.
        sha256: Of the file.
        value_type: As numpy names it.
        low: The least finite value, where they were all looked at.
        high: The largest.
        headers: Extra headers by panimg's names, which are also in the file.
        attributes: What else is kept of a DICOM header.
        removed: What was removed from it.
        sources: In the order of the session's numbers.
        thumbnail: Name of a small picture in the same folder.
        preview: Name of a larger one.
    """

    metadata: ImageMetadata
    type: ImageType
    file: str
    size: int
    sha256: str
    value_type: str
    channels: int
    grid: Grid
    low: float | None
    high: float | None
    flags: tuple[Flag, ...]
    headers: dict[str, str]
    attributes: dict[str, str]
    removed: tuple[str, ...]
    sources: tuple[SourceFile, ...]
    thumbnail: str
    preview: str


@dataclass(frozen=True, slots=True)
class ImportedImage:
    """An image of a report.

    Attributes:
        folder: Where its files are, relative to the destination of the import.
    """

    folder: str
    image: MadeImage


@dataclass(frozen=True, slots=True)
class RejectedFile:
    """A file that is part of no image.

    Attributes:
        others: More that was found wrong with it.
    """

    path: str
    size: int
    reason: Reason
    detail: str
    remedy: str = ""
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IgnoredFile:
    """A file that nobody meant to upload, or that only held others.

    Attributes:
        why: In a few words.
    """

    path: str
    size: int
    why: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """All that became of a session. No file is in two of the three lists.

    Attributes:
        isolation: What held the processes that read the files, besides their limits.
        seconds: How long it took.
        peak_bytes: The most memory that one of those processes had.
        cpu_seconds: The processor time of all of them.
    """

    images: tuple[ImportedImage, ...] = ()
    rejected: tuple[RejectedFile, ...] = ()
    ignored: tuple[IgnoredFile, ...] = ()
    isolation: str = ""
    seconds: float = 0.0
    peak_bytes: int = 0
    cpu_seconds: float = 0.0

    @property
    def files(self) -> int:
        """How many files there were."""
        used = {source.path for made in self.images for source in made.image.sources}
        return len(used) + len(self.rejected) + len(self.ignored)
