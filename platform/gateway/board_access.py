"""Which board somebody asks for, and as whom they see it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from podium.platform import competitions
from podium.platform.errors import NotAllowed
from podium.platform.identity import Caller
from podium.platform.leaderboard.reading import Reader
from podium.platform.models import Competition, Phase, now
from podium.platform.submissions.windows import choose_phase


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
