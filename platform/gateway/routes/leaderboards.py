"""The history of leaderboards, and whether they are what they should be."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from podium.platform import audit, competitions
from podium.platform.gateway.access import MaybeCaller, WithCaller
from podium.platform.gateway.board_access import board_seen
from podium.platform.gateway.services import WithServices
from podium.platform.leaderboard.history import rank_history
from podium.platform.leaderboard.verification import board_differences
from podium.platform.records.leaderboards import BoardDifference, RankPoint

router = APIRouter(tags=["leaderboards"])
Name = Annotated[str | None, Query(max_length=60)]


@router.get("/competitions/{slug}/leaderboard/history")
def read_leaderboard_history(
    slug: str, services: WithServices, caller: MaybeCaller, phase: str | None = None, participant: Name = None
) -> list[RankPoint]:
    """The steps of a participant; without one, those of the best of the board."""
    with services.database.session() as session:
        competition, chosen, reader = board_seen(session, slug, caller, phase)
        return rank_history(session, competition, chosen, reader, participant)


@router.get("/competitions/{slug}/leaderboard/verification")
def verify_leaderboard(slug: str, services: WithServices, caller: WithCaller) -> list[BoardDifference]:
    """Where the stored leaderboards of all phases are not what the scored submissions make of them."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        competitions.require_organizer(competition, caller)
        return board_differences(session, competition)


@router.post("/competitions/{slug}/leaderboard/repair")
def repair_leaderboard(slug: str, services: WithServices, caller: WithCaller) -> list[BoardDifference]:
    """Make the stored leaderboards what they should be, and tell what was not."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        competitions.require_organizer(competition, caller)
        found = board_differences(session, competition, repair=True)
        count = "1 difference" if len(found) == 1 else f"{len(found)} differences"
        audit.note(
            session, "leaderboard", name=competition.leaderboards[0].title, before=count, after="as it should be"
        )
        return found
