"""The new results of a rerun beside the old ones."""

from __future__ import annotations

import pytest
from stand_in import ACCURACY, LOSS
from stand_in_organizing import make_difference, make_report, make_rerun

from podium.dashboards.rerun_report import (
    rank_arrow,
    rank_words,
    report_facts,
    report_table,
    score_kind,
    worth_showing,
)
from podium.platform.lifecycle import SubmissionStatus


@pytest.mark.parametrize(
    ("old", "new", "arrow", "kind", "words"),
    [
        (5, 1, "▲4", "better", "up 4 places"),
        (2, 3, "▼1", "worse", "down 1 place"),
        (2, 2, "=", "same", "stays"),
        (None, 6, "▲", "better", "comes onto the leaderboard"),
        (6, None, "▼", "worse", "leaves the leaderboard"),
        (None, None, "=", "same", "not ranked"),
    ],
)
def test_ranks_move(old: int | None, new: int | None, arrow: str, kind: str, words: str):
    assert rank_arrow(old, new) == (arrow, kind)
    assert rank_words(old, new) == words


def test_a_score_is_better_by_its_column():
    assert score_kind(0.5, 0.6, ACCURACY) == "better"
    assert score_kind(0.5, 0.6, LOSS) == "worse"
    assert score_kind(None, 0.6, LOSS) == "better"
    assert score_kind(0.6, None, ACCURACY) == "worse"
    assert score_kind(None, None, ACCURACY) == "same"


def test_a_line_has_old_and_new():
    table = report_table([make_difference(3, "<lin>", (0.5, 0.2), (0.75, 0.2), (2, 1))], (ACCURACY, LOSS))
    assert "&lt;lin&gt;" in table
    assert '<span class="old">0.5000</span>' in table
    assert '<span class="new better">0.7500</span>' in table
    assert "<td>0.200</td>" in table
    assert "up 1 place" in table
    assert "Phase" not in table


def test_what_the_digits_hide_is_shown():
    table = report_table([make_difference(3, "lin", (0.5,), (0.500001,), (2, 2))], (ACCURACY,))
    assert '<span class="new better">0.500001</span>' in table


def test_what_was_not_scored_again_keeps_its_result():
    table = report_table([make_difference(3, "lin", (0.5,), (), (2, 2), new_status=None)], (ACCURACY,))
    assert "finished, not scored again" in table
    assert "<td>0.5000</td>" in table
    assert "move" not in table


def test_phases_are_named_where_there_are_several():
    both = [
        make_difference(1, "lin", (0.5,), (0.6,), (2, 1)),
        make_difference(2, "bob", (0.5,), (0.6,), (2, 1), phase="Final"),
    ]
    table = report_table(both, (ACCURACY,))
    assert "<td>Development</td>" in table
    assert "<td>Final</td>" in table


def test_totals_and_what_is_worth_showing():
    failed = SubmissionStatus.FAILED
    report = make_report(
        make_rerun(),
        (ACCURACY,),
        make_difference(1, "lin", (0.5,), (None,), (1, None), new_status=failed, message="No scores."),
        make_difference(2, "bob", (0.4,), (0.4,), (2, 1)),
        make_difference(3, "ken", (0.3,), (0.3,), (3, 3)),
        make_difference(4, "tim", (0.2,), (), (4, 4), new_status=None),
    )
    shown = report_facts(report)
    for word, value in (("Scored again", "3 of 4"), ("Other results", "1"), ("Ranks that move", "2")):
        assert f"<dt>{word}</dt><dd>{value}</dd>" in shown
    assert [one.number for one in worth_showing(report, everything=False, most=9)] == [1, 2]
    assert [one.number for one in worth_showing(report, everything=True, most=3)] == [1, 2, 3]
