"""Scaling of pools: the rules, and what was decided by them."""

from __future__ import annotations

from fastapi import APIRouter

from podium.platform.gateway.access import WithCaller
from podium.platform.gateway.requests import ScalingChange
from podium.platform.gateway.services import WithServices
from podium.platform.records.scaling import ScalingRecord
from podium.platform.scaling import policies

router = APIRouter(tags=["agents"])


@router.get("/pools/{pool}/scaling")
def read_scaling(pool: str, services: WithServices) -> ScalingRecord:
    """How a pool is scaled, its agents, and the latest decisions with their reasons."""
    with services.database.session() as session:
        return policies.read_scaling(session, pool)


@router.put("/pools/{pool}/scaling")
def set_scaling(pool: str, services: WithServices, caller: WithCaller, body: ScalingChange) -> ScalingRecord:
    """Scale a pool from now on, by one of the providers that the operator has set up."""
    given = body.model_dump(exclude_none=True)
    with services.database.session() as session:
        return policies.set_scaling(session, pool, given, settings=services.settings, actor=caller.actor)


@router.delete("/pools/{pool}/scaling")
def switch_scaling_off(pool: str, services: WithServices, caller: WithCaller) -> ScalingRecord:
    """Start no more agents; those that were started go as soon as they hold nothing."""
    with services.database.session() as session:
        return policies.switch_off(session, pool, actor=caller.actor)
