"""Bundles: announced, uploaded, complete, and on their way to a competition."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from sqlalchemy.orm import Session, joinedload
from starlette.background import BackgroundTasks
from starlette.concurrency import run_in_threadpool

from podium.platform.bundles.problems import Problem, Severity
from podium.platform.driven import BUNDLES
from podium.platform.errors import NotFound, TooLarge
from podium.platform.events import bundle_topic
from podium.platform.gateway.access import WithCaller
from podium.platform.gateway.requests import NewBundle, Wait
from podium.platform.gateway.services import Services, WithServices
from podium.platform.identity import Caller
from podium.platform.lifecycle import BundleStatus
from podium.platform.models import Bundle
from podium.platform.records.competitions import BundleRecord, BundleUpload
from podium.platform.storage import incoming_key
from podium.platform.storage_quotas import require_room
from podium.platform.stored import accept
from podium.platform.transitions import move_bundle
from podium.platform.uploads import announced_bundle, forget_completed, join_parts, offer_upload

router = APIRouter(tags=["bundles"])


@router.post("/bundles", status_code=201)
def create_bundle(services: WithServices, caller: WithCaller, body: NewBundle) -> BundleUpload:
    """Announce a bundle and get a request to upload it with."""
    if body.size > services.settings.bundle_bytes:
        raise TooLarge(f"A bundle may have {services.settings.bundle_bytes} bytes; this one has {body.size}.")
    with services.database.session() as session:
        assert caller.person_id is not None
        require_room(session, caller.person_id, body.size, default=services.settings.storage_quota_bytes)
        bundle = Bundle(owner_id=caller.person_id, **body.model_dump())
        session.add(bundle)
        session.flush()
        offered = offer_upload(
            session, services.storage, announced_bundle(bundle), part_bytes=services.settings.part_bytes
        )
        return BundleUpload(bundle_record(bundle), offered.upload, offered.parts)


@router.post("/bundles/{bundle_id}/complete")
def complete_bundle(
    bundle_id: UUID, services: WithServices, caller: WithCaller, background: BackgroundTasks
) -> BundleRecord:
    """Say that the upload is done: it is checked, and a flow run is made that reads it."""
    with services.database.session() as session:
        bundle = _find(session, bundle_id, caller)
        # Said twice at the same time, the second waits here and sees what the first has done.
        session.refresh(bundle, with_for_update={"of": Bundle})
        if bundle.status is BundleStatus.UPLOADING:
            key = incoming_key(bundle.id)
            join_parts(session, services.storage, bundle.id)
            stored = accept(session, services.storage, key, sha256=bundle.sha256, size=bundle.size)
            move_bundle(session, bundle, BundleStatus.QUEUED, actor=caller.actor, content=stored.key)
        record = bundle_record(bundle)
    forget_completed(services.database, services.storage, bundle_id)
    background.add_task(services.dispatcher.drive, BUNDLES, bundle_id)
    return record


@router.get("/bundles/{bundle_id}")
async def read_bundle(
    bundle_id: UUID, services: WithServices, caller: WithCaller, seen: str = "", wait: Wait = 0
) -> BundleRecord:
    """Where a bundle is; with `wait`, when its status is no longer the one that was `seen`."""
    topic = bundle_topic(bundle_id)
    count = services.notices.count(topic)
    record = await run_in_threadpool(_read, services, bundle_id, caller)
    if wait and record.status == seen and await services.notices.wait(topic, count, wait):
        record = await run_in_threadpool(_read, services, bundle_id, caller)
    return record


def _read(services: Services, bundle_id: UUID, caller: Caller) -> BundleRecord:
    with services.database.session() as session:
        return bundle_record(_find(session, bundle_id, caller))


def _find(session: Session, bundle_id: UUID, caller: Caller) -> Bundle:
    bundle = session.get(Bundle, bundle_id, options=[joinedload(Bundle.competition)])
    if bundle is None or not (caller.is_administrator or bundle.owner_id == caller.person_id):
        raise NotFound("You have uploaded no bundle of that id.")
    return bundle


def bundle_record(bundle: Bundle) -> BundleRecord:
    """A bundle as the API shows it."""
    return BundleRecord(
        id=bundle.id,
        filename=bundle.filename,
        size=bundle.size,
        status=bundle.status,
        message=bundle.message,
        problems=tuple(
            Problem(**{**problem, "severity": Severity(problem["severity"])}) for problem in bundle.problems
        ),
        competition=bundle.competition.slug if bundle.competition else None,
        created=bundle.created,
    )
