"""A competition's content as organizers edit it, for tests of what may be changed and how."""

from __future__ import annotations

from datetime import UTC, datetime

from podium.platform.bundles.content import SubmissionWindow
from podium.platform.records.competitions import PageRecord
from podium.platform.records.content import ColumnEdit, ContentEdit, LeaderboardEdit, PhaseEdit

MAY = datetime(2030, 5, 1, tzinfo=UTC)
PHASE = PhaseEdit(
    name="First",
    description="",
    start=MAY,
    end=None,
    max_submissions_per_day=5,
    max_submissions=100,
    max_concurrent_submissions=None,
    submission_window=SubmissionWindow.CALENDAR_DAY,
    time_zone="UTC",
    failed_submissions_given_back=0,
    execution_time_limit=600,
    limits={},
    hide_output=False,
    hide_prediction_output=False,
    hide_score_output=False,
)
CONTENT = ContentEdit(
    title="Irises",
    description="",
    contact_email=None,
    reward=None,
    docker_image="podium/python:3.11",
    registration_auto_approve=True,
    start=None,
    end=None,
    registration_start=None,
    registration_end=None,
    terms="Be fair.",
    terms_is_html=False,
    pages=(PageRecord("Data", "Flowers", is_html=False),),
    phases=(PHASE,),
    leaderboards=(LeaderboardEdit("Results", hidden=False, columns=(ColumnEdit("a", "A", 2, hidden=False),)),),
)
