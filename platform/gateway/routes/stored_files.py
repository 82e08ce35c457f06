"""What a person's files take, and removing them."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from sqlalchemy.orm import Session

from podium.platform import audit, file_removal
from podium.platform.gateway.access import WithCaller
from podium.platform.gateway.requests import StorageQuota
from podium.platform.gateway.services import Services, WithServices
from podium.platform.identity import find_person
from podium.platform.models import Person
from podium.platform.records.storage import StorageRecord, StoredFileRecord
from podium.platform.storage_quotas import usage_of

router = APIRouter(tags=["storage"])


@router.get("/me/storage")
def read_own_storage(services: WithServices, caller: WithCaller) -> StorageRecord:
    """What one's own files take and may take."""
    with services.database.session() as session:
        return _record(session, services, session.get_one(Person, caller.person_id))


@router.get("/me/storage/files")
def list_own_files(services: WithServices, caller: WithCaller) -> list[StoredFileRecord]:
    """One's own files, the largest first, with why one can't be removed where that is so."""
    assert caller.person_id is not None
    with services.database.session() as session:
        return file_removal.files_of(session, caller.person_id)


@router.delete("/me/storage/files/{kind}/{file_id}")
def remove_own_file(
    kind: file_removal.FileKind, file_id: UUID, services: WithServices, caller: WithCaller
) -> StorageRecord:
    """Remove a file of one's own that nothing uses; what one's files take then."""
    assert caller.person_id is not None
    with services.database.session() as session:
        file_removal.remove_file(session, kind, file_id, caller.person_id, actor=caller.actor)
        audit.note(session, "file", name=f"{kind} {file_id}", after="removed")
        return _record(session, services, session.get_one(Person, caller.person_id))


@router.get("/people/{username}/storage")
def read_storage(username: str, services: WithServices) -> StorageRecord:
    """What somebody's files take and may take."""
    with services.database.session() as session:
        return _record(session, services, find_person(session, username))


@router.put("/people/{username}/storage")
def set_storage_quota(username: str, services: WithServices, body: StorageQuota) -> StorageRecord:
    """Say what somebody's files may take; with null, what everybody's may. Nothing that is there is removed."""
    with services.database.session() as session:
        person = find_person(session, username)
        before, person.storage_quota_bytes = person.storage_quota_bytes, body.quota
        session.flush()
        audit.note(session, "person", name=username, before=_in_words(before), after=_in_words(body.quota))
        return _record(session, services, person)


def _in_words(quota: int | None) -> str:
    return "everybody's quota of files" if quota is None else f"a quota of {quota} bytes of files"


def _record(session: Session, services: Services, person: Person) -> StorageRecord:
    usage = usage_of(session, person.id, default=services.settings.storage_quota_bytes)
    return StorageRecord(person.username, usage.quota, usage.used, person.storage_quota_bytes, usage.by_kind)
