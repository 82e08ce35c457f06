"""How a rerun goes on: batch after batch into the queue, until everything is scored. Each step may be done again.

Whoever drives a rerun may be killed at any point, and two may drive it at the same time: every step looks at what is
stored, under the lock of the rerun, and does what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from podium.platform.batches import BATCH_SIZE, new_batch
from podium.platform.lifecycle import (
    ACTIVE_SUBMISSION_STATUSES,
    TERMINAL_SUBMISSION_STATUSES,
    RerunStatus,
    SubmissionQueue,
    SubmissionStatus,
)
from podium.platform.models import Rerun, RerunItem, Submission, now
from podium.platform.reruns.adoption import finish
from podium.platform.reruns.comparison import Comparison
from podium.platform.submissions.copies import queue_copies
from podium.platform.transitions import move_rerun

LOW_WATER = BATCH_SIZE // 2
"""The next batch is made when fewer than this wait in the queue, so that agents never run dry."""
ACTOR = "flow:rerun-phase"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the submissions of a rerun are."""

    total: int
    waiting: int
    queued: int
    under_way: int
    ended: int

    @property
    def everything_ended(self) -> bool:
        """Whether there is nothing left to score."""
        return self.ended == self.total


def begin(session: Session, rerun_id: UUID) -> bool:
    """Begin, or go on; tell whether there is anything to do."""
    rerun = lock_rerun(session, rerun_id)
    if rerun is not None and rerun.status is RerunStatus.WAITING:
        move_rerun(session, rerun, RerunStatus.RUNNING, actor=ACTOR)
    if rerun is not None and rerun.started is None:
        rerun.started = now()
    return rerun is not None and rerun.status is RerunStatus.RUNNING


def lock_rerun(session: Session, rerun_id: UUID) -> Rerun | None:
    """The rerun, locked, as it is now."""
    return session.get(Rerun, rerun_id, with_for_update={"of": Rerun}, populate_existing=True)


def progress_of(session: Session, rerun: Rerun) -> Progress:
    """Count where its submissions are."""
    counts = status_counts(session, rerun.id)
    made = sum(counts.values())
    return Progress(
        total=rerun.total,
        waiting=rerun.total - made,
        queued=counts.get(SubmissionStatus.QUEUED, 0),
        under_way=sum(counts.get(status, 0) for status in ACTIVE_SUBMISSION_STATUSES),
        ended=sum(counts.get(status, 0) for status in TERMINAL_SUBMISSION_STATUSES),
    )


def status_counts(session: Session, rerun_id: UUID) -> Mapping[SubmissionStatus, int]:
    """How many of the submissions that a rerun has made are in each status."""
    rows = session.execute(
        select(Submission.status, func.count()).where(Submission.rerun_id == rerun_id).group_by(Submission.status)
    )
    return {row[0]: row[1] for row in rows}


def release_batch(session: Session, rerun_id: UUID, *, size: int = BATCH_SIZE) -> UUID | None:
    """Put the next batch into the queue, if there is one and the queue runs low; return its id.

    The submissions of it are made, and the batch remembered, in one transaction; its flow run comes after.
    """
    rerun = lock_rerun(session, rerun_id)
    if rerun is None or rerun.status is not RerunStatus.RUNNING:
        return None
    if progress_of(session, rerun).queued >= LOW_WATER:
        return None
    items = session.scalars(
        select(RerunItem)
        .where(RerunItem.rerun_id == rerun_id, RerunItem.submission_id.is_(None))
        .order_by(RerunItem.position)
        .limit(size)
    ).all()
    if not items:
        return None
    batch = new_batch(session, rerun.competition.pool, SubmissionQueue.RERUN, rerun=rerun)
    origins = session.scalars(select(Submission).where(Submission.id.in_([item.origin_id for item in items]))).all()
    made = queue_copies(
        session,
        origins,
        number=lambda _, origin: origin.number,
        actor=ACTOR,
        reason=lambda _: f"Rerun {rerun.number}",
        rerun_id=rerun.id,
        batch_id=batch.id,
    )
    for item in items:
        item.submission_id = made[item.origin_id]
    batch.size = len(items)
    session.flush()
    return batch.id


def finish_if_done(session: Session, rerun_id: UUID) -> Comparison | None:
    """End the rerun if everything is scored: compare, and adopt where that is asked for and safe."""
    rerun = lock_rerun(session, rerun_id)
    if rerun is None or rerun.status is not RerunStatus.RUNNING:
        return None
    if not progress_of(session, rerun).everything_ended:
        return None
    return finish(session, rerun, actor=ACTOR)
