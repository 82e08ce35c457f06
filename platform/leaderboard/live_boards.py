"""A board as it stands now, where its rows' keys tell the order: a page is a piece of an index."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, text
from sqlalchemy.orm import Session, aliased

from podium.platform.leaderboard.board_views import Place
from podium.platform.leaderboard.ranking import Entry
from podium.platform.models import LeaderboardEntry, PhaseBoard

_ORDER = (LeaderboardEntry.sort_key, LeaderboardEntry.submitted, LeaderboardEntry.number)
_FEW = 4
"""So many rows are each counted to; for more, the whole board is walked once."""


class LiveBoard:
    """A phase's board, read from the database as much as is asked for."""

    def __init__(self, session: Session, phase_id: UUID, state: PhaseBoard | None) -> None:
        self._session = session
        self._phase_id = phase_id
        self._state = state

    @property
    def total(self) -> int:
        """How many rows it has."""
        return self._state.rows if self._state else 0

    @property
    def updated(self) -> datetime | None:
        """When a row last came or went."""
        return self._state.changed if self._state else None

    def page(self, limit: int, offset: int) -> Sequence[Place]:
        """A piece of its order. What lies before it is only counted, in the index."""
        # Told apart by the index first: the rows before the page need not be fetched.
        chosen = (
            select(LeaderboardEntry.id).where(*self._live()).order_by(*_ORDER).limit(limit).offset(offset).subquery()
        )
        query = select(LeaderboardEntry).join(chosen, chosen.c.id == LeaderboardEntry.id).order_by(*_ORDER)
        rows = self._session.scalars(query).all()
        if not rows or rows[0].sort_key is None:
            return [_place(row, None, None) for row in rows]
        baselines, tied = self._before(rows[0])
        # Rows before the page that are better than its first: all but baselines and those tied with it.
        better, previous = offset - baselines - tied, rows[0].sort_key
        found: list[Place] = []
        for place, row in enumerate(rows, start=offset + 1):
            if row.sort_key is None:
                found.append(_place(row, None, None))
                continue
            if row.sort_key != previous:
                better, tied, previous = better + tied, 0, row.sort_key
            found.append(_place(row, place, None if row.is_baseline else better + 1))
            tied += not row.is_baseline
        return found

    def _before(self, first: LeaderboardEntry) -> tuple[int, int]:
        """How many baselines stand before a row, and how many others that have the same key."""
        is_tied = LeaderboardEntry.sort_key == first.sort_key
        earlier = or_(
            LeaderboardEntry.submitted < first.submitted,
            (LeaderboardEntry.submitted == first.submitted) & (LeaderboardEntry.number < first.number),
        )
        before = or_(LeaderboardEntry.sort_key < first.sort_key, is_tied & earlier)
        baselines = self._session.scalar(
            select(func.count()).where(*self._live(), LeaderboardEntry.is_baseline, before)
        )
        tied = self._session.scalar(
            select(func.count()).where(*self._live(), ~LeaderboardEntry.is_baseline, is_tied, earlier)
        )
        return baselines or 0, tied or 0

    def of_entrants(self, entrants: Collection[UUID]) -> Sequence[Place]:
        """All rows of these participants or teams, in the board's order."""
        query = (
            select(LeaderboardEntry).where(*self._live(), LeaderboardEntry.entrant_id.in_(entrants)).order_by(*_ORDER)
        )
        rows = self._session.scalars(query).all()
        placed = [row for row in rows if row.sort_key is not None]
        places = self._counted(placed) if len(placed) <= _FEW else self._walked(placed)
        return [_place(row, *places.get(row.id, (None, None))) for row in rows]

    def _counted(self, rows: Sequence[LeaderboardEntry]) -> dict[int, tuple[int, int | None]]:
        other, one = aliased(LeaderboardEntry), LeaderboardEntry
        of_board = (other.phase_id == self._phase_id, other.until.is_(None))
        is_less: ColumnElement[bool] = other.sort_key < one.sort_key
        better = select(func.count()).where(*of_board, ~other.is_baseline, is_less).scalar_subquery()
        before = select(func.count()).where(*of_board, is_less).scalar_subquery()
        earlier = or_(other.submitted < one.submitted, (other.submitted == one.submitted) & (other.number < one.number))
        tied = select(func.count()).where(*of_board, other.sort_key == one.sort_key, earlier).scalar_subquery()
        query = select(one.id, one.is_baseline, better, before, tied).where(one.id.in_([row.id for row in rows]))
        return {row[0]: (row[3] + row[4] + 1, None if row[1] else row[2] + 1) for row in self._session.execute(query)}

    def _walked(self, rows: Sequence[LeaderboardEntry]) -> dict[int, tuple[int, int | None]]:
        found = self._session.execute(_WALKED, {"phase": self._phase_id, "rows": [row.id for row in rows]})
        return {row.id: (row.place, None if row.is_baseline else row.rank) for row in found}

    def _live(self) -> tuple[ColumnElement[bool], ...]:
        return (LeaderboardEntry.phase_id == self._phase_id, LeaderboardEntry.until.is_(None))


_WALKED = text(
    "SELECT * FROM (SELECT id, is_baseline, row_number() OVER (ORDER BY sort_key, submitted, number) AS place,"
    " rank() OVER (PARTITION BY is_baseline ORDER BY sort_key) AS rank FROM leaderboard_entries"
    " WHERE phase_id = :phase AND until IS NULL AND sort_key IS NOT NULL) AS placed WHERE id = ANY(:rows)"
)


def _place(row: LeaderboardEntry, place: int | None, rank: int | None) -> Place:
    entry = Entry(row.submission_id, row.scores, row.submitted, row.number, row.is_baseline)
    return Place(row.entrant_id, entry, place, rank)
