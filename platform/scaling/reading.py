"""How a pool is, read from the database: `Situation` for `decide`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from podium.platform.lifecycle import (
    ACTIVE_SUBMISSION_STATUSES,
    AttemptStatus,
    RerunStatus,
    SubmissionQueue,
    SubmissionStatus,
)
from podium.platform.models import (
    Agent,
    Attempt,
    Competition,
    Phase,
    Pool,
    Rerun,
    ScaledAgent,
    ScalingPolicy,
    Submission,
)
from podium.platform.placement import Needs, Offer, fits, missing
from podium.platform.scaling.fleet import CORDONED_BY_SCALING
from podium.platform.scaling.situation import (
    UNKNOWN_SECONDS,
    AgentState,
    Condition,
    Demand,
    Rules,
    Situation,
    Waiting,
)
from podium.platform.scaling.states import ScaledAgentStatus
from podium.platform.submissions.fitting import AGENT_ALIVE, needs_of, offer_of_agent
from podium.platform.submissions.waiting import typical_seconds
from podium.platform.version import VERSION


def rules_of(policy: ScalingPolicy) -> Rules:
    """What an administrator asks; of a pool whose scaling is off, that all go."""
    return Rules(
        minimum=policy.minimum if policy.enabled else 0,
        maximum=policy.maximum if policy.enabled else 0,
        target_wait=policy.target_wait,
        cool_down_up=policy.cool_down_up,
        cool_down_down=policy.cool_down_down,
        slots=policy.slots,
        patience=policy.patience,
    )


@dataclass(frozen=True, slots=True)
class _Queued:
    """What waits of one phase."""

    what: str
    count: int
    oldest: float
    seconds: float
    needs: Needs


def read_situation(
    session: Session, pool: Pool, policy: ScalingPolicy, moment: datetime, *, maxima: Mapping[str, float]
) -> Situation:
    """How a pool is at this moment; remembers in `policy` what agents of its kind have, and when it was busy."""
    known = {agent.name: agent for agent in session.scalars(select(Agent).where(Agent.pool_id == pool.id))}
    running = _running(session, pool)
    rows = session.scalars(
        select(ScaledAgent).where(ScaledAgent.pool_id == pool.id, ScaledAgent.status != ScaledAgentStatus.ENDED)
    ).all()
    staying = [row for row in rows if row.status != ScaledAgentStatus.LEAVING]
    own = [_own(row, known.get(row.name), running, moment) for row in staying]
    offer = _offer(policy, [known[one.name] for one in own if one.condition is Condition.READY and one.name in known])
    queued = _queued(session, pool, moment, maxima)
    named = {row.name for row in rows}
    alive = [agent for agent in known.values() if agent.last_seen > moment - AGENT_ALIVE and agent.name not in named]
    waiting = tuple(Waiting(one.what, one.count, one.oldest, one.seconds, _lacks(one.needs, offer)) for one in queued)
    helped = [one.needs for one in queued if not _lacks(one.needs, offer)]
    agents = (*own, *(_other(agent, running, helped) for agent in alive))
    if waiting or any(agent.running for agent in agents):
        policy.last_busy = moment
    return Situation(
        moment=moment,
        agents=agents,
        waiting=waiting,
        running_seconds=_running_seconds(session, pool),
        demands=tuple(Demand(datetime.fromisoformat(one["moment"]), int(one["slots"])) for one in policy.demands),
        last_up=policy.last_up,
        last_down=policy.last_down,
        last_busy=policy.last_busy,
        put_off_until=policy.put_off_until,
    )


def own_states(
    session: Session, pool: Pool, rows: Sequence[ScaledAgent], known: Mapping[str, Agent], moment: datetime
) -> list[AgentState]:
    """How the agents are that scaling has started."""
    running = _running(session, pool)
    return [_own(row, known.get(row.name), running, moment) for row in rows]


def _own(row: ScaledAgent, agent: Agent | None, running: Mapping[UUID, int], moment: datetime) -> AgentState:
    """An agent that scaling has started. Notes in its row since when it is in trouble."""
    if agent is None:
        return AgentState(row.name, Condition.STARTING, slots=row.slots, seconds=_age(row.created, moment))
    held = running.get(agent.id, 0)
    draining = agent.cordoned is not None and agent.cordon_reason == CORDONED_BY_SCALING
    row.troubled_since = (row.troubled_since or moment) if agent.trouble else None
    condition, seconds, detail = Condition.READY, _age(row.created, moment), ""
    if agent.cordoned is not None and not draining:
        condition, detail = Condition.HELD, agent.cordon_reason or ""
    elif agent.last_seen <= moment - AGENT_ALIVE:
        condition, seconds = Condition.SILENT, _age(agent.last_seen, moment)
    elif agent.version != VERSION:
        condition, detail = Condition.OUTDATED, agent.version
    elif row.troubled_since is not None:
        condition, seconds, detail = Condition.TROUBLED, _age(row.troubled_since, moment), agent.trouble
    return AgentState(row.name, condition, agent.slots, held, draining=draining, seconds=seconds, detail=detail)


def _other(agent: Agent, running: Mapping[UUID, int], helped: Sequence[Needs]) -> AgentState:
    """A live agent that scaling did not start. One that can't run all that waits is no reason to start fewer."""
    condition = Condition.READY
    if agent.cordoned is not None:
        condition = Condition.HELD
    elif agent.trouble or not all(fits(needs, offer_of_agent(agent)) for needs in helped):
        condition = Condition.TROUBLED
    return AgentState(agent.name, condition, agent.slots, running.get(agent.id, 0), own=False, detail=agent.trouble)


def _offer(policy: ScalingPolicy, ready: Sequence[Agent]) -> Offer | None:
    """What an agent of the kind that scaling starts has; `None` where none was ever seen."""
    if ready:
        policy.offer = {"executor": ready[-1].executor, "labels": dict(ready[-1].labels)}
    if not policy.offer:
        return None
    agent = Agent(name="new", executor=policy.offer["executor"], labels=policy.offer["labels"])
    return offer_of_agent(agent)


def _lacks(needs: Needs, offer: Offer | None) -> str:
    return " and ".join(missing(needs, offer)) if offer is not None else ""


def _running(session: Session, pool: Pool) -> dict[UUID, int]:
    counted = session.execute(
        select(Attempt.agent_id, func.count())
        .join(Agent, Agent.id == Attempt.agent_id)
        .where(Agent.pool_id == pool.id, Attempt.status == AttemptStatus.ACTIVE)
        .group_by(Attempt.agent_id)
    )
    return {agent_id: count for agent_id, count in counted if agent_id is not None}


def _queued(session: Session, pool: Pool, moment: datetime, maxima: Mapping[str, float]) -> list[_Queued]:
    """What waits and may begin, by phase. Reruns wait for all others, so how long they have waited says nothing."""
    counts = session.execute(
        select(
            Submission.phase_id,
            func.count(),
            func.min(Submission.queued).filter(Submission.queue == SubmissionQueue.DEFAULT),
        )
        .join(Competition, Competition.id == Submission.competition_id)
        .outerjoin(Rerun, Rerun.id == Submission.rerun_id)
        .where(
            Submission.status == SubmissionStatus.QUEUED,
            Submission.ended.is_(None),
            Competition.pool_id == pool.id,
            or_(Submission.not_before.is_(None), Submission.not_before <= moment),
            or_(Submission.rerun_id.is_(None), Rerun.status == RerunStatus.RUNNING),
        )
        .group_by(Submission.phase_id)
    ).all()
    found = []
    for phase_id, count, oldest in counts:
        phase = session.get_one(Phase, phase_id)
        found.append(
            _Queued(
                what=f"{phase.competition.slug}, phase {phase.position + 1}",
                count=count,
                oldest=_age(oldest, moment) if oldest else 0.0,
                seconds=typical_seconds(session, phase_id) or UNKNOWN_SECONDS,
                needs=needs_of(phase.competition, phase, pool, maxima),
            )
        )
    return found


def _running_seconds(session: Session, pool: Pool) -> float:
    """How long one of those that run takes, by history."""
    counts = session.execute(
        select(Submission.phase_id, func.count())
        .join(Competition, Competition.id == Submission.competition_id)
        .where(
            Submission.status.in_(ACTIVE_SUBMISSION_STATUSES),
            Submission.ended.is_(None),
            Competition.pool_id == pool.id,
        )
        .group_by(Submission.phase_id)
    ).all()
    if not counts:
        return UNKNOWN_SECONDS
    total = 0.0
    for phase_id, count in counts:
        total += count * (typical_seconds(session, phase_id) or UNKNOWN_SECONDS)
    number: int = sum(count for _, count in counts)
    return total / number


def _age(since: datetime, moment: datetime) -> float:
    return max(0.0, (moment - since).total_seconds())
