"""Import sessions: begun, filled with files, imported by a flow, tried again, and accepted.

Nothing that was uploaded is removed before the report is accepted; trying again imports what was rejected, together
with what was added since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session

from podium.platform.errors import Conflict, InvalidInput, NotAllowed, NotFound, TooLarge
from podium.platform.events import record_event
from podium.platform.identity import Caller
from podium.platform.image_access import Target
from podium.platform.lifecycle import ImportOutcome, ImportStatus
from podium.platform.models import ImportedFile, ImportSession, ImportUpload, now
from podium.platform.storage import Storage, incoming_key
from podium.platform.storage_quotas import require_room
from podium.platform.stored import accept
from podium.platform.transitions import move_import
from podium.platform.uploads import join_parts

MOST_UPLOADS = 10_000
"""Files and packs of one session; packs and archives have their own caps on what is in them."""
TAKES_FILES = frozenset({ImportStatus.UPLOADING, ImportStatus.IMPORTED, ImportStatus.FAILED})
"""A session in one of these may be sent more files."""
UNDER_WAY = frozenset({ImportStatus.QUEUED, ImportStatus.IMPORTING})
"""A session in one of these needs a flow that imports it."""
TRIED_AGAIN = " It is tried again."
"""In the message of a session that Podium could not import for a reason of its own, and will once more."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that somebody wants to send."""

    path: str
    size: int
    sha256: str
    is_pack: bool


def begin_session(session: Session, target: Target, caller: Caller) -> ImportSession:
    """A session without files, for images of that dataset or submission."""
    assert caller.person_id is not None
    row = ImportSession(
        person_id=caller.person_id,
        owner_id=target.owner_id,
        dataset_id=target.dataset.id if target.dataset else None,
        submission_id=target.submission.id if target.submission else None,
    )
    session.add(row)
    session.flush()
    return row


def announce_uploads(
    session: Session, row: ImportSession, caller: Caller, files: Sequence[Sent], *, max_bytes: int, quota_bytes: int
) -> list[ImportUpload]:
    """Remember that files are on their way, which takes their room. The session's row is locked.

    One that was announced before, and is the same, is not announced twice: whoever was interrupted goes on. One with
    the path of another takes its place.

    Raises:
        NotAllowed: Somebody else has begun the session.
        Conflict: It takes no files now.
        TooLarge: A file is larger than the platform takes, or there are too many.
        StorageFull: There is no room left for them.
    """
    if row.person_id != caller.person_id:
        raise NotAllowed("Only who has begun an import session can send files to it.", remedy="Begin one of your own.")
    if row.status not in TAKES_FILES:
        raise Conflict(f"The session takes no files: it is {row.status}.", remedy="Begin another one.")
    if large := [file for file in files if file.size > max_bytes]:
        raise TooLarge(f"A file may have {max_bytes} bytes; '{large[0].path}' has {large[0].size}.")
    known = {
        upload.path: upload for upload in session.scalars(select(ImportUpload).where(ImportUpload.session_id == row.id))
    }
    found, added = list[ImportUpload](), list[ImportUpload]()
    for file in files:
        before = known.get(file.path)
        if before is not None and (before.sha256, before.size, before.is_pack) == (
            file.sha256,
            file.size,
            file.is_pack,
        ):
            found.append(before)
            continue
        if before is not None:
            session.delete(before)
            session.flush()
        upload = ImportUpload(
            session_id=row.id,
            owner_id=row.owner_id,
            path=file.path,
            is_pack=file.is_pack,
            size=file.size,
            sha256=file.sha256,
        )
        known[upload.path] = upload
        found.append(upload)
        added.append(upload)
    if len(known) > MOST_UPLOADS:
        raise TooLarge(f"A session takes {MOST_UPLOADS} files.", remedy="Put them into archives.")
    require_room(session, row.owner_id, sum(upload.size for upload in added), default=quota_bytes)
    session.add_all(added)
    session.flush()
    return found


def complete_upload(session: Session, row: ImportSession, upload_id: UUID, caller: Caller, storage: Storage) -> None:
    """Check what was sent and keep it; saying it again changes nothing.

    Raises:
        NotAllowed: Somebody else has begun the session.
        NotFound: The session has no such upload, or nothing has arrived.
        InvalidInput: What arrived is not what was announced.
    """
    if row.person_id != caller.person_id:
        raise NotAllowed("Only who has begun an import session can send files to it.")
    upload = session.get(ImportUpload, upload_id, with_for_update={"of": ImportUpload})
    if upload is None or upload.session_id != row.id:
        raise NotFound("The session has no upload of that id.")
    if upload.content is None and upload.removed is None:
        join_parts(session, storage, upload.id)
        stored = accept(session, storage, incoming_key(upload.id), sha256=upload.sha256, size=upload.size)
        upload.content = stored.key


def start_import(session: Session, row: ImportSession, *, actor: str) -> None:
    """Queue a session, all of whose files have arrived. Saying it again changes nothing.

    Raises:
        InvalidInput: It has no files, or some have not arrived.
    """
    if row.status is not ImportStatus.UPLOADING:
        return
    _require_files(session, row)
    move_import(session, row, ImportStatus.QUEUED, actor=actor)


def retry_import(session: Session, row: ImportSession, *, actor: str) -> None:
    """Import again what was rejected, and what was added since. Saying it again changes nothing.

    Raises:
        Conflict: There is nothing to try again, or it can't be tried now.
        InvalidInput: Files that were added have not arrived.
    """
    if row.status in UNDER_WAY:
        return
    if row.status is ImportStatus.ACCEPTED:
        raise Conflict("The report was accepted, and with it what was uploaded is gone.", remedy="Import it anew.")
    if row.status is ImportStatus.UPLOADING:
        raise Conflict("The session was not imported yet.", remedy="Start it.")
    _require_files(session, row)
    if row.status is ImportStatus.IMPORTED and not _has_more_to_do(session, row):
        raise Conflict("Every file was imported or ignored: there is nothing to try again.")
    anew: dict[str, Any] = {"flow_run_id": None, "dispatches": 0, "step": "", "done": 0, "total": 0}
    move_import(session, row, ImportStatus.QUEUED, actor=actor, **anew)


def accept_import(session: Session, row: ImportSession, *, actor: str) -> None:
    """Take a report as it is: the images stay, what was uploaded is let go. Saying it again changes nothing.

    Raises:
        IllegalTransition: There is no report.
    """
    if row.status is ImportStatus.ACCEPTED:
        return
    moment = now()
    move_import(session, row, ImportStatus.ACCEPTED, actor=actor, accepted=moment)
    session.execute(
        update(ImportUpload)
        .where(ImportUpload.session_id == row.id, ImportUpload.removed.is_(None))
        .values(content=None, removed=moment)
        .execution_options(synchronize_session=False)
    )


def remove_import(session: Session, row: ImportSession, *, actor: str) -> None:
    """Remove a session with its images and all that was uploaded for them.

    Raises:
        Conflict: It is under way.
    """
    if row.status in UNDER_WAY:
        raise Conflict(f"The session is {row.status}.", remedy="Wait until it has ended.")
    record_event(
        session, subject="import", subject_id=row.id, before=row.status, after="removed", actor=actor, name=str(row.id)
    )
    session.execute(delete(ImportSession).where(ImportSession.id == row.id))


def skipped_paths(session: Session, row: ImportSession) -> frozenset[str]:
    """The files of a session that need not be imported again: those that are part of images."""
    return frozenset(
        session.scalars(
            select(ImportedFile.path).where(
                ImportedFile.session_id == row.id, ImportedFile.outcome == ImportOutcome.IMAGE
            )
        )
    )


def _require_files(session: Session, row: ImportSession) -> None:
    count, missing = session.execute(
        select(func.count(), func.count().filter(ImportUpload.content.is_(None))).where(
            ImportUpload.session_id == row.id, ImportUpload.removed.is_(None)
        )
    ).one()
    if not count:
        raise InvalidInput("The session has no files.", remedy="Send some first.")
    if missing:
        raise InvalidInput(f"{missing} of the session's {count} files have not arrived.", remedy="Send them first.")


def _has_more_to_do(session: Session, row: ImportSession) -> bool:
    rejected = exists().where(ImportedFile.session_id == row.id, ImportedFile.outcome == ImportOutcome.REJECTED)
    added = exists().where(ImportUpload.session_id == row.id, ImportUpload.created > row.ended)
    return bool(session.scalar(select(rejected | added)))
