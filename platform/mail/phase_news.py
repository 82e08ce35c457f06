"""News of phases: that one takes submissions now, or closes soon. Each is told once, also where dates are moved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import CursorResult, Select, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from podium.platform.lifecycle import ParticipantStatus
from podium.platform.mail.news import NewsRules, news_rules, tell
from podium.platform.mail.queueing import Addressed
from podium.platform.mail.template_files import TemplateName
from podium.platform.models import Competition, MailKind, Participant, Phase

_LATE = timedelta(days=1)
"""That a phase has opened is no news after this, as where the platform was away, or a bundle has old dates."""
_SHORTEST_LEAD = timedelta(minutes=30)
"""Who was told later than this before the end could hardly do anything."""
_NO_END = "not before the organizers say so"


class Window(NamedTuple):
    """When a phase takes submissions: its own dates, within those of its competition."""

    opens: datetime
    closes: datetime | None


def window_of(
    starts: datetime, ends: datetime | None, competition_starts: datetime | None, competition_ends: datetime | None
) -> Window:
    """When a phase takes submissions."""
    closes = min((one for one in (ends, competition_ends) if one is not None), default=None)
    return Window(max(starts, competition_starts or starts), closes)


def lead_of(window: Window, asked: timedelta) -> timedelta | None:
    """How long before its end a phase is said to close; at most half of its length. `None` where it isn't said."""
    if window.closes is None:
        return None
    lead = min(asked, (window.closes - window.opens) / 2)
    return lead if lead >= _SHORTEST_LEAD else None


def is_open(window: Window, moment: datetime) -> bool:
    """Whether it takes submissions."""
    return window.opens <= moment and (window.closes is None or moment < window.closes)


def opening_is_news(window: Window, moment: datetime) -> bool:
    """Whether that it is open is worth a message."""
    return is_open(window, moment) and moment - window.opens <= _LATE


def closing_is_news(window: Window, asked: timedelta, told: datetime | None, moment: datetime) -> bool:
    """Whether that it closes soon is to be told now.

    Who was told of an end is told again where it comes sooner: they would be late. Where it was put off, they aren't,
    unless that was for so long that it no longer closes soon: then they are told anew in time (`closing_is_open`).
    """
    lead = lead_of(window, asked)
    if lead is None or window.closes is None or not is_open(window, moment):
        return False
    return window.closes - lead <= moment and (told is None or window.closes < told)


def closing_is_open(window: Window, asked: timedelta, moment: datetime) -> bool:
    """Whether it does not close soon any more, so that it is told again when it does."""
    lead = lead_of(window, asked)
    return lead is None or window.closes is None or moment < window.closes - lead


def tell_of_phases(session: Session, moment: datetime) -> int:
    """Tell participants of phases that have opened or close soon; return how many messages these are.

    Safe to do twice at once. Without mail what has opened is remembered too: it is no news later.
    """
    rules = news_rules(session) or NewsRules()
    told = 0
    for phase in session.scalars(_in_question(moment, rules)).all():
        competition = phase.competition
        window = window_of(phase.starts, phase.ends, competition.starts, competition.ends)
        if phase.opening_told is None and phase.paused is None and is_open(window, moment):
            news = opening_is_news(window, moment)
            if _mark(session, phase.id, Phase.opening_told, None, window.opens) and news:
                told += _tell_all(session, phase, window, TemplateName.PHASE_OPENS)
        if closing_is_news(window, rules.closing, phase.closing_told, moment):
            if _mark(session, phase.id, Phase.closing_told, phase.closing_told, window.closes):
                told += _tell_all(session, phase, window, TemplateName.PHASE_CLOSES)
        elif phase.closing_told is not None and closing_is_open(window, rules.closing, moment):
            _mark(session, phase.id, Phase.closing_told, phase.closing_told, None)
    return told


def _in_question(moment: datetime, rules: NewsRules) -> Select[tuple[Phase]]:
    """Phases that take submissions, and of which something may be to be told."""
    closes = func.least(Phase.ends, Competition.ends)
    has_begun = (Phase.starts <= moment) & or_(closes.is_(None), closes > moment)
    return (
        select(Phase)
        .join(Competition, Competition.id == Phase.competition_id)
        .where(
            Competition.published,
            has_begun,
            or_(
                Phase.opening_told.is_(None),
                (closes <= moment + rules.closing) & or_(Phase.closing_told.is_(None), closes < Phase.closing_told),
                (Phase.closing_told.is_not(None) & closes.is_distinct_from(Phase.closing_told)),
            ),
        )
        .options(joinedload(Phase.competition))
        .order_by(Phase.id)
    )


def _mark(
    session: Session,
    phase_id: UUID,
    column: InstrumentedAttribute[datetime | None],
    before: datetime | None,
    after: datetime | None,
) -> bool:
    """Remember what was told; tell whether it was not before: of several that tell the same at once, one does."""
    result = session.execute(
        update(Phase)
        .where(Phase.id == phase_id, column.is_not_distinct_from(before))
        .values({column: after})
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def _tell_all(session: Session, phase: Phase, window: Window, template: TemplateName) -> int:
    closes = f"{window.closes:%Y-%m-%d %H:%M} UTC" if window.closes is not None else _NO_END
    date = window.closes if template is TemplateName.PHASE_CLOSES else window.opens
    key = f"{template}:{phase.id}:{date.isoformat() if date else ''}"
    filled_in = {"phase": phase.name, "closes": closes}
    addressed = [
        Addressed(one, key, phase.competition_id, filled_in) for one in _participants(session, phase.competition_id)
    ]
    return tell(session, MailKind.PHASE, template, addressed, until=window.closes)


def _participants(session: Session, competition_id: UUID) -> Sequence[UUID]:
    if news_rules(session) is None:
        return ()
    return session.scalars(
        select(Participant.person_id)
        .where(Participant.competition_id == competition_id, Participant.status == ParticipantStatus.APPROVED)
        .order_by(Participant.person_id)
    ).all()
