"""The table of what is tried, in docs/architecture.md, names every case, and none that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

from test_neighbours import BOMBS, LEAVES
from test_pages import PAGE
from test_submissions import CASES

DOCS = Path(__file__).parents[2] / "docs" / "architecture.md"


def test_the_table_names_every_case_once() -> None:
    section = DOCS.read_text().split("## Security: what is tried")[1].split("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| ")][1:]
    rows = [row for row in rows if set(row[0].strip()) != {"-"}]
    named = [name for *_, cases in rows for name in re.findall(r"`([^`]+)`", cases)]
    assert sorted(named) == sorted(
        {case.name for case in (*CASES, LEAVES, PAGE)} | {f"neighbours: {one}" for one in BOMBS}
    )
    assert all(held.strip() for _, held, _ in rows)


def test_there_are_enough() -> None:
    assert len(CASES) > 150
