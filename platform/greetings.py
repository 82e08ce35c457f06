"""Agents that say hello: taken down as they say they are, or refused with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from podium.platform.agent_views import MAX_AGENTS, upgrade_notice
from podium.platform.database import notify
from podium.platform.errors import Conflict, InvalidInput, NotAllowed
from podium.platform.events import pool_topic
from podium.platform.identifiers import new_id
from podium.platform.identity import Caller
from podium.platform.jobs import CONTRACT, AgentHello, Welcome
from podium.platform.models import Agent, Pool, now
from podium.platform.placement import PLACEMENT_LABELS
from podium.platform.submissions.fitting import why_closed


class ContractDiffers(Conflict):
    """The agent speaks another version of the wire contract."""

    type = "contract-differs"
    title = "Agent and gateway do not understand each other"


def require_contract(contract: object, *, version: str) -> None:
    """Go on only with an agent that speaks the gateway's contract.

    Raises:
        ContractDiffers: It speaks another.
    """
    if contract != CONTRACT:
        raise ContractDiffers(
            f"The agent speaks contract {str(contract)[:20]}, the gateway {CONTRACT}.",
            remedy=f"Install podium[agent]=={version} on the agent's host, the version that the platform has.",
        )


def read_hello(message: Mapping[str, object], *, version: str) -> AgentHello:
    """Read what an agent says. Its contract is looked at first: a message of another one may have any form.

    Raises:
        ContractDiffers: It speaks another contract.
        InvalidInput: It is no hello.
    """
    require_contract(message.get("contract", CONTRACT), version=version)
    try:
        return AgentHello.model_validate(message)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:10])
        raise InvalidInput(f"This is no hello: {faults}.") from None


def note_refused(session: Session, message: Mapping[str, object], caller: Caller, why: str) -> None:
    """Let those who look at an agent that was known before see why it takes no work any more."""
    session.execute(
        update(Agent)
        .where(Agent.pool_id == caller.pool_id, Agent.name == str(message.get("name"))[:100])
        .values(trouble=why, last_seen=now(), version=str(message.get("version", ""))[:40])
    )


def greet(session: Session, hello: AgentHello, caller: Caller, *, version: str) -> Welcome:
    """Take down what an agent says of itself.

    Raises:
        NotAllowed: It wants work of another pool than its token is for.
        Conflict: The pool has more agents than can be remembered.
    """
    if hello.pool != caller.pool:
        raise NotAllowed(
            f"This token is for pool '{caller.pool}', not for '{hello.pool}'.",
            remedy="Leave the pool out: the token says which it is.",
        )
    values = {
        "version": hello.version,
        "slots": hello.slots,
        "executor": hello.executor,
        "labels": hello.labels,
        "trouble": hello.trouble,
        "last_seen": now(),
        "token_id": caller.token_id,
    }
    before = session.scalar(select(Agent.labels).where(Agent.pool_id == caller.pool_id, Agent.name == hello.name))
    if before is None:
        _require_room(session, caller)
    if before is None or any(before.get(name) != hello.labels.get(name) for name in PLACEMENT_LABELS):
        notify(session, pool_topic(caller.pool))  # what it was not offered may be for it now
    agent = session.scalars(
        insert(Agent)
        .values(id=new_id(), created=now(), pool_id=caller.pool_id, name=hello.name, **values)
        .on_conflict_do_update(constraint="uq_agents_pool_id_name", set_=values)
        .returning(Agent),
        execution_options={"populate_existing": True},
    ).one()
    return welcome(session.get_one(Pool, caller.pool_id), agent, agent_version=hello.version, version=version)


def welcome(pool: Pool, agent: Agent | None, *, agent_version: str, version: str) -> Welcome:
    """What an agent of a pool is told."""
    return Welcome(
        pool=pool.name,
        version=version,
        closed=why_closed(pool, agent),
        notice=upgrade_notice(agent_version, version) if agent_version else "",
    )


def _require_room(session: Session, caller: Caller) -> None:
    known = session.scalar(select(func.count()).where(Agent.pool_id == caller.pool_id)) or 0
    if known >= MAX_AGENTS:
        raise Conflict(
            f"Pool '{caller.pool}' has {known} agents, gone ones counted.",
            remedy="Remove those that are gone: `podium agent remove NAME`.",
        )
