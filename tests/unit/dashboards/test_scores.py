from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_in import ACCURACY, EXTERNAL, LOSS, MODEL, make_row

from podium.dashboards import scores


@pytest.mark.parametrize(
    ("value", "precision", "written"),
    [
        (0.91342, 4, "0.9134"),
        (0.91342, 0, "1"),
        (12.5, 2, "12.50"),
        (-0.00001, 0, "-1.0e-05"),
        (0.00000012, 4, "1.2000e-07"),
        (0.0, 3, "0.000"),
        (-0.0, 2, "0.00"),
        (3.2e12, 2, "3.20e+12"),
        (None, 2, scores.MISSING),
        (math.nan, 2, scores.MISSING),
        (1.5, -1, "2"),
    ],
)
def test_a_score_has_its_columns_digits(value: float | None, precision: int, written: str):
    assert scores.score_text(value, precision) == written


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 10))
def test_a_written_score_never_hides_that_it_is_not_zero(value: float, precision: int):
    written = float(scores.score_text(value, precision))
    assert (written == 0) == (value == 0)
    assert written == 0 or math.copysign(1, written) == math.copysign(1, value)


@pytest.mark.parametrize(
    ("rank", "word"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (13, "13th"),
        (21, "21st"),
        (111, "111th"),
    ],
)
def test_ordinals(rank: int, word: str):
    assert scores.ordinal(rank) == word


def test_the_direction_is_said_in_words_and_by_an_arrow():
    assert (scores.direction_words(ACCURACY), scores.direction_arrow(ACCURACY)) == ("higher is better", "↑")
    assert (scores.direction_words(LOSS), scores.direction_arrow(LOSS)) == ("lower is better", "↓")


def test_only_shared_ranks_are_ties():
    rows = [
        make_row(1, "a", 1.0),
        make_row(2, "b", 0.5),
        make_row(2, "c", 0.5),
        make_row(None, "d", None),
        make_row(None, "e", None),
    ]
    assert scores.tied_ranks(rows) == {2}


def test_why_a_row_is_not_ranked():
    columns = (ACCURACY, LOSS)
    assert scores.unranked_reason(make_row(None, "a", 0.5, None), columns) == "Not ranked: no score for Log loss."
    assert (
        scores.unranked_reason(make_row(None, "a", None, None), columns)
        == "Not ranked: no score for Accuracy and Log loss."
    )
    assert "a score that the ranking needs" in scores.unranked_reason(make_row(None, "a", 0.5, 0.5), columns)


def test_answers_of_the_fact_sheet():
    assert scores.answer_text(EXTERNAL, {"external": "True"}) == "yes"
    assert scores.answer_text(EXTERNAL, {"external": "false"}) == "no"
    assert scores.answer_text(MODEL, {"model": "true"}) == "true"
    assert scores.answer_text(MODEL, {}) == scores.MISSING


@pytest.mark.parametrize(
    ("size", "written"),
    [(1, "1 byte"), (999, "999 bytes"), (1234567, "1.2 MB"), (999_960, "1.0 MB"), (3 * 10**12, "3.0 TB")],
)
def test_sizes(size: int, written: str):
    assert scores.size_text(size) == written
