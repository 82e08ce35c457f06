"""The outbox: each message to each person is a row, which one sender at a time has.

Rows are claimed for a sender, marked before the mail server gets the message, and settled with its answer. Each of
these is one conditional UPDATE that names the sender: whoever was taken for dead, and wakes up, finds that its rows are
no longer its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from podium.platform.identifiers import new_id
from podium.platform.lifecycle import WAITING_MAIL, CampaignStatus, MailStatus
from podium.platform.mail.addresses import MailAddress, mail_address
from podium.platform.mail.allowances import Rates, allowance_now
from podium.platform.mail.eligibility import why_not
from podium.platform.mail.filling import Recipient
from podium.platform.mail.pace import Allowance, Waiting, admitted
from podium.platform.mail.queues import in_order, of_queue
from podium.platform.mail.variables import Variable
from podium.platform.mail.verdicts import settled
from podium.platform.mail.wording import wording
from podium.platform.models import MailCampaign, MailKind, OutboxMessage, Person, now

_GONE = "The sender ended before the mail server's answer was known."


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this sender has, and nobody else.

    Attributes:
        attempts: How often it was tried before.
        subject: `None` where its campaign or its template says it.
        body: Markdown; `None` where its campaign or its template says it.
    """

    id: UUID
    kind: MailKind
    competition_id: UUID | None
    recipient: Recipient
    to: MailAddress
    attempts: int
    subject: str | None
    body: str | None
    filled_in: Mapping[str, str]
    template: str | None = None
    claim_id: UUID | None = None


def queue_message(
    session: Session,
    person_id: UUID,
    kind: MailKind,
    *,
    subject: str,
    body: str,
    filled_in: Mapping[str, str] | None = None,
    competition_id: UUID | None = None,
    key: str | None = None,
    due: datetime | None = None,
) -> bool:
    """Queue one message to one person, in the caller's transaction: if that is rolled back, there is none.

    Args:
        subject: One line.
        body: Markdown, of the platform's own or an organizer's.
        filled_in: What stands in the place of `{{name}}` and such, in both: whatever people wrote belongs here, where
            it never becomes markup. A name that ends in `_link` is one of an address.
        competition_id: What it is about.
        key: There is one message of this kind and key to this person, however often it is queued.
        due: Not before then.

    Returns:
        Whether it is new.

    Raises:
        InvalidInput: It can't be sent like this.
    """
    names = {*(filled_in or {}), "unsubscribe_link"}
    wording(subject, body, variables={name: Variable("", is_link=name.endswith("_link")) for name in names})
    made = session.scalar(
        insert(OutboxMessage)
        .values(
            id=new_id(),
            created=now(),
            kind=kind,
            competition_id=competition_id,
            person_id=person_id,
            key=key,
            subject=subject,
            body=body,
            filled_in=dict(filled_in or {}),
            status=MailStatus.QUEUED,
            address="",
            domain=select(func.lower(func.split_part(Person.email, "@", 2)))
            .where(Person.id == person_id)
            .scalar_subquery(),
            attempts=0,
            due=due or now(),
            reply="",
        )
        .on_conflict_do_nothing()
        .returning(OutboxMessage.id)
    )
    return made is not None


@dataclass(frozen=True, slots=True)
class Taken:
    """What a sender got of a queue.

    Attributes:
        settled: Messages that were found not to be sent any more.
    """

    messages: Sequence[Claimed] = ()
    settled: int = 0


def claim(session: Session, campaign_id: UUID | None, claim_id: UUID, rates: Rates, *, most: int) -> Taken:
    """Take the next messages whose time has come; those that must not be sent any more are settled at once.

    What somebody waits for goes first, and of the pace of all mail a campaign gets what such messages leave.

    Args:
        campaign_id: Whose; `None` for messages outside of campaigns.
        claim_id: Of the sender that takes them.
        most: How many.
    """
    # Whoever pauses it holds its row, and releases what was claimed before; after that, nothing is.
    of_campaign = select(MailCampaign.status).where(MailCampaign.id == campaign_id).with_for_update(read=True)
    if campaign_id is not None and session.scalar(of_campaign) is not CampaignStatus.SENDING:
        return Taken()
    moment = now()
    allowance = allowance_now(session, campaign_id, rates, moment)
    if allowance.total == 0:
        return Taken()
    rows = session.execute(_next(campaign_id, moment, allowance, most)).all()
    waiting, refused = list[Waiting[Claimed]](), dict[str, list[UUID]]()
    for row in rows:
        address = mail_address(row.email)
        if row.reason is not None:
            refused.setdefault(row.reason, []).append(row.id)
        elif address is None:
            _settle_at_once(session, [row.id], MailStatus.FAILED, "There is no such address.")
        else:
            waiting.append(Waiting(_claimed(row, address, claim_id), row.domain))
    for reason, ids in refused.items():
        _settle_at_once(session, ids, MailStatus.SUPPRESSED, reason)
    taken = admitted(waiting, allowance)
    if taken:
        session.execute(
            _CLAIM,
            {
                "ids": [one.id for one in taken],
                "addresses": [str(one.to) for one in taken],
                "claim": claim_id,
                "moment": moment,
            },
        )
    return Taken(taken, len(rows) - len(waiting))


_CLAIM = text(
    "UPDATE mail_outbox AS mail SET status = 'sending', claim_id = :claim, claimed = :moment, address = told.address"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:addresses AS text[])) AS told(id, address) WHERE mail.id = told.id"
)


def _claimed(row: Any, address: MailAddress, claim_id: UUID) -> Claimed:  # noqa: ANN401  # a row of `_next`
    return Claimed(
        id=row.id,
        kind=row.kind,
        competition_id=row.competition_id,
        recipient=Recipient(row.person_id, row.username, row.name, row.email),
        to=address,
        attempts=row.attempts,
        subject=row.subject,
        body=row.body,
        filled_in=row.filled_in,
        template=row.template,
        claim_id=claim_id,
    )


_WANTED = (
    *(OutboxMessage.id, OutboxMessage.kind, OutboxMessage.competition_id, OutboxMessage.person_id),
    *(OutboxMessage.domain, OutboxMessage.attempts, OutboxMessage.subject, OutboxMessage.body),
    *(OutboxMessage.filled_in, OutboxMessage.template, Person.username, Person.name, Person.email),
)


def _next(campaign_id: UUID | None, moment: datetime, allowance: Allowance, most: int) -> Select[Any]:
    limit = most if allowance.total is None else min(most, allowance.total)
    of = OutboxMessage.competition_id
    if campaign_id is not None:
        reason: ColumnElement[str | None] = why_not(MailKind.ANNOUNCEMENT, of)
    else:
        reason = case(*((OutboxMessage.kind == kind, why_not(kind, of)) for kind in MailKind), else_=None)
    query = (
        select(*_WANTED, reason.label("reason"))
        .join(Person, Person.id == OutboxMessage.person_id)
        .where(of_queue(campaign_id), OutboxMessage.status.in_(WAITING_MAIL), OutboxMessage.due <= moment)
        .order_by(*in_order(campaign_id))
        .limit(limit)
        .with_for_update(of=OutboxMessage, skip_locked=True)
    )
    if full := allowance.full_domains:
        query = query.where(OutboxMessage.domain.not_in(full))
    return query


def settle_unsent(session: Session, claimed: Claimed, status: MailStatus, reply: str) -> None:
    """End a message that a sender has, and that is not to be sent after all."""
    session.execute(
        update(OutboxMessage)
        .where(
            OutboxMessage.id == claimed.id,
            OutboxMessage.claim_id == claimed.claim_id,
            OutboxMessage.status == MailStatus.SENDING,
            OutboxMessage.handed.is_(None),
        )
        .values(status=status, reply=reply[:500], ended=now(), claim_id=None)
        .execution_options(synchronize_session=False)
    )


def _settle_at_once(session: Session, ids: Sequence[UUID], status: MailStatus, reply: str) -> None:
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id.in_(ids), OutboxMessage.status.in_(WAITING_MAIL))
        .values(status=status, reply=reply, ended=now())
        .execution_options(synchronize_session=False)
    )


def settle_left(session: Session, campaign_id: UUID | None, *, by: UUID | None = None, but: UUID | None = None) -> int:
    """Settle what senders of a queue have left behind; return how many messages may have arrived, or not.

    There is one sender of a queue at a time, so the others are gone. Should one of them live after all, it finds that
    what it has not handed over is not its own any more.

    Args:
        by: Left by this sender; by any, without it.
        but: Not by this one.
    """
    left = [of_queue(campaign_id), OutboxMessage.status == MailStatus.SENDING]
    if by is not None:
        left.append(OutboxMessage.claim_id == by)
    if but is not None:
        left.append(OutboxMessage.claim_id != but)
    session.execute(
        update(OutboxMessage)
        .where(*left, OutboxMessage.handed.is_(None))
        .values(status=settled(handed=False), claim_id=None)
        .execution_options(synchronize_session=False)
    )
    unsettled = session.execute(
        update(OutboxMessage)
        .where(*left, OutboxMessage.handed.is_not(None))
        .values(status=settled(handed=True), reply=_GONE, attempts=OutboxMessage.attempts + 1)
        .returning(OutboxMessage.id)
        .execution_options(synchronize_session=False)
    ).all()
    return len(unsettled)


def release(session: Session, campaign_id: UUID | None, claim_id: UUID | None = None) -> None:
    """Put what is claimed, and not handed over, back into the queue; of one sender, or of all."""
    conditions = [
        of_queue(campaign_id),
        OutboxMessage.status == MailStatus.SENDING,
        OutboxMessage.handed.is_(None),
    ]
    if claim_id is not None:
        conditions.append(OutboxMessage.claim_id == claim_id)
    session.execute(
        update(OutboxMessage)
        .where(*conditions)
        .values(status=MailStatus.QUEUED, claim_id=None)
        .execution_options(synchronize_session=False)
    )


def cancel_waiting(session: Session, campaign_id: UUID) -> None:
    """Nobody who waits for a message of this campaign gets it any more."""
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.campaign_id == campaign_id, OutboxMessage.status.in_(WAITING_MAIL))
        .values(status=MailStatus.CANCELLED, ended=now())
        .execution_options(synchronize_session=False)
    )


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a queue.

    Attributes:
        due: When the next message is due; `None` where none waits.
        sending: Messages that a sender has.
    """

    due: datetime | None
    sending: int


def what_is_left(session: Session, campaign_id: UUID | None) -> Left:
    """What is left of a queue."""
    due = session.scalar(
        select(OutboxMessage.due)
        .where(of_queue(campaign_id), OutboxMessage.status.in_(WAITING_MAIL))
        .order_by(OutboxMessage.due)
        .limit(1)
    )
    sending = session.scalar(
        select(func.count()).where(of_queue(campaign_id), OutboxMessage.status == MailStatus.SENDING)
    )
    return Left(due, sending or 0)


def counts(session: Session, campaign_id: UUID) -> dict[MailStatus, int]:
    """How many messages of a campaign are in each status."""
    return counts_of(session, [campaign_id])[campaign_id]


def counts_of(session: Session, campaign_ids: Sequence[UUID]) -> dict[UUID, dict[MailStatus, int]]:
    """The same of several campaigns, by one question."""
    found: dict[UUID, dict[MailStatus, int]] = {campaign_id: {} for campaign_id in campaign_ids}
    rows = session.execute(
        select(OutboxMessage.campaign_id, OutboxMessage.status, func.count())
        .where(OutboxMessage.campaign_id.in_(campaign_ids))
        .group_by(OutboxMessage.campaign_id, OutboxMessage.status)
    )
    for campaign_id, status, number in rows:
        found[campaign_id][status] = number
    return found


def matching(words: str) -> ColumnElement[bool]:
    """The condition that somebody's name or address has some words in it."""
    return or_(*(one.icontains(words, autoescape=True) for one in (Person.username, Person.name, Person.email)))
