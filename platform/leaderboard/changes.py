"""A phase's leaderboard changes here and nowhere else: rows are closed and opened, and the board has a new version.

Whoever changes a board holds the participants' rows first, in order, then their teams', and then the board's, until
they commit. So the moments of changes go forward in the order in which they come to be seen, and any board as of a
moment that is past stays what it is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, text, update
from sqlalchemy.orm import Session

from podium.platform.database import notify
from podium.platform.leaderboard.rules import board_rules
from podium.platform.leaderboard.sort_keys import keys_tell_the_order, sort_key
from podium.platform.models import Leaderboard, LeaderboardEntry, Submission


def leaderboard_topic(phase_id: UUID) -> str:
    """The topic under which watchers of a phase's leaderboard are told."""
    return f"leaderboard:{phase_id}"


@dataclass(frozen=True, slots=True)
class NewRow:
    """A submission that comes onto a board, or stands there with other scores from now on."""

    submission_id: UUID
    person_id: UUID
    entrant_id: UUID
    scores: Sequence[float | None]
    submitted: datetime
    number: int
    is_baseline: bool = False


@dataclass(slots=True)
class Change:
    """What becomes of a phase's board: submissions that leave it, and rows that come; both may name one.

    `is_withdrawal` says that their participant takes them off, and nothing else is to stand there instead.
    """

    gone: Collection[UUID] = ()
    placed: Sequence[NewRow] = ()
    is_withdrawal: bool = False


def change_board(session: Session, phase_id: UUID, board: Leaderboard, change: Change) -> None:
    """Close the rows of what has gone, open those of what was placed, and give the board its next version.

    Also without either it has one: that there was a result changes what is told beside the rows. The caller holds the
    participants.
    """
    placed = {row.submission_id: row for row in change.placed}
    moment = _next_version(session, phase_id, is_changed=bool(change.gone or placed))
    leaving = {*change.gone, *placed}
    closed = set[UUID]()
    if leaving:
        closed = set(
            session.scalars(
                update(LeaderboardEntry)
                .where(
                    LeaderboardEntry.phase_id == phase_id,
                    LeaderboardEntry.submission_id.in_(leaving),
                    LeaderboardEntry.until.is_(None),
                )
                .values(until=moment, is_withdrawn=change.is_withdrawal)
                .returning(LeaderboardEntry.submission_id)
                .execution_options(synchronize_session=False)
            )
        )
    if placed:
        _open(session, phase_id, board, list(placed.values()), moment)
    _mark(session, set(change.gone) - set(placed), on_leaderboard=False)
    _mark(session, set(placed) - closed, on_leaderboard=True)
    if len(placed) != len(closed):
        session.execute(_COUNTED, {"phase": phase_id, "by": len(placed) - len(closed)})
    notify(session, leaderboard_topic(phase_id))


_NEXT = text(
    "INSERT INTO phase_boards AS board (phase_id, version, moment, changed, rows)"
    " VALUES (:phase, 1, clock_timestamp(), CASE WHEN :is_changed THEN clock_timestamp() END, 0)"
    " ON CONFLICT (phase_id) DO UPDATE SET version = board.version + 1,"
    " moment = greatest(clock_timestamp(), board.moment + interval '1 microsecond'),"
    " changed = CASE WHEN :is_changed THEN greatest(clock_timestamp(), board.moment + interval '1 microsecond')"
    " ELSE board.changed END RETURNING moment"
)
_COUNTED = text("UPDATE phase_boards SET rows = rows + :by WHERE phase_id = :phase")


def _next_version(session: Session, phase_id: UUID, *, is_changed: bool) -> datetime:
    """Lock the board, and tell the moment of this change: after that of every other."""
    moment: datetime = session.execute(_NEXT, {"phase": phase_id, "is_changed": is_changed}).scalar_one()
    return moment


def _open(session: Session, phase_id: UUID, board: Leaderboard, rows: Sequence[NewRow], moment: datetime) -> None:
    rules = board_rules(board)
    values = [
        {
            "phase_id": phase_id,
            "submission_id": row.submission_id,
            "person_id": row.person_id,
            "entrant_id": row.entrant_id,
            "scores": list(row.scores),
            "sort_key": sort_key(row.scores, rules.columns, rules.primary_index),
            "submitted": row.submitted,
            "number": row.number,
            "is_baseline": row.is_baseline,
            "since": moment,
        }
        for row in rows
    ]
    if len(values) > 1:
        session.execute(insert(LeaderboardEntry), values)
        if keys_tell_the_order(rules):
            session.execute(_RANKED, {"phase": phase_id, "moment": moment})
        return
    row_id = session.scalar(insert(LeaderboardEntry).values(values[0]).returning(LeaderboardEntry.id))
    if keys_tell_the_order(rules):
        session.execute(_RANKED_ONE, {"phase": phase_id, "row": row_id})


_RANKED_ONE = text(
    "UPDATE leaderboard_entries AS new SET rank = 1 + (SELECT count(*) FROM leaderboard_entries AS other"
    " WHERE other.phase_id = :phase AND other.until IS NULL AND NOT other.is_baseline"
    " AND other.sort_key < new.sort_key)"
    " WHERE new.id = :row AND new.sort_key IS NOT NULL AND NOT new.is_baseline"
)
_RANKED = text(
    "UPDATE leaderboard_entries AS new SET rank = ranked.rank FROM"
    " (SELECT id, since, rank() OVER (ORDER BY sort_key) AS rank FROM leaderboard_entries"
    " WHERE phase_id = :phase AND until IS NULL AND sort_key IS NOT NULL AND NOT is_baseline) AS ranked"
    " WHERE new.id = ranked.id AND ranked.since = :moment"
)


def _mark(session: Session, submissions: Collection[UUID], *, on_leaderboard: bool) -> None:
    if submissions:
        session.execute(
            update(Submission)
            .where(Submission.id.in_(submissions))
            .values(on_leaderboard=on_leaderboard, version=Submission.version + 1)
        )
