"""How a participant came to their rank, and how the best of a board became better."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from podium.platform.errors import NotAllowed, NotFound
from podium.platform.leaderboard.entries import visible_columns
from podium.platform.leaderboard.ranked_boards import ranked_board
from podium.platform.leaderboard.reading import Reader, Shown, entrants_of, shown_board
from podium.platform.leaderboard.sort_keys import keys_tell_the_order
from podium.platform.models import Competition, LeaderboardEntry, Person, Phase, Team
from podium.platform.records.leaderboards import RankPoint
from podium.platform.team_members import team_of

_MOST_POINTS = 1000
_MOST_RANKED = 20
"""Points whose rank is made of the whole board, where only that can tell it; earlier ones have none."""


def rank_history(
    session: Session, competition: Competition, phase: Phase, reader: Reader, participant: str | None
) -> list[RankPoint]:
    """The steps of a participant, or of the best of the board; the oldest first, the newest 1000 of them.

    A step of a participant is a change of their best row, with the rank that it came to; the last one is where they
    stand now, where others have moved them since. A step of the board is a row that came to the first rank. Nothing
    is told that is newer than what the reader may see of the board.

    Args:
        participant: A username, or a team's name; of who is in a team, the team's history is told. `None` for the best
            of the board.

    Raises:
        NotAllowed: The board is anonymous, and the reader is somebody else.
        NotFound: There is no such participant.
    """
    shown = shown_board(session, competition, phase, reader)
    if participant is None:
        return [_point(shown, reader, row, row.rank) for row in _firsts(session, shown)]
    entrant_id = _entrant_named(session, competition, participant)
    is_hidden = shown.board.anonymous and not reader.for_organizer
    if is_hidden and entrant_id not in entrants_of(session, competition, reader.viewer_id):
        raise NotAllowed("This leaderboard is anonymous: only your own history is shown to you.")
    rows = _rows_of(session, shown, entrant_id) if entrant_id else []
    if not rows:
        raise NotFound(f"'{participant[:80]}' is not on this leaderboard.", remedy="See who is: `podium leaderboard`.")
    return _steps(session, shown, reader, rows)


def _entrant_named(session: Session, competition: Competition, name: str) -> UUID | None:
    """The participant or team of that name, in whatever case; of a member, the team."""
    person_id = session.scalar(select(Person.id).where(func.lower(Person.username) == name.lower()))
    if competition.max_team_members is None:
        return person_id
    team = team_of(session, competition, person_id)
    if team is not None:
        return team.id
    named = select(Team.id).where(Team.competition_id == competition.id, func.lower(Team.name) == name.lower())
    return person_id or session.scalar(named)


def _firsts(session: Session, shown: Shown) -> Sequence[LeaderboardEntry]:
    """Rows that came to the first rank; where ranks are not stored, those that were better than all before."""
    row = LeaderboardEntry
    query = select(row).where(row.phase_id == shown.phase.id)
    if shown.moment is not None:
        query = query.where(row.since <= shown.moment)
    if keys_tell_the_order(shown.rules):
        query = query.where(row.rank == 1)
    else:
        earlier = func.min(row.sort_key).over(order_by=(row.since, row.id), rows=(None, -1))
        compared = (
            select(row.id, row.sort_key, earlier.label("earlier"))
            .where(row.phase_id == shown.phase.id, ~row.is_baseline, row.sort_key.is_not(None))
            .subquery()
        )
        better = select(compared.c.id).where(
            or_(compared.c.earlier.is_(None), compared.c.sort_key < compared.c.earlier)
        )
        query = query.where(row.id.in_(better))
    rows = session.scalars(query.order_by(row.since.desc(), row.id.desc()).limit(_MOST_POINTS)).all()
    return rows[::-1]


def _rows_of(session: Session, shown: Shown, entrant_id: UUID) -> Sequence[LeaderboardEntry]:
    row = LeaderboardEntry
    query = select(row).where(row.phase_id == shown.phase.id, row.entrant_id == entrant_id, ~row.is_baseline)
    if shown.moment is not None:
        query = query.where(row.since <= shown.moment)
    return session.scalars(query.order_by(row.since.desc(), row.id.desc()).limit(_MOST_POINTS)).all()[::-1]


def _steps(session: Session, shown: Shown, reader: Reader, rows: Sequence[LeaderboardEntry]) -> list[RankPoint]:
    steps: list[LeaderboardEntry] = []
    for row in rows:
        best = steps[-1] if steps and (steps[-1].until is None or steps[-1].until > row.since) else None
        if best is None or _order(row) < _order(best):
            steps.append(row)
    stored = keys_tell_the_order(shown.rules)
    first_ranked = 0 if stored else len(steps) - _MOST_RANKED
    points = [
        _point(shown, reader, row, row.rank if stored or at < first_ranked else _rank_of(session, shown, row))
        for at, row in enumerate(steps)
    ]
    now_there = shown.view(session).of_entrants([rows[0].entrant_id])
    updated = shown.moment or (shown.state.changed if shown.state else None)
    present = next((place for place in now_there if not place.entry.is_baseline), None)
    if present is not None and updated is not None and present.rank != points[-1].rank:
        scores = tuple(present.entry.values[at] for at in _positions(shown, reader))
        points.append(RankPoint(updated, present.rank, scores, present.entry.number))
    return points


def _order(row: LeaderboardEntry) -> tuple[object, ...]:
    return (row.sort_key is None, row.sort_key or [], row.submitted, row.number)


def _rank_of(session: Session, shown: Shown, row: LeaderboardEntry) -> int | None:
    board = ranked_board(session, shown.phase.id, shown.rules, version=shown.version, moment=row.since)
    places = board.of_entrants([row.entrant_id])
    return next((place.rank for place in places if place.entry.item == row.submission_id), None)


def _positions(shown: Shown, reader: Reader) -> list[int]:
    columns = visible_columns(shown.board, for_organizer=reader.for_organizer)
    return [shown.board.columns.index(column) for column in columns]


def _point(shown: Shown, reader: Reader, row: LeaderboardEntry, rank: int | None) -> RankPoint:
    return RankPoint(row.since, rank, tuple(row.scores[at] for at in _positions(shown, reader)), row.number)
