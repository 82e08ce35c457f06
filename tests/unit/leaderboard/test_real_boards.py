"""A board of a real challenge, from its submissions: each participant's best, lowest first in both columns."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from podium.platform.bundles.content import Sorting, SubmissionRule
from podium.platform.leaderboard.columns import ColumnRule
from podium.platform.leaderboard.ranking import Entry, rank
from podium.platform.leaderboard.selection import select_entries

COLUMNS = [ColumnRule(0, "score", Sorting.ASC), ColumnRule(1, "score_secondary", Sorting.ASC)]
Item = tuple[str, str]


def rows(file: Path) -> list[dict[str, str]]:
    with file.open() as opened:
        return list(csv.DictReader(opened))


def entry(row: dict[str, str]) -> Entry[Item]:
    submitted = datetime.fromisoformat(row["created_at"]).replace(tzinfo=UTC)
    values = [float(row[key]) if row[key] else None for key in ("score", "score_secondary")]
    return Entry((row["participant_id"], row["submission_id"]), values, submitted, int(row["submission_id"]))


@settings(max_examples=10)
@given(order=st.randoms(use_true_random=False))
def test_a_real_board_in_any_order(cases: Path, order: Any) -> None:  # noqa: ANN401  # random.Random
    by_person: dict[str, list[Entry[Item]]] = {}
    submissions = rows(cases / "leaderboards" / "vizdoom_submissions.csv")
    order.shuffle(submissions)
    for row in submissions:
        if row["status"] == "graded":
            by_person.setdefault(row["participant_id"], []).append(entry(row))
    best = []
    for entries in by_person.values():
        chosen = select_entries(
            SubmissionRule.FORCE_BEST, entries, standing=frozenset(), columns=COLUMNS, primary_index=0
        )
        best += [found for found in entries if found.item in chosen]
    expected = rows(cases / "leaderboards" / "vizdoom_expected_asc_asc.csv")
    assert [(str(found.rank), *found.entry.item) for found in rank(best, COLUMNS, 0)] == [
        (row["rank_with_ties"], row["participant_id"], row["submission_id"]) for row in expected
    ]
