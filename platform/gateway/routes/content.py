"""A competition's content: read for editing, looked at before it is changed, and changed whole."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy.orm import Session

from podium.platform import competition_content, competition_views, competitions
from podium.platform.gateway.access import WithCaller
from podium.platform.gateway.requests import ContentChange, ContentWish
from podium.platform.gateway.services import WithServices
from podium.platform.identity import Caller
from podium.platform.models import Competition
from podium.platform.records.content import ContentPreview, ContentRecord

router = APIRouter(tags=["competitions"])


@router.get("/competitions/{slug}/content")
def read_content(slug: str, services: WithServices, caller: WithCaller) -> ContentRecord:
    """All that may be edited of a competition, with its version."""
    with services.database.session() as session:
        return competition_content.content_record(session, _organized(session, slug, caller))


@router.post("/competitions/{slug}/content/preview")
def preview_content(slug: str, services: WithServices, caller: WithCaller, body: ContentWish) -> ContentPreview:
    """What a change would do, and all that is wrong with it. Changes nothing."""
    with services.database.session() as session:
        competition = _organized(session, slug, caller)
        maxima = services.settings.limit_maxima
        return competition_content.preview_change(session, competition, body.changes, maxima=maxima)


@router.patch("/competitions/{slug}/content")
def change_content(slug: str, services: WithServices, caller: WithCaller, body: ContentChange) -> ContentRecord:
    """Change the content, whole or not at all; refused where somebody else has changed it since it was read."""
    with services.database.session() as session:
        return competition_content.change_content(
            session,
            _organized(session, slug, caller),
            body.changes,
            version=body.version,
            maxima=services.settings.limit_maxima,
            actor=caller.actor,
        )


def _organized(session: Session, slug: str, caller: Caller) -> Competition:
    competition = competitions.find_competition(session, slug, caller, options=competition_views.competition_options())
    competitions.require_organizer(competition, caller)
    return competition
