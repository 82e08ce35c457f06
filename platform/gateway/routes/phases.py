"""Phases while they run: dates, limits, pauses, extra allowances, and the queue behind them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from podium.platform import competition_views, competitions, phase_changes
from podium.platform.errors import InvalidInput
from podium.platform.gateway.access import WithCaller
from podium.platform.gateway.requests import ExtraAllowanceChange, PhaseChange, WindowsChange
from podium.platform.gateway.services import WithServices
from podium.platform.identity import Caller, find_person
from podium.platform.models import Competition, ExtraAllowance, Phase, now
from podium.platform.quotas import Extra
from podium.platform.records.competitions import CompetitionRecord
from podium.platform.records.people import ExtraAllowanceRecord
from podium.platform.records.submissions import QueueRecord
from podium.platform.submissions import allowances
from podium.platform.submissions.queue_view import queue_record
from podium.platform.submissions.windows import choose_phase

router = APIRouter(tags=["phases"])


@router.patch("/competitions/{slug}/phases/{phase}")
def change_phase(
    slug: str, phase: str, services: WithServices, caller: WithCaller, body: PhaseChange
) -> CompetitionRecord:
    """Change a phase's dates and limits, pause it with a message, or take submissions again."""
    limits = {name: getattr(body, name) for name in phase_changes.LIMITS if getattr(body, name) is not None}
    unlimited: dict[str, int | None] = dict.fromkeys(body.without_limits or (), None)
    _require_one_wish(limits, unlimited)
    change = phase_changes.Change(
        start=body.start,
        end=body.end,
        without_end=body.without_end,
        limits=limits | unlimited,
        paused=body.paused,
        pause_message=body.pause_message,
    )
    with services.database.session() as session:
        competition, found = _organized(session, slug, phase, caller)
        phase_changes.hold_phases(session, competition)
        phase_changes.change_phase(session, found, change, actor=caller.actor)
        return competition_views.competition_record(session, competition, caller, maxima=services.settings.limit_maxima)


@router.patch("/competitions/{slug}/windows")
def change_windows(slug: str, services: WithServices, caller: WithCaller, body: WindowsChange) -> CompetitionRecord:
    """Change when the competition takes submissions, and when people may join."""
    given = {name: getattr(body, name) for name in phase_changes.WINDOWS if getattr(body, name) is not None}
    unbounded: dict[str, datetime | None] = dict.fromkeys(body.unbounded or (), None)
    _require_one_wish(given, unbounded)
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        competitions.require_organizer(competition, caller)
        # Of two who change them at once, the second is checked against what the first has left.
        session.refresh(competition, with_for_update={"of": Competition, "key_share": True})
        phase_changes.change_windows(session, competition, given | unbounded, actor=caller.actor)
        return competition_views.competition_record(session, competition, caller, maxima=services.settings.limit_maxima)


@router.get("/competitions/{slug}/phases/{phase}/extra-allowances")
def list_extra_allowances(
    slug: str, phase: str, services: WithServices, caller: WithCaller
) -> list[ExtraAllowanceRecord]:
    """What participants of a phase were allowed on top of its limits."""
    with services.database.session() as session:
        _, found = _organized(session, slug, phase, caller)
        granted = session.scalars(
            select(ExtraAllowance)
            .where(ExtraAllowance.phase_id == found.id)
            .options(joinedload(ExtraAllowance.person))
            .order_by(ExtraAllowance.created)
        )
        return [allowances.extra_record(one, found) for one in granted]


@router.put("/competitions/{slug}/phases/{phase}/extra-allowances/{username}")
def allow_extra(
    slug: str, phase: str, username: str, services: WithServices, caller: WithCaller, body: ExtraAllowanceChange
) -> ExtraAllowanceRecord:
    """Allow a participant more than the phase does, in place of what they were allowed before."""
    with services.database.session() as session:
        competition, found = _organized(session, slug, phase, caller)
        extra = Extra(body.per_window, body.total, body.concurrent)
        return allowances.allow_extra(
            session,
            competition,
            found,
            find_person(session, username),
            extra,
            reason=body.reason,
            actor=caller.actor,
        )


@router.get("/competitions/{slug}/queue")
def read_queue(slug: str, services: WithServices, caller: WithCaller) -> QueueRecord:
    """How the competition's submissions stand in the queue of its pool."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        competitions.require_organizer(competition, caller)
        return queue_record(session, competition)


def _require_one_wish(given: Collection[str], without: Collection[str]) -> None:
    if both := sorted(set(given) & set(without)):
        names = ", ".join(f"`{name}`" for name in both)
        raise InvalidInput(
            f"Of {names} a value was given, and that there is to be none.", remedy="Send one of the two."
        )


def _organized(session: Session, slug: str, phase: str, caller: Caller) -> tuple[Competition, Phase]:
    competition = competitions.find_competition(session, slug, caller)
    competitions.require_organizer(competition, caller)
    return competition, choose_phase(competition, phase, now())
