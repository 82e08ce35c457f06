"""What is said to somebody who waits in a pool without agents, while scaling brings one."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from podium.platform.models import Agent, Pool, ScaledAgent, ScalingPolicy, now
from podium.platform.placement import Needs, why_unplaced
from podium.platform.scaling.fleet import CORDONED_BY_SCALING, ENDED_BY_SCALING
from podium.platform.scaling.states import ScaledAgentStatus
from podium.platform.scaling.words import duration
from podium.platform.submissions.fitting import offer_of_agent

HISTORY = 10
"""Agents that say how long one takes to start."""
LOOKS_WITHIN = 30.0
"""Seconds within which scaling sees that something waits; its flow is planned more often than that."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """How far scaling is with an agent that is not there yet. All times are in seconds.

    Attributes:
        since: For how long it has been starting; `None` if none was asked for yet.
        usual: How long one takes from there to its hello, by history; `None` without any.
        put_off_until: When the provider is asked again, after it failed.
    """

    since: float | None = None
    usual: float | None = None
    put_off_until: datetime | None = None


def arrival_words(pool: str, arrival: Arrival) -> str:
    """The same as a sentence without its full stop."""
    if arrival.since is not None:
        return f"An agent of pool '{pool}' is being started{_rest(arrival.since, arrival.usual)}"
    if arrival.put_off_until is not None:
        again = f"{arrival.put_off_until:%H:%M:%S} UTC"
        return f"No agent of pool '{pool}' is running, and one could not be started: that is tried again at {again}"
    usual = f", which takes about {duration(arrival.usual)}" if arrival.usual is not None else ""
    return f"Pool '{pool}' has no agents while nothing waits: one is started within {duration(LOOKS_WITHIN)}{usual}"


def _rest(since: float, usual: float | None) -> str:
    if usual is None:
        return f", for {duration(since)} so far"
    if since < usual:
        return f" and is there in about {duration(max(1.0, usual - since))}"
    return f", for {duration(since)} so far; it usually takes {duration(usual)}"


def why_none_is_there_yet(session: Session, pool: Pool, live: Sequence[Agent], needs: Sequence[Needs]) -> str:
    """What scaling does about a pool of whose live agents none takes anything, as a sentence without its full stop.

    Empty where it does nothing about that: the pool is not scaled, or cordoned, or people's own agents are there and
    nothing is being started; or no agent of the kind that it starts could run what waits.

    Args:
        live: The pool's live agents.
        needs: What waits, or may: it is enough that one of these can be run.
    """
    policy = session.get(ScalingPolicy, pool.id)
    if pool.cordoned is not None or policy is None or not policy.enabled or not policy.maximum:
        return ""
    if policy.offer:
        kind = offer_of_agent(Agent(name="new", executor=policy.offer["executor"], labels=policy.offer["labels"]))
        if needs and all(why_unplaced(pool.name, one, [kind]) for one in needs):
            return ""
    arrival = _arrival(session, pool, policy)
    if arrival.since is None and not all(_goes(agent) for agent in live):
        return ""
    return arrival_words(pool.name, arrival)


def _goes(agent: Agent) -> bool:
    """Whether scaling has ended an agent, or lets it go."""
    return agent.cordoned is not None and agent.cordon_reason in {CORDONED_BY_SCALING, ENDED_BY_SCALING}


def _arrival(session: Session, pool: Pool, policy: ScalingPolicy) -> Arrival:
    moment = now()
    greeted = exists().where(Agent.pool_id == ScaledAgent.pool_id, Agent.name == ScaledAgent.name)
    asked = session.scalar(
        select(ScaledAgent.created)
        .where(
            ScaledAgent.pool_id == pool.id,
            ScaledAgent.status.in_((ScaledAgentStatus.REQUESTED, ScaledAgentStatus.STARTED)),
            ~greeted,
        )
        .order_by(ScaledAgent.created)
        .limit(1)
    )
    spans = session.execute(
        select(ScaledAgent.created, Agent.created)
        .join(Agent, (Agent.pool_id == ScaledAgent.pool_id) & (Agent.name == ScaledAgent.name))
        .where(ScaledAgent.pool_id == pool.id)
        .order_by(ScaledAgent.created.desc())
        .limit(HISTORY)
    ).all()
    return Arrival(
        since=(moment - asked).total_seconds() if asked is not None else None,
        usual=statistics.median((hello - started).total_seconds() for started, hello in spans) if spans else None,
        put_off_until=policy.put_off_until if policy.put_off_until and policy.put_off_until > moment else None,
    )
