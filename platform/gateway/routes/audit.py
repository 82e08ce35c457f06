"""The audit log: what organizers and administrators did."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from podium.platform import competitions
from podium.platform.audit_log import Filter, read_audit
from podium.platform.gateway.access import WithCaller
from podium.platform.gateway.requests import When
from podium.platform.gateway.services import WithServices
from podium.platform.records.access import AuditRecord

router = APIRouter(tags=["audit"])
Limit = Annotated[int, Query(ge=1, le=1000)]
Words = Annotated[str | None, Query(max_length=200)]


def _filter(
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    since: When | None = None,
    until: When | None = None,
    actor: Words = None,
    act: Words = None,
) -> Filter:
    return Filter(before, since, until, actor, act)


Wanted = Annotated[Filter, Depends(_filter)]


@router.get("/competitions/{slug}/audit")
def read_competition_audit(
    slug: str, services: WithServices, caller: WithCaller, wanted: Wanted, limit: Limit = 100
) -> list[AuditRecord]:
    """What was done to a competition, the latest first; `before` goes on with the lines before the one of that id."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        competitions.require_organizer(competition, caller)
        return read_audit(session, competition, wanted, limit=limit)


@router.get("/audit")
def read_platform_audit(services: WithServices, wanted: Wanted, limit: Limit = 100) -> list[AuditRecord]:
    """What was done on the whole platform, the latest first."""
    with services.database.session() as session:
        return read_audit(session, None, wanted, limit=limit)
