"""How much mail may go out now, of all senders together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from podium.platform.lifecycle import WAITING_MAIL
from podium.platform.mail.pace import Allowance, left_by, window
from podium.platform.mail.queues import URGENT_KINDS, of_queue
from podium.platform.models import OutboxMessage

_PACE_LOCK = "SELECT pg_advisory_xact_lock(hashtext('podium-mail-pace'))"


@dataclass(frozen=True, slots=True)
class Rates:
    """Messages a minute, of all senders together; `None` without a limit."""

    per_minute: int | None = None
    domain_per_minute: int | None = None


def allowance_now(session: Session, campaign_id: UUID | None, rates: Rates, moment: datetime) -> Allowance:
    """What may go out now. Senders take turns to ask, so that they do not both take the same.

    A campaign gets what urgent messages leave: somebody waits for these, and a campaign may take hours.

    Args:
        campaign_id: For which; `None` for messages outside of campaigns.
    """
    if rates == Rates():
        return Allowance()
    session.execute(text(_PACE_LOCK))
    total = None
    if rates.per_minute is not None:
        most = window(rates.per_minute)
        gone = session.scalar(select(func.count()).where(OutboxMessage.claimed > moment - _seconds(most.seconds)))
        total = max(0, most.count - (gone or 0))
    allowance = Allowance(total)
    if rates.domain_per_minute is not None:
        most = window(rates.domain_per_minute)
        used = session.execute(
            select(OutboxMessage.domain, func.count())
            .where(OutboxMessage.claimed > moment - _seconds(most.seconds))
            .group_by(OutboxMessage.domain)
        )
        allowance = Allowance(total, most.count, {row[0]: row[1] for row in used})
    return allowance if campaign_id is None else left_by(_urgent(session, moment), allowance)


def _urgent(session: Session, moment: datetime) -> dict[str, int]:
    waiting = (of_queue(None), OutboxMessage.status.in_(WAITING_MAIL), OutboxMessage.due <= moment)
    query = select(OutboxMessage.domain, func.count()).where(*waiting, OutboxMessage.kind.in_(URGENT_KINDS))
    return {row[0]: row[1] for row in session.execute(query.group_by(OutboxMessage.domain))}


def _seconds(number: float) -> timedelta:
    return timedelta(seconds=number)
