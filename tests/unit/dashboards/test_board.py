from __future__ import annotations

import base64
import math
import re
from dataclasses import replace
from datetime import timedelta

from stand_in import ACCURACY, LOSS, make_board, make_phase, make_row, moment

from podium.dashboards.board import (
    BoardView,
    board_table,
    changed_participants,
    own_place,
    rank_mark,
    status_line,
    view_of,
)
from podium.dashboards.figures import score_distribution, score_over_time, sparkline
from podium.dashboards.scores import ranking_words
from podium.platform.bundles.content import Ranking
from podium.platform.records.leaderboards import RankPoint

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


def test_a_rise_and_a_fall_are_said_in_words_too():
    rows = (replace(ROWS[0], previous_rank=3, rank_change=2), replace(ROWS[1], previous_rank=1, rank_change=-1))
    table = board_table(make_board(*rows), rows, view_of(rows, None))
    assert '<span aria-hidden="true">▲2</span><span class="podium-unseen">, risen by 2</span>' in table
    assert '<span aria-hidden="true">▼1</span><span class="podium-unseen">, fallen by 1</span>' in table
    assert 'title="It was 3rd"' in table
    assert "(▲2)" in own_place(rows[0], make_board(*rows))


def test_the_own_row_is_pinned_where_the_page_lacks_it():
    own = make_row(200, "zoe", 0.1, 0.9)
    table = board_table(make_board(*ROWS), ROWS, view_of(ROWS, "zoe", own=own))
    assert table.index('<tbody class="pinned">') < table.index(">zoe<") < table.index(">ada<")
    assert '<tbody class="pinned">' not in board_table(make_board(*ROWS), ROWS, view_of(ROWS, "bob", own=ROWS[1]))


def test_headings_sort_by_buttons_with_whole_values():
    rows = (make_row(1, "ada", 0.123456789, None),)
    table = board_table(make_board(*rows), rows, BoardView())
    assert 'data-sort="column accuracy" data-first="desc"' in table
    assert 'data-sort="column loss" data-first="asc"' in table
    assert 'data-v="0.123456789"' in table
    assert table.count('<button type="button">') == 8


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


def _inside(drawing: str) -> str:
    """The SVG of a figure."""
    return base64.b64decode(drawing.partition("base64,")[2].partition('"')[0]).decode()


def _points(*scores: float | None) -> list[RankPoint]:
    return [RankPoint(moment(days=9 - place), place + 1, (score, None), place) for place, score in enumerate(scores)]


def test_figures_need_something_to_compare():
    assert sparkline(_points(0.5), ACCURACY, 0) == ""
    assert sparkline(_points(0.5, 0.6), LOSS, 1) == ""
    assert score_over_time(_points(None), ACCURACY, 0) == ""
    assert score_distribution([0.5], ACCURACY, None) == ""
    assert score_distribution([0.5, 0.5, math.inf], ACCURACY, None) == ""


def test_figures_say_in_words_what_they_show():
    assert 'alt="Accuracy over 3 steps, from 0.5000 to 0.7000"' in sparkline(_points(0.5, None, 0.6, 0.7), ACCURACY, 0)
    assert "from 0.5000 on" in score_over_time(_points(0.5, 0.6), ACCURACY, 0)
    drawn = score_distribution([0.1, 0.2, 0.2, 0.9], ACCURACY, 0.2)
    assert "over 4 rows, from 0.1000 to 0.9000; yours is 0.2000, 1 are better" in drawn
    assert _inside(drawn).count("<rect") == 24


def test_better_scores_stand_higher_whichever_way_they_go():
    def heights(drawing: str) -> list[float]:
        return [float(found) for found in re.findall(r'<circle cx="[^"]+" cy="([^"]+)"', _inside(drawing))]

    first, last = heights(score_over_time(_points(0.5, 0.6), ACCURACY, 0))
    assert last < first
    first, last = heights(score_over_time([replace(p, scores=p.scores[::-1]) for p in _points(0.6, 0.5)], LOSS, 1))
    assert last < first


def test_the_scores_of_each_task_are_shown_to_who_wants_them():
    rows = tuple(replace(row, task_scores=((row.scores[0], 0.1), (0.111, 0.2))) for row in ROWS)
    board = replace(make_board(*rows), tasks=("Easy", "Hard & long"))
    plain = board_table(board, rows, view_of(rows, None))
    assert "Hard" not in plain
    table = board_table(board, rows, view_of(rows, None, by_task=True))
    assert 'title="Accuracy of Hard &amp; long (higher is better)"' in table
    assert 'data-sort="column accuracy Easy"' in table
    assert table.count('data-v="0.111"') == len(ROWS)
    # Each row has a cell for each heading, or sorting would take the wrong ones.
    heads = table.split("</thead>")[0].count("<th ")
    row = re.search(r"<tr><td.*?</tr>", table)
    assert row is not None
    assert len(re.findall(r"<t[dh] ", row[0])) == heads
    assert f'colspan="{heads}"' in table
