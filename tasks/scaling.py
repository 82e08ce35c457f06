"""The steps of `scale-pool`: compare a pool with its provider, decide, write that down, and only then do it.

What is done can be cut off anywhere. An agent that was asked for is in the database before its provider hears of it;
one that the provider has and the database does not want is stopped.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium.platform.errors import PodiumError
from podium.platform.events import record_event
from podium.platform.models import Agent, Pool, ScaledAgent, ScalingDecision, ScalingPolicy, now
from podium.platform.records.scaling import ScalingRecord
from podium.platform.scaling import fleet
from podium.platform.scaling.decision import Decision, decide
from podium.platform.scaling.policies import scaling_record
from podium.platform.scaling.providers.choice import open_provider, require_provider
from podium.platform.scaling.providers.orders import AgentOrder, Listing, Provider, ProviderFault
from podium.platform.scaling.reading import read_situation, rules_of
from podium.platform.scaling.situation import Condition, Situation
from podium.platform.scaling.states import ScaledAgentStatus
from podium.tasks.platform_services import PlatformServices

T = TypeVar("T")
logger = logging.getLogger(__name__)
AT_ONCE = 8
"""Pools that are looked after, and calls of one pool's provider, at the same time."""
CALLING_SECONDS = 150.0
"""After so long, what a provider was not asked for yet is left for the next time."""
OFF_LOOK = timedelta(minutes=10)
"""How often a pool whose scaling is off is looked at for agents that nobody wants."""
OLDEST_DECISIONS = timedelta(days=90)


def scale_pools(services: PlatformServices, only: str = "") -> list[ScalingRecord]:
    """Look after every pool that is scaled, each by itself; return those of which something is to be told.

    A pool whose provider is slow or fails holds none of the others up.

    Args:
        only: The name of one pool.
    """
    with services.database.session() as session:
        policies = session.execute(select(Pool.name, ScalingPolicy).join(ScalingPolicy.pool)).all()
        names = [
            name
            for name, policy in policies
            if (only or name) == name and (policy.enabled or _needs_a_look(session, policy))
        ]
    if not names:
        return []
    with ThreadPoolExecutor(AT_ONCE) as threads:
        found = list(threads.map(lambda name: _scale_or_log(services, name), names))
    return [record for record in found if record is not None]


def _needs_a_look(session: Session, policy: ScalingPolicy) -> bool:
    """Whether a pool whose scaling is off still has agents, or may have some that nobody knows of."""
    overdue = policy.looked is None or now() - policy.looked > OFF_LOOK
    return overdue or bool(fleet.open_agents(session, policy.pool))


def _scale_or_log(services: PlatformServices, name: str) -> ScalingRecord | None:
    try:
        with fleet.alone_with(services.database, name) as is_alone:
            return scale_pool(services, name) if is_alone else None
    except Exception:  # whatever one pool has, the others go on
        logger.exception("pool %s could not be scaled", name)
        return None


def scale_pool(services: PlatformServices, name: str) -> ScalingRecord | None:
    """Look after one pool, whose lock is held; return how it is if something has changed."""
    troubles: list[str] = []
    silent: list[str] = []
    provider: Provider | None = None
    try:
        provider = _provider(services, name)
        silent = _compare(services, name, provider, troubles)
    except PodiumError as error:
        # Nothing can be started or stopped; who is to go is still told to take nothing new.
        provider = None
        troubles.append(str(error))
    if troubles or silent:
        _note(services, name, [*silent, *troubles], puts_off=bool(troubles))
    applied = _decide(services, name, all_well=not (troubles or silent))
    if provider is not None:
        kept: list[str] = []
        _stop_leaving(services, name, provider, kept)
        failed: list[str] = []
        _start_requested(services, name, provider, failed)
        if failed or kept:
            _note(services, name, [*kept, *failed], puts_off=bool(failed))
        troubles += [*kept, *failed]
    return _record(services, name) if applied.changed or troubles or silent else None


def _provider(services: PlatformServices, name: str) -> Provider:
    with services.database.session() as session:
        _, policy = _pool_and_policy(session, name)
        return open_provider(services.settings, policy.provider)


def _compare(services: PlatformServices, name: str, provider: Provider, troubles: list[str]) -> list[str]:
    """Make the database and the provider agree on which agents there are; return what is said of silent hosts."""
    listing = provider.list_own(name)
    silent = [f"{host} does not answer." for host in listing.unreachable]
    with services.database.session() as session:
        pool, _ = _pool_and_policy(session, name)
        rows = fleet.open_agents(session, pool)
        greeted = set(session.scalars(select(Agent.name).where(Agent.pool_id == pool.id)))
        for row in rows:
            troubles += _compare_one(session, row, listing, greeted=row.name in greeted)
        orphans = sorted(listing.running - {row.name for row in rows})
    for orphan in orphans:
        logger.warning("agent %s of pool %s is nobody's: it is stopped", orphan, name)
    _each(orphans, lambda orphan: provider.stop(name, orphan), silent)
    # What has ended leaves a folder or the like.
    _each(sorted(listing.ended), lambda ended: provider.stop(name, ended), silent)
    return silent


def _compare_one(session: Session, row: ScaledAgent, listing: Listing, *, greeted: bool) -> list[str]:
    if row.name in listing.running:
        fleet.move(session, row, ScaledAgentStatus.STARTED)
        return []
    if row.status == ScaledAgentStatus.REQUESTED and row.name not in listing.ended:
        return []  # it is asked for below
    if listing.unreachable and row.name not in listing.ended:
        return []  # it may be there
    words = listing.ended.get(row.name, "")
    said = f": {words}" if words else "."
    fleet.end(session, row, f"It has ended{said}")
    leaves = row.status == ScaledAgentStatus.LEAVING
    return [] if leaves or greeted else [f"Agent {row.name} ended before it said hello{said}"]


def _decide(services: PlatformServices, name: str, *, all_well: bool) -> fleet.Applied:
    """Decide and write down what is to be done, in one transaction.

    Args:
        all_well: Whether the provider has just said all that it was asked.
    """
    with services.database.session() as session:
        pool, policy = _pool_and_policy(session, name)
        situation = read_situation(session, pool, policy, now(), maxima=services.settings.limit_maxima)
        _forget_failures(session, pool, policy, situation)
        if all_well and policy.put_off_until is None:
            policy.failure = ""  # what was said of a host that is back
        decision = decide(rules_of(policy), situation)
        applied = fleet.apply(session, pool, policy, decision, situation)
        policy.looked = situation.moment
        policy.reasons = list(decision.reasons)
        policy.demands = [{"moment": one.moment.isoformat(), "slots": one.slots} for one in decision.demands]
        if applied.changed:
            session.add(_decision_row(pool, decision, situation, applied))
            _log_event(session, pool, decision, situation)
            _forget_old_decisions(session, pool)
    if applied.changed:
        logger.info("pool %s: %s. %s", name, decision.action, " ".join(decision.reasons))
    return applied


def _forget_failures(session: Session, pool: Pool, policy: ScalingPolicy, situation: Situation) -> None:
    """Once an agent that was asked for after the last failure is there, the provider is well again."""
    if policy.put_off_until is None or policy.put_off_until > situation.moment:
        return
    ready = {agent.name for agent in situation.agents if agent.own and agent.condition is Condition.READY}
    rows = fleet.open_agents(session, pool)
    if any(row.name in ready and row.created >= policy.put_off_until for row in rows):
        fleet.forget_failures(policy)


def _decision_row(pool: Pool, decision: Decision, situation: Situation, applied: fleet.Applied) -> ScalingDecision:
    return ScalingDecision(
        pool_id=pool.id,
        moment=situation.moment,
        action=decision.action,
        waiting=sum(one.count for one in situation.waiting),
        oldest_seconds=max((one.oldest for one in situation.waiting), default=0.0),
        running=sum(agent.running for agent in situation.agents),
        slots=sum(agent.slots for agent in situation.agents if agent.counts),
        demand=decision.demand,
        agents=sum(agent.own for agent in situation.agents),
        started=applied.started,
        taken_back=applied.taken_back,
        drained=applied.drained,
        removed=applied.removed,
        reasons=list(decision.reasons),
    )


def _log_event(session: Session, pool: Pool, decision: Decision, situation: Situation) -> None:
    record_event(
        session,
        subject="pool",
        subject_id=pool.id,
        before=f"{sum(agent.own for agent in situation.agents)} agents",
        after=str(decision.action),
        actor="flow:scale-pool",
        reason=" ".join(decision.reasons),
    )


def _forget_old_decisions(session: Session, pool: Pool) -> None:
    session.query(ScalingDecision).filter(
        ScalingDecision.pool_id == pool.id, ScalingDecision.moment < now() - OLDEST_DECISIONS
    ).delete()


def _stop_leaving(services: PlatformServices, name: str, provider: Provider, failed: list[str]) -> None:
    rows = _rows(services, name, ScaledAgentStatus.LEAVING)

    def stop(row: ScaledAgent) -> None:
        provider.stop(name, row.name)
        with services.database.session() as session:
            fleet.end(session, row, "Scaling took it; it held nothing.")

    _each(rows, stop, failed)


def _start_requested(services: PlatformServices, name: str, provider: Provider, failed: list[str]) -> None:
    with services.database.session() as session:
        _, policy = _pool_and_policy(session, name)
        if policy.put_off_until is not None and policy.put_off_until > now():
            return
        own = require_provider(services.settings, policy.provider)

    def start(row: ScaledAgent) -> None:
        with services.database.session() as session:
            pool, _ = _pool_and_policy(session, name)
            token = fleet.new_token(session, pool, row)
        order = AgentOrder(
            name=row.name,
            pool=name,
            token=token,
            gateway=own.gateway or services.settings.public_url,
            prefect=own.prefect or services.settings.prefect_api_url,
            slots=row.slots,
        )
        try:
            provider.start(order)
        except PodiumError as error:
            with services.database.session() as session:
                # Should it be there after all, it is an orphan now, and its token is good for nothing.
                fleet.end(session, row, str(error))
            raise
        with services.database.session() as session:
            fleet.move(session, row, ScaledAgentStatus.STARTED)

    _each(_rows(services, name, ScaledAgentStatus.REQUESTED), start, failed)


def _rows(services: PlatformServices, name: str, status: ScaledAgentStatus) -> list[ScaledAgent]:
    with services.database.session() as session:
        pool, _ = _pool_and_policy(session, name)
        return [row for row in fleet.open_agents(session, pool) if row.status == status]


def _each(things: Sequence[T], do: Callable[[T], None], failed: list[str]) -> None:
    """Do something for each of these, several at once, for as long as there is time; note what failed, once each."""
    deadline = time.monotonic() + CALLING_SECONDS

    def attempt(thing: T) -> str:
        if time.monotonic() > deadline:
            return ""
        try:
            do(thing)
        except PodiumError as error:
            return str(error)
        except Exception as error:  # a provider may fail in ways that nobody has thought of
            logger.exception("a provider failed")
            return str(ProviderFault(f"The provider failed: {type(error).__name__}: {error}"))
        return ""

    if things:
        with ThreadPoolExecutor(AT_ONCE) as threads:
            failed += dict.fromkeys(said for said in threads.map(attempt, things) if said)


def _note(services: PlatformServices, name: str, troubles: list[str], *, puts_off: bool) -> None:
    failure = " ".join(troubles)
    logger.warning("pool %s: %s", name, failure)
    with services.database.session() as session:
        _, policy = _pool_and_policy(session, name)
        fleet.note_failure(policy, failure, puts_off=puts_off)


def _record(services: PlatformServices, name: str) -> ScalingRecord:
    with services.database.session() as session:
        pool, policy = _pool_and_policy(session, name)
        return scaling_record(session, pool, policy)


def _pool_and_policy(session: Session, name: str) -> tuple[Pool, ScalingPolicy]:
    found = session.execute(
        select(Pool, ScalingPolicy).join(ScalingPolicy, ScalingPolicy.pool_id == Pool.id).where(Pool.name == name)
    ).one()
    return found[0], found[1]
