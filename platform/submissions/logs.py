"""Logs of a submission: append-only text by stream and offset, readable from any point by any number of watchers."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from podium.platform.database import notify
from podium.platform.errors import InvalidInput
from podium.platform.jobs import LogChunks
from podium.platform.lifecycle import TERMINAL_SUBMISSION_STATUSES
from podium.platform.models import Attempt, Evaluation, LogText, Submission, Task
from podium.platform.records import LogPage, LogPiece

PAGE_PIECES = 500


def logs_topic(submission_id: UUID) -> str:
    """The topic under which readers of a submission's logs are told."""
    return f"logs:{submission_id}"


def append_logs(session: Session, attempt: Attempt, chunks: LogChunks) -> None:
    """Add text; a chunk that was added before is not added again.

    Raises:
        InvalidInput: A chunk is of an evaluation that the attempt does not have.
    """
    own = set(session.scalars(select(Evaluation.id).where(Evaluation.submission_id == attempt.submission_id)))
    if any(chunk.evaluation_id not in own for chunk in chunks.chunks):
        raise InvalidInput("A chunk belongs to an evaluation that this attempt does not have.")
    rows = [
        {
            "submission_id": attempt.submission_id,
            "attempt_id": attempt.id,
            "evaluation_id": chunk.evaluation_id,
            "stream": chunk.stream,
            "offset": chunk.offset,
            # Postgres can't store the character U+0000.
            "text": chunk.text.replace("\x00", "\N{REPLACEMENT CHARACTER}"),
        }
        for chunk in chunks.chunks
        if chunk.text
    ]
    if rows:
        session.execute(
            insert(LogText)
            .values(rows)
            .on_conflict_do_nothing(constraint="uq_log_texts_attempt_id_evaluation_id_stream_offset")
        )
        notify(session, logs_topic(attempt.submission_id))


def read_logs(session: Session, submission: Submission, *, after: int) -> LogPage:
    """Pieces with a sequence greater than `after`, at most a page of them."""
    rows = session.execute(
        select(LogText, Attempt.number, Task.name)
        .join(Attempt, Attempt.id == LogText.attempt_id)
        .join(Evaluation, Evaluation.id == LogText.evaluation_id)
        .join(Task, Task.id == Evaluation.task_id)
        .where(LogText.submission_id == submission.id, LogText.sequence > after)
        .order_by(LogText.sequence)
        .limit(PAGE_PIECES)
    ).all()
    pieces = tuple(
        LogPiece(sequence=row.sequence, attempt=number, task=task, stream=row.stream, text=row.text)
        for row, number, task in rows
    )
    return LogPage(
        pieces=pieces,
        cursor=pieces[-1].sequence if pieces else after,
        ended=len(pieces) < PAGE_PIECES and submission.status in TERMINAL_SUBMISSION_STATUSES,
    )
