"""Who must not get mail of a kind, and why."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, case, exists, func, literal
from sqlalchemy.orm import InstrumentedAttribute

from podium.platform.lifecycle import ParticipantStatus
from podium.platform.models import (
    MailFrequency,
    MailKind,
    MailOptOut,
    MailPreference,
    MailSuppression,
    Participant,
    Person,
)

TO_EVERYONE = frozenset({MailKind.ANNOUNCEMENT, MailKind.PHASE})
"""What all of a competition get: they may stop it for one competition."""
TO_PARTICIPANTS = TO_EVERYONE | {MailKind.SUBMISSION, MailKind.RANK}
"""What nobody gets who may not take part any more."""


class Reason(StrEnum):
    """Why somebody gets nothing."""

    UNCONFIRMED = "unconfirmed"
    RETURNED = "returned"  # mail to them came back, or they complained
    OPTED_OUT = "opted out"
    DENIED = "denied"  # may not take part any more


def why_not(
    kind: MailKind, competition_id: UUID | ColumnElement[UUID | None] | InstrumentedAttribute[UUID | None] | None
) -> ColumnElement[str | None]:
    """Why a `Person` gets no mail of a kind; null where they do.

    Args:
        competition_id: What it is about; `None` for no competition.
    """
    returned = exists().where(MailSuppression.address == func.lower(Person.email))
    unwanted = exists().where(
        MailPreference.person_id == Person.id,
        MailPreference.kind == kind,
        MailPreference.frequency == MailFrequency.NONE,
    )
    reasons: list[tuple[ColumnElement[bool], ColumnElement[str]]] = [
        (returned, literal(Reason.RETURNED.value)),
        (unwanted, literal(Reason.OPTED_OUT.value)),
    ]
    if kind is not MailKind.CONFIRMATION:  # which asks just that
        reasons.insert(0, (Person.email_confirmed.is_(None), literal(Reason.UNCONFIRMED.value)))
    if competition_id is not None and kind in TO_EVERYONE:
        opted_out = exists().where(MailOptOut.competition_id == competition_id, MailOptOut.person_id == Person.id)
        reasons.append((opted_out, literal(Reason.OPTED_OUT.value)))
    if competition_id is not None and kind in TO_PARTICIPANTS:
        denied = exists().where(
            Participant.competition_id == competition_id,
            Participant.person_id == Person.id,
            Participant.status == ParticipantStatus.DENIED,
        )
        reasons.append((denied, literal(Reason.DENIED.value)))
    return case(*reasons, else_=None)
