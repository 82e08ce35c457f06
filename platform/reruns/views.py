"""Reruns as the API answers them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from podium.platform.leaderboard.entries import column_record
from podium.platform.lifecycle import (
    ACTIVE_SUBMISSION_STATUSES,
    EvaluationStatus,
    RerunStatus,
    SubmissionStatus,
    Verdict,
)
from podium.platform.models import Evaluation, Rerun, RerunItem, Submission, now
from podium.platform.records.reruns import RerunDifference, RerunRecord, RerunReport
from podium.platform.reruns.comparison import compare
from podium.platform.reruns.driving import status_counts
from podium.platform.reruns.selection import Selection

SETTLED_FIRST = 5
"""Submissions that must have ended before their speed tells more than history does."""


def rerun_record(session: Session, rerun: Rerun) -> RerunRecord:
    """A rerun with its progress."""
    counts = status_counts(session, rerun.id)
    failed = counts.get(SubmissionStatus.FAILED, 0)
    judged = _judged(session, rerun) if failed else 0
    finished = counts.get(SubmissionStatus.FINISHED, 0)
    made = sum(counts.values())
    given_up = failed - judged + counts.get(SubmissionStatus.CANCELLED, 0)
    left = rerun.total - finished - judged - given_up
    return RerunRecord(
        id=rerun.id,
        number=rerun.number,
        competition=rerun.competition.slug,
        reason=rerun.reason,
        requested_by=rerun.requester.username,
        selection=Selection.of(rerun.selection).in_words(),
        adoption=rerun.adoption,
        parallel=rerun.parallel,
        status=rerun.status,
        status_message=rerun.status_message,
        held_back=rerun.held_back,
        version=rerun.version,
        total=rerun.total,
        waiting=rerun.total - made,
        queued=counts.get(SubmissionStatus.QUEUED, 0),
        under_way=sum(counts.get(status, 0) for status in ACTIVE_SUBMISSION_STATUSES),
        finished=finished,
        failed=judged,
        given_up=given_up,
        remaining_seconds=_remaining(rerun, left),
        created=rerun.created,
        started=rerun.started,
        ended=rerun.ended,
    )


def _judged(session: Session, rerun: Rerun) -> int:
    """Those that failed with a verdict of their own."""
    query = select(func.count(func.distinct(Submission.id))).where(
        Submission.rerun_id == rerun.id,
        Submission.status == SubmissionStatus.FAILED,
        Evaluation.submission_id == Submission.id,
        Evaluation.status == EvaluationStatus.FAILED,
        Evaluation.verdict.is_distinct_from(Verdict.IMAGE_UNAVAILABLE),
    )
    return session.scalar(query) or 0


def _remaining(rerun: Rerun, left: int) -> float | None:
    """How long the rest takes, by the speed so far, or by history before there is any."""
    if rerun.status not in {RerunStatus.WAITING, RerunStatus.RUNNING} or not left:
        return None
    done = rerun.total - left
    if rerun.started is not None and done >= SETTLED_FIRST:
        return (now() - rerun.started) / timedelta(seconds=1) / done * left
    return None if rerun.expected_seconds is None else rerun.expected_seconds * left / rerun.total


def rerun_report(session: Session, rerun: Rerun) -> RerunReport:
    """The new results beside the old ones: as they are now, or as they were when they were adopted."""
    board = rerun.competition.leaderboards[0]
    rows = _kept(session, rerun) if rerun.status is RerunStatus.ADOPTED else _compared(session, rerun)
    return RerunReport(
        rerun=rerun_record(session, rerun),
        columns=tuple(column_record(column, board) for column in board.columns),
        differences=tuple(sorted(rows, key=_largest_first)),
        changed=sum(row.changed for row in rows),
        moved=sum(row.old_rank != row.new_rank for row in rows),
        now_failing=sum(_became(row, SubmissionStatus.FINISHED, SubmissionStatus.FAILED) for row in rows),
        now_finished=sum(_became(row, SubmissionStatus.FAILED, SubmissionStatus.FINISHED) for row in rows),
    )


def _became(row: RerunDifference, before: SubmissionStatus, after: SubmissionStatus) -> bool:
    return row.old_status is before and row.new_status is after


def _compared(session: Session, rerun: Rerun) -> list[RerunDifference]:
    return [
        RerunDifference(
            number=one.origin.number,
            participant=one.origin.person.username,
            phase=one.origin.phase.name,
            old_status=one.before,
            new_status=one.after,
            message=one.message,
            old_scores=tuple(one.old_scores),
            new_scores=tuple(one.new_scores),
            old_rank=one.old_rank,
            new_rank=one.new_rank,
        )
        for one in compare(session, rerun).differences
    ]


def _kept(session: Session, rerun: Rerun) -> list[RerunDifference]:
    items: Sequence[RerunItem] = session.scalars(
        select(RerunItem)
        .where(RerunItem.rerun_id == rerun.id)
        .order_by(RerunItem.position)
        .options(
            joinedload(RerunItem.origin).options(joinedload(Submission.person), joinedload(Submission.phase)),
            joinedload(RerunItem.submission),
        )
    ).all()
    return [
        RerunDifference(
            number=item.origin.number,
            participant=item.origin.person.username,
            phase=item.origin.phase.name,
            old_status=item.old_status or item.origin.status,
            new_status=item.new_status,
            message=item.submission.status_message if item.submission else "",
            old_scores=tuple(item.old_scores),
            new_scores=tuple(item.new_scores),
            old_rank=item.old_rank,
            new_rank=item.new_rank,
        )
        for item in items
    ]


_NO_RANK = 1_000_000_000


def _largest_first(row: RerunDifference) -> tuple[bool, int, int]:
    move = abs((row.old_rank or _NO_RANK) - (row.new_rank or _NO_RANK))
    return (not row.changed, -move, row.number)
