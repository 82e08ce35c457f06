"""How administrators set and see the scaling of a pool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium.platform.errors import Conflict, InvalidInput, NotFound
from podium.platform.events import record_event
from podium.platform.models import Agent, Pool, ScalingDecision, ScalingPolicy, now
from podium.platform.orchestration import PLATFORM_POOL
from podium.platform.records.scaling import ScaledAgentRecord, ScalingDecisionRecord, ScalingRecord
from podium.platform.scaling.fleet import open_agents
from podium.platform.scaling.providers.choice import require_provider
from podium.platform.scaling.reading import own_states
from podium.platform.scaling.situation import Rules
from podium.platform.settings import ServerSettings

SHOWN = 20
"""Decisions that are shown."""
DEFAULT_PROVIDER = "process"


def scaled_pool(session: Session, name: str, *, lock: bool = False) -> Pool:
    """The pool of that name.

    Raises:
        NotFound: There is none.
    """
    query = select(Pool).where(Pool.name == name)
    pool = session.scalar(query.with_for_update() if lock else query)
    if pool is None:
        raise NotFound(f"There is no pool '{name[:80]}'.", remedy="List those there are with `podium pools`.")
    return pool


def read_scaling(session: Session, name: str) -> ScalingRecord:
    """How a pool is scaled.

    Raises:
        NotFound: There is no such pool, or it is not scaled.
    """
    pool = scaled_pool(session, name)
    policy = session.get(ScalingPolicy, pool.id)
    if policy is None:
        raise NotFound(
            f"Pool '{pool.name}' is not scaled.", remedy=f"Begin with `podium scaling set {pool.name} --max NUMBER`."
        )
    return scaling_record(session, pool, policy)


def set_scaling(
    session: Session, name: str, given: Mapping[str, Any], *, settings: ServerSettings, actor: str
) -> ScalingRecord:
    """Say how a pool is scaled, from now on; what is not given stays as it is.

    Args:
        given: Of `provider`, `minimum`, `maximum`, `target_wait`, `cool_down_up`, `cool_down_down`, `slots` and
            `patience`.

    Raises:
        NotFound: There is no such pool.
        InvalidInput: The pool can't be scaled, the provider is unknown, or the minimum is over the maximum.
        Conflict: Another provider has started agents that are still there.
    """
    pool = scaled_pool(session, name, lock=True)
    if pool.name == PLATFORM_POOL:
        raise InvalidInput(f"Pool '{PLATFORM_POOL}' runs the platform's own flows, and is not scaled.")
    policy = session.get(ScalingPolicy, pool.id, with_for_update=True)
    if policy is None:
        policy = _new_policy(pool)
        session.add(policy)
    before = _in_words(policy) if policy.enabled else "off"
    provider = given.get("provider", policy.provider)
    require_provider(settings, provider)
    if provider != policy.provider and open_agents(session, pool):
        raise Conflict(
            f"Provider '{policy.provider}' has started agents that are still there.",
            remedy=f"Switch scaling off with `podium scaling off {pool.name}`, and wait until they are gone.",
        )
    for field, value in given.items():
        setattr(policy, field, value)
    if policy.minimum > policy.maximum:
        raise InvalidInput(
            f"The minimum ({policy.minimum}) is over the maximum ({policy.maximum}).", remedy="Give both."
        )
    policy.enabled = True
    session.flush()
    _remember(session, pool, before, _in_words(policy), actor)
    return scaling_record(session, pool, policy)


def switch_off(session: Session, name: str, *, actor: str) -> ScalingRecord:
    """Start no more agents in a pool; those that scaling has started go as soon as they hold nothing.

    Raises:
        NotFound: There is no such pool, or it is not scaled.
    """
    pool = scaled_pool(session, name, lock=True)
    policy = session.get(ScalingPolicy, pool.id, with_for_update=True)
    if policy is None:
        raise NotFound(f"Pool '{pool.name}' is not scaled.")
    if policy.enabled:
        _remember(session, pool, _in_words(policy), "off", actor)
    policy.enabled = False
    return scaling_record(session, pool, policy)


def scaling_record(session: Session, pool: Pool, policy: ScalingPolicy) -> ScalingRecord:
    """A pool's scaling as it is shown."""
    decisions = session.scalars(
        select(ScalingDecision)
        .where(ScalingDecision.pool_id == pool.id)
        .order_by(ScalingDecision.moment.desc())
        .limit(SHOWN)
    )
    return ScalingRecord(
        pool=pool.name,
        enabled=policy.enabled,
        provider=policy.provider,
        minimum=policy.minimum,
        maximum=policy.maximum,
        target_wait=policy.target_wait,
        cool_down_up=policy.cool_down_up,
        cool_down_down=policy.cool_down_down,
        slots=policy.slots,
        patience=policy.patience,
        failures=policy.failures,
        failure=policy.failure,
        put_off_until=policy.put_off_until,
        looked=policy.looked,
        reasons=tuple(policy.reasons),
        agents=_agents(session, pool),
        decisions=tuple(decision_record(one) for one in decisions),
    )


def decision_record(decision: ScalingDecision) -> ScalingDecisionRecord:
    """A decision as it is shown."""
    return ScalingDecisionRecord(
        moment=decision.moment,
        action=str(decision.action),
        waiting=decision.waiting,
        oldest_seconds=decision.oldest_seconds,
        running=decision.running,
        slots=decision.slots,
        demand=decision.demand,
        agents=decision.agents,
        started=tuple(decision.started),
        taken_back=tuple(decision.taken_back),
        drained=tuple(decision.drained),
        removed=tuple(decision.removed),
        reasons=tuple(decision.reasons),
    )


def _agents(session: Session, pool: Pool) -> tuple[ScaledAgentRecord, ...]:
    rows = open_agents(session, pool)
    known = {agent.name: agent for agent in session.scalars(select(Agent).where(Agent.pool_id == pool.id))}
    states = {state.name: state for state in own_states(session, pool, rows, known, now())}
    return tuple(
        ScaledAgentRecord(
            name=row.name,
            status=str(row.status),
            condition=str(states[row.name].condition),
            slots=states[row.name].slots,
            running=states[row.name].running,
            draining=states[row.name].draining,
            started=row.created,
        )
        for row in rows
    )


def _new_policy(pool: Pool) -> ScalingPolicy:
    rules = Rules()
    return ScalingPolicy(
        pool_id=pool.id,
        enabled=False,
        provider=DEFAULT_PROVIDER,
        minimum=rules.minimum,
        maximum=rules.maximum,
        target_wait=rules.target_wait,
        cool_down_up=rules.cool_down_up,
        cool_down_down=rules.cool_down_down,
        slots=rules.slots,
        patience=rules.patience,
        reasons=[],
        failures=0,
        failure="",
    )


def _in_words(policy: ScalingPolicy) -> str:
    return f"{policy.minimum} to {policy.maximum} by {policy.provider}"


def _remember(session: Session, pool: Pool, before: str, after: str, actor: str) -> None:
    record_event(
        session,
        subject="pool",
        subject_id=pool.id,
        before=before[:20],
        after=after[:20],
        actor=actor,
        reason=f"scaling of {pool.name}: {after}",
    )
