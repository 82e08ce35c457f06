"""Leaderboards, their columns, and how columns are computed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from podium.platform.bundles.content import (
    ColumnContent,
    CompetitionContent,
    Computation,
    Ranking,
    Sorting,
    SubmissionRule,
)
from podium.platform.bundles.reader import BundleReading

KEY = "        key: accuracy\n"
MEAN = """\
      - index: 1
        title: Mean
        key: mean
        computation: avg
        computation_indexes: [0, 2]
      - index: 2
        title: Time
        key: time
        sorting: asc
        precision: 0
        hidden: true
"""


def test_a_leaderboard_is_read(accepted: Callable[..., CompetitionContent]):
    board = accepted(
        (KEY, KEY + MEAN), ("    key: main", "    key: main\n    index: 0\n    primary_index: 2")
    ).leaderboards[0]
    assert (board.title, board.key, board.hidden, board.primary_index) == ("Results", "main", False, 2)
    assert board.submission_rule is SubmissionRule.ADD
    assert board.columns == (
        ColumnContent(0, "Accuracy", "accuracy", Sorting.DESC, None, (), 2, hidden=False),
        ColumnContent(1, "Mean", "mean", Sorting.DESC, Computation.AVG, (0, 2), 2, hidden=False),
        ColumnContent(2, "Time", "time", Sorting.ASC, None, (), 0, hidden=True),
    )


@pytest.mark.parametrize("rule", list(SubmissionRule))
def test_every_submission_rule_is_known(rule: SubmissionRule, accepted: Callable[..., CompetitionContent]):
    content = accepted(("    key: main", f"    key: main\n    submission_rule: {rule.value}\n    hidden: true"))
    assert content.leaderboards[0].submission_rule is rule
    assert content.leaderboards[0].hidden


@pytest.mark.parametrize("written", ['"0,2"', "0, 2", "[0, 2]", "['0', 2]"])
def test_computation_indexes_may_be_one_text(written: str, accepted: Callable[..., CompetitionContent]):
    content = accepted((KEY, KEY + MEAN.replace("[0, 2]", written)))
    assert content.leaderboards[0].columns[1].computation_indexes == (0, 2)


@pytest.mark.parametrize("nothing", ["null", "''", ""])
def test_a_column_without_computation_may_say_so(nothing: str, accepted: Callable[..., CompetitionContent]):
    content = accepted((KEY, f"{KEY}        computation: {nothing}\n        computation_indexes: {nothing}\n"))
    assert content.leaderboards[0].columns[0].computation is None


def test_columns_come_in_the_order_of_their_indexes(accepted: Callable[..., CompetitionContent]):
    content = accepted(("index: 0\n        title", "index: 3\n        title"), (KEY, KEY + MEAN.replace("[0,", "[3,")),
                       ("    key: main", "    key: main\n    primary_index: 3"))  # fmt: skip
    assert [column.index for column in content.leaderboards[0].columns] == [1, 2, 3]


BOARD = "leaderboards[0]"
CIRCLE = "\n        computation_indexes: [1]"
COLUMN = f"{BOARD}.columns[0]"


@pytest.mark.parametrize(
    ("change", "line", "field", "message"),
    [
        (("  - title: Results\n    key", "  - key"), 22, f"{BOARD}.title", "`title` is missing."),
        (("title: Results", f"title: {'x' * 65}"), 22, f"{BOARD}.title", "65 characters; up to 64"),
        (("    key: main\n", ""), 22, f"{BOARD}.key", "`key` is missing."),
        (("key: main", f"key: {'x' * 37}"), 23, f"{BOARD}.key", "37 characters; up to 36"),
        (("key: main", "key: main\n    submission_rule: ForceLast"), 24, f"{BOARD}.submission_rule", "Expected one"),
        (("key: main", "key: main\n    primary_index: 4"), 24, f"{BOARD}.primary_index", "No column has the index 4"),
        (("    key: main", "    key: main\n    primary_index: accuracy"), 24, f"{BOARD}.primary_index", "whole number"),
        (("columns:", "columns: []\n    old:"), 24, f"{BOARD}.columns", "`columns` is empty."),
        (("    columns:\n", "    colums:\n"), 22, f"{BOARD}.columns", "`columns` is missing."),
        (("      - index: 0\n        title", "      - title"), 25, f"{COLUMN}.index", "`index` is missing."),
        (("index: 0\n        title", "index: a\n        title"), 25, f"{COLUMN}.index", "Expected a whole number"),
        (("        title: Accuracy\n", ""), 25, f"{COLUMN}.title", "`title` is missing."),
        (("title: Accuracy", f"title: {'x' * 37}"), 26, f"{COLUMN}.title", "up to 36"),
        ((KEY, ""), 25, f"{COLUMN}.key", "`key` is missing."),
        ((KEY, KEY + "        sorting: ascending\n"), 28, f"{COLUMN}.sorting", "Expected one of asc, desc"),
        ((KEY, KEY + "        precision: 99\n"), 28, f"{COLUMN}.precision", "out of range"),
        ((KEY, KEY + "        computation: avg\n"), 28, f"{COLUMN}.computation", "needs `computation_indexes`"),
        ((KEY, KEY + "        computation: mean\n"), 28, f"{COLUMN}.computation", "Expected one of avg, sum, min, max"),
        ((KEY, KEY + MEAN.replace("[0, 2]", "[1]")), 32, f"{BOARD}.columns[1].computation_indexes", "from itself"),
        ((KEY, KEY + MEAN.replace("[0, 2]", "[0, 9]")), 32, f"{BOARD}.columns[1].computation_indexes", "index 9"),
        ((KEY, KEY + MEAN.replace("[0, 2]", "[a]")), 32, f"{BOARD}.columns[1].computation_indexes[0]", "whole number"),
        ((KEY, KEY + MEAN.replace("[0, 2]", "0;2")), 32, f"{BOARD}.columns[1].computation_indexes", "whole number"),
        ((KEY, KEY + MEAN.replace("index: 2", "index: 0")), 33, f"{BOARD}.columns[2].index",
         "The index '0' is taken by the column on line 25."),
        ((KEY, KEY + MEAN.replace("key: time", "key: accuracy")), 35, f"{BOARD}.columns[2].key",
         "The key 'accuracy' is taken by the column on line 27."),
        ((KEY, KEY + MEAN.replace("key: time", "key: time\n        computation: sum" + CIRCLE)),
         32, f"{BOARD}.columns[1].computation_indexes", "in a circle"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_line(
    change: tuple[str, str], line: int, field: str, message: str, read: Callable[..., BundleReading]
):
    reading = read(change)
    assert reading.refused
    found = [problem for problem in reading.problems if problem.field == field]
    assert [problem.line for problem in found] == [line]
    assert message in found[0].message


@pytest.mark.parametrize(
    ("change", "line", "field", "message"),
    [
        (("index: 0\n        title", "index: 3\n        title"), 24, f"{BOARD}.columns", "the one with index 3 ranks"),
        (
            (KEY, KEY + "        computation_indexes: [0]\n"),
            28,
            f"{COLUMN}.computation_indexes",
            "does nothing without",
        ),
        ((KEY, KEY + MEAN.replace("[0, 2]", "[0, 2, 0]")), 32, f"{BOARD}.columns[1].computation_indexes[2]", "twice"),
    ],
)
def test_what_looks_wrong_gets_a_warning(
    change: tuple[str, str], line: int, field: str, message: str, read: Callable[..., BundleReading]
):
    reading = read(change)
    assert not reading.refused
    assert [(problem.line, problem.field) for problem in reading.problems] == [(line, field)]
    assert message in reading.problems[0].message


SECOND = "  - {title: More, key: %s, columns: [{index: 0, title: A, key: a}]}\n"


def test_every_leaderboard_is_read_with_a_warning(read: Callable[..., BundleReading]):
    reading = read((KEY, KEY + SECOND % "more" + SECOND % "third"))
    assert [board.key for board in reading.accepted().leaderboards] == ["main", "more", "third"]
    assert [(problem.line, problem.field) for problem in reading.problems] == [(28, "leaderboards[1]")]
    same = read((KEY, KEY + SECOND % "main"))
    assert same.refused
    assert "The key 'main' is taken by the leaderboard on line 23." in [problem.message for problem in same.problems]


RANKS = """\
      - {index: 1, title: Loss, key: loss, sorting: asc}
      - {index: 2, title: Rank, key: rank, computation: average_rank, computation_indexes: [0, 1]}
"""


def test_columns_over_ranks(read: Callable[..., BundleReading]):
    rows = f"        key: accuracy\n{RANKS}"
    column = read(("        key: accuracy\n", rows)).accepted().leaderboards[0].columns[2]
    assert (column.computation, column.computation_indexes) == (Computation.AVERAGE_RANK, (0, 1))
    assert (column.sorting, column.computation_weights) == (Sorting.ASC, ())
    weighted = rows.replace("[0, 1]", "[0, 1], sorting: desc, computation_weights: '0.25, .75'")
    column = read(("        key: accuracy\n", weighted)).accepted().leaderboards[0].columns[2]
    assert (column.sorting, column.computation_weights) == (Sorting.DESC, (0.25, 0.75))
    reciprocal = rows.replace("average_rank", "mean_reciprocal_rank")
    assert read(("        key: accuracy\n", reciprocal)).accepted().leaderboards[0].columns[2].sorting is Sorting.DESC


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("[1]", "The number of weights (1) is not that of the columns (2)."),
        ("[1, much]", "Expected a number, got the text 'much'."),
        ("[1, .inf]", "Expected a number, got the number .inf."),
        ("[1, 1e999]", "Expected a number"),
    ],
)
def test_weights_that_can_not_be_used(weights: str, message: str, read: Callable[..., BundleReading]):
    rows = RANKS.replace("[0, 1]", f"[0, 1], computation_weights: {weights}")
    reading = read(("        key: accuracy\n", f"        key: accuracy\n{rows}"))
    assert reading.refused
    assert message in reading.problems[0].message


def test_weights_of_other_columns_are_ignored(read: Callable[..., BundleReading]):
    rows = RANKS.replace("average_rank", "avg").replace("[0, 1]", "[0, 1], computation_weights: [1]")
    reading = read(("        key: accuracy\n", f"        key: accuracy\n{rows}"))
    assert not reading.refused
    assert "are for `average_rank`" in reading.problems[0].message


RULES = """\
    key: main
    ranking: mean_rank
    anonymous: true
    freeze_hours: 24
    rank_change_hours: 0.5
    organizers_are_baselines: yes
"""
TIES = """\
        key: accuracy
        ranking_precision: 3
      - {index: 1, title: Loss, key: loss, sorting: asc, tie_tolerance: 1e-3}
      - {index: 2, title: Seconds, key: seconds, exclude_from_ranking: true}
"""


def test_how_a_leaderboard_ranks_and_what_it_shows(accepted: Callable[..., CompetitionContent]):
    board = accepted(("    key: main\n", RULES), (KEY, TIES)).leaderboards[0]
    assert (board.ranking, board.anonymous, board.organizers_are_baselines) == (Ranking.MEAN_RANK, True, True)
    assert (board.freeze_hours, board.rank_change_hours) == (24.0, 0.5)
    assert [column.ranking_precision for column in board.columns] == [3, None, None]
    assert [column.tie_tolerance for column in board.columns] == [0.0, 0.001, 0.0]
    assert [column.exclude_from_ranking for column in board.columns] == [False, False, True]


def test_without_a_word_it_ranks_by_its_columns_in_their_order(accepted: Callable[..., CompetitionContent]):
    board = accepted().leaderboards[0]
    assert (board.ranking, board.anonymous, board.organizers_are_baselines) == (Ranking.LEXICOGRAPHIC, False, False)
    assert (board.freeze_hours, board.rank_change_hours) == (None, 96.0)
    assert accepted(("key: main", "key: main\n    freeze_hours: 0")).leaderboards[0].freeze_hours is None


@pytest.mark.parametrize("ranking", list(Ranking))
def test_every_ranking_is_known(ranking: Ranking, accepted: Callable[..., CompetitionContent]):
    assert accepted(("key: main", f"key: main\n    ranking: {ranking.value}")).leaderboards[0].ranking is ranking


@pytest.mark.parametrize(
    ("where", "line", "field", "message"),
    [
        ("    ranking: mean-rank", 24, f"{BOARD}.ranking", "Expected one of lexicographic, mean_rank, median_rank"),
        ("    anonymous: partly", 24, f"{BOARD}.anonymous", "Expected true or false"),
        ("    freeze_hours: -1", 24, f"{BOARD}.freeze_hours", "-1 is out of range: it may be 0 to 8784."),
        ("    freeze_hours: a day", 24, f"{BOARD}.freeze_hours", "Expected a number, got the text 'a day'."),
        ("    rank_change_hours: .inf", 24, f"{BOARD}.rank_change_hours", "Expected a number"),
        ("    organizers_are_baselines: 2", 24, f"{BOARD}.organizers_are_baselines", "Expected true or false"),
        ("        ranking_precision: 16", 28, f"{COLUMN}.ranking_precision", "out of range: it may be 0 to 15"),
        ("        ranking_precision: 1.5", 28, f"{COLUMN}.ranking_precision", "Expected a whole number"),
        ("        tie_tolerance: -0.5", 28, f"{COLUMN}.tie_tolerance", "-0.5 is out of range: it may be at least 0."),
        ("        tie_tolerance: nan", 28, f"{COLUMN}.tie_tolerance", "Expected a number"),
        ("        exclude_from_ranking: true", 28, f"{COLUMN}.exclude_from_ranking", "can't be excluded"),
        (
            "        ranking_precision: 2\n        tie_tolerance: 0.1",
            29,
            f"{COLUMN}.tie_tolerance",
            "`ranking_precision` or `tie_tolerance`, and not both",
        ),
    ],
)
def test_what_is_wrong_with_how_it_ranks_is_said_at_its_line(
    where: str, line: int, field: str, message: str, read: Callable[..., BundleReading]
):
    of_board = not where.startswith("     ")
    reading = read(("    key: main", f"    key: main\n{where}") if of_board else (KEY, f"{KEY}{where}\n"))
    assert reading.refused
    found = [problem for problem in reading.problems if problem.field == field]
    assert [problem.line for problem in found] == [line]
    assert message in found[0].message


def test_everything_wrong_with_how_it_ranks_is_said_at_once(read: Callable[..., BundleReading]):
    wrong = RULES.replace("mean_rank", "meanrank").replace("24", "soon").replace("true", "maybe")
    reading = read(("    key: main\n", wrong), (KEY, TIES.replace("3\n", "many\n").replace("1e-3", "-1")))
    assert {problem.field.removeprefix(f"{BOARD}.") for problem in reading.problems} == {
        "ranking",
        "anonymous",
        "freeze_hours",
        "columns[0].ranking_precision",
        "columns[1].tie_tolerance",
    }
    (ranking,) = (problem for problem in reading.problems if problem.field.endswith(".ranking"))
    assert ranking.suggestion == "Did you mean `mean_rank`?"
    misspelt = read(("key: main", "key: main\n    freeze_hour: 24"))
    assert [problem.suggestion for problem in misspelt.problems] == ["Did you mean `freeze_hours`?"]
