"""News of registrations: that organizers have accepted somebody, or denied them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from podium.platform.lifecycle import ParticipantStatus
from podium.platform.mail.news import tell
from podium.platform.mail.queueing import Addressed
from podium.platform.mail.template_files import TemplateName
from podium.platform.models import Competition, MailKind, Person

_DECISIONS = {
    ParticipantStatus.APPROVED: TemplateName.REGISTRATION_ACCEPTED,
    ParticipantStatus.DENIED: TemplateName.REGISTRATION_DENIED,
}


def tell_of_decision(session: Session, competition: Competition, person: Person, status: ParticipantStatus) -> int:
    """Tell somebody that organizers have accepted or denied them. The caller holds the participant's row."""
    if status not in _DECISIONS:
        return 0
    addressed = [Addressed(person.id, competition_id=competition.id)]
    return tell(session, MailKind.REGISTRATION, _DECISIONS[status], addressed)
