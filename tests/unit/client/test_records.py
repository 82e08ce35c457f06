"""Records print well, in a notebook and elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from podium.platform.bundles.content import Sorting
from podium.platform.client import rows_of
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.records.competitions import ColumnRecord
from podium.platform.records.leaderboards import LeaderboardRecord, LeaderboardRow
from podium.platform.records.submissions import ScoreRecord, SubmissionRecord

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
COLUMN = ColumnRecord("accuracy", "Accuracy", Sorting.DESC, 2, is_primary=True, computation=None)
BOARD = LeaderboardRecord(
    competition="iris",
    competition_title="Iris",
    title="Results",
    phase="Final",
    columns=(COLUMN,),
    questions=(),
    rows=(
        LeaderboardRow(1, "grace", UUID(int=1), 4, NOW, (0.987,), {}, 2),
        LeaderboardRow(None, "ada", UUID(int=2), 5, NOW, (None,), {}, 1),
    ),
    total=9,
    updated=NOW,
)


def test_a_submission_prints_as_a_line():
    submission = SubmissionRecord(
        id=UUID(int=1),
        number=3,
        competition="iris",
        phase="Final",
        participant="ada",
        filename="s.zip",
        size=1,
        message="",
        status=SubmissionStatus.FINISHED,
        status_message="All tasks are done.",
        ahead=None,
        version=4,
        created=NOW,
        queued=NOW,
        started=NOW,
        ended=NOW,
        on_leaderboard=True,
        scores=(ScoreRecord("accuracy", 0.93),),
    )
    assert str(submission) == "Submission 3 of iris: finished - All tasks are done. - accuracy=0.93"


def test_a_leaderboard_prints_as_its_rows():
    assert str(BOARD).splitlines() == [
        "Results: Iris, phase Final, 2 of 9 rows",
        "1. grace: accuracy=0.99",
        "- ada: no scores",
    ]


def test_a_leaderboard_becomes_rows_for_a_data_frame():
    first, second = rows_of(BOARD)
    assert first == {
        "rank": 1,
        "participant": "grace",
        "accuracy": 0.987,
        "entries": 2,
        "submitted": "2026-01-02T03:04:05+00:00",
        "submission_id": str(UUID(int=1)),
        "baseline": False,
        "combined_rank": None,
    }
    assert second["accuracy"] is None
