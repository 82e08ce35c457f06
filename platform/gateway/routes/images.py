"""Medical images of datasets and submissions, and the sessions that import them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session
from starlette.background import BackgroundTasks
from starlette.concurrency import run_in_threadpool

from podium.platform import image_imports, image_views
from podium.platform.driven import IMPORTS
from podium.platform.events import import_topic
from podium.platform.gateway.access import WithCaller
from podium.platform.gateway.requests import NewImportUploads, Wait
from podium.platform.gateway.routes.competitions import Offset
from podium.platform.gateway.services import Services, WithServices
from podium.platform.identity import Caller
from podium.platform.image_access import Target, dataset_target, find_image, find_import, submission_target
from podium.platform.images.metadata import ImageType
from podium.platform.lifecycle import ImportOutcome
from podium.platform.models import ImportUpload
from podium.platform.records.images import (
    ImageDetail,
    ImagePage,
    ImagePart,
    ImportedFilePage,
    ImportSessionRecord,
    ImportUploadRecord,
)
from podium.platform.records.storage import SignedRequestRecord
from podium.platform.uploads import announced_image_file, forget_completed, offer_upload, signed_record

router = APIRouter(tags=["images"])
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("/datasets/{dataset_id}/images")
def list_dataset_images(
    dataset_id: UUID, services: WithServices, caller: WithCaller, limit: Limit = 100, offset: Offset = 0
) -> ImagePage:
    """Images of a dataset, by name."""
    with services.database.session() as session:
        return image_views.list_images(session, dataset_target(session, dataset_id, caller), limit=limit, offset=offset)


@router.get("/submissions/{submission_id}/images")
def list_submission_images(
    submission_id: UUID, services: WithServices, caller: WithCaller, limit: Limit = 100, offset: Offset = 0
) -> ImagePage:
    """Images of a submission, by name."""
    with services.database.session() as session:
        target = submission_target(session, submission_id, caller)
        return image_views.list_images(session, target, limit=limit, offset=offset)


@router.get("/images/{image_id}")
def read_image(image_id: UUID, services: WithServices, caller: WithCaller) -> ImageDetail:
    """An image, whole: its metadata, where its voxels are, and the files that it was made of."""
    with services.database.session() as session:
        return image_views.image_detail(session, find_image(session, image_id, caller))


@router.get("/images/{image_id}/files/{part}")
def read_image_file(image_id: UUID, part: ImagePart, services: WithServices, caller: WithCaller) -> SignedRequestRecord:
    """A request to download an image, or one of its two pictures."""
    with services.database.session() as session:
        image = find_image(session, image_id, caller)
        is_volume = image.type is ImageType.MHD
        picture = "png" if is_volume and len(image.segments or ()) > 1 else "jpg"
        key, suffix = {
            ImagePart.FILE: (image.content, "mha" if is_volume else "tif"),
            ImagePart.THUMBNAIL: (image.thumbnail, picture),
            ImagePart.PREVIEW: (image.preview, picture),
        }[part]
        return signed_record(services.storage.sign_get(key, filename=f"{image.id}.{suffix}"))


@router.post("/datasets/{dataset_id}/import-sessions", status_code=201)
def create_dataset_import(dataset_id: UUID, services: WithServices, caller: WithCaller) -> ImportSessionRecord:
    """Begin to import images of a dataset: files are announced to the session that comes of it."""
    with services.database.session() as session:
        return _begin(session, dataset_target(session, dataset_id, caller), caller)


@router.post("/submissions/{submission_id}/import-sessions", status_code=201)
def create_submission_import(submission_id: UUID, services: WithServices, caller: WithCaller) -> ImportSessionRecord:
    """Begin to import images of a submission."""
    with services.database.session() as session:
        return _begin(session, submission_target(session, submission_id, caller), caller)


@router.get("/datasets/{dataset_id}/import-sessions")
def list_dataset_imports(dataset_id: UUID, services: WithServices, caller: WithCaller) -> list[ImportSessionRecord]:
    """The import sessions of a dataset, the latest first."""
    with services.database.session() as session:
        return image_views.list_sessions(session, dataset_target(session, dataset_id, caller))


@router.get("/submissions/{submission_id}/import-sessions")
def list_submission_imports(
    submission_id: UUID, services: WithServices, caller: WithCaller
) -> list[ImportSessionRecord]:
    """The import sessions of a submission, the latest first."""
    with services.database.session() as session:
        return image_views.list_sessions(session, submission_target(session, submission_id, caller))


@router.get("/import-sessions/{session_id}")
async def read_import(
    session_id: UUID, services: WithServices, caller: WithCaller, seen: int = 0, wait: Wait = 0
) -> ImportSessionRecord:
    """Where an import session is; with `wait`, when its version is no longer the one that was `seen`."""
    topic = import_topic(session_id)
    count = services.notices.count(topic)
    record = await run_in_threadpool(_read, services, session_id, caller)
    if wait and record.version == seen and await services.notices.wait(topic, count, wait):
        record = await run_in_threadpool(_read, services, session_id, caller)
    return record


@router.get("/import-sessions/{session_id}/files")
def list_imported_files(
    session_id: UUID,
    services: WithServices,
    caller: WithCaller,
    outcome: ImportOutcome | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> ImportedFilePage:
    """The report of a session: what became of each of its files, by path."""
    with services.database.session() as session:
        row = find_import(session, session_id, caller)
        return image_views.list_files(session, row, outcome, limit=limit, offset=offset)


@router.post("/import-sessions/{session_id}/uploads", status_code=201)
def announce_import_uploads(
    session_id: UUID, services: WithServices, caller: WithCaller, body: NewImportUploads
) -> list[ImportUploadRecord]:
    """Announce files to a session and get requests to send them with, in the same order.

    Announcing one again says what of it has arrived. More may be sent to a session that has been imported, for
    `retry` to import.
    """
    settings = services.settings
    with services.database.session() as session:
        row = find_import(session, session_id, caller, lock=True)
        uploads = image_imports.announce_uploads(
            session,
            row,
            caller,
            [image_imports.Sent(**file.model_dump()) for file in body.files],
            max_bytes=settings.bundle_bytes,
            quota_bytes=settings.storage_quota_bytes,
        )
        return [_offered(session, services, upload, row.person_id) for upload in uploads]


@router.post("/import-sessions/{session_id}/uploads/{upload_id}/complete", status_code=204)
def complete_import_upload(session_id: UUID, upload_id: UUID, services: WithServices, caller: WithCaller) -> None:
    """Say that a file has been sent: it is checked and kept. Saying it again changes nothing."""
    with services.database.session() as session:
        row = find_import(session, session_id, caller)
        image_imports.complete_upload(session, row, upload_id, caller, services.storage)
    forget_completed(services.database, services.storage, upload_id)


@router.post("/import-sessions/{session_id}/start")
def start_import(
    session_id: UUID, services: WithServices, caller: WithCaller, background: BackgroundTasks
) -> ImportSessionRecord:
    """Say that all files have been sent: a flow run is made that imports them. Saying it again changes nothing."""
    with services.database.session() as session:
        row = find_import(session, session_id, caller, lock=True)
        image_imports.start_import(session, row, actor=caller.actor)
        record = image_views.session_record(session, row)
    background.add_task(services.dispatcher.drive, IMPORTS, session_id)
    return record


@router.post("/import-sessions/{session_id}/retry")
def retry_import(
    session_id: UUID, services: WithServices, caller: WithCaller, background: BackgroundTasks
) -> ImportSessionRecord:
    """Import again what was rejected, together with what was sent since; the images that there are stay."""
    with services.database.session() as session:
        row = find_import(session, session_id, caller, lock=True)
        image_imports.retry_import(session, row, actor=caller.actor)
        record = image_views.session_record(session, row)
    background.add_task(services.dispatcher.drive, IMPORTS, session_id)
    return record


@router.post("/import-sessions/{session_id}/accept")
def accept_import(session_id: UUID, services: WithServices, caller: WithCaller) -> ImportSessionRecord:
    """Take the report as it is: the images stay, and what was uploaded is let go."""
    with services.database.session() as session:
        row = find_import(session, session_id, caller, lock=True)
        image_imports.accept_import(session, row, actor=caller.actor)
        return image_views.session_record(session, row)


@router.delete("/import-sessions/{session_id}", status_code=204)
def remove_import(session_id: UUID, services: WithServices, caller: WithCaller) -> None:
    """Remove a session with its images and all that was uploaded for them."""
    with services.database.session() as session:
        image_imports.remove_import(session, find_import(session, session_id, caller, lock=True), actor=caller.actor)


def _begin(session: Session, target: Target, caller: Caller) -> ImportSessionRecord:
    return image_views.session_record(session, image_imports.begin_session(session, target, caller))


def _offered(session: Session, services: Services, upload: ImportUpload, person_id: UUID) -> ImportUploadRecord:
    offered = None
    if upload.content is None:
        announced = announced_image_file(upload, person_id)
        offered = offer_upload(session, services.storage, announced, part_bytes=services.settings.part_bytes)
    return ImportUploadRecord(upload.id, upload.path, offered)


def _read(services: Services, session_id: UUID, caller: Caller) -> ImportSessionRecord:
    with services.database.session() as session:
        return image_views.session_record(session, find_import(session, session_id, caller))
