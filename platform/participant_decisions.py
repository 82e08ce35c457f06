"""Participants as organizers look through them, and decide about several at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session

from podium.platform import audit
from podium.platform.lifecycle import ParticipantStatus, SubmissionStatus
from podium.platform.models import Competition, Participant, Person, Submission, TermsAcceptance
from podium.platform.participants import set_participant_status
from podium.platform.records.organizing import BulkRecord, Outcome, ParticipantLine, ParticipantPage

_FIRST = case(
    (Participant.status == ParticipantStatus.PENDING, 0), (Participant.status == ParticipantStatus.APPROVED, 1), else_=2
)
_MEANING = {
    ParticipantStatus.APPROVED: "may submit",
    ParticipantStatus.DENIED: "may not take part",
    ParticipantStatus.PENDING: "may submit no more until approved again; what was submitted stays",
}


@dataclass(frozen=True, slots=True)
class Search:
    """Whom to show; what is empty leaves nobody out. `words` stand in the username, the name or the address."""

    words: str = ""
    status: ParticipantStatus | None = None


def list_page(
    session: Session, competition: Competition, search: Search, *, limit: int, offset: int
) -> ParticipantPage:
    """A page of them: those who wait for a decision first, then by when they joined."""
    conditions = list(_conditions(competition, search))
    joined = select(Participant, Person).join(Person, Person.id == Participant.person_id).where(*conditions)
    total = session.scalar(
        select(func.count())
        .select_from(Participant)
        .join(Person, Person.id == Participant.person_id)
        .where(*conditions)
    )
    rows = session.execute(
        joined.order_by(_FIRST, Participant.created, Person.username).limit(limit).offset(offset)
    ).all()
    by_status = session.execute(
        select(Participant.status, func.count())
        .where(Participant.competition_id == competition.id)
        .group_by(Participant.status)
    )
    return ParticipantPage(
        total=total or 0,
        by_status={str(row[0]): row[1] for row in by_status},
        rows=tuple(_lines(session, competition, [(row[0], row[1]) for row in rows])),
    )


def decide(
    session: Session,
    competition: Competition,
    usernames: Sequence[str],
    status: ParticipantStatus,
    *,
    reason: str,
    actor: str,
) -> BulkRecord:
    """Approve or deny several, or take an approval back; each is answered for by itself."""
    wanted = {name.casefold(): name for name in usernames}
    found = {
        row[0].username.casefold(): (row[0], row[1])
        for row in session.execute(
            select(Person, Participant.status)
            .join(Participant, Participant.person_id == Person.id)
            .where(Participant.competition_id == competition.id, func.lower(Person.username).in_(wanted))
            .order_by(Person.id)
        )
    }
    outcomes = [Outcome(name, done=False, message="has not joined") for key, name in wanted.items() if key not in found]
    changed = []
    for person, before in found.values():
        if before is status:
            outcomes.append(Outcome(person.username, done=False, message=f"is {status} already"))
            continue
        set_participant_status(session, competition, person, status, actor=actor, reason=reason)
        changed.append(person.username)
        outcomes.append(Outcome(person.username, done=True, message=_MEANING[status]))
    if changed:
        audit.note(session, "participants", after=f"{status}: {', '.join(sorted(changed))}", reason=reason)
    return BulkRecord(status, is_preview=False, outcomes=tuple(sorted(outcomes, key=lambda one: one.name)))


def _conditions(competition: Competition, search: Search) -> Iterator[ColumnElement[bool]]:
    yield Participant.competition_id == competition.id
    if search.status is not None:
        yield Participant.status == search.status
    if search.words:
        yield or_(
            *(
                column.icontains(search.words, autoescape=True)
                for column in (Person.username, Person.name, Person.email)
            )
        )


def _lines(
    session: Session, competition: Competition, rows: Sequence[tuple[Participant, Person]]
) -> Iterator[ParticipantLine]:
    ids = [person.id for _, person in rows]
    counts = {
        row[0]: row
        for row in session.execute(
            select(
                Submission.person_id,
                func.count(),
                func.count().filter(Submission.status == SubmissionStatus.FINISHED),
                func.count().filter(Submission.status == SubmissionStatus.FAILED),
                func.max(Submission.created),
                func.count().filter(Submission.on_leaderboard),
            )
            .where(
                Submission.competition_id == competition.id,
                Submission.rerun_id.is_(None),
                Submission.person_id.in_(ids),
            )
            .group_by(Submission.person_id)
        )
    }
    accepted = set(
        session.scalars(
            select(TermsAcceptance.person_id).where(
                TermsAcceptance.competition_id == competition.id,
                TermsAcceptance.terms_sha256 == competition.terms_sha256,
                TermsAcceptance.person_id.in_(ids),
            )
        )
    )
    for participant, person in rows:
        count = counts.get(person.id)
        yield ParticipantLine(
            username=person.username,
            name=person.name,
            status=participant.status,
            joined=participant.created,
            terms_accepted=person.id in accepted,
            submissions=count[1] if count else 0,
            finished=count[2] if count else 0,
            failed=count[3] if count else 0,
            latest=count[4] if count else None,
            on_leaderboard=count[5] if count else 0,
        )
