"""Files that people remove: what they are, what keeps one, and taking it away.

What is removed is what a row refers to; the content itself goes when nothing else refers to it either. The row of a
submission stays, and counts as before: removing its file gives no new tries.
"""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session, aliased, joinedload

from podium.platform.errors import Conflict, NotFound
from podium.platform.events import record_event
from podium.platform.image_imports import UNDER_WAY, remove_import
from podium.platform.image_views import session_words
from podium.platform.lifecycle import BundleStatus
from podium.platform.models import (
    Bundle,
    Dataset,
    DatasetUpload,
    Evaluation,
    Image,
    ImportSession,
    ImportUpload,
    Output,
    Phase,
    Solution,
    Submission,
    Task,
    TaskVersion,
    now,
)
from podium.platform.records.storage import StoredFileRecord

_READ = frozenset({BundleStatus.CREATED, BundleStatus.REFUSED, BundleStatus.FAILED})


class FileKind(StrEnum):
    """What a person has files of."""

    SUBMISSION = "submission"
    BUNDLE = "bundle"
    DATASET = "dataset"
    IMAGES = "images"  # of one import session, with what was uploaded for them


def files_of(session: Session, person_id: UUID) -> list[StoredFileRecord]:
    """A person's files, the largest first."""
    submissions = session.scalars(
        select(Submission)
        .where(Submission.person_id == person_id, Submission.content.is_not(None), Submission.rerun_id.is_(None))
        .options(joinedload(Submission.competition))
    ).all()
    under_way = _scored_again(session, [one.id for one in submissions])
    found = [
        StoredFileRecord(
            FileKind.SUBMISSION,
            one.id,
            f"{one.competition.slug} #{one.number}: {one.filename}",
            one.size if one.origin_id is None else 0,
            one.created,
            _why_kept(one, under_way),
        )
        for one in submissions
    ]
    bundles = session.scalars(select(Bundle).where(Bundle.owner_id == person_id, Bundle.content.is_not(None)))
    found += [
        StoredFileRecord(
            FileKind.BUNDLE, one.id, one.filename, one.size, one.created, "" if one.status in _READ else _IS_READ
        )
        for one in bundles
    ]
    datasets = session.scalars(select(Dataset).where(Dataset.owner_id == person_id)).all()
    used = _used_datasets(session, [one.id for one in datasets])
    found += [
        StoredFileRecord(
            FileKind.DATASET,
            one.id,
            f"{one.kind}: {one.name}",
            one.size,
            one.created,
            _USED if one.id in used else "",
        )
        for one in datasets
    ]
    found += _imported_for(session, person_id)
    return sorted(found, key=lambda one: (-one.size, one.name))


_IS_READ = "it is being read"
_USED = "a task or a phase uses it, or a task did in an earlier version that results come from"


def remove_file(session: Session, kind: FileKind, file_id: UUID, person_id: UUID, *, actor: str) -> None:
    """Remove a file of a person's.

    Raises:
        NotFound: They have none of that kind and id.
        Conflict: Something uses it; the message says what.
    """
    match kind:
        case FileKind.SUBMISSION:
            _remove_submission(session, file_id, person_id, actor)
        case FileKind.BUNDLE:
            _remove_bundle(session, file_id, person_id)
        case FileKind.DATASET:
            _remove_dataset(session, file_id, person_id)
        case FileKind.IMAGES:
            row = session.get(ImportSession, file_id, with_for_update={"of": ImportSession})
            if row is None or row.owner_id != person_id:
                raise _nothing()
            remove_import(session, row, actor=actor)


def _imported_for(session: Session, person_id: UUID) -> list[StoredFileRecord]:
    """What import sessions take of a person's room."""
    images = select(Image.session_id, func.sum(Image.stored_bytes).label("bytes")).group_by(Image.session_id).subquery()
    uploads = (
        select(ImportUpload.session_id, func.sum(ImportUpload.size).label("bytes"))
        .where(ImportUpload.removed.is_(None))
        .group_by(ImportUpload.session_id)
        .subquery()
    )
    taken = func.coalesce(images.c.bytes, 0) + func.coalesce(uploads.c.bytes, 0)
    rows = session.execute(
        select(ImportSession, taken)
        .outerjoin(images, images.c.session_id == ImportSession.id)
        .outerjoin(uploads, uploads.c.session_id == ImportSession.id)
        .where(ImportSession.owner_id == person_id, taken > 0)
    )
    return [
        StoredFileRecord(
            FileKind.IMAGES,
            row.id,
            f"images of {session_words(session, row)}",
            int(size),
            row.created,
            f"it is {row.status}" if row.status in UNDER_WAY else "",
        )
        for row, size in rows.tuples()
    ]


def _remove_submission(session: Session, submission_id: UUID, person_id: UUID, actor: str) -> None:
    submission = session.get(Submission, submission_id, with_for_update={"of": Submission})
    own = submission is not None and submission.person_id == person_id and submission.rerun_id is None
    if submission is None or not own or submission.content is None:
        raise _nothing()
    if reason := _why_kept(submission, _scored_again(session, [submission_id])):
        raise Conflict(f"The files of submission {submission.number} can't be removed: {reason}.")
    # What scored it again has the same file, and outputs of its own.
    ids = select(Submission.id).where(
        or_(Submission.id == submission_id, (Submission.origin_id == submission_id) & Submission.rerun_id.is_not(None))
    )
    session.execute(
        delete(Output)
        .where(Output.evaluation_id.in_(select(Evaluation.id).where(Evaluation.submission_id.in_(ids))))
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Submission)
        .where(Submission.id.in_(ids))
        .values(content=None, files_removed=now(), version=Submission.version + 1)
        .execution_options(synchronize_session=False)
    )
    record_event(
        session,
        subject="submission",
        subject_id=submission_id,
        before=submission.status,
        after=submission.status,
        actor=actor,
        reason="Its files were removed.",
    )


def _why_kept(submission: Submission, under_way: set[UUID]) -> str:
    """Why the files of a submission can't be removed now; empty if they can."""
    if submission.ended is None:
        return f"it is {submission.status}"
    if submission.on_leaderboard:
        return "it stands on the leaderboard"
    if submission.id in under_way:
        return "it is being scored again, or stands in a later phase"
    return ""


def _scored_again(session: Session, ids: list[UUID]) -> set[UUID]:
    """Those of which a copy is being scored, or was taken over into another phase with its file."""
    copy = aliased(Submission)
    return set(
        session.scalars(
            select(copy.origin_id).where(
                copy.origin_id.in_(ids),
                copy.content.is_not(None),
                or_(copy.rerun_id.is_(None), copy.ended.is_(None)),
            )
        )
    ) - {None}  # type: ignore[return-value]  # and so there is none among them


def _remove_bundle(session: Session, bundle_id: UUID, person_id: UUID) -> None:
    bundle = session.get(Bundle, bundle_id, with_for_update={"of": Bundle})
    if bundle is None or bundle.owner_id != person_id or bundle.content is None:
        raise _nothing()
    if bundle.status not in _READ:
        raise Conflict(f"The bundle can't be removed: {_IS_READ}.", remedy="Wait until it is read.")
    bundle.content = None
    session.flush()


def _remove_dataset(session: Session, dataset_id: UUID, person_id: UUID) -> None:
    dataset = session.get(Dataset, dataset_id, with_for_update=True)
    if dataset is None or dataset.owner_id != person_id:
        raise _nothing()
    if _used_datasets(session, [dataset_id]):
        raise Conflict(f"The dataset can't be removed: {_USED}.")
    session.execute(delete(DatasetUpload).where(DatasetUpload.dataset_id == dataset_id))
    session.execute(delete(Dataset).where(Dataset.id == dataset_id))


def _used_datasets(session: Session, ids: list[UUID]) -> set[UUID]:
    """Those that something is made of; the foreign keys hold what is missed here."""
    columns = [
        getattr(model, f"{kind}_id")
        for model in (Task, TaskVersion)
        for kind in ("scoring_program", "ingestion_program", "input_data", "reference_data")
    ]
    columns += [Phase.starting_kit_id, Phase.public_data_id, Solution.dataset_id]
    used: set[UUID] = set()
    for column in columns:
        used.update(session.scalars(select(func.distinct(column)).where(column.in_(ids))))
    return used


def _nothing() -> NotFound:
    return NotFound("You have no such file.", remedy="`podium storage files` lists yours.")
