"""Agents as their owners see and steer them: what each has and runs, what it did, cordoned or removed."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from podium.platform.database import notify
from podium.platform.errors import Conflict, NotFound
from podium.platform.events import pool_topic, record_event
from podium.platform.identity import Caller
from podium.platform.lifecycle import AttemptStatus, SubmissionStatus
from podium.platform.models import Agent, Attempt, Competition, Person, Pool, PoolUser, Submission, now
from podium.platform.pool_access import seen_by
from podium.platform.pools import pool_record
from podium.platform.records.pools import AgentRecord, AgentRun, PastAttempt, PoolView
from podium.platform.scaling.fleet import ended_by_scaling
from podium.platform.submissions.fitting import AGENT_ALIVE

SHOWN_ATTEMPTS = 50
OUTCOMES_OF = timedelta(hours=24)
MAX_AGENTS = 500
"""Agents of one pool that are remembered, gone ones too."""


def upgrade_notice(agent: str, gateway: str) -> str:
    """What to tell of an agent whose version differs from the gateway's although both understand each other."""
    if agent == gateway:
        return ""
    return f"The agent is Podium {agent}, the platform {gateway}: install podium[agent]=={gateway} when it suits you."


def list_agents(session: Session, caller: Caller, *, version: str) -> list[AgentRecord]:
    """The agents that the caller sees, by pool and name."""
    query = (
        select(Agent)
        .join(Pool, Pool.id == Agent.pool_id)
        .where(seen_by(caller), ~ended_by_scaling())
        .options(joinedload(Agent.pool), joinedload(Agent.token))
        .order_by(Pool.name, Agent.name)
    )
    return agent_records(session, session.scalars(query).all(), version=version)


def agent_records(session: Session, agents: Sequence[Agent], *, version: str) -> list[AgentRecord]:
    """Agents with what each runs."""
    runs = _runs(session, [agent.id for agent in agents])
    return [_agent_record(agent, runs.get(agent.id, ()), version) for agent in agents]


def _agent_record(agent: Agent, runs: Iterable[AgentRun], version: str) -> AgentRecord:
    return AgentRecord(
        name=agent.name,
        pool=agent.pool.name,
        version=agent.version,
        slots=agent.slots,
        executor=agent.executor,
        labels=agent.labels,
        trouble=agent.trouble,
        last_seen=agent.last_seen,
        alive=now() - agent.last_seen < AGENT_ALIVE,
        cordoned=agent.cordoned or agent.pool.cordoned,
        runs=tuple(runs),
        notice=upgrade_notice(agent.version, version),
        token=agent.token.hint if agent.token else "",
    )


def _runs(session: Session, agent_ids: Sequence[UUID]) -> Mapping[UUID, list[AgentRun]]:
    rows = session.execute(
        select(Attempt, Submission.id, Submission.number, Competition.slug)
        .join(Submission, Submission.id == Attempt.submission_id)
        .join(Competition, Competition.id == Submission.competition_id)
        .where(Attempt.status == AttemptStatus.ACTIVE, Attempt.agent_id.in_(agent_ids))
        .order_by(Attempt.started)
    )
    found: dict[UUID, list[AgentRun]] = {}
    for attempt, submission_id, number, slug in rows:
        assert attempt.agent_id is not None
        run = AgentRun(slug, number, submission_id, attempt.number, attempt.stage, attempt.started)
        found.setdefault(attempt.agent_id, []).append(run)
    return found


def pool_view(session: Session, pool: Pool, caller: Caller, *, version: str) -> PoolView:
    """A pool with its agents and what they did lately, for those who see it."""
    agents = session.scalars(
        select(Agent)
        .where(Agent.pool_id == pool.id, ~ended_by_scaling())
        .options(joinedload(Agent.token))
        .order_by(Agent.name)
    ).all()
    outcomes, median = _outcomes(session, [agent.id for agent in agents])
    users = select(Person.username).join(PoolUser, PoolUser.person_id == Person.id).where(PoolUser.pool_id == pool.id)
    slugs = select(Competition.slug).where(Competition.pool_id == pool.id).order_by(Competition.slug)
    oldest = session.scalar(
        select(func.min(Submission.queued))
        .join(Competition, Competition.id == Submission.competition_id)
        .where(Submission.status == SubmissionStatus.QUEUED, Submission.ended.is_(None), Competition.pool_id == pool.id)
    )
    return PoolView(
        pool=pool_record(session, pool, caller),
        users=tuple(session.scalars(users.order_by(Person.username))),
        competitions=tuple(session.scalars(slugs)),
        agents=tuple(agent_records(session, agents, version=version)),
        oldest_seconds=(now() - oldest).total_seconds() if oldest else None,
        outcomes=outcomes,
        median_seconds=median,
        attempts=_attempts(session, {agent.id: agent.name for agent in agents}),
    )


def _outcomes(session: Session, agent_ids: Sequence[UUID]) -> tuple[dict[str, int], float | None]:
    rows = session.execute(
        select(Attempt.status, Attempt.started, Attempt.ended).where(
            Attempt.agent_id.in_(agent_ids), Attempt.started > now() - OUTCOMES_OF, Attempt.ended.is_not(None)
        )
    ).all()
    counts = Counter(str(status) for status, _, _ in rows)
    well = [
        (ended - started).total_seconds()
        for status, started, ended in rows
        if status is AttemptStatus.SUCCEEDED and ended is not None
    ]
    return dict(sorted(counts.items())), statistics.median(well) if well else None


def _attempts(session: Session, names: Mapping[UUID, str]) -> tuple[PastAttempt, ...]:
    rows = session.execute(
        select(Attempt, Submission.id, Submission.number, Competition.slug)
        .join(Submission, Submission.id == Attempt.submission_id)
        .join(Competition, Competition.id == Submission.competition_id)
        .where(Attempt.agent_id.in_(names))
        .order_by(Attempt.started.desc())
        .limit(SHOWN_ATTEMPTS)
    )
    return tuple(
        PastAttempt(
            competition=slug,
            number=number,
            submission_id=submission_id,
            attempt=attempt.number,
            agent=names.get(attempt.agent_id, "") if attempt.agent_id else "",
            status=attempt.status,
            message=attempt.message,
            started=attempt.started,
            seconds=(attempt.ended - attempt.started).total_seconds() if attempt.ended else None,
        )
        for attempt, submission_id, number, slug in rows
    )


def find_agent(session: Session, pool: Pool, name: str) -> Agent:
    """The agent of that name in a pool, locked.

    Raises:
        NotFound: There is none.
    """
    query = select(Agent).where(Agent.pool_id == pool.id, Agent.name == name).with_for_update(of=Agent)
    agent = session.scalar(query)
    if agent is None:
        raise NotFound(f"Pool '{pool.name}' has no agent '{name[:100]}'.", remedy="List them with `podium agents`.")
    return agent


def set_agent_cordoned(session: Session, agent: Agent, *, cordoned: bool, actor: str) -> None:
    """Let an agent take nothing new, or take again. What it runs goes on."""
    if (agent.cordoned is not None) == cordoned:
        return
    _record(session, agent, "cordoned" if agent.cordoned else "open", "cordoned" if cordoned else "open", actor)
    # The reason of scaling goes too: what a person says of an agent is not its to undo.
    agent.cordoned, agent.cordon_reason = now() if cordoned else None, None
    notify(session, pool_topic(agent.pool.name))


def remove_agent(session: Session, agent: Agent, *, actor: str) -> None:
    """Forget an agent that is gone. One that says hello again is there again; for good it takes revoking its token.

    Raises:
        Conflict: It is alive, or holds something.
    """
    if now() - agent.last_seen < AGENT_ALIVE:
        raise Conflict(
            f"'{agent.name}' was heard of a moment ago.",
            remedy="Stop it first, or revoke its token; a minute later it can be removed.",
        )
    if _runs(session, [agent.id]):
        raise Conflict(f"'{agent.name}' still holds submissions.", remedy="They are taken from it within a minute.")
    _record(session, agent, "gone", "removed", actor)
    session.delete(agent)


def _record(session: Session, agent: Agent, before: str, after: str, actor: str) -> None:
    record_event(
        session,
        subject="agent",
        subject_id=agent.id,
        before=before,
        after=after,
        actor=actor,
        reason=f"{agent.name} of pool {agent.pool.name}",
    )
