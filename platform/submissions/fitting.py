"""What stored submissions need and agents of a pool offer: `podium.platform.placement`, out of the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium.platform.bundles.content import Relaxations
from podium.platform.bundles.destinations import relaxation_names
from podium.platform.limits import effective
from podium.platform.models import Agent, Competition, Phase, Pool, now
from podium.platform.placement import Needs, Offer, offer_of

AGENT_ALIVE = timedelta(seconds=60)
"""An agent that was not heard of for longer is gone."""


def relaxations_of(competition: Competition) -> Relaxations:
    """The rules that a competition does without."""
    stored = competition.relaxations
    return Relaxations(network=tuple(stored.get("network", ())), root=bool(stored.get("root", False)))


def needs_of(
    competition: Competition, phase: Phase, pool: Pool, maxima: Mapping[str, float] = MappingProxyType({})
) -> Needs:
    """What the submissions of a phase need.

    Of cores and memory only what the phase asks for by itself counts: the defaults are caps, and a small host may
    give less.

    Args:
        maxima: The operator's, where they are lower than what was asked for.
    """
    holds = effective(phase.limits, maxima)
    limits = {name: holds[name] for name in phase.limits if name in holds}
    return Needs(
        relaxations=relaxation_names(relaxations_of(competition)),
        runtime=pool.runtime,
        gpus=int(limits.get("gpus", 0)),
        cpus=float(limits.get("cpus", 0)),
        memory_bytes=int(limits.get("memory_bytes", 0)),
        containers=phase.accepts_container_submissions,
        image=competition.docker_image,
    )


def offer_of_agent(agent: Agent | None) -> Offer:
    """What an agent has; nothing, for one that was never heard of."""
    if agent is None:
        return Offer()
    return offer_of(agent.name, agent.executor, {name: str(value) for name, value in agent.labels.items()})


def why_closed(pool: Pool, agent: Agent | None) -> str:
    """Why an agent is to take nothing new, because somebody said so; empty where nobody did."""
    if pool.cordoned is not None:
        return f"Pool '{pool.name}' is cordoned since {pool.cordoned:%Y-%m-%d %H:%M} UTC."
    if agent is not None and agent.cordoned is not None:
        return f"Agent '{agent.name}' is cordoned since {agent.cordoned:%Y-%m-%d %H:%M} UTC."
    return ""


def takes_work(agent: Agent) -> bool:
    """Whether an agent that is alive takes what it can run: it has no trouble, and nobody has cordoned it."""
    return not agent.trouble and agent.cordoned is None


def why_none_takes(pool: Pool, agents: Sequence[Agent]) -> tuple[str, str] | None:
    """Why none of a pool's live agents takes anything, and until when, as halves of a sentence; `None` if one does."""
    if pool.cordoned is not None:
        return f"Pool '{pool.name}' is cordoned", "that has ended"
    if not agents:
        return f"No agent of pool '{pool.name}' is running", "there is one"
    if any(takes_work(agent) for agent in agents):
        return None
    if all(agent.cordoned is not None for agent in agents):
        return f"The agents of pool '{pool.name}' are cordoned", "that has ended"
    return f"The agents of pool '{pool.name}' have trouble of their own", "that is mended"


def live_agents(session: Session, pool_id: UUID) -> Sequence[Agent]:
    """The agents of a pool that were heard of lately, those in trouble too."""
    return session.scalars(
        select(Agent).where(Agent.pool_id == pool_id, Agent.last_seen > now() - AGENT_ALIVE).order_by(Agent.name)
    ).all()
