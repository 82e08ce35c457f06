"""Images and import sessions as the API shows them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from podium.platform.image_access import Target, words_of
from podium.platform.lifecycle import ImportOutcome
from podium.platform.models import Dataset, Image, ImportedFile, ImportSession, ImportUpload, Submission
from podium.platform.records.images import (
    FlagRecord,
    GridRecord,
    ImageDetail,
    ImagePage,
    ImageRecord,
    ImageSourceRecord,
    ImportedFilePage,
    ImportedFileRecord,
    ImportSessionRecord,
)


def list_images(session: Session, target: Target, *, limit: int, offset: int) -> ImagePage:
    """Images of a dataset or a submission, by name."""
    whose = _of(target)
    total = session.scalar(select(func.count()).select_from(Image).where(whose)) or 0
    rows = session.scalars(select(Image).where(whose).order_by(Image.name, Image.id).limit(limit).offset(offset))
    return ImagePage(tuple(image_record(row) for row in rows), total)


def image_record(row: Image) -> ImageRecord:
    """An image, without what is long."""
    return ImageRecord(
        id=row.id,
        session=row.session_id,
        dataset=row.dataset_id,
        submission=row.submission_id,
        name=row.name,
        type=row.type,
        size=row.size,
        sha256=row.sha256,
        created=row.created,
        width=row.width,
        height=row.height,
        depth=row.depth,
        voxel_width_mm=row.voxel_width_mm,
        voxel_height_mm=row.voxel_height_mm,
        voxel_depth_mm=row.voxel_depth_mm,
        timepoints=row.timepoints,
        resolution_levels=row.resolution_levels,
        window_center=row.window_center,
        window_width=row.window_width,
        color_space=row.color_space,
        eye_choice=row.eye_choice,
        segments=None if row.segments is None else tuple(row.segments),
        value_type=row.value_type,
        channels=row.channels,
        low=row.low,
        high=row.high,
        flags=tuple(FlagRecord(**flag) for flag in row.flags),
    )


def image_detail(session: Session, row: Image) -> ImageDetail:
    """An image, whole."""
    return ImageDetail(
        image=image_record(row),
        of=session_words(session, row),
        grid=GridRecord(**{name: tuple(values) for name, values in row.grid.items()}),
        headers=dict(sorted(row.headers.items())),
        attributes=dict(sorted(row.attributes.items())),
        removed=tuple(row.removed),
        sources=tuple(ImageSourceRecord(**source) for source in row.sources),
    )


def session_records(session: Session, rows: list[ImportSession]) -> list[ImportSessionRecord]:
    """Import sessions, in the same order."""
    ids = [row.id for row in rows]
    sent = {
        row.session_id: row
        for row in session.execute(
            select(
                ImportUpload.session_id,
                func.count().label("files"),
                func.coalesce(func.sum(ImportUpload.size), 0).label("bytes"),
                func.bool_and(ImportUpload.removed.is_(None)).label("kept"),
            )
            .where(ImportUpload.session_id.in_(ids))
            .group_by(ImportUpload.session_id)
        )
    }
    images = dict(
        session.execute(
            select(Image.session_id, func.count()).where(Image.session_id.in_(ids)).group_by(Image.session_id)
        )
        .tuples()
        .all()
    )
    reasons: dict[UUID, dict[str, int]] = {one: {} for one in ids}
    ignored: dict[UUID, int] = {}
    counted = session.execute(
        select(ImportedFile.session_id, ImportedFile.outcome, ImportedFile.reason, func.count())
        .where(ImportedFile.session_id.in_(ids), ImportedFile.outcome != ImportOutcome.IMAGE)
        .group_by(ImportedFile.session_id, ImportedFile.outcome, ImportedFile.reason)
        .order_by(ImportedFile.session_id, func.count().desc(), ImportedFile.reason)
    )
    for session_id, outcome, reason, count in counted.tuples():
        if outcome is ImportOutcome.REJECTED:
            reasons[session_id][reason] = count
        else:
            ignored[session_id] = count
    return [
        ImportSessionRecord(
            id=row.id,
            dataset=row.dataset_id,
            submission=row.submission_id,
            of=session_words(session, row),
            status=row.status,
            message=row.message,
            version=row.version,
            imported_by=row.person.username,
            uploads=sent[row.id].files if row.id in sent else 0,
            bytes=int(sent[row.id].bytes) if row.id in sent else 0,
            kept=bool(sent[row.id].kept) if row.id in sent else False,
            step=row.step,
            done=row.done,
            total=row.total,
            images=images.get(row.id, 0),
            rejected=sum(reasons[row.id].values()),
            ignored=ignored.get(row.id, 0),
            reasons=reasons[row.id],
            runs=row.runs,
            seconds=row.seconds,
            created=row.created,
            started=row.started,
            ended=row.ended,
            accepted=row.accepted,
        )
        for row in rows
    ]


def session_record(session: Session, row: ImportSession) -> ImportSessionRecord:
    """One import session."""
    return session_records(session, [row])[0]


def list_sessions(session: Session, target: Target) -> list[ImportSessionRecord]:
    """The import sessions of a dataset or a submission, the latest first."""
    column, one = (
        (ImportSession.dataset_id, target.dataset)
        if target.dataset is not None
        else (ImportSession.submission_id, target.submission)
    )
    assert one is not None
    rows = session.scalars(
        select(ImportSession).where(column == one.id).order_by(ImportSession.created.desc()).limit(500)
    )
    return session_records(session, list(rows))


def list_files(
    session: Session, row: ImportSession, outcome: ImportOutcome | None, *, limit: int, offset: int
) -> ImportedFilePage:
    """What became of a session's files, by path."""
    wanted = [ImportedFile.session_id == row.id]
    if outcome is not None:
        wanted.append(ImportedFile.outcome == outcome)
    total = session.scalar(select(func.count()).select_from(ImportedFile).where(*wanted)) or 0
    found = session.execute(
        select(ImportedFile, Image.name)
        .outerjoin(Image, Image.id == ImportedFile.image_id)
        .where(*wanted)
        .order_by(ImportedFile.path)
        .limit(limit)
        .offset(offset)
    )
    files = tuple(
        ImportedFileRecord(
            path=file.path,
            size=file.size,
            sha256=file.sha256,
            outcome=file.outcome,
            image=file.image_id,
            image_name=name or "",
            reason=file.reason,
            detail=file.detail,
            remedy=file.remedy,
            others=tuple(file.others),
        )
        for file, name in found.tuples()
    )
    return ImportedFilePage(files, total)


def _of(target: Target) -> ColumnElement[bool]:
    if target.dataset is not None:
        return Image.dataset_id == target.dataset.id
    assert target.submission is not None
    return Image.submission_id == target.submission.id


def session_words(session: Session, row: ImportSession | Image) -> str:
    """The dataset or submission that it belongs to, as people call it."""
    if row.dataset_id is not None:
        return words_of(session.get_one(Dataset, row.dataset_id))
    assert row.submission_id is not None
    return words_of(session.get_one(Submission, row.submission_id))
