"""What a reader needs of a board, wherever its order comes from: a page, a person's own row, those of some people."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from podium.platform.leaderboard.ranking import Entry


class Place(NamedTuple):
    """A row of a board, where it stands.

    Attributes:
        place: Where it stands in the order, from 1, baselines counted; `None` for a row that can't be ranked.
        rank: `None` for that too, and for a baseline.
    """

    entrant_id: UUID
    entry: Entry[UUID]
    place: int | None
    rank: int | None
    combined_rank: float | None = None


class BoardView(Protocol):
    """A board as it stands at one moment."""

    @property
    def total(self) -> int:
        """How many rows it has."""

    @property
    def updated(self) -> datetime | None:
        """When a row last came or went."""

    def page(self, limit: int, offset: int) -> Sequence[Place]:
        """A piece of its order; rows that can't be ranked stand at the end."""

    def of_entrants(self, entrants: Collection[UUID]) -> Sequence[Place]:
        """All rows of these participants or teams, in the board's order."""
