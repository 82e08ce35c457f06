"""Participants who have taken off a leaderboard what stood there of theirs: nothing is put there for them again."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session, aliased

from podium.platform.leaderboard.selection import CHOSEN
from podium.platform.models import Leaderboard, LeaderboardEntry


def withdrawn_entrants(
    session: Session, phase_id: UUID, board: Leaderboard, entrants: Collection[UUID] | None = None
) -> frozenset[UUID]:
    """Those of whom nothing stands, because they took it off themselves; where the rule chooses, nobody.

    Args:
        entrants: Only these; `None` for everybody.
    """
    if board.submission_rule not in CHOSEN:
        return frozenset()
    row, later = LeaderboardEntry, aliased(LeaderboardEntry)
    query = select(row.entrant_id).where(
        row.phase_id == phase_id,
        row.is_withdrawn,
        ~exists().where(
            later.phase_id == row.phase_id,
            later.entrant_id == row.entrant_id,
            ~later.is_baseline,
            or_(later.until.is_(None), later.until > row.until),
        ),
    )
    if entrants is not None:
        query = query.where(row.entrant_id.in_(entrants))
    return frozenset(session.scalars(query))
