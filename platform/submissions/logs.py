"""Logs of a submission: append-only text by stream and offset, readable from any point by any number of watchers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from podium.platform.database import notify
from podium.platform.errors import InvalidInput
from podium.platform.jobs import Limits, LogChunks, LogStream
from podium.platform.lifecycle import TERMINAL_SUBMISSION_STATUSES
from podium.platform.models import Attempt, Evaluation, LogText, Submission, Task
from podium.platform.records.submissions import LogPage, LogPiece

PAGE_PIECES = 500
PAGE_CHARACTERS = 2_000_000
"""What one answer has of a log, unless a single piece is larger."""
PIECE_CHARACTERS = 200_000
"""Neighbours are stored as one piece up to about this size: many small ones would take more room than their text."""
NOTES_CHARACTERS = 16 * 1024
"""What a stream may have beyond its limit, for the platform's own lines."""
CUT_MARK = "\n[podium: the log was cut here, at its size limit]\n"


def logs_topic(submission_id: UUID) -> str:
    """The topic under which readers of a submission's logs are told."""
    return f"logs:{submission_id}"


@dataclass(frozen=True, slots=True)
class Piece:
    """Text of one stream, from an offset on."""

    evaluation_id: UUID
    stream: LogStream
    offset: int
    text: str

    @property
    def key(self) -> tuple[UUID, LogStream]:
        """Which stream it is of."""
        return self.evaluation_id, self.stream


def new_pieces(chunks: Iterable[Piece], ends: Mapping[tuple[UUID, LogStream], int], *, room: int) -> list[Piece]:
    """What of the chunks is to be added: neighbours joined, nothing twice, and no stream longer than there is room.

    An agent that is not ours may send anything. What begins before the end of what is stored was sent before, or is
    to be stored over and over; neither is taken.

    Args:
        chunks: Text in the order in which it came.
        ends: Characters of each stream that are stored.
        room: Characters that a stream may have; where it is cut, there is a mark.
    """
    known = dict(ends)
    pieces: dict[tuple[UUID, LogStream], list[Piece]] = {}
    for chunk in chunks:
        end = known.get(chunk.key, 0)
        if not chunk.text or chunk.offset < end or end >= room or chunk.offset >= room:
            continue
        kept = chunk.text[: room - chunk.offset]
        known[chunk.key] = chunk.offset + len(kept)
        if len(kept) < len(chunk.text):
            kept += CUT_MARK
        own = pieces.setdefault(chunk.key, [])
        if own and chunk.offset == end and len(own[-1].text) < PIECE_CHARACTERS:
            own[-1] = replace(own[-1], text=own[-1].text + kept)
        else:
            own.append(replace(chunk, text=kept))
    return [piece for own in pieces.values() for piece in own]


def append_logs(session: Session, attempt: Attempt, chunks: LogChunks) -> None:
    """Add text to the streams of an attempt that is locked; what was added before is not added again.

    Raises:
        InvalidInput: A chunk is of an evaluation that the attempt does not have.
    """
    own = set(session.scalars(select(Evaluation.id).where(Evaluation.submission_id == attempt.submission_id)))
    if any(chunk.evaluation_id not in own for chunk in chunks.chunks):
        raise InvalidInput("A chunk belongs to an evaluation that this attempt does not have.")
    sent = [
        # Postgres can't store the character U+0000.
        Piece(one.evaluation_id, one.stream, one.offset, one.text.replace("\x00", "\N{REPLACEMENT CHARACTER}"))
        for one in chunks.chunks
    ]
    ends = {key: _end_of(session, attempt, *key) for key in {piece.key for piece in sent}}
    pieces = new_pieces(sent, ends, room=_room(attempt))
    session.add_all(
        LogText(submission_id=attempt.submission_id, attempt_id=attempt.id, **asdict(piece)) for piece in pieces
    )
    if pieces:
        notify(session, logs_topic(attempt.submission_id))


def _end_of(session: Session, attempt: Attempt, evaluation_id: UUID, stream: LogStream) -> int:
    """Characters of a stream that are stored."""
    last = session.execute(
        select(LogText.offset, func.length(LogText.text))
        .where(LogText.attempt_id == attempt.id, LogText.evaluation_id == evaluation_id, LogText.stream == stream)
        .order_by(LogText.offset.desc())
        .limit(1)
    ).one_or_none()
    return 0 if last is None else last[0] + last[1]


def _room(attempt: Attempt) -> int:
    """Characters that a stream of the attempt may have: as many as an agent of ours would ever send."""
    asked = attempt.submission.phase.asked_limits.get("log_bytes") or Limits().log_bytes
    return int(asked) + NOTES_CHARACTERS


def read_logs(session: Session, submission: Submission, *, after: int) -> LogPage:
    """Pieces with a sequence greater than `after`, at most a page of them."""
    last, is_all = _last_of_page(session, submission, after)
    rows = session.execute(
        select(LogText, Attempt.number, Task.name)
        .join(Attempt, Attempt.id == LogText.attempt_id)
        .join(Evaluation, Evaluation.id == LogText.evaluation_id)
        .join(Task, Task.id == Evaluation.task_id)
        .where(LogText.submission_id == submission.id, LogText.sequence > after, LogText.sequence <= last)
        .order_by(LogText.sequence)
    ).all()
    pieces = tuple(
        LogPiece(sequence=row.sequence, attempt=number, task=task, stream=row.stream, text=row.text)
        for row, number, task in rows
    )
    return LogPage(
        pieces=pieces,
        cursor=pieces[-1].sequence if pieces else after,
        ended=is_all and submission.status in TERMINAL_SUBMISSION_STATUSES,
    )


def _last_of_page(session: Session, submission: Submission, after: int) -> tuple[int, bool]:
    """The sequence of the last piece that goes into one answer (`after` where there is none), and if it is the last."""
    sizes = session.execute(
        select(LogText.sequence, func.length(LogText.text))
        .where(LogText.submission_id == submission.id, LogText.sequence > after)
        .order_by(LogText.sequence)
        .limit(PAGE_PIECES)
    ).all()
    last, characters = after, 0
    for sequence, length in sizes:
        characters += length
        if last != after and characters > PAGE_CHARACTERS:
            return last, False
        last = sequence
    return last, len(sizes) < PAGE_PIECES
