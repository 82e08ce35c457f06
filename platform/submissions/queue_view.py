"""How a competition's submissions stand in the queue of its pool, for its organizers."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from podium.platform.lifecycle import ACTIVE_SUBMISSION_STATUSES, SubmissionQueue, SubmissionStatus
from podium.platform.models import Competition, Submission, now
from podium.platform.placement import why_unplaced
from podium.platform.records.submissions import QueueRecord
from podium.platform.scaling.arrival import why_none_is_there_yet
from podium.platform.submissions.fitting import live_agents, needs_of, offer_of_agent, takes_work, why_none_takes
from podium.platform.submissions.waiting import typical_seconds


def queue_record(session: Session, competition: Competition) -> QueueRecord:
    """The queue, as it is now."""
    open_ones = session.execute(
        select(Submission.status, Submission.queue, func.count(), func.min(Submission.queued))
        .where(Submission.competition_id == competition.id, Submission.ended.is_(None))
        .group_by(Submission.status, Submission.queue)
    ).all()
    queued = {row[1]: row[2] for row in open_ones if row[0] is SubmissionStatus.QUEUED}
    oldest = [row[3] for row in open_ones if row[0] is SubmissionStatus.QUEUED and row[3] is not None]
    in_pool = session.scalar(
        select(func.count())
        .select_from(Submission)
        .join(Competition, Competition.id == Submission.competition_id)
        .where(
            Submission.status == SubmissionStatus.QUEUED,
            Submission.ended.is_(None),
            Competition.pool_id == competition.pool_id,
        )
    )
    agents = live_agents(session, competition.pool_id)
    well = [agent for agent in agents if takes_work(agent)]
    typical = {phase.name: typical_seconds(session, phase.id) for phase in competition.phases}
    return QueueRecord(
        pool=competition.pool.name,
        agents=len(well),
        slots=sum(agent.slots for agent in well),
        queued=queued.get(SubmissionQueue.DEFAULT, 0),
        queued_reruns=queued.get(SubmissionQueue.RERUN, 0),
        under_way=sum(row[2] for row in open_ones if row[0] in ACTIVE_SUBMISSION_STATUSES),
        queued_in_pool=in_pool or 0,
        oldest_seconds=(now() - min(oldest)).total_seconds() if oldest else None,
        typical_seconds={name: seconds for name, seconds in typical.items() if seconds is not None},
        reason=_why_nothing(session, competition),
    )


def _why_nothing(session: Session, competition: Competition) -> str:
    """Why agents take nothing of a competition at the moment; empty when they can."""
    pool = competition.pool
    agents = live_agents(session, pool.id)
    needs = [needs_of(competition, phase, pool) for phase in competition.phases]
    if why := why_none_takes(pool, agents):
        if coming := why_none_is_there_yet(session, pool, agents, needs):
            return f"{coming}."
        said = "; ".join(f"{agent.name}: {agent.trouble}" for agent in agents if agent.trouble)
        return f"{why[0]} ({said})." if said else f"{why[0]}."
    well = [offer_of_agent(agent) for agent in agents if takes_work(agent)]
    reasons = [why_unplaced(pool.name, one, well) for one in needs]
    return " ".join(dict.fromkeys(reason for reason in reasons if reason))
