"""The history of leaderboards, and whether they are what they should be."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from podium.platform import audit, competitions
from podium.platform.errors import NotAllowed
from podium.platform.gateway.access import MaybeCaller, WithCaller
from podium.platform.gateway.services import WithServices
from podium.platform.identity import Caller
from podium.platform.leaderboard.history import rank_history
from podium.platform.leaderboard.reading import Reader
from podium.platform.leaderboard.verification import board_differences
from podium.platform.models import Competition, Phase, now
from podium.platform.records.leaderboards import BoardDifference, RankPoint
from podium.platform.submissions.windows import choose_phase

router = APIRouter(tags=["leaderboards"])
Name = Annotated[str | None, Query(max_length=60)]


def board_seen(
    session: Session, slug: str, caller: Caller | None, phase: str | None
) -> tuple[Competition, Phase, Reader]:
    """The phase whose board is asked for, and who asks.

    Raises:
        NotFound: No such competition or phase that the caller may see.
        NotAllowed: The leaderboard is hidden from them.
    """
    competition = competitions.find_competition(session, slug, caller)
    organizes = competitions.may_organize(competition, caller)
    if competition.leaderboards[0].hidden and not organizes:
        raise NotAllowed("The organizers have hidden this leaderboard.")
    chosen = choose_phase(competition, phase, now())
    return competition, chosen, Reader(caller.person_id if caller else None, for_organizer=organizes)


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
