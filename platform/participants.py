"""Participants: they join a competition by accepting its terms, and organizers approve or deny them."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from podium.platform.errors import Conflict, NotAllowed, NotFound
from podium.platform.events import record_event
from podium.platform.lifecycle import ParticipantStatus
from podium.platform.mail.registration_news import tell_of_decision
from podium.platform.models import Competition, Participant, Person, TermsAcceptance, now
from podium.platform.records.people import ParticipantRecord
from podium.platform.submissions.windows import require_registration_open


def join_competition(
    session: Session,
    competition: Competition,
    person: Person,
    *,
    terms_sha256: str,
    address: str | None,
    user_agent: str,
) -> ParticipantRecord:
    """Take part, accepting the terms; joining again only records that newer terms were accepted.

    Raises:
        Conflict: The terms that were accepted are not the present ones.
        RegistrationClosed: Registration has not begun, or is over; who takes part already may accept newer terms.
        NotAllowed: The organizers have denied this person.
    """
    if terms_sha256 != competition.terms_sha256:
        raise Conflict("These are not the present terms.", remedy="Read them again, and accept those.")
    if session.get(Participant, (competition.id, person.id)) is None:
        require_registration_open(competition, now())
    status = ParticipantStatus.APPROVED if competition.registration_auto_approve else ParticipantStatus.PENDING
    added = session.execute(
        insert(Participant)
        .values(competition_id=competition.id, person_id=person.id, status=status, created=now())
        .on_conflict_do_nothing()
        .returning(Participant.status)
    ).scalar()
    participant = session.get_one(Participant, (competition.id, person.id))
    if participant.status is ParticipantStatus.DENIED:
        raise NotAllowed("The organizers have denied you.", remedy="Write to them if you think it is a mistake.")
    session.add(
        TermsAcceptance(
            competition_id=competition.id,
            person_id=person.id,
            terms_sha256=terms_sha256,
            address=address,
            user_agent=user_agent[:400],
        )
    )
    if added is not None:
        record_event(
            session,
            subject="participant",
            subject_id=person.id,
            before=None,
            after=status,
            actor=f"person:{person.username}",
            reason=competition.slug,
        )
    return participant_record(participant, person)


def participant_record(participant: Participant, person: Person) -> ParticipantRecord:
    """A participant as organizers see them."""
    return ParticipantRecord(person.username, person.name, participant.status, participant.created)


def set_participant_status(
    session: Session,
    competition: Competition,
    person: Person,
    status: ParticipantStatus,
    *,
    actor: str,
    reason: str = "",
) -> ParticipantRecord:
    """Approve or deny a participant; `reason` is kept with it.

    Raises:
        NotFound: The person has not joined.
    """
    participant = session.get(Participant, (competition.id, person.id), with_for_update=True)
    if participant is None:
        raise NotFound(f"'{person.username}' has not joined '{competition.slug}'.")
    if participant.status is not status:
        record_event(
            session,
            subject="participant",
            subject_id=person.id,
            before=participant.status,
            after=status,
            actor=actor,
            reason=reason or competition.slug,
        )
        participant.status = status
        tell_of_decision(session, competition, person, status)
    return participant_record(participant, person)
