"""Pools: whose hosts they are, who uses them, their agents and their agents' tokens."""

from __future__ import annotations

import logging
from uuid import UUID

from fastapi import APIRouter

from podium.platform import agent_views, pool_tokens, pools
from podium.platform.errors import PlatformFault
from podium.platform.gateway.access import WithCaller
from podium.platform.gateway.requests import AgentChange, NewPool, NewToken, PoolChange, Rotation
from podium.platform.gateway.routes.people import token_record
from podium.platform.gateway.services import WithServices
from podium.platform.pool_access import find_own_pool, find_pool
from podium.platform.records.people import IssuedToken, TokenRecord
from podium.platform.records.pools import PoolRecord, PoolView
from podium.platform.version import VERSION

router = APIRouter(tags=["agents"])
logger = logging.getLogger(__name__)


@router.get("/pools")
def list_pools(services: WithServices, caller: WithCaller) -> list[PoolRecord]:
    """The pools that the caller sees or may use, with their live agents and what waits in them."""
    with services.database.session() as session:
        return pools.list_pools(session, caller)


@router.post("/pools", status_code=201)
def create_pool(services: WithServices, caller: WithCaller, body: NewPool) -> PoolRecord:
    """Make a pool for one's own hosts."""
    with services.database.session() as session:
        pool = pools.create_pool(session, body.name, caller, public=body.public)
        record = pools.pool_record(session, pool, caller)
    try:
        services.orchestration.register_scoring_pool(record.name)
    except PlatformFault as fault:
        logger.warning("pool %s is not in Prefect yet: %s", record.name, fault)  # the dispatcher makes it
    return record


@router.get("/pools/{pool}")
def read_pool(pool: str, services: WithServices, caller: WithCaller) -> PoolView:
    """A pool with its agents and what they did lately."""
    with services.database.session() as session:
        return agent_views.pool_view(session, find_pool(session, pool, caller), caller, version=VERSION)


@router.patch("/pools/{pool}")
def change_pool(pool: str, services: WithServices, caller: WithCaller, body: PoolChange) -> PoolRecord:
    """Cordon a pool, make it public, or say which runtime of the engine its containers run with."""
    with services.database.session() as session:
        found = find_own_pool(session, pool, caller)
        if body.runtime is not None:
            pools.set_runtime(session, found, body.runtime, actor=caller.actor)
        if body.public is not None:
            pools.set_public(session, found, public=body.public, actor=caller.actor)
        if body.cordoned is not None:
            pools.set_cordoned(session, found, cordoned=body.cordoned, actor=caller.actor)
        return pools.pool_record(session, found, caller)


@router.put("/pools/{pool}/users/{username}", status_code=204)
def share_pool(pool: str, username: str, services: WithServices, caller: WithCaller) -> None:
    """Let another organizer use a pool, and see its agents."""
    with services.database.session() as session:
        pools.share_pool(session, find_own_pool(session, pool, caller), username, actor=caller.actor)


@router.delete("/pools/{pool}/users/{username}", status_code=204)
def unshare_pool(pool: str, username: str, services: WithServices, caller: WithCaller) -> None:
    """Take a pool back from another organizer."""
    with services.database.session() as session:
        pools.unshare_pool(session, find_own_pool(session, pool, caller), username, actor=caller.actor)


@router.get("/pools/{pool}/tokens")
def list_pool_tokens(pool: str, services: WithServices, caller: WithCaller) -> list[TokenRecord]:
    """The tokens of a pool's agents, without their secrets."""
    with services.database.session() as session:
        return [token_record(token) for token in pool_tokens.pool_tokens(session, pool, caller)]


@router.post("/pools/{pool}/tokens", status_code=201)
def create_pool_token(pool: str, services: WithServices, caller: WithCaller, body: NewToken) -> IssuedToken:
    """Issue a token for a pool's agents. Its secret is shown this once."""
    with services.database.session() as session:
        secret, token = pool_tokens.create_pool_token(session, pool, caller, label=body.name, days=body.days)
        return IssuedToken(secret=secret, token=token_record(token))


@router.post("/agent-tokens/{token_id}/rotation", status_code=201)
def rotate_pool_token(token_id: UUID, services: WithServices, caller: WithCaller, body: Rotation) -> IssuedToken:
    """Issue a token in the place of another, which stays good for some hours."""
    with services.database.session() as session:
        secret, token = pool_tokens.rotate_pool_token(session, token_id, caller, hours=body.hours)
        return IssuedToken(secret=secret, token=token_record(token))


@router.delete("/agent-tokens/{token_id}")
def revoke_pool_token(token_id: UUID, services: WithServices, caller: WithCaller) -> TokenRecord:
    """Make an agent's token useless from now on, and end what was claimed with it."""
    with services.database.session() as session:
        return token_record(pool_tokens.revoke_pool_token(session, token_id, caller))


@router.patch("/pools/{pool}/agents/{agent:path}", status_code=204)
def change_agent(pool: str, agent: str, services: WithServices, caller: WithCaller, body: AgentChange) -> None:
    """Let an agent take nothing new, or take again."""
    with services.database.session() as session:
        found = agent_views.find_agent(session, find_own_pool(session, pool, caller), agent)
        agent_views.set_agent_cordoned(session, found, cordoned=body.cordoned, actor=caller.actor)


@router.delete("/pools/{pool}/agents/{agent:path}", status_code=204)
def remove_agent(pool: str, agent: str, services: WithServices, caller: WithCaller) -> None:
    """Forget an agent that is gone."""
    with services.database.session() as session:
        found = agent_views.find_agent(session, find_own_pool(session, pool, caller), agent)
        agent_views.remove_agent(session, found, actor=caller.actor)
