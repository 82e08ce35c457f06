"""What of the store is referred to, and what may go.

Content goes when nothing refers to it, and has not for a while. Who is about to refer to content holds its lock until
that is committed; who removes it takes the same lock alone, and looks once more. So content that is accepted at the
very moment when its last reference went is either kept, or gone before it is stored again.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.orm import Session

from podium.platform.database import Database
from podium.platform.lifecycle import BundleStatus, ImportStatus
from podium.platform.models import (
    Bundle,
    Competition,
    Dataset,
    DatasetUpload,
    Image,
    ImportSession,
    ImportUpload,
    Output,
    Submission,
    Upload,
    now,
)
from podium.platform.storage import Storage, StoredContent, content_key
from podium.platform.storage.keys import SHARDS

logger = logging.getLogger(__name__)
REFERENCES = (
    Submission.content,
    Output.content,
    Dataset.content,
    Bundle.content,
    Competition.image_content,
    ImportUpload.content,
    Image.content,
    Image.thumbnail,
    Image.preview,
)
"""Every column that refers to content. One that is missing here would have its content removed: a test looks."""
_AT_ONCE = 500


@dataclass(slots=True)
class Swept:
    """What was removed: pieces of content and their bytes, and uploads that nobody completed."""

    content: int = 0
    bytes: int = 0
    uploads: int = 0

    def __str__(self) -> str:
        return f"{self.content} files ({self.bytes} bytes) and {self.uploads} uploads removed"


def accept(session: Session, storage: Storage, key: str, *, sha256: str, size: int) -> StoredContent:
    """Check an upload and give it its final place, for this transaction to refer to.

    Raises:
        NotFound, InvalidInput: As `Storage.accept` does.
    """
    _hold(session, content_key(sha256))
    return storage.accept(key, sha256=sha256, size=size)


def keep(session: Session, storage: Storage, content: bytes, *, sha256: str, size: int) -> StoredContent:
    """Store what came in a message, for this transaction to refer to.

    Raises:
        InvalidInput: It is not what was announced.
    """
    _hold(session, content_key(sha256))
    return storage.keep(content, sha256=sha256, size=size)


def store(database: Database, storage: Storage, path: Path) -> StoredContent:
    """Store a file of this host that something will refer to soon: before the grace is over that unused files have."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    with database.session() as session:
        _hold(session, content_key(sha256))
        return storage.store(path, sha256)


def _hold(session: Session, key: str) -> None:
    """Keep content from being removed until this transaction ends; others may hold it as well."""
    session.execute(select(func.pg_advisory_xact_lock_shared(_lock_of(key))))


def _lock_of(key: str) -> ColumnElement[int]:
    return func.hashtextextended(key, 0)


def referred_to(session: Session, keys: Iterable[str]) -> set[str]:
    """Those of the keys that something refers to."""
    asked = list(keys)
    found: set[str] = set()
    for column in REFERENCES:
        found.update(key for key in session.scalars(select(column).where(column.in_(asked)).distinct()) if key)
    return found


def sweep_content(database: Database, storage: Storage, shard: str, *, grace: timedelta) -> Swept:
    """Remove what nothing refers to from one of the shards of the store."""
    swept = Swept()
    before = now() - grace
    old = [found for found in storage.content(shard) if found.modified < before]
    for begin in range(0, len(old), _AT_ONCE):
        part = old[begin : begin + _AT_ONCE]
        with database.session() as session:
            used = referred_to(session, (found.key for found in part))
        for found in part:
            if found.key not in used and _remove(database, storage, found.key, before):
                swept.content += 1
                swept.bytes += found.size
    return swept


def _remove(database: Database, storage: Storage, key: str, before: datetime) -> bool:
    with database.session() as session:
        if not session.scalar(select(func.pg_try_advisory_xact_lock(_lock_of(key)))):
            return False
        # What held the lock before may have stored it again, for something to refer to.
        found = storage.find(key)
        if found is None or found.modified >= before or referred_to(session, [key]):
            return False
        storage.remove_content(key)
        return True


def sweep_uploads(database: Database, storage: Storage, *, upload_seconds: float, grace: timedelta) -> int:
    """Give up bundles, datasets and files of imports that were never completed, and remove what came for nothing.

    Import sessions that were never started go too, with what was sent to them.
    """
    overdue = now() - timedelta(seconds=upload_seconds)
    with database.session() as session:
        session.execute(delete(Bundle).where(Bundle.status == BundleStatus.UPLOADING, Bundle.created < overdue))
        session.execute(
            delete(DatasetUpload).where(DatasetUpload.dataset_id.is_(None), DatasetUpload.created < overdue)
        )
        session.execute(
            delete(ImportUpload).where(
                ImportUpload.content.is_(None), ImportUpload.removed.is_(None), ImportUpload.created < overdue
            )
        )
        session.execute(
            delete(ImportSession).where(
                ImportSession.status == ImportStatus.UPLOADING,
                ImportSession.created < overdue,
                ~exists().where(ImportUpload.session_id == ImportSession.id, ImportUpload.created >= overdue),
            )
        )
        given_up = session.execute(
            delete(Upload).where(Upload.created < overdue - grace).returning(Upload.key, Upload.reference)
        ).all()
    for key, reference in given_up:
        storage.forget_parts(key, reference)
    return storage.remove_uploads(overdue - grace)


def shards_from(first: int, count: int) -> list[str]:
    """So many shards, from one of them on and around."""
    return [SHARDS[(first + number) % len(SHARDS)] for number in range(count)]
