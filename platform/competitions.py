"""Competitions in the database: who may see them, and who organizes them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.interfaces import LoaderOption

from podium.platform import audit
from podium.platform.errors import NotFound
from podium.platform.identity import Caller
from podium.platform.models import Collaborator, Competition
from podium.platform.powers import Power, has_power, require_power


def may_organize(competition: Competition, caller: Caller | None) -> bool:
    """Whether the caller organizes this competition: its owner, collaborators, and administrators."""
    return has_power(competition, caller, Power.ORGANIZE)


def find_competition(
    session: Session, slug: str, caller: Caller | None, *, options: Sequence[LoaderOption] = ()
) -> Competition:
    """The competition of that slug, if the caller may see it.

    Args:
        options: What to load with it.

    Raises:
        NotFound: There is none, or it is a draft of somebody else's: the two look the same from outside.
    """
    competition = session.scalar(select(Competition).where(Competition.slug == slug.lower()).options(*options))
    if competition is None or not (competition.published or may_organize(competition, caller)):
        raise NotFound(
            f"There is no competition '{slug[:80]}'.", remedy="List those there are with `podium competitions`."
        )
    audit.about(session, competition)
    return competition


def require_organizer(competition: Competition, caller: Caller) -> None:
    """Go on only if the caller organizes the competition.

    Raises:
        NotAllowed: They don't.
    """
    require_power(competition, caller, Power.ORGANIZE)


def organized_by(person_id: UUID | None) -> ColumnElement[bool]:
    """The condition that a competition is owned by a person, or shared with them."""
    shared = select(Collaborator.competition_id).where(Collaborator.person_id == person_id)
    return or_(Competition.organizer_id == person_id, Competition.id.in_(shared))


def organizes_any(session: Session, person_id: UUID | None) -> bool:
    """Whether a person owns a competition, or collaborates in one."""
    return bool(session.scalar(select(exists().where(organized_by(person_id)))))
