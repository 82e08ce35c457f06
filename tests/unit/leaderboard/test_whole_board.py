"""A board out of all that was scored: the pure part, beside a board that is kept up to date result by result."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.platform.bundles.content import Computation, Ranking, Sorting, SubmissionRule
from podium.platform.leaderboard.ranking import Entry
from podium.platform.leaderboard.rules import column_rules
from podium.platform.leaderboard.selection import CHOSEN, select_entries
from podium.platform.leaderboard.whole_board import Scored, board_of, ranks_of
from podium.platform.models import Column, Leaderboard

START = datetime(2030, 1, 1, tzinfo=UTC)
ADA, BOB = UUID(int=1), UUID(int=2)


def a_board(rule: SubmissionRule, *columns: Column, primary_index: int = 0) -> Leaderboard:
    return Leaderboard(
        submission_rule=rule,
        primary_index=primary_index,
        ranking=Ranking.LEXICOGRAPHIC,
        columns=list(columns or [a_column(0)]),
    )


def a_column(
    index: int,
    *,
    sorting: Sorting = Sorting.DESC,
    computation: Computation | None = None,
    of: Sequence[int] = (),
    hidden: bool = False,
) -> Column:
    return Column(
        index=index,
        key=f"column{index}",
        sorting=sorting,
        computation=computation,
        computation_indexes=list(of),
        computation_weights=[],
        hidden=hidden,
        tie_tolerance=0.0,
        exclude_from_ranking=False,
    )


def scored(number: int, person: UUID, *values: float | None, stands: bool = False) -> Scored:
    """A submission; the number says when it was made."""
    return Scored(UUID(int=100 + number), person, START + timedelta(minutes=number), stands, list(values))


def numbers(board: Leaderboard, *rows: Scored) -> list[int]:
    """What stands there."""
    return sorted(one.int - 100 for one in board_of(board, {row.submission_id: row for row in rows}))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (SubmissionRule.FORCE_LAST, [3, 5]),
        (SubmissionRule.FORCE_BEST, [2, 5]),
        (SubmissionRule.FORCE_LATEST_MULTIPLE, [1, 2, 3, 4, 5]),
        (SubmissionRule.ADD, [1, 4]),
        (SubmissionRule.ADD_AND_DELETE, [1, 4]),
        (SubmissionRule.ADD_AND_DELETE_MULTIPLE, [1, 4]),
    ],
)
def test_each_participant_has_what_the_rule_says(rule: SubmissionRule, expected: list[int]) -> None:
    rows = [scored(1, ADA, 0.1), scored(2, ADA, 0.9), scored(3, ADA, 0.5), scored(4, BOB, 0.1), scored(5, BOB, 0.2)]
    assert numbers(a_board(rule), *rows) == expected
    assert numbers(a_board(rule), *reversed(rows)) == expected
    assert numbers(a_board(rule)) == []


@pytest.mark.parametrize("rule", sorted(CHOSEN))
def test_what_was_chosen_goes_on_to_stand(rule: SubmissionRule) -> None:
    rows = [scored(1, ADA, 0.1), scored(2, ADA, 0.9, stands=True), scored(3, BOB, 0.5)]
    assert numbers(a_board(rule), *rows) == [2, 3]


def test_a_rank_is_that_of_a_participants_best_row() -> None:
    board = a_board(SubmissionRule.FORCE_LATEST_MULTIPLE)
    carol, nobody = UUID(int=3), UUID(int=4)
    rows = [
        scored(1, ADA, 0.1),
        scored(2, ADA, 0.9),
        scored(3, BOB, 0.9),
        scored(4, carol, 0.5),
        scored(5, nobody, None),
    ]
    found = ranks_of(board, board_of(board, {row.submission_id: row for row in rows}))
    assert found == {ADA: 1, BOB: 1, carol: 3, nobody: None}


def test_columns_over_ranks_are_filled_before_ranks_are_made() -> None:
    average = a_column(2, sorting=Sorting.ASC, computation=Computation.AVERAGE_RANK, of=(0, 1))
    board = a_board(SubmissionRule.FORCE_LAST, a_column(0), a_column(1), average, primary_index=2)
    rows = [scored(1, ADA, 0.1, 0.1, None), scored(2, BOB, 0.9, 0.9, None)]
    assert ranks_of(board, {row.submission_id: row for row in rows}) == {BOB: 1, ADA: 2}


VALUES = st.one_of(st.none(), st.integers(0, 3).map(float))
RESULTS = st.lists(st.tuples(st.sampled_from([ADA, BOB]), VALUES, VALUES), max_size=12)


@given(st.sampled_from(SubmissionRule), RESULTS, st.randoms(use_true_random=False), st.sampled_from(Sorting))
def test_a_board_from_scratch_is_the_one_that_was_kept_up_to_date(
    rule: SubmissionRule, made: list[tuple[UUID, float | None, float | None]], order: object, sorting: Sorting
) -> None:
    board = a_board(rule, a_column(0, sorting=sorting), a_column(1))
    rows = [scored(number, *row) for number, row in enumerate(made)]
    by_result = list(rows)
    order.shuffle(by_result)  # type: ignore[attr-defined]  # results come in another order than submissions
    standing: dict[UUID, set[UUID]] = {}
    by_id = {row.submission_id: row for row in rows}
    for row in by_result:
        own = standing.setdefault(row.person_id, set())
        considered = [by_id[one] for one in own] + [row]
        standing[row.person_id] = set(
            select_entries(
                rule,
                [Entry(one.submission_id, one.values, one.created) for one in considered],
                standing=frozenset(own),
                columns=column_rules(board),
                primary_index=0,
            )
        )
    kept = {one for own in standing.values() for one in own}
    flagged = {
        row.submission_id: Scored(row.submission_id, row.person_id, row.created, row.submission_id in kept, row.values)
        for row in rows
    }
    assert set(board_of(board, flagged)) == kept
