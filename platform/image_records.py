"""What an import writes into the database: images and what became of each file, from the report of the engine."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from podium.platform.identifiers import new_id
from podium.platform.image_imports import skipped_paths
from podium.platform.images.report import ImportedImage, ImportReport, SourceFile
from podium.platform.lifecycle import ImportOutcome, ImportStatus
from podium.platform.models import Image, ImportedFile, ImportSession, now
from podium.platform.storage import StoredContent
from podium.platform.storage_quotas import require_within
from podium.platform.transitions import move_import

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class StoredImage:
    """Where the three files of an image are in the store."""

    file: StoredContent
    thumbnail: StoredContent
    preview: StoredContent

    @property
    def size(self) -> int:
        """Of all three, in bytes."""
        return self.file.size + self.thumbnail.size + self.preview.size


def write_report(
    session: Session,
    row: ImportSession,
    report: ImportReport,
    stored: Mapping[str, StoredImage],
    *,
    run: int,
    actor: str,
    quota_bytes: int,
) -> None:
    """Write all that became of a session, in the place of what its runs before have rejected and ignored.

    Args:
        stored: By the folder of each image in the report.

    Raises:
        IllegalTransition: Another run has begun since; nothing is to be kept.
        StorageFull: The images have no room; nothing is to be kept.
    """
    known = set(skipped_paths(session, row))
    session.execute(
        delete(ImportedFile).where(ImportedFile.session_id == row.id, ImportedFile.outcome != ImportOutcome.IMAGE)
    )
    images = {made.folder: _image(row, made, stored[made.folder]) for made in report.images}
    session.add_all(images.values())
    session.flush()
    files: list[ImportedFile] = []
    for file in _files(row, report, {folder: image.id for folder, image in images.items()}):
        if file.path in known:
            continue
        known.add(file.path)
        files.append(file)
    for begin in range(0, len(files), _AT_ONCE):
        session.add_all(files[begin : begin + _AT_ONCE])
        session.flush()
    require_within(session, row.owner_id, default=quota_bytes)
    move_import(
        session,
        row,
        ImportStatus.IMPORTED,
        actor=actor,
        reason=summary(report) if row.ended is None else f"tried again: {summary(report)}",
        run=run,
        ended=now(),
        isolation=report.isolation[:200],
        seconds=report.seconds,
        peak_bytes=report.peak_bytes,
        step="",
        done=0,
        total=0,
    )


def summary(report: ImportReport) -> str:
    """What came of it, in a sentence."""
    if not report.files:
        return "there was nothing left to import"
    made = len(report.images)
    parts = [f"{made or 'no'} {'image' if made == 1 else 'images'} of {_counted(report.files, 'file')}"]
    if report.rejected:
        parts.append(f"{_counted(len(report.rejected), 'file')} rejected")
    if report.ignored:
        parts.append(f"{_counted(len(report.ignored), 'file')} ignored")
    return f"{', '.join(parts)}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _image(row: ImportSession, made: ImportedImage, stored: StoredImage) -> Image:
    image, told = made.image, made.image.metadata
    return Image(
        id=new_id(),
        session_id=row.id,
        owner_id=row.owner_id,
        dataset_id=row.dataset_id,
        submission_id=row.submission_id,
        type=image.type,
        content=stored.file.key,
        sha256=stored.file.sha256,
        size=stored.file.size,
        stored_bytes=stored.size,
        thumbnail=stored.thumbnail.key,
        preview=stored.preview.key,
        name=plain(told.name),
        width=told.width,
        height=told.height,
        depth=told.depth,
        voxel_width_mm=_finite(told.voxel_width_mm),
        voxel_height_mm=_finite(told.voxel_height_mm),
        voxel_depth_mm=_finite(told.voxel_depth_mm),
        timepoints=told.timepoints,
        resolution_levels=told.resolution_levels,
        window_center=_finite(told.window_center),
        window_width=_finite(told.window_width),
        color_space=told.color_space,
        eye_choice=told.eye_choice,
        segments=None if told.segments is None else list(told.segments),
        value_type=image.value_type[:20],
        channels=image.channels,
        low=_finite(image.low),
        high=_finite(image.high),
        grid={name: list(values) for name, values in asdict(image.grid).items()},
        flags=[{"kind": flag.kind.value, "detail": plain(flag.detail)} for flag in image.flags],
        headers=_plain_dict(image.headers),
        attributes=_plain_dict(image.attributes),
        removed=[plain(one) for one in image.removed],
        sources=[
            {"path": plain(source.path), "size": source.size, "sha256": source.sha256} for source in image.sources
        ],
    )


def _files(row: ImportSession, report: ImportReport, ids: Mapping[str, UUID]) -> Iterator[ImportedFile]:
    for source, image_id in _first_images(report.images, ids):
        yield ImportedFile(
            session_id=row.id,
            image_id=image_id,
            path=plain(source.path),
            size=source.size,
            sha256=source.sha256,
            outcome=ImportOutcome.IMAGE,
        )
    for rejected in report.rejected:
        yield ImportedFile(
            session_id=row.id,
            path=plain(rejected.path),
            size=rejected.size,
            outcome=ImportOutcome.REJECTED,
            reason=rejected.reason.value,
            detail=plain(rejected.detail),
            remedy=plain(rejected.remedy),
            others=[plain(one) for one in rejected.others],
        )
    for ignored in report.ignored:
        yield ImportedFile(
            session_id=row.id,
            path=plain(ignored.path),
            size=ignored.size,
            outcome=ImportOutcome.IGNORED,
            detail=plain(ignored.why),
        )


def _first_images(images: Iterable[ImportedImage], ids: Mapping[str, UUID]) -> Iterator[tuple[SourceFile, UUID]]:
    """Each file with the first image that it is a part of: a data file may serve two headers."""
    seen: set[str] = set()
    for made in images:
        for source in made.image.sources:
            if source.path not in seen:
                seen.add(source.path)
                yield source, ids[made.folder]


def plain(text: str) -> str:
    """A text as the database takes it: it has no NUL, and no halves of characters."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _plain_dict(texts: Mapping[str, str]) -> dict[str, str]:
    return {plain(name): plain(value) for name, value in texts.items()}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
