"""News: what Podium tells people by itself, queued in the transaction of whatever it is about.

Who tells of something says so to the session that changes it: `tell` adds the messages to that transaction, or nothing
where no mail can be sent. What may be told, and to whom, are pure rules of the modules of each kind.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from podium.platform.database import Database
from podium.platform.mail.configuration import mail_trouble
from podium.platform.mail.queueing import Addressed, queue_from_template
from podium.platform.mail.template_files import TemplateName
from podium.platform.models import MailKind, now
from podium.platform.settings import ServerSettings

logger = logging.getLogger(__name__)
_RULES = "news"


@dataclass(frozen=True, slots=True)
class NewsRules:
    """When people are told, as the operator has set it.

    Attributes:
        digest_hour: At which hour, UTC, the day's digests are sent.
        closing: How long before its end a phase is said to close.
        agent_lost: How long an agent is not heard of before it is said to be lost.
    """

    digest_hour: int = 7
    closing: timedelta = timedelta(hours=24)
    agent_lost: timedelta = timedelta(minutes=10)


def tell_people(database: Database, settings: ServerSettings) -> None:
    """Have the sessions of a database queue news, where mail can be sent."""
    if not settings.mail_host:
        return
    if trouble := mail_trouble(settings):
        logger.warning("nobody is told of anything by mail: %s", trouble)
        return
    rules = NewsRules(
        digest_hour=settings.mail_digest_hour,
        closing=timedelta(hours=settings.mail_closing_hours),
        agent_lost=timedelta(minutes=settings.mail_agent_lost_minutes),
    )
    set_news_rules(database, rules)


def set_news_rules(database: Database, rules: NewsRules | None) -> None:
    """Have the sessions of a database queue news by these rules; none without any."""
    database.keep_in_sessions(_RULES, rules)


def news_rules(session: Session) -> NewsRules | None:
    """When people are told; `None` where nobody is told of anything."""
    rules = session.info.get(_RULES)
    return rules if isinstance(rules, NewsRules) else None


def next_digest(moment: datetime, hour: int) -> datetime:
    """When the next digest is sent: the first time, after this moment, that it is this hour."""
    today = moment.replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today > moment else today + timedelta(days=1)


def tell(
    session: Session,
    kind: MailKind,
    template: TemplateName,
    addressed: Sequence[Addressed],
    *,
    until: datetime | None = None,
) -> int:
    """Queue news in the caller's transaction; return how many messages these are.

    Args:
        until: What is told is over then: a digest that comes later would be too late, so all get it at once.
    """
    rules = news_rules(session)
    if rules is None or not addressed:
        return 0
    digest = next_digest(now(), rules.digest_hour)
    is_late = until is not None and digest >= until
    return queue_from_template(session, kind, template, addressed, digest=None if is_late else digest)
