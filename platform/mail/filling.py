"""What stands in the place of variables, for some recipients at once. Of a board, it is what everybody sees."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium.platform.errors import NotFound
from podium.platform.leaderboard.entries import visible_columns
from podium.platform.leaderboard.reading import Reader, shown_board
from podium.platform.mail.audience import Audience
from podium.platform.mail.links import MailLinks
from podium.platform.mail.variables import VARIABLES
from podium.platform.models import Competition, MailCampaign, Phase, TeamMember, now
from podium.platform.records.score_text import MISSING, score_text
from podium.platform.submissions.windows import choose_phase


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to write to."""

    person_id: UUID
    username: str
    name: str
    email: str


def phase_of(campaign: MailCampaign) -> Phase:
    """The phase whose leaderboard a campaign's variables are about: the chosen one, else the one that is open.

    One that has another name since the campaign was approved holds nothing up.
    """
    try:
        return choose_phase(campaign.competition, Audience.of(campaign.audience).phase, now())
    except NotFound:
        return choose_phase(campaign.competition, None, now())


def common_values(competition: Competition, phase: Phase, links: MailLinks) -> dict[str, str]:
    """The values that are the same for all."""
    return {"competition": competition.title, "phase": phase.name, **links.of_competition(competition.slug)}


def own_values(
    session: Session, competition_id: UUID, phase_id: UUID, recipients: Sequence[Recipient], uses: Collection[str]
) -> dict[UUID, dict[str, str]]:
    """The values of each recipient, by person; of the board only where they are used."""
    found = {
        one.person_id: {"name": one.name or one.username, "username": one.username, "rank": MISSING, "score": MISSING}
        for one in recipients
    }
    if any(VARIABLES[name].of_board for name in uses):
        competition, phase = session.get_one(Competition, competition_id), session.get_one(Phase, phase_id)
        for person_id, standing in _standings(session, competition, phase, list(found)).items():
            found[person_id] |= standing
    return found


def _standings(
    session: Session, competition: Competition, phase: Phase, people: Sequence[UUID]
) -> Mapping[UUID, dict[str, str]]:
    board = competition.leaderboards[0]
    if board.hidden:
        return {}
    entrants = {person_id: [person_id] for person_id in people}
    teams = select(TeamMember.person_id, TeamMember.team_id).where(
        TeamMember.competition_id == competition.id, TeamMember.person_id.in_(people)
    )
    for person_id, team_id in session.execute(teams):
        entrants[person_id].append(team_id)
    view = shown_board(session, competition, phase, Reader()).view(session)
    columns = visible_columns(board, for_organizer=False)
    column = next((one for one in columns if one.index == board.primary_index), columns[0] if columns else None)
    best: dict[UUID, dict[str, str]] = {}
    # In the board's order, so that the first of each is the best.
    for place in view.of_entrants({one for those in entrants.values() for one in those}):
        score = MISSING
        if column is not None:
            score = score_text(place.entry.values[board.columns.index(column)], column.precision)
        best.setdefault(place.entrant_id, {"rank": str(place.rank or MISSING), "score": score})
    return {
        person_id: next(best[one] for one in reversed(those) if one in best)
        for person_id, those in entrants.items()
        if any(one in best for one in those)
    }
