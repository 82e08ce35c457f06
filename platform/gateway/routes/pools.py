"""Pools: what runs in them, and how."""

from __future__ import annotations

from fastapi import APIRouter

from podium.platform import pools
from podium.platform.gateway.access import WithCaller
from podium.platform.gateway.requests import PoolChange
from podium.platform.gateway.services import WithServices
from podium.platform.records import PoolRecord

router = APIRouter(tags=["agents"])


@router.get("/pools")
def list_pools(services: WithServices) -> list[PoolRecord]:
    """All pools, with their live agents and what waits in them."""
    with services.database.session() as session:
        return pools.list_pools(session)


@router.patch("/pools/{pool}")
def change_pool(pool: str, services: WithServices, caller: WithCaller, body: PoolChange) -> PoolRecord:
    """Say which runtime of the engine a pool's containers run with."""
    with services.database.session() as session:
        return pools.set_runtime(session, pool, body.runtime, actor=caller.actor)
