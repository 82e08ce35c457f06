"""How competitions are searched and filtered, as conditions of a query."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, not_, or_, select, true

from podium.platform.lifecycle import CompetitionStatus
from podium.platform.models import Competition, Participant, Person, Phase

MOST_WORDS = 8
"""Words of a search that count; the rest of a long one is left out."""


def says(words: str) -> ColumnElement[bool]:
    """Every word stands in the title, the address, the description or the organizer's name."""
    return and_(true(), *(_says_word(word) for word in words.split()[:MOST_WORDS]))


def _says_word(word: str) -> ColumnElement[bool]:
    pattern = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    organizer = exists().where(
        Person.id == Competition.organizer_id, or_(Person.username.ilike(pattern), Person.name.ilike(pattern))
    )
    columns = (Competition.title, Competition.slug, Competition.description)
    return or_(*(column.ilike(pattern) for column in columns), organizer)


def is_now(status: CompetitionStatus, moment: datetime) -> ColumnElement[bool]:
    """The competition is `status` at a moment."""
    open_phase = exists().where(
        Phase.competition_id == Competition.id,
        Phase.starts <= moment,
        or_(Phase.ends.is_(None), Phase.ends > moment),
    )
    later_phase = exists().where(Phase.competition_id == Competition.id, Phase.starts > moment)
    match status:
        case CompetitionStatus.OPEN:
            return open_phase
        case CompetitionStatus.UPCOMING:
            return and_(not_(open_phase), later_phase)
        case CompetitionStatus.OVER:
            return and_(not_(open_phase), not_(later_phase))


def joined_by(person_id: UUID | None) -> ColumnElement[bool]:
    """The person takes part, or has asked to."""
    return Competition.id.in_(select(Participant.competition_id).where(Participant.person_id == person_id))
