"""Of whose ranks people may be told, and which have changed: pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from podium.platform.leaderboard.standing import frozen_since
from podium.platform.models import Competition, Phase

E = TypeVar("E")
Rank = int | None


def ranks_are_shown(competition: Competition, phase: Phase, moment: datetime) -> bool:
    """Whether participants see their ranks on a phase's board as they are at this moment.

    Not on a hidden board, nor while it is frozen: there they see what stood before. Where scores are hidden, so are
    ranks, and nobody but its organizers sees a draft.
    """
    board = competition.leaderboards[0]
    if not competition.published or board.hidden or phase.hide_output or phase.hide_score_output:
        return False
    return frozen_since(phase.ends, board.freeze_hours, moment, board.unfrozen) is None


def changed_ranks(before: Mapping[E, Rank], after: Mapping[E, Rank]) -> dict[E, tuple[Rank, Rank]]:
    """Who has another rank than before: the one that they had, and have. Who never had any is left out."""
    everyone = dict.fromkeys([*before, *after])
    return {one: (before.get(one), after.get(one)) for one in everyone if before.get(one) != after.get(one)}


def rank_words(rank: Rank) -> str:
    """A rank as it is written in a sentence."""
    return "none" if rank is None else str(rank)
