from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from stand_in import ACCURACY, LOSS, make_board, make_phase, make_row, moment

from podium.dashboards.board import (
    BoardView,
    board_table,
    changed_participants,
    matching_rows,
    own_place,
    rank_mark,
    status_line,
    view_of,
)
from podium.dashboards.chart import leading_scores_chart
from podium.dashboards.scores import ranking_words
from podium.platform.bundles.content import Ranking

ROWS = (
    make_row(1, "ada", 0.98, 0.1),
    make_row(2, "bob", 0.9, 0.2, model="ResNet"),
    make_row(2, "cyd", 0.9, 0.2),
    make_row(4, "dan", 0.8, 0.3),
    make_row(None, "eve", 0.7, None),
)


def test_the_same_board_is_the_same_text():
    board = make_board(*ROWS)
    assert board_table(board, ROWS, view_of(ROWS, "bob")) == board_table(board, ROWS, view_of(ROWS, "bob"))


def test_rows_stand_in_order_with_the_unranked_at_the_end():
    rows = (ROWS[-1], *ROWS[:-1])
    table = board_table(make_board(*rows), rows, view_of(rows, None))
    places = [table.index(f">{name}<") for name in ("ada", "bob", "cyd", "dan", "Not ranked", "eve")]
    assert places == sorted(places)
    assert "Not ranked: no score for Log loss." in table


def test_a_baseline_stands_in_its_place_and_says_what_it_is():
    baseline = replace(make_row(None, "olga", 0.95, 0.1), is_baseline=True, place=2)
    rows = (ROWS[0], baseline, *ROWS[1:])
    table = board_table(make_board(*rows), rows, view_of(rows, None))
    places = [table.index(f">{name}<") for name in ("ada", "baseline", "olga", "bob", "Not ranked", "eve")]
    assert places == sorted(places)
    assert table.count("Not ranked:") == 1


def test_what_is_not_plain_about_a_board_is_said():
    assert ranking_words(make_board(*ROWS)) == []
    baseline = replace(ROWS[0], is_baseline=True)
    special = {"ranking": Ranking.MEDIAN_RANK, "anonymous": True, "frozen_since": moment()}
    said = ranking_words(replace(make_board(baseline), **special))
    assert len(said) == 4
    assert said[0] == "Ranked by the median of the ranks in each column."


def test_the_viewers_own_row_is_marked_in_words_too():
    table = board_table(make_board(*ROWS), ROWS, view_of(ROWS, "bob"))
    assert table.count('class="own"') == 1
    assert '<span class="you">you</span>' in table


def test_names_and_answers_of_people_are_text():
    rows = (make_row(1, "<img src=x onerror=alert(1)>", 0.5, 0.5, model="<script>alert(1)</script>"),)
    table = board_table(make_board(*rows), rows, BoardView())
    assert "<img" not in table
    assert "<script" not in table


def test_headings_say_which_way_is_better():
    table = board_table(make_board(*ROWS), ROWS, BoardView())
    assert 'title="Accuracy (higher is better)"' in table
    assert 'title="Log loss (lower is better)"' in table


def test_medals_say_their_place():
    assert ">1st<" in rank_mark(1, is_tied=False)
    assert ">tie<" in rank_mark(2, is_tied=True)
    assert "medal" not in rank_mark(4, is_tied=False)
    assert "not ranked" in rank_mark(None, is_tied=False)


def test_rows_that_changed_are_found():
    after = (make_row(1, "bob", 0.99, 0.1), make_row(2, "ada", 0.98, 0.1), *ROWS[2:], make_row(6, "new", 0.1, 0.9))
    assert changed_participants(ROWS, after) == {"ada", "bob", "new"}
    assert changed_participants(ROWS, ROWS) == frozenset()


def test_names_are_found_in_any_case():
    assert [row.participant for row in matching_rows(ROWS, " D ")] == ["ada", "cyd", "dan"]
    assert matching_rows(ROWS, "zed") == ()


def test_the_status_line_says_when_the_board_changed():
    board, at = make_board(*ROWS), moment()
    phase = make_phase(start=-1.01, end=2.01)
    line = status_line(board, phase, at, is_live=True)
    assert "Live" in line
    assert "5 rows" in line
    assert "last change 3 minutes ago" in line
    assert line == status_line(board, phase, at + timedelta(seconds=2), is_live=True)
    assert "Not live" in status_line(board, phase, at, is_live=False)


def test_the_own_place_is_said_in_words():
    assert "2nd of 5" in own_place(ROWS[1], make_board(*ROWS))
    assert "not ranked" in own_place(ROWS[4], make_board(*ROWS))


def test_a_chart_needs_something_to_compare():
    assert leading_scores_chart((ACCURACY, LOSS), ROWS[:1], None) is None
    assert leading_scores_chart((), ROWS, None) is None
    chart = leading_scores_chart((ACCURACY, LOSS), ROWS, "bob")
    assert chart is not None
    values = chart.data.values
    assert [value["participant"] for value in values] == ["ada", "bob (you)", "cyd", "dan"]
