"""Boards of systems of this kind, by their own cases; in any order of insertion."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.platform.bundles.content import Sorting, SubmissionRule
from podium.platform.leaderboard.columns import ColumnRule
from podium.platform.leaderboard.ranking import Entry
from podium.platform.leaderboard.standing import (
    BoardRules,
    Candidate,
    made_by,
    previous_ranks,
    rank_change,
    ranked_entries,
    standing_entries,
    window_border,
)

NOW = datetime(2018, 3, 15, 7, tzinfo=UTC)
Made = Candidate[str, str]
SHUFFLES = settings(max_examples=25)


def case(cases: Path, name: str) -> dict[str, Any]:
    told = json.loads((cases / "leaderboards" / "aicrowd_rank_cases.json").read_text("utf-8"))
    (found,) = (one for one in told if one["name"] == name)
    assert str(found["order"]).startswith("ascending")
    return dict(found)


def board(*columns: ColumnRule, sorting: Sorting = Sorting.ASC) -> BoardRules:
    chosen = columns or (ColumnRule(0, "score", sorting), ColumnRule(1, "secondary", sorting))
    return BoardRules(chosen, 0, SubmissionRule.FORCE_BEST)


def made(number: int, entrant: str, *values: float, hours: float = 0, baseline: bool = False) -> Made:
    values = (*values, 0.0)[:2]
    return Candidate(entrant, Entry(f"{entrant} {number}", values, NOW + timedelta(hours=hours), number, baseline))


def sequence(rules: BoardRules, candidates: Sequence[Made]) -> list[tuple[str, int, float | None]]:
    """Who stands there in order, with the rank as AIcrowd writes it, 0 for a baseline, and the score."""
    standing = standing_entries(rules, candidates)
    entrants = {candidate.entry.item: candidate.entrant for candidate in standing}
    rows = ranked_entries(rules, [candidate.entry for candidate in standing])
    assert all(row.is_placed for row in rows)
    return [(entrants[row.entry.item], row.rank or 0, row.entry.values[0]) for row in rows]


SEEDS = st.randoms(use_true_random=False)


@SHUFFLES
@given(order=SEEDS)
def test_teams_take_the_place_of_their_members(cases: Path, order: Any) -> None:  # noqa: ANN401  # random.Random
    told = case(cases, "teams replace individuals")
    candidates = [made(number, team, score) for number, (team, _member, score) in enumerate(told["input"])]
    order.shuffle(candidates)
    assert [[team, score] for team, _, score in sequence(board(), candidates)] == told["expected_best"]


@SHUFFLES
@given(order=SEEDS)
def test_the_rank_before_a_window(cases: Path, order: Any) -> None:  # noqa: ANN401
    told = case(cases, "previous rank over a 6 h window")
    candidates = [made(number, who, score, hours=hours) for number, (who, score, hours) in enumerate(told["input"])]
    order.shuffle(candidates)
    before = previous_ranks(board(), candidates, 6)
    found = {who: [place, before[who]] for who, place, _ in sequence(board(), candidates)}
    assert found == told["expected_rank_previous"]


@pytest.mark.parametrize(
    "name", ["baselines have rank 0 but a place in the sequence", "ties share rank, next rank skips"]
)
@SHUFFLES
@given(order=SEEDS)
def test_places_and_ranks(cases: Path, name: str, order: Any) -> None:  # noqa: ANN401
    told = case(cases, name)
    candidates = []
    for number, (who, score, third) in enumerate(told["input"]):
        is_flag = isinstance(third, bool)
        values = (score,) if is_flag else (score, third)
        candidates.append(made(number, who, *values, baseline=is_flag and third))
    order.shuffle(candidates)
    found = [[place, rank] for place, (_, rank, _) in enumerate(sequence(board(), candidates), start=1)]
    assert found == told["expected_seq_rank"]


@pytest.mark.parametrize("direction", ["desc_desc", "asc_asc"])
@SHUFFLES
@given(order=SEEDS)
def test_a_board_with_its_window(cases: Path, direction: str, order: Any) -> None:  # noqa: ANN401
    told = json.loads((cases / "leaderboards" / "ranking_window.json").read_text("utf-8"))
    now = datetime.fromisoformat(told["now"]).astimezone(UTC)
    sorting = Sorting(direction.split("_", maxsplit=1)[0])
    rules = board(
        ColumnRule(0, "score", sorting, ranking_precision=told["score_precision"]),
        ColumnRule(1, "secondary", sorting, ranking_precision=told["secondary_precision"]),
    )
    candidates = [
        Candidate(
            row["participant"],
            Entry(
                row["id"],
                (row["score"], row["score_secondary"]),
                now - timedelta(minutes=row["minutes_ago"]),
                number,
                row["baseline"],
            ),
        )
        for number, row in enumerate(told["submissions"])
    ]
    order.shuffle(candidates)
    border = window_border([candidate.entry.submitted for candidate in candidates], told["ranking_window_hours"])
    assert border is not None
    assert f"{border:%Y-%m-%d %H:%M}:00" == told["window_border_utc"][:19]
    before = previous_ranks(rules, candidates, told["ranking_window_hours"])
    standing = standing_entries(rules, candidates)
    assert len(standing) == told["counts"]["rows_in_board_with_baseline"]
    assert table(rules, standing) == [
        {key: row[key] for key in ("rank", "participant", "score", "secondary")} for row in told["expected"][direction]
    ]
    assert before == {row["participant"]: row["previous_rank"] for row in told["expected"][direction]}
    old = standing_entries(rules, made_by(candidates, border))
    assert len(old) == told["counts"]["rows_in_previous"]
    assert table(rules, old) == told["expected"][f"{direction}_previous"]


def table(rules: BoardRules, standing: Sequence[Made]) -> list[dict[str, object]]:
    """The ranked rows, with scores as they are shown."""
    entrants = {candidate.entry.item: candidate.entrant for candidate in standing}
    found: list[dict[str, object]] = []
    for row in ranked_entries(rules, [candidate.entry for candidate in standing]):
        score, secondary = (None if value is None else round(value, 3) for value in row.entry.values)
        if not row.entry.is_baseline:
            found.append(
                {"rank": row.rank, "participant": entrants[row.entry.item], "score": score, "secondary": secondary}
            )
    return found


def test_a_window_worked_by_hand() -> None:
    """So that this is tested without the cases too."""
    candidates = [
        made(1, "ada", 4, hours=-12),
        made(2, "bob", 5, hours=-12),
        made(3, "organizer", 0, hours=-12, baseline=True),
        made(4, "bob", 1, hours=0),
        made(5, "cleo", 3, hours=-1),
    ]
    assert sequence(board(), candidates) == [("organizer", 0, 0), ("bob", 1, 1), ("cleo", 2, 3), ("ada", 3, 4)]
    before = previous_ranks(board(), candidates, 6)
    assert before == {"ada": 1, "bob": 2}
    assert [rank_change(before.get(who), now) for who, now in (("bob", 1), ("cleo", 2), ("ada", 3))] == [1, None, -2]
    assert previous_ranks(board(), candidates, 0) == {"bob": 1, "cleo": 2, "ada": 3}
    assert previous_ranks(board(), candidates, 99) == {}
    assert previous_ranks(board(), [], 6) == {}
