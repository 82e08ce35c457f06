"""Cells of CSV files that people open in spreadsheets."""

from __future__ import annotations


def safe_cell(cell: object) -> object:
    """Text that a spreadsheet would take for a formula gets an apostrophe in front; what is missing is empty."""
    if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@", "\t", "\r", "\n"}:
        return "'" + cell
    return "" if cell is None else cell
