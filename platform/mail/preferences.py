"""How people want mail: by kind, and of one competition or of all."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, func, select
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
    values = {"frequency": frequency, "changed": now()}
    session.execute(
        insert(MailPreference)
        .values(person_id=person_id, kind=kind, **values)
        .on_conflict_do_update(index_elements=["person_id", "kind"], set_=values)
    )


def stop(session: Session, subscription: Subscription) -> None:
    """Send no more of what somebody has got. Saying it again changes nothing; one who is gone gets nothing anyway."""
    if session.get(Person, subscription.person_id) is None:
        return
    if subscription.competition_id is None:
        set_frequency(session, subscription.person_id, subscription.kind, MailFrequency.NONE)
    elif session.get(Competition, subscription.competition_id) is not None:
        session.execute(
            insert(MailOptOut)
            .values(person_id=subscription.person_id, competition_id=subscription.competition_id, created=now())
            .on_conflict_do_nothing()
        )


def allow(session: Session, subscription: Subscription) -> None:
    """Send it again."""
    if subscription.competition_id is None:
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
