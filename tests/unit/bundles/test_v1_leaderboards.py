"""Leaderboards of a CodaLab bundle: several in one section, with groups of columns and columns over ranks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from podium.platform.bundles.content import Computation, LeaderboardContent, Sorting
from podium.platform.bundles.problems import Severity
from podium.platform.bundles.reader import BundleReading

Read = Callable[..., BundleReading]
RANK = """\
    average:
      leaderboard: *RESULTS
      label: Average rank
      rank: 0
      sort: asc
      computed:
        operation: Avg
        fields: accuracy, loss
"""
LAST = "      sort: asc\n"


def board_of(reading: BundleReading) -> LeaderboardContent:
    return reading.accepted().leaderboards[0]


def errors(reading: BundleReading) -> list[str]:
    return [problem.message for problem in reading.problems if problem.severity is Severity.ERROR]


@pytest.fixture
def with_rank(read_old: Read) -> Read:
    """Read the bundle with a column over ranks, with texts of it replaced."""

    def read_it(*changes: tuple[str, str]) -> BundleReading:
        text = RANK
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        return read_old((LAST, LAST + text))

    return read_it


def test_columns(read_old: Read):
    board = board_of(read_old())
    assert (board.key, board.title, board.hidden, board.primary_index) == ("Results", "The results", False, 0)
    assert [(one.index, one.key, one.title, one.sorting, one.precision) for one in board.columns] == [
        (0, "accuracy", "Accuracy", Sorting.DESC, 4),
        (1, "loss", "Loss", Sorting.ASC, 2),
    ]


def test_their_ranks_order_them(read_old: Read):
    reading = read_old(("rank: 1\n      numeric_format: 4", "rank: 3\n      hidden: true"))
    assert [(one.index, one.key, one.hidden) for one in board_of(reading).columns] == [
        (0, "loss", False),
        (1, "accuracy", True),
    ]


def test_the_one_that_is_selected_ranks(read_old: Read):
    board = board_of(read_old(("label: Loss", "label: Loss\n      selection_default: 1")))
    assert board.columns[board.primary_index].key == "loss"


def test_without_a_label_a_column_is_called_by_its_key(read_old: Read):
    assert board_of(read_old(("      label: Loss\n", ""))).columns[1].title == "loss"


def test_groups_stay_together_where_they_belong(read_old: Read):
    groups = "  column_groups:\n    Second: &SECOND {label: Second, rank: 2}\n    first:\n  columns:\n"
    columns = """\
    b1: {leaderboard: *RESULTS, column_group: *SECOND, label: One, rank: 1}
    a1: {leaderboard: Results, column_group: first, label: One, rank: 7}
    b2: {leaderboard: *RESULTS, column_group: *SECOND, label: Two, rank: 0}
"""
    reading = read_old(
        ("rank: 1\n      numeric_format: 4", "rank: 5"),
        ("rank: 2", "rank: 4"),
        ("  columns:\n", groups),
        (LAST, LAST + columns),
    )
    assert reading.problems == ()
    assert [(one.key, one.title) for one in board_of(reading).columns] == [
        ("b2", "Second Two"),
        ("b1", "Second One"),
        ("a1", "One"),
        ("loss", "Loss"),
        ("accuracy", "Accuracy"),
    ]


def test_several_leaderboards(read_old: Read):
    reading = read_old(
        ("  columns:\n", "    Other: &OTHER {label: Other, rank: 0}\n    Unused: {label: Unused}\n  columns:\n"),
        (LAST, f"{LAST}    other: {{leaderboard: *OTHER}}\n"),
    )
    assert [(board.key, [one.key for one in board.columns]) for board in reading.accepted().leaderboards] == [
        ("Other", ["other"]),
        ("Results", ["accuracy", "loss"]),
    ]
    assert [problem.message for problem in reading.problems] == [
        "There are several leaderboards; the first one is shown and ranks.",
        "No column names this leaderboard, so it is left out.",
    ]


def test_the_only_leaderboard_need_not_be_named(read_old: Read):
    reading = read_old(("      leaderboard: *RESULTS\n", ""))
    assert len(board_of(reading).columns) == 2
    assert [problem.message for problem in reading.problems] == ["`leaderboard` is missing; the only one is taken."]


def test_the_average_of_ranks(with_rank: Read):
    reading = with_rank()
    assert reading.problems == ()
    board = board_of(reading)
    column = board.columns[0]
    assert (column.key, column.computation, column.sorting) == ("average", Computation.AVERAGE_RANK, Sorting.ASC)
    assert [board.columns[index].key for index in column.computation_indexes] == ["accuracy", "loss"]
    assert column.computation_weights == ()


def test_the_mean_reciprocal_rank(with_rank: Read):
    column = board_of(with_rank(("Avg", "MRR"), ("      sort: asc\n", ""))).columns[0]
    assert (column.computation, column.sorting) == (Computation.MEAN_RECIPROCAL_RANK, Sorting.DESC)
    reading = with_rank(("Avg", "MRR\n        weights: 1, 2"))
    assert board_of(reading).columns[0].computation_weights == ()
    assert "`MRR` has no weights" in reading.problems[0].message


@pytest.mark.parametrize("weights", ['"0.25,0.75"', "[0.25, 0.75]", "' .25 , 75e-2 '"])
def test_weights(weights: str, with_rank: Read):
    reading = with_rank(("Avg", f"Avg\n        weights: {weights}"))
    assert reading.problems == ()
    assert board_of(reading).columns[0].computation_weights == (0.25, 0.75)


def test_weights_that_are_no_average(with_rank: Read):
    reading = with_rank(("Avg", "Avg\n        weights: 2, 1"))
    assert board_of(reading).columns[0].computation_weights == (2, 1)
    assert "The weights add up to 3" in reading.problems[0].message


@pytest.mark.parametrize(("sort", "sorting"), [("", Sorting.ASC), ("      sort: desc\n", Sorting.DESC)])
def test_the_way_that_an_average_is_sorted_is_questioned(sort: str, sorting: Sorting, with_rank: Read):
    reading = with_rank(("      sort: asc\n", sort))
    assert board_of(reading).columns[0].sorting is sorting
    assert [(problem.severity, problem.suggestion) for problem in reading.problems] == [
        (Severity.WARNING, "Write `sort: asc`.")
    ]


def test_computed_from_a_computed_one(with_rank: Read):
    more = """\
        fields: accuracy, loss
    again:
      leaderboard: *RESULTS
      sort: asc
      computed: {operation: avg, fields: [average, loss]}
"""
    board = board_of(with_rank(("        fields: accuracy, loss\n", more)))
    again = board.columns[-1]
    assert [board.columns[index].key for index in again.computation_indexes] == ["average", "loss"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("Avg", "Sum"), "'Sum' is no operation; `Avg` and `MRR` are."),
        (("        operation: Avg\n", ""), "`operation` is missing."),
        (("        fields: accuracy, loss\n", ""), "`fields` is missing."),
        (("accuracy, loss", "', '"), "`fields` names no column."),
        (("accuracy, loss", "accuracy, los"), "There is no column 'los'."),
        (("accuracy, loss", "accuracy, average"), "The column 'average' is computed after this one, or is this one."),
        (("Avg", "Avg\n        weights: '1'"), "The number of weights (1) is not that of the fields (2)."),
        (("Avg", "Avg\n        weights: 1, x"), "Expected a number, got the text 'x'."),
    ],
)
def test_columns_that_can_not_be_computed(change: tuple[str, str], message: str, with_rank: Read):
    assert message in errors(with_rank(change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("numeric_format: 4", "numeric_format: 16"), "16 is out of range: it may be 0 to 15."),
        (("sort: asc", "sort: up"), "Expected one of asc, desc, got the text 'up'."),
        (("leaderboard: *RESULTS", "leaderboard: {label: Other}"), "There is no leaderboard 'Other'."),
        (
            ("leaderboard: *RESULTS", "column_group: Other\n      leaderboard: *RESULTS"),
            "There is no column group 'Other'.",
        ),
        (("    accuracy:", f"    {'a' * 37}:"), "The name has 37 characters; up to 36 are allowed."),
        (
            ("  columns:\n", "  columns: accuracy\n  column:\n"),
            "Expected columns by their keys, got the text 'accuracy'.",
        ),
        (
            ("    Results: &RESULTS", "    Results: &RESULTS\n      - x\n    Other:"),
            "Expected the fields of a leaderboard",
        ),
    ],
)
def test_errors(change: tuple[str, str], message: str, read_old: Read):
    assert any(message in error for error in errors(read_old(change)))


def test_a_column_of_one_of_several_leaderboards_names_it(read_old: Read):
    reading = read_old(
        ("  columns:\n", "    Other: {label: Other}\n  columns:\n"), ("      leaderboard: *RESULTS\n", "")
    )
    assert errors(reading) == ["`leaderboard` is missing."]


def test_columns_are_computed_from_their_own_leaderboard(read_old: Read):
    reading = read_old(
        ("  columns:\n", "    Other: &OTHER {label: Other}\n  columns:\n"),
        (LAST, LAST + RANK.replace("*RESULTS", "*OTHER")),
    )
    assert "The column 'accuracy' is on another leaderboard." in errors(reading)


def test_a_long_title_is_cut(read_old: Read):
    reading = read_old(("label: Accuracy", f"label: {'long ' * 10}"))
    title = board_of(reading).columns[0].title
    assert len(title) <= 36
    assert title.endswith("…")
    assert len(reading.problems) == 1
