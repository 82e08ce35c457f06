"""Versions of tasks, and the datasets that they are made of."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from podium.platform import audit, competitions, datasets, task_versions
from podium.platform.gateway.access import WithCaller
from podium.platform.gateway.requests import NewDataset, NewTaskVersion
from podium.platform.gateway.services import WithServices
from podium.platform.records.reruns import DatasetRecord, DatasetUploadRecord, TaskVersionRecord
from podium.platform.uploads import announced_dataset, forget_completed, offer_upload

router = APIRouter(tags=["tasks"])


@router.post("/datasets", status_code=201)
def create_dataset(services: WithServices, caller: WithCaller, body: NewDataset) -> DatasetUploadRecord:
    """Announce a dataset and get a request to upload it with."""
    assert caller.person_id is not None
    with services.database.session() as session:
        upload = datasets.announce_dataset(
            session,
            caller.person_id,
            kind=body.kind,
            filename=body.filename,
            size=body.size,
            sha256=body.sha256,
            max_bytes=services.settings.bundle_bytes,
            quota_bytes=services.settings.storage_quota_bytes,
        )
        offered = offer_upload(
            session, services.storage, announced_dataset(upload), part_bytes=services.settings.part_bytes
        )
        return DatasetUploadRecord(upload.id, offered.upload, offered.parts)


@router.post("/datasets/{upload_id}/complete")
def complete_dataset(upload_id: UUID, services: WithServices, caller: WithCaller) -> DatasetRecord:
    """Say that the upload is done: it is checked and kept. Saying it again changes nothing."""
    assert caller.person_id is not None
    with services.database.session() as session:
        _, dataset = datasets.complete_dataset(session, upload_id, caller.person_id, services.storage)
        record = task_versions.dataset_record(dataset)
        audit.note(session, "dataset", name=f"'{dataset.name}'", after=f"{dataset.kind.replace('_', ' ')}, kept")
    forget_completed(services.database, services.storage, upload_id)
    return record


@router.get("/competitions/{slug}/tasks/{index}/versions")
def list_task_versions(slug: str, index: str, services: WithServices, caller: WithCaller) -> list[TaskVersionRecord]:
    """All versions of a task, the latest first."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        competitions.require_organizer(competition, caller)
        task = task_versions.find_task(session, competition, index)
        return task_versions.version_records(session, competition, task, index)


@router.post("/competitions/{slug}/tasks/{index}/versions", status_code=201)
def change_task(
    slug: str, index: str, services: WithServices, caller: WithCaller, body: NewTaskVersion
) -> TaskVersionRecord:
    """Make a new version of a task, by which everything is scored from now on; nothing is scored again."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        competitions.require_organizer(competition, caller)
        task = task_versions.find_task(session, competition, index)
        named = {kind: getattr(body, kind) for kind in task_versions.KINDS}
        assert caller.person_id is not None
        task_versions.change_task(
            session,
            task,
            {kind: dataset_id for kind, dataset_id in named.items() if dataset_id is not None},
            owner_id=caller.person_id,
            reason=body.reason,
            actor=caller.actor,
        )
        return task_versions.version_records(session, competition, task, index)[0]
