"""How people want mail: by kind, and of one competition or of all."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from podium.platform.errors import InvalidInput
from podium.platform.mail.links import Subscription
from podium.platform.models import (
    Competition,
    MailFrequency,
    MailKind,
    MailOptOut,
    MailPreference,
    MailSuppression,
    Person,
    now,
)
from podium.platform.records.mail import MailPreferences

CHOOSABLE = (
    MailKind.ANNOUNCEMENT,
    MailKind.SUBMISSION,
    MailKind.REGISTRATION,
    MailKind.PHASE,
    MailKind.RANK,
    MailKind.AGENT,
)
"""What people choose for; the rest they asked for."""


def preferences_of(session: Session, person_id: UUID) -> MailPreferences:
    """How somebody wants mail, and whether any reaches them."""
    person = session.get_one(Person, person_id)
    chosen = {
        row.kind: row.frequency
        for row in session.scalars(select(MailPreference).where(MailPreference.person_id == person_id))
    }
    stopped = session.scalars(
        select(Competition.slug)
        .join(MailOptOut, MailOptOut.competition_id == Competition.id)
        .where(MailOptOut.person_id == person_id)
        .order_by(Competition.slug)
    ).all()
    trouble = _trouble(session, person)
    return MailPreferences(
        address=person.email,
        reachable=not trouble,
        trouble=trouble,
        frequencies={str(kind): str(chosen.get(kind, MailFrequency.AT_ONCE)) for kind in CHOOSABLE},
        stopped=tuple(stopped),
    )


def _trouble(session: Session, person: Person) -> str:
    if person.email_confirmed is None:
        return "It is not known whether this address is yours. Say so: `podium mail confirm`."
    found = session.scalar(select(MailSuppression).where(MailSuppression.address == func.lower(person.email)))
    return "" if found is None else "Mail to this address has come back. Ask the platform's operators."


def set_frequency(session: Session, person_id: UUID, kind: MailKind, frequency: MailFrequency) -> None:
    """Choose how somebody gets mail of a kind.

    Raises:
        InvalidInput: There is nothing to choose for this kind, or announcements daily.
    """
    if kind not in CHOOSABLE:
        names = ", ".join(CHOOSABLE)
        raise InvalidInput(f"There is nothing to choose for '{kind}'.", remedy=f"Choose for one of {names}.")
    if kind is MailKind.ANNOUNCEMENT and frequency is MailFrequency.DAILY:
        raise InvalidInput("What organizers announce comes at once, or not at all.")
    if frequency is MailFrequency.DAILY:
        # Whoever had stopped their digest wants one again, of this.
        session.execute(delete(MailPreference).where(*_row(person_id, MailKind.DIGEST)))
    _set(session, person_id, kind, frequency, now())


def _set(session: Session, person_id: UUID, kind: MailKind, frequency: MailFrequency, moment: datetime) -> None:
    values = {"frequency": frequency, "changed": moment}
    session.execute(
        insert(MailPreference)
        .values(person_id=person_id, kind=kind, **values)
        .on_conflict_do_update(index_elements=["person_id", "kind"], set_=values)
    )


def _row(person_id: UUID, kind: MailKind) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return MailPreference.person_id == person_id, MailPreference.kind == kind


def _stop_digest(session: Session, person_id: UUID) -> None:
    """Have nothing daily any more; what was is known by the moment of it."""
    moment = now()
    _change_all(session, person_id, MailFrequency.DAILY, MailFrequency.NONE, moment)
    _set(session, person_id, MailKind.DIGEST, MailFrequency.NONE, moment)


def _allow_digest(session: Session, person_id: UUID) -> None:
    """Have again daily what was daily until the digest was stopped."""
    stopped = session.get(MailPreference, (person_id, MailKind.DIGEST), populate_existing=True)
    if stopped is not None and stopped.frequency is MailFrequency.NONE:
        _change_all(session, person_id, MailFrequency.NONE, MailFrequency.DAILY, now(), since=stopped.changed)
        session.execute(delete(MailPreference).where(*_row(person_id, MailKind.DIGEST)))


def _change_all(
    session: Session,
    person_id: UUID,
    before: MailFrequency,
    after: MailFrequency,
    moment: datetime,
    *,
    since: datetime | None = None,
) -> None:
    statement = update(MailPreference).where(
        MailPreference.person_id == person_id,
        MailPreference.kind.in_(CHOOSABLE),
        MailPreference.frequency == before,
    )
    if since is not None:
        statement = statement.where(MailPreference.changed == since)
    session.execute(statement.values(frequency=after, changed=moment).execution_options(synchronize_session=False))


def stop(session: Session, subscription: Subscription) -> None:
    """Send no more of what somebody has got. Saying it again changes nothing; one who is gone gets nothing anyway."""
    if session.get(Person, subscription.person_id) is None:
        return
    if subscription.kind is MailKind.DIGEST:
        if not is_stopped(session, subscription):
            _stop_digest(session, subscription.person_id)
    elif subscription.competition_id is None:
        set_frequency(session, subscription.person_id, subscription.kind, MailFrequency.NONE)
    elif session.get(Competition, subscription.competition_id) is not None:
        session.execute(
            insert(MailOptOut)
            .values(person_id=subscription.person_id, competition_id=subscription.competition_id, created=now())
            .on_conflict_do_nothing()
        )


def allow(session: Session, subscription: Subscription) -> None:
    """Send it again."""
    if subscription.kind is MailKind.DIGEST:
        _allow_digest(session, subscription.person_id)
    elif subscription.competition_id is None:
        if session.get(Person, subscription.person_id) is not None:
            set_frequency(session, subscription.person_id, subscription.kind, MailFrequency.AT_ONCE)
    else:
        session.execute(
            delete(MailOptOut).where(
                MailOptOut.person_id == subscription.person_id,
                MailOptOut.competition_id == subscription.competition_id,
            )
        )


def is_stopped(session: Session, subscription: Subscription) -> bool:
    """Whether somebody gets no more of it."""
    if subscription.competition_id is not None:
        key = (subscription.competition_id, subscription.person_id)
        return session.get(MailOptOut, key, populate_existing=True) is not None
    found = session.get(MailPreference, (subscription.person_id, subscription.kind), populate_existing=True)
    return found is not None and found.frequency is MailFrequency.NONE
