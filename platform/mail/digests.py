"""Digests: once a day, what somebody wants daily becomes one message. It may be killed at any point, and done again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, case, select, text, update
from sqlalchemy.orm import Session

from podium.platform.lifecycle import MailStatus
from podium.platform.mail.eligibility import why_not
from podium.platform.mail.news import next_digest
from podium.platform.mail.queueing import Addressed, queue_from_template
from podium.platform.mail.template_files import TemplateName
from podium.platform.models import MailKind, OutboxMessage, Person, now

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('podium-mail-digest'))"
_AT_ONCE = 500
"""People whose digests one transaction makes."""


def gather(session: Session, hour: int, *, most: int = _AT_ONCE) -> int:
    """Make the digests of some people whose news are due; return how many people these are, 0 when all are seen to.

    A piece of news and the digest that it is in change together: it is in one, and in no other. Whoever has had a
    digest today gets what comes late with tomorrow's.

    Args:
        hour: At which they are sent.
        most: People at a time.
    """
    # Two at once would make two digests of what is one person's.
    session.execute(text(_LOCK))
    moment = now()
    people = session.scalars(
        select(OutboxMessage.person_id).where(*_due(moment)).group_by(OutboxMessage.person_id).limit(most)
    ).all()
    if not people:
        return 0
    wanted = _still_wanted(session, people, moment)
    digests = _digests(session, wanted, moment)
    gathered = [(one, digest_id) for person_id, digest_id in digests.items() for one in wanted[person_id]]
    told = {"ids": [one for one, _ in gathered], "digests": [digest_id for _, digest_id in gathered]}
    session.execute(_GATHER, {**told, "moment": moment})
    late = [one for person_id, ids in wanted.items() if person_id not in digests for one in ids]
    _change(session, late, due=next_digest(moment, hour))
    return len(people)


_GATHER = text(
    "UPDATE mail_outbox AS mail SET status = 'gathered', digest_id = told.digest, ended = :moment"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:digests AS uuid[])) AS told(id, digest)"
    " WHERE mail.id = told.id AND mail.status = 'queued'"
)


def _due(moment: datetime) -> tuple[ColumnElement[bool], ...]:
    row = OutboxMessage
    return row.for_digest.is_(True), row.status == MailStatus.QUEUED, row.due <= moment


def _still_wanted(session: Session, people: Sequence[UUID], moment: datetime) -> dict[UUID, list[UUID]]:
    """The news of some people, by person; what they must not get any more is ended."""
    of = OutboxMessage.competition_id
    reason = case(*((OutboxMessage.kind == kind, why_not(kind, of)) for kind in MailKind), else_=None)
    rows: Sequence[Row[Any]] = session.execute(
        select(OutboxMessage.id, OutboxMessage.person_id, reason.label("reason"))
        .join(Person, Person.id == OutboxMessage.person_id)
        .where(*_due(moment), OutboxMessage.person_id.in_(people))
        .order_by(OutboxMessage.id)
        .with_for_update(of=OutboxMessage)
    ).all()
    wanted: dict[UUID, list[UUID]] = {}
    for row in rows:
        if row.reason is None:
            wanted.setdefault(row.person_id, []).append(row.id)
    for why in {row.reason for row in rows if row.reason is not None}:
        unwanted = [row.id for row in rows if row.reason == why]
        _change(session, unwanted, status=MailStatus.SUPPRESSED, reply=why, ended=moment)
    return wanted


def _digests(session: Session, people: dict[UUID, list[UUID]], moment: datetime) -> dict[UUID, UUID]:
    """A digest for each of them who has had none today, by person."""
    day = moment.date().isoformat()
    had = select(OutboxMessage.person_id).where(
        OutboxMessage.kind == MailKind.DIGEST, OutboxMessage.key == day, OutboxMessage.person_id.in_(people)
    )
    without = people.keys() - set(session.scalars(had))
    addressed = [Addressed(one, key=day, filled_in={"day": day}) for one in sorted(without)]
    queue_from_template(session, MailKind.DIGEST, TemplateName.DIGEST, addressed)
    made = select(OutboxMessage.person_id, OutboxMessage.id).where(
        OutboxMessage.kind == MailKind.DIGEST, OutboxMessage.key == day, OutboxMessage.person_id.in_(without)
    )
    return {row[0]: row[1] for row in session.execute(made)}


def _change(session: Session, ids: Sequence[UUID], **values: object) -> None:
    if ids:
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id.in_(ids), OutboxMessage.status == MailStatus.QUEUED)
            .values(**values)
            .execution_options(synchronize_session=False)
        )
