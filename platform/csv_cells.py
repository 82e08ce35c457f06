"""Cells of CSV files that people open in spreadsheets."""

from __future__ import annotations

from collections.abc import Sequence

_FORMULA_STARTS = frozenset({"=", "+", "-", "@", "\t", "\r", "\n"})


def safe_cell(cell: object) -> object:
    """Text that a spreadsheet would take for a formula gets an apostrophe in front; what is missing is empty."""
    if isinstance(cell, str) and cell[:1] in _FORMULA_STARTS:
        return "'" + cell
    return "" if cell is None else cell


def safe_texts(cells: Sequence[str | None]) -> list[str | None]:
    """The same of many texts at once; what is missing is left to the writer."""
    return ["'" + cell if cell and cell[0] in _FORMULA_STARTS else cell for cell in cells]
