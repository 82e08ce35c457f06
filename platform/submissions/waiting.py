"""What waits for agents: in which order, what each agent is offered, and why and how long somebody waits."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, load_only

from podium.platform.jobs import AnnouncedRun
from podium.platform.lifecycle import ACTIVE_SUBMISSION_STATUSES, AttemptStatus, RerunStatus, SubmissionStatus
from podium.platform.models import Attempt, Competition, Phase, Pool, Rerun, Submission, now
from podium.platform.placement import Offer, fits, why_unplaced
from podium.platform.scaling.arrival import why_none_is_there_yet
from podium.platform.submissions.attempts import active_in_rerun
from podium.platform.submissions.fitting import live_agents, needs_of, offer_of_agent, takes_work, why_none_takes

HISTORY = 40
"""Attempts that say how long a phase's submissions take."""


def announced_runs(
    session: Session, pool: Pool, offer: Offer, *, maxima: Mapping[str, float], limit: int = 16
) -> tuple[AnnouncedRun, ...]:
    """The head of a pool's queue as an agent sees it: what it can run, the first in line first.

    What it can't run is passed over, so that it does not keep the agent from what stands behind.
    """
    unfit: set[UUID] = set()
    held = _reruns_at_their_limit(session, pool.id)
    while True:
        rows = session.execute(_queue(pool.id, unfit, held).limit(limit)).all()
        needs = {phase.id: needs_of(competition, phase, pool, maxima) for _, _, _, _, competition, phase in rows}
        found = {phase_id for phase_id, one in needs.items() if not fits(one, offer)}
        if not found:
            break
        unfit |= found
    return tuple(
        AnnouncedRun(
            submission_id=submission_id,
            flow_run_id=flow_run_id,
            name=f"{competition.slug} #{number}",
            gpus=needs[phase.id].gpus,
            batched=batch_id is not None,
        )
        for submission_id, flow_run_id, number, batch_id, competition, phase in rows
    )


def _queue(
    pool_id: UUID, without_phases: set[UUID], without_reruns: set[UUID]
) -> Select[tuple[UUID, UUID, int, UUID | None, Competition, Phase]]:
    """What waits for an agent in a pool, in its order. What is read of competition and phase is little."""
    flow_run_id = cast("InstrumentedAttribute[UUID]", Submission.flow_run_id)
    query = (
        select(Submission.id, flow_run_id, Submission.number, Submission.batch_id, Competition, Phase)
        .join(Competition, Competition.id == Submission.competition_id)
        .join(Phase, Phase.id == Submission.phase_id)
        .outerjoin(Rerun, Rerun.id == Submission.rerun_id)
        .where(
            Submission.status == SubmissionStatus.QUEUED,
            Submission.ended.is_(None),
            Submission.flow_run_id.is_not(None),
            Competition.pool_id == pool_id,
            _may_begin(now()),
        )
        .order_by(Submission.queue, Submission.queued, Submission.id)
        .options(
            load_only(Competition.slug, Competition.relaxations, Competition.docker_image),
            load_only(Phase.limits, Phase.accepts_container_submissions),
        )
    )
    if without_phases:
        query = query.where(Submission.phase_id.not_in(without_phases))
    if without_reruns:
        query = query.where(or_(Submission.rerun_id.is_(None), Submission.rerun_id.not_in(without_reruns)))
    return query


def _may_begin(moment: datetime) -> ColumnElement[bool]:
    """What is not held back: by the wait before a retry, or by a rerun that is paused. `reruns` must be joined."""
    return and_(
        or_(Submission.not_before.is_(None), Submission.not_before <= moment),
        or_(Submission.rerun_id.is_(None), Rerun.status == RerunStatus.RUNNING),
    )


def _reruns_at_their_limit(session: Session, pool_id: UUID) -> set[UUID]:
    bounded = session.execute(
        select(Rerun.id, Rerun.parallel)
        .join(Competition, Competition.id == Rerun.competition_id)
        .where(
            Competition.pool_id == pool_id,
            Rerun.ended.is_(None),
            Rerun.status == RerunStatus.RUNNING,
            Rerun.parallel.is_not(None),
        )
    ).all()
    return {rerun_id for rerun_id, parallel in bounded if active_in_rerun(session, rerun_id) >= (parallel or 0)}


def _before(submission: Submission) -> list[ColumnElement[bool]]:
    """The conditions of what stands before a queued submission in its pool's queue; competitions must be joined."""
    return [
        Submission.status == SubmissionStatus.QUEUED,
        Submission.ended.is_(None),
        Competition.pool_id == submission.competition.pool_id,
        or_(
            Submission.queue < submission.queue,
            and_(Submission.queue == submission.queue, Submission.queued < submission.queued),
            # Those of a batch were all queued at one moment.
            and_(
                Submission.queue == submission.queue,
                Submission.queued == submission.queued,
                Submission.id < submission.id,
            ),
        ),
    ]


def ahead_of(session: Session, submission: Submission) -> int | None:
    """Submissions that are before this one in its pool's queue; `None` unless it is queued."""
    if submission.status is not SubmissionStatus.QUEUED:
        return None
    return session.scalar(
        select(func.count())
        .select_from(Submission)
        .join(Competition, Competition.id == Submission.competition_id)
        .where(*_before(submission))
    )


def why_waiting(session: Session, submission: Submission) -> str:
    """Why a queued submission is not taken, where that is not for those before it alone; else an empty string."""
    if submission.status is not SubmissionStatus.QUEUED:
        return ""
    if submission.not_before is not None and submission.not_before > now():
        return f"{submission.status_message} It is tried again at {submission.not_before:%H:%M:%S} UTC."
    if submission.rerun_id is not None:
        rerun = session.get_one(Rerun, submission.rerun_id)
        if rerun.status is not RerunStatus.RUNNING:
            return f"Its rerun is {rerun.status}."
    competition = submission.competition
    pool = competition.pool
    agents = live_agents(session, pool.id)
    needs = needs_of(competition, submission.phase, pool)
    if why := why_none_takes(pool, agents):
        if coming := why_none_is_there_yet(session, pool, agents, [needs]):
            return f"{coming}."
        return f"{why[0]}; it is scored as soon as {why[1]}."
    fit = [offer_of_agent(agent) for agent in agents if takes_work(agent)]
    return why_unplaced(pool.name, needs, fit)


def typical_seconds(session: Session, phase_id: UUID) -> float | None:
    """How long an attempt in this phase takes, by the median of the latest that ended well; `None` without any."""
    spans = session.execute(
        select(Attempt.started, Attempt.ended)
        .join(Submission, Submission.id == Attempt.submission_id)
        .where(
            Submission.phase_id == phase_id,
            Attempt.status.in_((AttemptStatus.SUCCEEDED, AttemptStatus.USER_ERROR)),
            Attempt.ended.is_not(None),
        )
        .order_by(Attempt.ended.desc())
        .limit(HISTORY)
    ).all()
    seconds = [(ended - started).total_seconds() for started, ended in spans if ended is not None]
    return statistics.median(seconds) if seconds else None


def live_slots(session: Session, pool_id: UUID) -> int:
    """Submissions that a pool's live agents run at the same time, those that take nothing left out."""
    return sum(agent.slots for agent in live_agents(session, pool_id) if takes_work(agent))


def expected_end(session: Session, submission: Submission) -> datetime | None:
    """When a submission that waits or runs will be scored, by history; `None` where nothing can be said.

    It begins at once where a slot is left for it. Else what runs now is taken to be half done, and every slot of the
    pool's live agents to take from the queue alike.
    """
    own = typical_seconds(session, submission.phase_id)
    if own is None or submission.ended is not None:
        return None
    if submission.status in ACTIVE_SUBMISSION_STATUSES:
        began = max((attempt.started for attempt in submission.attempts), default=now())
        return max(began + timedelta(seconds=own), now())
    if submission.status is not SubmissionStatus.QUEUED or why_waiting(session, submission):
        return None
    slots = live_slots(session, submission.competition.pool_id)
    if not slots:
        return None
    ahead = (
        select(Submission.phase_id, func.count())
        .join(Competition, Competition.id == Submission.competition_id)
        .where(*_before(submission))
        .group_by(Submission.phase_id)
    )
    counts: dict[UUID, float] = {row[0]: row[1] for row in session.execute(ahead)}
    before = sum(counts.values())
    running = (
        select(Submission.phase_id, func.count())
        .join(Competition, Competition.id == Submission.competition_id)
        .where(
            Submission.status.in_(ACTIVE_SUBMISSION_STATUSES),
            Submission.ended.is_(None),
            Competition.pool_id == submission.competition.pool_id,
        )
        .group_by(Submission.phase_id)
    )
    held = 0
    for phase_id, number in session.execute(running):
        counts[phase_id] = counts.get(phase_id, 0) + number / 2
        held += number
    if before + held < slots:
        return now() + timedelta(seconds=own)
    work = sum(number * (typical_seconds(session, phase_id) or own) for phase_id, number in counts.items())
    return now() + timedelta(seconds=work / slots + own)
