"""Whether a stored leaderboard is what its scored submissions make of it, and making it so."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium.platform.leaderboard.entries import hold_all_participants
from podium.platform.leaderboard.rules import board_rules
from podium.platform.leaderboard.whole_board import (
    BoardRow,
    board_of,
    scored_submissions,
    stored_row,
    wanted_row,
    write_board,
)
from podium.platform.models import Competition, LeaderboardEntry, Phase, PhaseBoard, Submission
from podium.platform.records.leaderboards import BoardDifference


def board_differences(session: Session, competition: Competition, *, repair: bool = False) -> list[BoardDifference]:
    """Make every phase's board from scratch, and tell where what is stored differs.

    Loads all that was scored, a phase at a time: for organizers, not for a page.

    Args:
        repair: Also write what should be there, while results of this competition wait.
    """
    if repair:
        hold_all_participants(session, competition.id)
    found: list[BoardDifference] = []
    for phase in competition.phases:
        found += _of_phase(session, competition, phase, repair=True) if repair else _seen(session, competition, phase)
    return found


def _seen(session: Session, competition: Competition, phase: Phase) -> list[BoardDifference]:
    """The differences of one phase. A result that comes while all is read is none: then it is read again."""
    for _ in range(_TRIES):
        before = _version(session, phase)
        found = _of_phase(session, competition, phase, repair=False)
        if not found or _version(session, phase) == before:
            return found
    hold_all_participants(session, competition.id)
    return _of_phase(session, competition, phase, repair=False)


_TRIES = 3


def _version(session: Session, phase: Phase) -> int | None:
    return session.scalar(select(PhaseBoard.version).where(PhaseBoard.phase_id == phase.id))


def _of_phase(session: Session, competition: Competition, phase: Phase, *, repair: bool) -> list[BoardDifference]:
    board = competition.leaderboards[0]
    standing = board_of(board, scored_submissions(session, phase, board, {}))
    rules = board_rules(board)
    wanted = {one.submission_id: wanted_row(rules, one) for one in standing.values()}
    live = select(LeaderboardEntry).where(LeaderboardEntry.phase_id == phase.id, LeaderboardEntry.until.is_(None))
    rows = session.scalars(live.execution_options(populate_existing=True)).all()
    stored = {row.submission_id: stored_row(row) for row in rows}
    numbers = {**{key: row.number for key, row in stored.items()}, **{key: row.number for key, row in wanted.items()}}
    found = [
        BoardDifference(phase.name, numbers[key], said)
        for key in sorted(numbers, key=numbers.__getitem__)
        if (said := _difference(stored.get(key), wanted.get(key)))
    ]
    on_board = select(Submission.id, Submission.number).where(
        Submission.phase_id == phase.id, Submission.on_leaderboard
    )
    marked = {row.id: row.number for row in session.execute(on_board)}
    for key in marked.keys() ^ wanted.keys():
        said = "is marked as standing there, and should not" if key in marked else "is not marked as standing there"
        found.append(BoardDifference(phase.name, marked.get(key, numbers.get(key)), said))
    state = session.get(PhaseBoard, phase.id, populate_existing=True)
    if (state.rows if state else 0) != len(stored):
        told = state.rows if state else 0
        found.append(BoardDifference(phase.name, None, f"is counted as {told} rows, and has {len(stored)}"))
    if repair and found:
        write_board(session, phase, board, standing)
        _recount(session, phase, set(wanted))
    return found


def _difference(stored: BoardRow | None, wanted: BoardRow | None) -> str:
    if stored is None:
        return "should stand there, and does not"
    if wanted is None:
        return "stands there, and should not"
    differing = [name for name in BoardRow._fields if getattr(stored, name) != getattr(wanted, name)]
    return ", ".join(
        f"has {name} {_shown(getattr(stored, name))}, and should have {_shown(getattr(wanted, name))}"
        for name in differing
    )


def _shown(value: object) -> str:
    return f"({', '.join(map(str, value))})" if isinstance(value, tuple) else str(value)


def _recount(session: Session, phase: Phase, standing: set[object]) -> None:
    """Right what is told of the board beside its rows."""
    state = session.get(PhaseBoard, phase.id, populate_existing=True)
    if state is not None:
        state.rows = len(standing)
    for submission in session.scalars(
        select(Submission).where(Submission.phase_id == phase.id, Submission.on_leaderboard)
    ):
        submission.on_leaderboard = submission.id in standing
    for submission in session.scalars(
        select(Submission).where(Submission.id.in_(standing), ~Submission.on_leaderboard)
    ):
        submission.on_leaderboard = True
