"""A whole board in memory, ranked: as of a moment, or where only the whole board tells the order.

Several readers of one version of a board share what was ranked for the first of them; the last few are kept.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import Select, func, select, text, union_all
from sqlalchemy.orm import Session

from podium.platform.leaderboard.board_views import Place
from podium.platform.leaderboard.ranking import Entry
from podium.platform.leaderboard.sort_keys import keys_tell_the_order
from podium.platform.leaderboard.standing import BoardRules, ranked_entries
from podium.platform.models import LeaderboardEntry

T = TypeVar("T")


class RankedBoard:
    """A board whose order is known."""

    def __init__(self, places: Sequence[Place], updated: datetime | None) -> None:
        self._places = places
        self._updated = updated
        self._by_entrant: dict[UUID, list[int]] = {}
        for at, place in enumerate(places):
            self._by_entrant.setdefault(place.entrant_id, []).append(at)

    @property
    def total(self) -> int:
        """How many rows it has."""
        return len(self._places)

    @property
    def updated(self) -> datetime | None:
        """When a row that stands there last came."""
        return self._updated

    def page(self, limit: int, offset: int) -> Sequence[Place]:
        """A piece of its order."""
        return self._places[offset : offset + limit]

    def of_entrants(self, entrants: Collection[UUID]) -> Sequence[Place]:
        """All rows of these participants or teams, in the board's order."""
        found = sorted(at for entrant_id in set(entrants) for at in self._by_entrant.get(entrant_id, ()))
        return [self._places[at] for at in found]


class _Key(NamedTuple):
    phase_id: UUID
    version: int
    moment: datetime | None
    rules: Hashable
    what: str


def ranked_board(
    session: Session, phase_id: UUID, rules: BoardRules, *, version: int, moment: datetime | None
) -> RankedBoard:
    """A phase's board as of a moment, or as it stands.

    Args:
        version: The board's present version: while it is the same, so is what stood at any moment.
    """
    key = _Key(phase_id, version, moment, _hashable(rules), "board")
    return _kept(key, lambda: _rank(session, phase_id, rules, moment))


def _rank(session: Session, phase_id: UUID, rules: BoardRules, moment: datetime | None) -> RankedBoard:
    rows = session.execute(standing_at(phase_id, moment)).all()
    entrants = {row.submission_id: row.entrant_id for row in rows}
    entries = [Entry(row.submission_id, row.scores, row.submitted, row.number, row.is_baseline) for row in rows]
    places = [
        Place(entrants[one.entry.item], one.entry, place if one.is_placed else None, one.rank, one.combined_rank)
        for place, one in enumerate(ranked_entries(rules, entries), start=1)
    ]
    return RankedBoard(places, max((row.since for row in rows), default=None))


def standing_at(phase_id: UUID, moment: datetime | None) -> Select[tuple[UUID, UUID, list[float | None], datetime]]:
    """The rows that stood on a phase's board at a moment, or stand there."""
    row = LeaderboardEntry
    wanted = (row.submission_id, row.entrant_id, row.scores, row.submitted, row.number, row.is_baseline, row.since)
    live = select(*wanted).where(row.phase_id == phase_id, row.until.is_(None))
    if moment is None:
        return live  # type: ignore[return-value]  # of more columns than are named
    # Two pieces, each with an index of its own.
    closed = select(*wanted).where(
        row.phase_id == phase_id,
        row.until.is_not(None),
        func.tstzrange(row.since, row.until).op("@>")(moment),
    )
    both = union_all(live.where(row.since <= moment), closed).subquery()
    return select(both)


def ranks_at(
    session: Session, phase_id: UUID, rules: BoardRules, *, version: int, moment: datetime, by_submission: bool
) -> dict[UUID, int]:
    """The best rank that each participant or team, or each submission, had on a board at a moment."""
    of = "submission_id" if by_submission else "entrant_id"
    if not keys_tell_the_order(rules):
        board = ranked_board(session, phase_id, rules, version=version, moment=moment)
        ranks: dict[UUID, int] = {}
        for place in board.page(board.total, 0):
            if place.rank is not None:
                ranks.setdefault(place.entry.item if by_submission else place.entrant_id, place.rank)
        return ranks
    key = _Key(phase_id, version, moment, _hashable(rules), of)
    query = text(_RANKS.format(of=of))
    return _kept(key, lambda: {row[0]: row[1] for row in session.execute(query, {"phase": phase_id, "at": moment})})


_RANKS = (
    "SELECT {of}, min(rank) FROM (SELECT {of}, rank() OVER (ORDER BY sort_key) AS rank FROM"
    " (SELECT {of}, sort_key FROM leaderboard_entries WHERE phase_id = :phase AND until IS NULL AND since <= :at"
    " AND sort_key IS NOT NULL AND NOT is_baseline UNION ALL"
    " SELECT {of}, sort_key FROM leaderboard_entries WHERE phase_id = :phase AND until IS NOT NULL"
    " AND tstzrange(since, until) @> CAST(:at AS timestamptz) AND sort_key IS NOT NULL AND NOT is_baseline)"
    " AS stood) AS ranked GROUP BY {of}"
)


def _hashable(rules: BoardRules) -> Hashable:
    return rules._replace(columns=tuple(rules.columns))


_MOST_KEPT, _MOST_ROWS = 32, 300_000
_cache: OrderedDict[_Key, tuple[int, object]] = OrderedDict()
_lock = threading.Lock()
_making: dict[_Key, threading.Lock] = {}


def _kept(key: _Key, make: Callable[[], T]) -> T:
    """What was made for a key before, or is made now, by the first of those that ask for it at once."""
    with _lock:
        making = _making.setdefault(key, threading.Lock())
    with making:
        with _lock:
            if key in _cache:
                _cache.move_to_end(key)
                return _cache[key][1]  # type: ignore[return-value]  # a key says what it is of
        try:
            made = make()
            with _lock:
                _cache[key] = (_size(made), made)
                while len(_cache) > _MOST_KEPT or (len(_cache) > 1 and _rows_kept() > _MOST_ROWS):
                    _cache.popitem(last=False)
        finally:
            with _lock:
                _making.pop(key, None)
    return made


def _rows_kept() -> int:
    return sum(size for size, _ in _cache.values())


def _size(made: object) -> int:
    return made.total if isinstance(made, RankedBoard) else len(made) if isinstance(made, dict) else 1
