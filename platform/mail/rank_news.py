"""News of ranks: that a rerun has changed somebody's, once its results count."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium.platform.lifecycle import ParticipantStatus
from podium.platform.mail.news import news_rules, tell
from podium.platform.mail.queueing import Addressed
from podium.platform.mail.rank_rules import Rank, changed_ranks, rank_words, ranks_are_shown
from podium.platform.mail.template_files import TemplateName
from podium.platform.models import MailKind, Participant, Rerun, TeamMember, now


def tell_of_ranks(
    session: Session, rerun: Rerun, ranks: Mapping[UUID, tuple[Mapping[UUID, Rank], Mapping[UUID, Rank]]]
) -> int:
    """Tell participants whose rank a rerun has changed, where they see it; return how many messages these are.

    Args:
        ranks: By phase, the rank of each participant or team before and after.
    """
    if news_rules(session) is None:
        return 0
    competition, told, moment = rerun.competition, 0, now()
    for phase in competition.phases:
        if phase.id not in ranks or not ranks_are_shown(competition, phase, moment):
            continue
        changed = changed_ranks(*ranks[phase.id])
        addressed = [
            Addressed(
                person_id,
                key=f"rerun:{rerun.id}:{phase.id}",
                competition_id=competition.id,
                filled_in={
                    "phase_id": str(phase.id),
                    "phase": phase.name,
                    "old_rank": rank_words(changed[entrant_id][0]),
                    "new_rank": rank_words(changed[entrant_id][1]),
                    "reason": rerun.reason,
                },
            )
            for person_id, entrant_id in _people(session, competition.id, changed)
        ]
        told += tell(session, MailKind.RANK, TemplateName.RANK_CHANGED, addressed)
    return told


def _people(session: Session, competition_id: UUID, entrants: Collection[UUID]) -> list[tuple[UUID, UUID]]:
    """Who takes part as one of these, and as which: in a team, as the team alone."""
    teams = {
        row[0]: row[1]
        for row in session.execute(
            select(TeamMember.person_id, TeamMember.team_id).where(TeamMember.competition_id == competition_id)
        )
    }
    people = session.scalars(
        select(Participant.person_id)
        .where(Participant.competition_id == competition_id, Participant.status == ParticipantStatus.APPROVED)
        .order_by(Participant.person_id)
    )
    entered = ((one, teams.get(one, one)) for one in people)
    return [(person_id, entrant_id) for person_id, entrant_id in entered if entrant_id in entrants]
