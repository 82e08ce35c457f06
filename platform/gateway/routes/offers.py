"""What competitions and their participants offer: files to begin with, pictures, and submissions that are shared."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from podium.platform import competitions
from podium.platform.competition_images import read_image
from podium.platform.gateway.access import MaybeCaller, WithCaller
from podium.platform.gateway.routes.competitions import Limit, Offset
from podium.platform.gateway.services import WithServices
from podium.platform.offered_files import offered_file, offered_files
from podium.platform.records.offers import OfferedFile, SharedSubmission
from podium.platform.records.storage import SignedRequestRecord
from podium.platform.submissions import sharing
from podium.platform.uploads import signed_record

router = APIRouter(tags=["competitions"])


@router.get("/competitions/{slug}/files")
def list_offered_files(slug: str, services: WithServices, caller: MaybeCaller) -> list[OfferedFile]:
    """What the competition offers to who takes part: starting kits, public data, programs."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        return offered_files(session, competition, caller)


@router.get("/competitions/{slug}/files/{file_id}")
def read_offered_file(slug: str, file_id: UUID, services: WithServices, caller: WithCaller) -> SignedRequestRecord:
    """A request to download one of them, for who takes part."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        dataset = offered_file(session, competition, file_id, caller)
        return signed_record(services.storage.sign_get(dataset.content, filename=dataset.name))


@router.get("/competitions/{slug}/image", response_class=Response)
def read_competition_image(slug: str, services: WithServices, caller: MaybeCaller) -> Response:
    """The competition's picture."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
    content, kind = read_image(competition, services.storage)
    return Response(content, media_type=kind, headers={"Cache-Control": "private, max-age=300"})


@router.get("/competitions/{slug}/shared-submissions")
def list_shared_submissions(
    slug: str, services: WithServices, caller: MaybeCaller, limit: Limit = 100, offset: Offset = 0
) -> list[SharedSubmission]:
    """Submissions that their participants have made public, the latest first."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        return sharing.shared_submissions(session, competition, caller, limit=limit, offset=offset)


@router.get("/competitions/{slug}/shared-submissions/{submission_id}/file")
def read_shared_submission(
    slug: str, submission_id: UUID, services: WithServices, caller: WithCaller
) -> SignedRequestRecord:
    """A request to download the file of one of them."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        submission = sharing.shared_submission(session, competition, submission_id)
        assert submission.content is not None
        return signed_record(services.storage.sign_get(submission.content, filename=submission.filename))
