"""Collaborators of a competition: who organizes it with its owner."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from podium.platform import audit
from podium.platform.errors import Conflict, NotFound
from podium.platform.events import record_event
from podium.platform.models import Collaborator, Competition, Person, now
from podium.platform.records.access import CollaboratorRecord


def list_collaborators(competition: Competition) -> list[CollaboratorRecord]:
    """All of them, the first one first."""
    return [_record(one) for one in competition.collaborators]


def add_collaborator(session: Session, competition: Competition, person: Person, *, actor: str) -> CollaboratorRecord:
    """Let a person organize the competition too; saying it again changes nothing.

    Raises:
        Conflict: They own it.
    """
    if person.id == competition.organizer_id:
        raise Conflict(f"'{person.username}' owns '{competition.slug}'.")
    added = session.execute(
        insert(Collaborator)
        .values(competition_id=competition.id, person_id=person.id, added_by=actor, created=now())
        .on_conflict_do_nothing()
        .returning(Collaborator.person_id)
    ).scalar()
    if added is not None:
        audit.note(session, "collaborator", name=person.username, after="organizes it")
        record_event(
            session,
            subject="collaborator",
            subject_id=person.id,
            before=None,
            after="added",
            actor=actor,
            reason=competition.slug,
        )
    return _record(session.get_one(Collaborator, (competition.id, person.id)))


def remove_collaborator(session: Session, competition: Competition, person: Person, *, actor: str) -> None:
    """Let a person organize the competition no more.

    Raises:
        NotFound: They don't.
    """
    found = session.scalar(
        select(Collaborator)
        .where(Collaborator.competition_id == competition.id, Collaborator.person_id == person.id)
        .with_for_update(of=Collaborator)
    )
    if found is None:
        raise NotFound(
            f"'{person.username}' is no collaborator of '{competition.slug}'.",
            remedy=f"List them with `podium collaborator list {competition.slug}`.",
        )
    session.delete(found)
    audit.note(session, "collaborator", name=person.username, before="organizes it", after="removed")
    record_event(
        session,
        subject="collaborator",
        subject_id=person.id,
        before="added",
        after="removed",
        actor=actor,
        reason=competition.slug,
    )


def _record(one: Collaborator) -> CollaboratorRecord:
    return CollaboratorRecord(one.person.username, one.person.name, one.added_by, one.created)
