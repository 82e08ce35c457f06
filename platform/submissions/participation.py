"""Who takes part in a competition, and may therefore submit."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from podium.platform.errors import NotAllowed
from podium.platform.lifecycle import ParticipantStatus
from podium.platform.models import Competition, Participant, TermsAcceptance


class NotParticipating(NotAllowed):
    """The person has not joined, or was not approved, or has not accepted the present terms."""

    type = "not-participating"
    title = "You do not take part in this competition"


def require_participant(session: Session, competition: Competition, person_id: UUID, *, lock: bool) -> Participant:
    """The person's approved part in the competition; with `lock`, their other submissions wait for this transaction.

    Raises:
        NotParticipating: They have not joined, are not approved, or the terms have changed since.
    """
    query = select(Participant).where(Participant.competition_id == competition.id, Participant.person_id == person_id)
    participant = session.scalar(query.with_for_update() if lock else query)
    join = f"podium join {competition.slug}"
    if participant is None:
        raise NotParticipating(f"You have not joined '{competition.slug}'.", remedy=f"Join with `{join}`.")
    if participant.status is ParticipantStatus.PENDING:
        raise NotParticipating("The organizers have not approved you yet.", remedy="Wait for them, or write to them.")
    if participant.status is ParticipantStatus.DENIED:
        raise NotParticipating("The organizers have denied you.", remedy="Write to them if you think it is a mistake.")
    accepted = session.scalar(
        select(func.count()).where(
            TermsAcceptance.competition_id == competition.id,
            TermsAcceptance.person_id == person_id,
            TermsAcceptance.terms_sha256 == competition.terms_sha256,
        )
    )
    if not accepted:
        raise NotParticipating("The terms have changed since you joined.", remedy=f"Accept them with `{join}`.")
    return participant
