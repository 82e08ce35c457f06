"""Medical images: import sessions, what was uploaded to them, what became of each file, and the images themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Double, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from podium.platform.images.metadata import ColorSpace, EyeChoice, ImageType
from podium.platform.lifecycle import ImportOutcome, ImportStatus
from podium.platform.models.base import Base, FlowDriven, Identified, Timed, status_type
from podium.platform.models.competitions import Dataset
from podium.platform.models.people import Person
from podium.platform.models.submissions import Submission


class ImportSession(Identified, Timed, FlowDriven, Base):
    """Files that are made into images of a dataset or of a submission.

    `person_id` is who imports, `owner_id` whose room the files take. `runs` counts how often a flow has begun to
    import: what a run writes counts only while it is the latest. `version` grows with all that a watcher should see;
    `step`, `done` and `total` say how far the present run is. `isolation`, `seconds` and `peak_bytes` are of the last
    run that ended.
    """

    __tablename__ = "import_sessions"
    __table_args__ = (
        CheckConstraint("(dataset_id IS NULL) <> (submission_id IS NULL)", name="of_one_thing"),
        Index("ix_import_sessions_dataset_id", "dataset_id", postgresql_where=text("dataset_id IS NOT NULL")),
        Index("ix_import_sessions_submission_id", "submission_id", postgresql_where=text("submission_id IS NOT NULL")),
        Index("ix_import_sessions_open", "status", postgresql_where=text("status IN ('queued', 'importing')")),
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    dataset_id: Mapped[UUID | None] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    submission_id: Mapped[UUID | None] = mapped_column(ForeignKey("submissions.id", ondelete="CASCADE"))
    status: Mapped[ImportStatus] = mapped_column(
        status_type(ImportStatus, "import_status"), default=ImportStatus.UPLOADING
    )
    message: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)
    runs: Mapped[int] = mapped_column(default=0)
    step: Mapped[str] = mapped_column(String(40), default="")
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    isolation: Mapped[str] = mapped_column(String(200), default="")
    seconds: Mapped[float | None] = mapped_column(Double)
    peak_bytes: Mapped[int | None] = mapped_column(BigInteger)
    started: Mapped[datetime | None]
    ended: Mapped[datetime | None]
    accepted: Mapped[datetime | None]

    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    dataset: Mapped[Dataset | None] = relationship()
    submission: Mapped[Submission | None] = relationship()


class ImportUpload(Identified, Timed, Base):
    """A file that was sent to a session; or a pack, which only holds others that were too small to be sent alone.

    `path` is where the file lay for whoever sent it. `content` is where it lies once it is complete, until the report
    of the session is accepted: `removed` is when that was.
    """

    __tablename__ = "import_uploads"
    __table_args__ = (
        UniqueConstraint("session_id", "path"),
        Index("ix_import_uploads_content", "content", postgresql_where=text("content IS NOT NULL")),
    )

    session_id: Mapped[UUID] = mapped_column(ForeignKey("import_sessions.id", ondelete="CASCADE"))
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    path: Mapped[str] = mapped_column(String(1000))
    is_pack: Mapped[bool] = mapped_column(default=False)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[str | None] = mapped_column(String(200))
    removed: Mapped[datetime | None]

    session: Mapped[ImportSession] = relationship()


class Image(Identified, Timed, Base):
    """An image: a file in a form that all readers know, two pictures of it, and what is told of it.

    From `width` to `segments` the names and meanings are panimg's. `grid` says where its voxels are, `flags` what its
    users should know, `removed` what was taken out of its headers, and `sources` of which files it was made. `size` is
    its file's, and `stored_bytes` what it takes with its pictures.
    """

    __tablename__ = "images"
    __table_args__ = (
        CheckConstraint("(dataset_id IS NULL) <> (submission_id IS NULL)", name="of_one_thing"),
        Index("ix_images_dataset_id", "dataset_id", "id", postgresql_where=text("dataset_id IS NOT NULL")),
        Index("ix_images_submission_id", "submission_id", "id", postgresql_where=text("submission_id IS NOT NULL")),
        Index("ix_images_content", "content"),
        Index("ix_images_thumbnail", "thumbnail"),
        Index("ix_images_preview", "preview"),
    )

    session_id: Mapped[UUID] = mapped_column(ForeignKey("import_sessions.id", ondelete="CASCADE"), index=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    dataset_id: Mapped[UUID | None] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    submission_id: Mapped[UUID | None] = mapped_column(ForeignKey("submissions.id", ondelete="CASCADE"))
    type: Mapped[ImageType] = mapped_column(status_type(ImageType, "image_type"))
    content: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    stored_bytes: Mapped[int] = mapped_column(BigInteger)
    thumbnail: Mapped[str] = mapped_column(String(200))
    preview: Mapped[str] = mapped_column(String(200))
    name: Mapped[str]
    width: Mapped[int] = mapped_column(BigInteger)
    height: Mapped[int] = mapped_column(BigInteger)
    depth: Mapped[int | None] = mapped_column(BigInteger)
    voxel_width_mm: Mapped[float | None] = mapped_column(Double)
    voxel_height_mm: Mapped[float | None] = mapped_column(Double)
    voxel_depth_mm: Mapped[float | None] = mapped_column(Double)
    timepoints: Mapped[int | None] = mapped_column(BigInteger)
    resolution_levels: Mapped[int | None]
    window_center: Mapped[float | None] = mapped_column(Double)
    window_width: Mapped[float | None] = mapped_column(Double)
    color_space: Mapped[ColorSpace] = mapped_column(status_type(ColorSpace, "color_space"))
    eye_choice: Mapped[EyeChoice] = mapped_column(status_type(EyeChoice, "eye_choice"))
    segments: Mapped[list[int] | None] = mapped_column(JSONB)
    value_type: Mapped[str] = mapped_column(String(20))
    channels: Mapped[int]
    low: Mapped[float | None] = mapped_column(Double)
    high: Mapped[float | None] = mapped_column(Double)
    grid: Mapped[dict[str, Any]]
    flags: Mapped[list[dict[str, Any]]]
    headers: Mapped[dict[str, Any]] = mapped_column(deferred=True)
    attributes: Mapped[dict[str, Any]] = mapped_column(deferred=True)
    removed: Mapped[list[str]] = mapped_column(JSONB, deferred=True)
    sources: Mapped[list[dict[str, Any]]] = mapped_column(deferred=True)

    session: Mapped[ImportSession] = relationship()


class ImportedFile(Identified, Base):
    """What became of one file of a session: exactly one of part of an image, rejected with one reason, or ignored.

    `detail` says it in a sentence: what is wrong with one that is rejected, why one is ignored. `others` is what else
    was found wrong.
    """

    __tablename__ = "imported_files"
    __table_args__ = (
        UniqueConstraint("session_id", "path"),
        CheckConstraint("(image_id IS NOT NULL) = (outcome = 'image')", name="of_an_image"),
        CheckConstraint("(reason <> '') = (outcome = 'rejected')", name="rejected_with_a_reason"),
    )

    session_id: Mapped[UUID] = mapped_column(ForeignKey("import_sessions.id", ondelete="CASCADE"))
    image_id: Mapped[UUID | None] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"), index=True)
    path: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(String(64))
    outcome: Mapped[ImportOutcome] = mapped_column(status_type(ImportOutcome, "import_outcome"))
    reason: Mapped[str] = mapped_column(String(40), default="")
    detail: Mapped[str] = mapped_column(default="")
    remedy: Mapped[str] = mapped_column(default="")
    others: Mapped[list[str]] = mapped_column(JSONB, default=list)
