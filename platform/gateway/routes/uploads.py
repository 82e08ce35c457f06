"""Files that were announced and have not arrived: how to go on with them, by their ids."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from podium.platform import uploads
from podium.platform.gateway.access import WithCaller
from podium.platform.gateway.requests import PartNumbers
from podium.platform.gateway.services import WithServices
from podium.platform.records.storage import SignedRequestRecord, UploadRecord

router = APIRouter(tags=["uploads"])


@router.post("/uploads/{upload_id}")
def offer_upload(upload_id: UUID, services: WithServices, caller: WithCaller) -> UploadRecord:
    """How to go on with a file of one's own that was announced, and which of its parts have arrived.

    The id is that of the submission, bundle or dataset that it belongs to; their own `complete` ends it.
    """
    assert caller.person_id is not None
    with services.database.session() as session:
        announced = uploads.find_announced(session, upload_id, caller.person_id)
        return uploads.offer_upload(session, services.storage, announced, part_bytes=services.settings.part_bytes)


@router.post("/uploads/{upload_id}/parts")
def sign_parts(
    upload_id: UUID, services: WithServices, caller: WithCaller, body: PartNumbers
) -> list[SignedRequestRecord]:
    """Requests to send parts with, in the order that they were asked for."""
    assert caller.person_id is not None
    with services.database.session() as session:
        signed = uploads.sign_parts(session, services.storage, upload_id, caller.person_id, body.numbers)
    return [uploads.signed_record(request) for request in signed]
