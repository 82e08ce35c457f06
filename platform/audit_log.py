"""The audit log as organizers and administrators read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from podium.platform.models import AuditEntry, Competition
from podium.platform.records.access import AuditRecord


@dataclass(frozen=True, slots=True)
class Filter:
    """Which lines to read; what is not set leaves nothing out.

    Attributes:
        before: Lines older than the one of this id: where the page before ended.
        since: Lines from this moment on.
        until: Lines before this moment.
        actor: By the person of this name, in whatever case.
        act: Whose act has these words in it.
    """

    before: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    actor: str | None = None
    act: str | None = None


def read_audit(session: Session, competition: Competition | None, wanted: Filter, *, limit: int) -> list[AuditRecord]:
    """Lines of one competition, or of the whole platform, the latest first."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if competition is not None:
        query = query.where(AuditEntry.competition_id == competition.id)
    if wanted.before is not None:
        query = query.where(AuditEntry.id < wanted.before)
    if wanted.since is not None:
        query = query.where(AuditEntry.time >= wanted.since)
    if wanted.until is not None:
        query = query.where(AuditEntry.time < wanted.until)
    if wanted.actor:
        query = query.where(func.lower(AuditEntry.username) == wanted.actor.lower())
    if wanted.act:
        query = query.where(AuditEntry.act.icontains(wanted.act, autoescape=True))
    return [_record(entry) for entry in session.scalars(query)]


def _record(entry: AuditEntry) -> AuditRecord:
    return AuditRecord(
        id=entry.id,
        time=entry.time,
        username=entry.username,
        role=entry.role,
        token=entry.token_name,
        address=str(entry.address) if entry.address is not None else None,
        request_id=entry.request_id,
        route=entry.route,
        act=entry.act,
        competition=entry.competition,
        object=entry.object,
        before=entry.before,
        after=entry.after,
        reason=entry.reason,
    )
