"""The data of competitions, for those who take part."""

from __future__ import annotations

from fastapi import APIRouter

from podium.platform import competitions
from podium.platform.competition_data import data_files
from podium.platform.gateway.access import WithCaller
from podium.platform.gateway.services import WithServices
from podium.platform.models import now
from podium.platform.records.data import DataFileRecord
from podium.platform.submissions.participation import require_participant

router = APIRouter(tags=["competitions"])


@router.get("/competitions/{slug}/data")
def list_data(slug: str, services: WithServices, caller: WithCaller) -> list[DataFileRecord]:
    """What participants may download now, each with a request that does it. Terms are accepted before."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        organizes = competitions.may_organize(competition, caller)
        if not organizes:
            assert caller.person_id is not None
            require_participant(session, competition, caller.person_id, lock=False)
        return data_files(session, competition, services.storage, now(), for_organizer=organizes)
