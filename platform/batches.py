"""Batches: one flow run that stands for many submissions, so that a burst or a rerun costs Prefect little.

What agents take is still one submission after the other, in the order of the queue; a batch only says under which flow
run operators see them. Its states follow what its submissions do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from podium.platform.database import notify
from podium.platform.events import pool_topic
from podium.platform.lifecycle import SubmissionQueue, SubmissionStatus
from podium.platform.models import Batch, Competition, Phase, Pool, Rerun, RerunItem, Submission, now
from podium.platform.orchestration import Orchestration

BATCH_SIZE = 50
"""Submissions in a batch at most."""
BUSY = 4
"""Submissions that wait in a pool before new ones get into batches."""


def is_busy(session: Session, pool_id: UUID) -> bool:
    """Whether so many wait in a pool that a flow run for each would only keep them waiting longer."""
    waiting = (
        select(Submission.id)
        .join(Competition, Competition.id == Submission.competition_id)
        .where(
            Submission.status == SubmissionStatus.QUEUED,
            Submission.ended.is_(None),
            Submission.queue == SubmissionQueue.DEFAULT,
            Competition.pool_id == pool_id,
        )
        .limit(BUSY)
        .subquery()
    )
    return (session.scalar(select(func.count()).select_from(waiting)) or 0) >= BUSY


def new_batch(session: Session, pool: Pool, queue: SubmissionQueue, *, rerun: Rerun | None = None) -> Batch:
    """A batch without submissions and flow run."""
    if rerun is not None:
        count = session.scalar(select(func.count()).where(Batch.rerun_id == rerun.id)) or 0
        name = f"{rerun.competition.slug} rerun {rerun.number} batch {count + 1}"
    else:
        name = f"{pool.name} {'migrated' if queue is SubmissionQueue.RERUN else 'burst'} {now():%Y-%m-%d %H:%M:%S}"
    batch = Batch(pool_id=pool.id, queue=queue, rerun_id=rerun.id if rerun else None, name=name)
    session.add(batch)
    session.flush()
    return batch


def assign_to_batch(session: Session, submission: Submission) -> UUID:
    """The batch of a queued submission: its own, else the open one of its kind that has room, else a new one."""
    pool = submission.competition.pool
    _lock_batches(session, pool)
    present = session.scalar(select(Submission.batch_id).where(Submission.id == submission.id))
    if present is not None:
        return present
    batch = _batch_with_room(session, pool, submission.queue, submission.rerun_id)
    batch.size += 1
    session.execute(update(Submission).where(Submission.id == submission.id).values(batch_id=batch.id))
    session.flush()
    return batch.id


@dataclass(frozen=True, slots=True)
class Alike:
    """Queued submissions that may share a batch: of one pool and queue, and of one rerun or of none."""

    pool_id: UUID
    queue: SubmissionQueue
    rerun_id: UUID | None
    submission_ids: Sequence[UUID]


def undispatched_submissions(session: Session, *, limit: int) -> tuple[list[Alike], list[UUID]]:
    """Queued submissions without a flow run: those that go into batches, and those that get a flow run each."""
    rows = session.execute(
        select(Submission.id, Submission.batch_id, Competition.pool_id, Submission.queue, Submission.rerun_id)
        .join(Competition, Competition.id == Submission.competition_id)
        .where(
            Submission.status == SubmissionStatus.QUEUED,
            Submission.ended.is_(None),
            Submission.flow_run_id.is_(None),
        )
        .order_by(Submission.queue, Submission.queued)
        .limit(limit)
    ).all()
    busy = {pool_id: is_busy(session, pool_id) for pool_id in {row.pool_id for row in rows}}
    groups: dict[tuple[UUID, SubmissionQueue, UUID | None], list[UUID]] = {}
    singly = []
    for submission_id, batch_id, pool_id, queue, rerun_id in rows:
        if batch_id is None and (queue is not SubmissionQueue.DEFAULT or busy[pool_id]):
            groups.setdefault((pool_id, queue, rerun_id), []).append(submission_id)
        else:
            singly.append(submission_id)
    return [Alike(*kind, submission_ids) for kind, submission_ids in groups.items()], singly


def assign_together(session: Session, alike: Alike) -> list[UUID]:
    """Put submissions into batches of their kind; return these.

    Those that have ended or got a batch meanwhile are left out, and those that somebody holds wait for the next time.
    """
    pool = session.get_one(Pool, alike.pool_id)
    _lock_batches(session, pool)
    left = session.scalars(
        select(Submission.id)
        .where(
            Submission.id.in_(alike.submission_ids),
            Submission.status == SubmissionStatus.QUEUED,
            Submission.ended.is_(None),
            Submission.flow_run_id.is_(None),
            Submission.batch_id.is_(None),
        )
        .order_by(Submission.queued)
        .with_for_update(skip_locked=True)
    ).all()
    batches = []
    while left:
        batch = _batch_with_room(session, pool, alike.queue, alike.rerun_id)
        taken, left = left[: BATCH_SIZE - batch.size], left[BATCH_SIZE - batch.size :]
        batch.size += len(taken)
        session.execute(update(Submission).where(Submission.id.in_(taken)).values(batch_id=batch.id))
        session.flush()
        batches.append(batch.id)
    return batches


def _lock_batches(session: Session, pool: Pool) -> None:
    """Of many that ask for a batch at once, let one make it, and the others find it."""
    lock = text("SELECT pg_advisory_xact_lock(hashtext('podium-batches'), hashtext(:pool))")
    session.execute(lock, {"pool": pool.name})


def _batch_with_room(session: Session, pool: Pool, queue: SubmissionQueue, rerun_id: UUID | None) -> Batch:
    # Locked, so that it does not end at this moment, with what is assigned to it left behind.
    batch = session.scalar(
        select(Batch)
        .where(
            Batch.pool_id == pool.id,
            Batch.ended.is_(None),
            Batch.queue == queue,
            Batch.rerun_id == rerun_id if rerun_id is not None else Batch.rerun_id.is_(None),
            Batch.size < BATCH_SIZE,
        )
        .order_by(Batch.created.desc())
        .limit(1)
        .with_for_update(of=Batch)
        .execution_options(populate_existing=True)
    )
    if batch is None:
        batch = new_batch(session, pool, queue, rerun=session.get(Rerun, rerun_id) if rerun_id else None)
    return batch


def dispatch_batch(session: Session, orchestration: Orchestration, batch_id: UUID) -> UUID:
    """Make the flow run of a batch, if it has none, and let agents have its submissions.

    Raises:
        PlatformFault: Prefect can't be reached, or has no such deployment.
    """
    batch = session.get_one(Batch, batch_id, with_for_update=True, populate_existing=True)
    if batch.flow_run_id is None:
        rerun = session.get(Rerun, batch.rerun_id) if batch.rerun_id else None
        tags = ["batch"]
        if rerun is not None:
            tags += rerun_tags(session, rerun)
        batch.flow_run_id = orchestration.dispatch_batch(
            batch.id, pool=batch.pool.name, queue=batch.queue, name=batch.name, tags=tags
        )
        session.flush()
    changed = session.scalars(
        update(Submission)
        .where(Submission.batch_id == batch.id, Submission.flow_run_id.is_(None))
        .values(flow_run_id=batch.flow_run_id, dispatches=Submission.dispatches + 1)
        .returning(Submission.id)
    ).all()
    if changed:
        notify(session, pool_topic(batch.pool.name))
    return batch.flow_run_id


def rerun_tags(session: Session, rerun: Rerun) -> list[str]:
    """What a rerun's flow runs are found by: its competition, its number, and the phases that it scores again."""
    positions = session.scalars(
        select(Phase.position)
        .join(Submission, Submission.phase_id == Phase.id)
        .join(RerunItem, RerunItem.origin_id == Submission.id)
        .where(RerunItem.rerun_id == rerun.id)
        .distinct()
        .order_by(Phase.position)
    )
    phases = [f"phase:{position + 1}" for position in positions]
    return [f"competition:{rerun.competition.slug}", *phases, f"rerun:{rerun.number}"]


def undispatched_batches(session: Session) -> list[UUID]:
    """Batches that have submissions and no flow run."""
    return list(
        session.scalars(
            select(Batch.id)
            .where(Batch.ended.is_(None), Batch.flow_run_id.is_(None), Batch.size > 0)
            .order_by(Batch.created)
        )
    )


def follow_batches(session: Session, orchestration: Orchestration, *, rerun_id: UUID | None = None) -> int:
    """Tell Prefect which batches have begun and ended, by what their submissions do; return how many have ended.

    Args:
        rerun_id: Look at those of one rerun only.

    Raises:
        PlatformFault: Prefect can't be reached; what was not told is told the next time.
    """
    open_batches = select(Batch).where(Batch.ended.is_(None), Batch.flow_run_id.is_not(None))
    if rerun_id is not None:
        open_batches = open_batches.where(Batch.rerun_id == rerun_id)
    ended = 0
    for batch in session.scalars(open_batches.with_for_update(skip_locked=True)).all():
        counts = {
            row[0]: row[1]
            for row in session.execute(
                select(Submission.status, func.count())
                .where(Submission.batch_id == batch.id)
                .group_by(Submission.status)
            )
        }
        over = sum(number for status, number in counts.items() if status in _OVER)
        total = sum(counts.values())
        assert batch.flow_run_id is not None
        if batch.begun is None and total > counts.get(SubmissionStatus.QUEUED, 0):
            orchestration.set_state(batch.flow_run_id, "RUNNING", name="Running")
            batch.begun = now()
        # A burst's batch that has room gets more, as long as there is a burst.
        if over == total and (total >= BATCH_SIZE or (now() - batch.created).total_seconds() > _LINGER_SECONDS):
            said = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
            orchestration.set_state(
                batch.flow_run_id, "COMPLETED", name="Completed", message=said or "What was in it is scored elsewhere."
            )
            batch.ended = now()
            ended += 1
    return ended


_OVER = frozenset({SubmissionStatus.FINISHED, SubmissionStatus.FAILED, SubmissionStatus.CANCELLED})
_LINGER_SECONDS = 5.0
