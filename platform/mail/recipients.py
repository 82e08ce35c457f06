"""Who gets a campaign: its question answered, and who of them must not get any mail, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, text
from sqlalchemy.orm import Session, aliased

from podium.platform.errors import NotFound
from podium.platform.identifiers import new_id
from podium.platform.leaderboard.reading import Reader, shown_board
from podium.platform.lifecycle import ParticipantStatus, SubmissionStatus
from podium.platform.mail.addresses import mail_address
from podium.platform.mail.audience import Audience, Who, require_question
from podium.platform.mail.eligibility import why_not
from podium.platform.models import (
    Collaborator,
    Competition,
    MailCampaign,
    MailKind,
    Participant,
    Person,
    Phase,
    Submission,
    TeamMember,
    now,
)
from podium.platform.submissions.windows import choose_phase

_AT_ONCE = 5000
"""Rows that are read and written at once, however many people there are."""
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Count:
    """How many people a campaign would go to, and how many are left out, by reason."""

    total: int
    left_out: dict[str, int]


def chosen_people(session: Session, competition: Competition, audience: Audience) -> Select[tuple[UUID]]:
    """The question as a query: the ids of people, also of those who must not get any mail.

    Raises:
        InvalidInput: The question makes no sense.
        NotFound: There is no such phase, or somebody who is named does not take part; all of them are named.
    """
    require_question(audience)
    if audience.who is Who.PEOPLE:
        return _named(session, competition, audience.usernames)
    if audience.who is Who.ORGANIZERS:
        return select(Person.id).where(_organizes(competition))
    query = (
        select(Person.id)
        .join(Participant, and_(Participant.person_id == Person.id, Participant.competition_id == competition.id))
        .where(Participant.status != ParticipantStatus.DENIED)
    )
    if audience.status is not None:
        query = query.where(Participant.status == audience.status)
    phase = choose_phase(competition, audience.phase, now()) if audience.phase is not None else None
    for condition in _about_submissions(competition, audience, phase):
        query = query.where(condition)
    if audience.top is not None:
        first = first_ranks(session, competition, phase or choose_phase(competition, None, now()), audience.top)
        query = query.where(Person.id.in_(first))
    return query


def _organizes(competition: Competition) -> ColumnElement[bool]:
    shared = select(Collaborator.person_id).where(Collaborator.competition_id == competition.id)
    return or_(Person.id == competition.organizer_id, Person.id.in_(shared))


def _named(session: Session, competition: Competition, usernames: tuple[str, ...]) -> Select[tuple[UUID]]:
    wanted = {name.casefold(): name for name in usernames}
    takes_part = exists().where(
        Participant.competition_id == competition.id,
        Participant.person_id == Person.id,
        Participant.status != ParticipantStatus.DENIED,
    )
    query = select(Person.id).where(func.lower(Person.username).in_(wanted), or_(takes_part, _organizes(competition)))
    found = session.scalars(select(Person.username).where(Person.id.in_(query))).all()
    if missing := sorted(set(wanted) - {name.casefold() for name in found}):
        named = ", ".join(f"'{wanted[name]}'" for name in missing[:20])
        raise NotFound(f"Nobody takes part in '{competition.slug}' who is named {named}.")
    return query


def somebody_of(session: Session, competition: Competition, username: str) -> Person | None:
    """Who takes part in a competition, or organizes it, under this name."""
    takes_part = exists().where(Participant.competition_id == competition.id, Participant.person_id == Person.id)
    return session.scalar(
        select(Person).where(func.lower(Person.username) == username.lower(), or_(takes_part, _organizes(competition)))
    )


def first_of(session: Session, competition: Competition) -> Person | None:
    """The participant who has joined first."""
    return session.scalar(
        select(Person)
        .join(Participant, Participant.person_id == Person.id)
        .where(Participant.competition_id == competition.id, Participant.status == ParticipantStatus.APPROVED)
        .order_by(Participant.created)
        .limit(1)
    )


def _about_submissions(
    competition: Competition, audience: Audience, phase: Phase | None
) -> Iterator[ColumnElement[bool]]:
    entries: list[ColumnElement[bool]] = [
        Submission.competition_id == competition.id,
        Submission.person_id == Person.id,
        Submission.rerun_id.is_(None),
        Submission.status != SubmissionStatus.SUBMITTED,
    ]
    if phase is not None:
        entries.append(Submission.phase_id == phase.id)
    if audience.failed:
        latest = select(Submission.status).where(*entries).order_by(Submission.number.desc()).limit(1).scalar_subquery()
        yield latest == SubmissionStatus.FAILED
    elif audience.submitted is False:
        yield ~exists().where(*entries)
    elif audience.submitted or (phase is not None and audience.top is None):
        yield exists().where(*entries)


def first_ranks(session: Session, competition: Competition, phase: Phase, most: int) -> list[UUID]:
    """The people at the first ranks of a phase's board, as organizers see it; those of teams are their members."""
    view = shown_board(session, competition, phase, Reader(for_organizer=True)).view(session)
    entrants: list[UUID] = []
    for offset in range(0, view.total, _PAGE):
        places = view.page(_PAGE, offset)
        entrants += [one.entrant_id for one in places if one.rank is not None and one.rank <= most]
        if any(one.rank is not None and one.rank > most for one in places):
            break
    member = aliased(TeamMember)
    members = session.scalars(
        select(member.person_id).where(member.competition_id == competition.id, member.team_id.in_(entrants))
    )
    return [*entrants, *members]


def count_recipients(session: Session, competition: Competition, audience: Audience) -> Count:
    """How many people there are, now; nothing is fixed.

    Raises:
        InvalidInput, NotFound: As for `chosen_people`.
    """
    chosen = chosen_people(session, competition, audience).subquery()
    reason = why_not(MailKind.ANNOUNCEMENT, competition.id).label("reason")
    told = select(reason).where(Person.id.in_(select(chosen.c.id))).subquery()
    rows = session.execute(select(told.c.reason, func.count()).group_by(told.c.reason)).all()
    counts = {row[0]: row[1] for row in rows}
    total = counts.pop(None, 0)
    return Count(total, {str(name): number for name, number in sorted(counts.items())})


def freeze(session: Session, campaign: MailCampaign) -> Count:
    """Give each recipient a row in the outbox. From now on nobody is added, whoever joins or submits.

    Raises:
        InvalidInput, NotFound: As for `chosen_people`.
    """
    competition, audience = campaign.competition, Audience.of(campaign.audience)
    count = count_recipients(session, competition, audience)
    chosen = chosen_people(session, competition, audience).subquery()
    wanted = (
        select(Person.id, Person.email)
        .where(Person.id.in_(select(chosen.c.id)), why_not(MailKind.ANNOUNCEMENT, competition.id).is_(None))
        .order_by(Person.id)
    )
    last: UUID | None = None
    total = 0
    while found := session.execute((wanted if last is None else wanted.where(Person.id > last)).limit(_AT_ONCE)).all():
        rows = [(new_id(), person_id, _domain(address)) for person_id, address in found]
        told = {"campaign": campaign.id, "competition": campaign.competition_id, "moment": now()}
        ids, people, domains = zip(*rows, strict=True)
        session.execute(_FREEZE, {**told, "ids": list(ids), "people": list(people), "domains": list(domains)})
        last = found[-1][0]
        total += len(found)
    return Count(total, count.left_out)


_FREEZE = text(
    "INSERT INTO mail_outbox (id, created, kind, campaign_id, competition_id, person_id, filled_in, status, address,"
    " domain, attempts, due, reply, for_digest) SELECT id, :moment, 'announcement', :campaign, :competition, person_id,"
    " '{}', 'queued', '', domain, 0, :moment, '', false FROM unnest(CAST(:ids AS uuid[]), CAST(:people AS uuid[]),"
    " CAST(:domains AS text[])) AS chosen(id, person_id, domain)"
)


def _domain(email: str) -> str:
    address = mail_address(email)
    return address.domain if address is not None else ""
