"""The queues of the outbox: each campaign's, and one of all else, in which what somebody waits for goes first."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import ColumnElement, case

from podium.platform.models import MailKind, OutboxMessage

_AWAITED, _OWN, _COMMON = range(3)
_PLACES: Mapping[MailKind, int] = MappingProxyType(
    {
        MailKind.CONFIRMATION: _AWAITED,
        MailKind.TEST: _AWAITED,
        MailKind.SUBMISSION: _OWN,
        MailKind.REGISTRATION: _OWN,
        MailKind.AGENT: _OWN,
        MailKind.PHASE: _COMMON,
        MailKind.RANK: _COMMON,
        MailKind.DIGEST: _COMMON,
        MailKind.ANNOUNCEMENT: _COMMON,
    }
)
URGENT_KINDS = tuple(kind for kind in MailKind if _PLACES[kind] < _COMMON)
"""What goes before that which is for many, campaigns too, where the pace does not allow all of it."""


def of_queue(campaign_id: UUID | None) -> ColumnElement[bool]:
    """The rows of a campaign; for `None` those outside of campaigns, without what waits for a digest."""
    if campaign_id is None:
        return OutboxMessage.campaign_id.is_(None) & ~OutboxMessage.for_digest
    return OutboxMessage.campaign_id == campaign_id


def in_order(campaign_id: UUID | None) -> tuple[ColumnElement[object], ...]:
    """By what the rows of a queue are sorted: the next one is the first."""
    kinds = case(*((OutboxMessage.kind == kind, place) for kind, place in _PLACES.items()), else_=_COMMON)
    by_kind = () if campaign_id is not None else (kinds,)
    return (*by_kind, OutboxMessage.due, OutboxMessage.id)
