"""A leaderboard, as records, as dicts or as a data frame."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from podium.client.notebook_html import leaderboard_html
from podium.platform.errors import InvalidInput
from podium.platform.records.leaderboards import LeaderboardRecord, LeaderboardRow

if TYPE_CHECKING:
    from podium.platform.client.competitions import Cell


class Leaderboard:
    """A leaderboard as it was when it was asked for. It is a sequence of its rows, best first."""

    def __init__(self, record: LeaderboardRecord) -> None:
        self.record = record

    @property
    def rows(self) -> tuple[LeaderboardRow, ...]:
        """The rows."""
        return self.record.rows

    @property
    def columns(self) -> tuple[str, ...]:
        """The keys of its scores."""
        return tuple(column.key for column in self.record.columns)

    def to_dicts(self) -> list[dict[str, Cell]]:
        """A dict for each row: rank, participant, scores by their keys, and so on."""
        from podium.platform.client.competitions import rows_of  # noqa: PLC0415

        return rows_of(self.record)

    def to_dataframe(self) -> Any:  # noqa: ANN401  # pandas need not be installed
        """A `pandas.DataFrame` of the rows.

        Raises:
            InvalidInput: pandas is not installed.
        """
        try:
            pandas = import_module("pandas")
        except ImportError:
            raise InvalidInput(
                "There is no pandas here.", remedy="Install it (pip install pandas), or use `to_dicts()`."
            ) from None
        return pandas.DataFrame(self.to_dicts())

    def __len__(self) -> int:
        return len(self.record.rows)

    def __getitem__(self, at: int) -> LeaderboardRow:
        return self.record.rows[at]

    def __iter__(self) -> Iterator[LeaderboardRow]:
        return iter(self.record.rows)

    def __repr__(self) -> str:
        return str(self.record)

    def _repr_html_(self) -> str:
        return leaderboard_html(self.record)
