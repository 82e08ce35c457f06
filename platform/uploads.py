"""Large files in parts: which have arrived, requests for the others, and one file of them all.

An upload has the id of what it belongs to: a submission, bundle or dataset that was announced, or a file of an import
session. Whoever announced it can go on with it by that id, from another process or another machine, as long as it is
not given up.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from podium.platform.database import Database
from podium.platform.errors import InvalidInput, NotFound
from podium.platform.jobs import SignedRequest
from podium.platform.lifecycle import BundleStatus, SubmissionStatus
from podium.platform.models import Bundle, DatasetUpload, ImportSession, ImportUpload, Submission, Upload
from podium.platform.records.storage import PartsRecord, SignedRequestRecord, UploadRecord
from podium.platform.storage import Storage, incoming_key

MOST_PARTS = 10_000
"""What S3 takes; Azure takes more."""
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Announced:
    """A file that was announced and has not arrived."""

    id: UUID
    owner_id: UUID
    filename: str
    size: int
    sha256: str


def part_sizes(size: int, part_bytes: int) -> list[int]:
    """The sizes of a file's parts: all the same but the last."""
    whole, rest = divmod(size, part_bytes)
    return [part_bytes] * whole + ([rest] if rest else [])


def part_bytes_for(size: int, wanted: int) -> int:
    """How large the parts of a file are: as wanted, or larger where there would be too many, in whole MiB."""
    least = -(-size // MOST_PARTS)
    return wanted if wanted >= least else -(-least // MIB) * MIB


def offer_upload(session: Session, storage: Storage, announced: Announced, *, part_bytes: int) -> UploadRecord:
    """How to send a file that was announced: a request for the whole, and for a large file its parts as well.

    Saying it again says what has arrived meanwhile.
    """
    key = incoming_key(announced.id)
    signed = storage.sign_put(key, max_bytes=announced.size, is_exact=True)
    parts = _parts(session, storage, announced, key, part_bytes) if announced.size > part_bytes else None
    return UploadRecord(
        id=announced.id,
        filename=announced.filename,
        size=announced.size,
        sha256=announced.sha256,
        upload=signed_record(signed),
        parts=parts,
    )


def _parts(session: Session, storage: Storage, announced: Announced, key: str, part_bytes: int) -> PartsRecord:
    row = session.get(Upload, announced.id, with_for_update=True)
    if row is None:
        row = Upload(
            id=announced.id,
            owner_id=announced.owner_id,
            key=key,
            size=announced.size,
            part_bytes=part_bytes_for(announced.size, part_bytes),
            reference=storage.begin_parts(key),
        )
        session.add(row)
        session.flush()
        return PartsRecord(row.part_bytes, len(part_sizes(row.size, row.part_bytes)), (), storage.checksum)
    sizes = part_sizes(row.size, row.part_bytes)
    there = storage.parts(key, row.reference)
    if not there:
        found = storage.find(key)
        if found is not None and found.size == row.size:
            return PartsRecord(row.part_bytes, len(sizes), tuple(range(1, len(sizes) + 1)), storage.checksum)
        # It may be that the store has given it up, or that what was joined turned out wrong: it begins anew.
        storage.forget_parts(key, row.reference)
        row.reference = storage.begin_parts(key)
    good = tuple(number for number, size in enumerate(sizes, start=1) if there.get(number) == size)
    return PartsRecord(row.part_bytes, len(sizes), good, storage.checksum)


def sign_parts(
    session: Session, storage: Storage, upload_id: UUID, person_id: UUID, numbers: list[int]
) -> list[SignedRequest]:
    """Requests for parts of an upload, in the order that was asked for.

    Raises:
        NotFound: This person has no such upload in parts.
        InvalidInput: It has no part of such a number.
    """
    row = session.get(Upload, upload_id)
    if row is None or row.owner_id != person_id:
        raise NotFound("You have no upload in parts of that id.")
    sizes = part_sizes(row.size, row.part_bytes)
    if wrong := sorted({number for number in numbers if not 1 <= number <= len(sizes)}):
        raise InvalidInput(f"The upload has parts 1 to {len(sizes)}, and none of number {wrong[0]}.")
    return [storage.sign_part(row.key, row.reference, number, size=sizes[number - 1]) for number in numbers]


def join_parts(session: Session, storage: Storage, upload_id: UUID) -> None:
    """Make one file of the parts, if the upload is one in parts and did not come whole after all.

    Raises:
        InvalidInput: Parts are missing.
    """
    row = session.get(Upload, upload_id, with_for_update=True)
    if row is None:
        return
    found = storage.find(row.key)
    if (found is None or found.size != row.size) or storage.parts(row.key, row.reference):
        storage.join_parts(row.key, row.reference, part_sizes(row.size, row.part_bytes))


def forget_completed(database: Database, storage: Storage, upload_id: UUID) -> None:
    """Drop what was uploaded, once the database knows that it was accepted; safe to repeat."""
    with database.session() as session:
        row = session.execute(delete(Upload).where(Upload.id == upload_id).returning(Upload.key, Upload.reference))
        for key, reference in row:
            storage.forget_parts(key, reference)
    storage.discard(incoming_key(upload_id))


def find_announced(session: Session, upload_id: UUID, person_id: UUID) -> Announced:
    """What a person has announced and not completed.

    Raises:
        NotFound: Nothing of that id.
    """
    submission = session.scalar(
        select(Submission).where(
            Submission.id == upload_id,
            Submission.person_id == person_id,
            Submission.status == SubmissionStatus.SUBMITTED,
        )
    )
    if submission is not None:
        return announced_submission(submission)
    bundle = session.scalar(
        select(Bundle).where(
            Bundle.id == upload_id, Bundle.owner_id == person_id, Bundle.status == BundleStatus.UPLOADING
        )
    )
    if bundle is not None:
        return announced_bundle(bundle)
    dataset = session.scalar(
        select(DatasetUpload).where(
            DatasetUpload.id == upload_id,
            DatasetUpload.owner_id == person_id,
            DatasetUpload.dataset_id.is_(None),
        )
    )
    if dataset is not None:
        return announced_dataset(dataset)
    image_file = session.scalar(
        select(ImportUpload)
        .join(ImportSession, ImportSession.id == ImportUpload.session_id)
        .where(
            ImportUpload.id == upload_id,
            ImportSession.person_id == person_id,
            ImportUpload.content.is_(None),
            ImportUpload.removed.is_(None),
        )
    )
    if image_file is not None:
        return announced_image_file(image_file, person_id)
    raise NotFound("You have no upload of that id that is not complete.", remedy="Begin a new one.")


def announced_submission(submission: Submission) -> Announced:
    """A submission's file, to be sent."""
    return Announced(submission.id, submission.person_id, submission.filename, submission.size, submission.sha256)


def announced_bundle(bundle: Bundle) -> Announced:
    """A bundle, to be sent."""
    return Announced(bundle.id, bundle.owner_id, bundle.filename, bundle.size, bundle.sha256)


def announced_dataset(upload: DatasetUpload) -> Announced:
    """A dataset's file, to be sent."""
    return Announced(upload.id, upload.owner_id, upload.filename, upload.size, upload.sha256)


def announced_image_file(upload: ImportUpload, person_id: UUID) -> Announced:
    """A file of an import session, to be sent by who has begun that."""
    return Announced(upload.id, person_id, upload.path.rpartition("/")[2], upload.size, upload.sha256)


def signed_record(request: SignedRequest) -> SignedRequestRecord:
    """A signed request as the API answers it."""
    return SignedRequestRecord(
        method=request.method,
        url=request.url,
        headers=request.headers,
        expires=request.expires,
        max_bytes=request.max_bytes,
    )
