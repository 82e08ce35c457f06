"""Cells of a CSV file, which people open in a spreadsheet."""

from __future__ import annotations

import pytest

from podium.platform.csv_cells import safe_cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "=HYPERLINK(0)"])
def test_a_text_that_reads_as_a_formula_is_marked_as_text(text: str) -> None:
    assert f"'{text}" == safe_cell(text)


@pytest.mark.parametrize("cell", ["ada", "a=1", "", -1.5, 0, 1])
def test_everything_else_stays(cell: object) -> None:
    assert cell == safe_cell(cell)


def test_nothing_is_an_empty_cell() -> None:
    assert safe_cell(None) == ""
