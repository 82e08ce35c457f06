"""The report of a rerun, as Prefect's pages show it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from podium.platform.bundles.content import Sorting
from podium.platform.lifecycle import RerunStatus, SubmissionStatus
from podium.platform.records.competitions import ColumnRecord
from podium.platform.records.reruns import RerunDifference, RerunRecord, RerunReport
from podium.tasks import reruns
from podium.tasks.reruns import report_in_markdown

FINISHED, FAILED = SubmissionStatus.FINISHED, SubmissionStatus.FAILED


def a_record(**fields: Any) -> RerunRecord:  # noqa: ANN401  # of the record
    record = RerunRecord(
        id=UUID(int=1),
        number=2,
        competition="iris",
        reason="The truth was wrong.",
        requested_by="olga",
        selection="all of phase First",
        adoption="automatic",
        parallel=None,
        status=RerunStatus.ADOPTED,
        status_message="3 new results were adopted.",
        held_back="",
        version=4,
        total=4,
        waiting=0,
        queued=0,
        under_way=0,
        finished=2,
        failed=1,
        given_up=1,
        remaining_seconds=None,
        created=datetime(2030, 1, 1, tzinfo=UTC),
        started=None,
        ended=None,
    )
    return replace(record, **fields)


def a_difference(number: int, **fields: Any) -> RerunDifference:  # noqa: ANN401  # of the record
    difference = RerunDifference(
        number=number,
        participant="ada-lovelace",
        phase="First",
        old_status=FINISHED,
        new_status=FINISHED,
        message="",
        old_scores=(0.5, None),
        new_scores=(0.123456789, 1e-9),
        old_rank=1,
        new_rank=None,
    )
    return replace(difference, **fields)


def a_report(*differences: RerunDifference, **fields: Any) -> RerunReport:  # noqa: ANN401  # of the rerun
    columns = tuple(
        ColumnRecord(key=key, title=key, sorting=Sorting.DESC, precision=2, is_primary=False, computation=None)
        for key in ("accuracy", "loss")
    )
    return RerunReport(a_record(**fields), columns, differences, changed=2, moved=1, now_failing=1, now_finished=0)


def test_it_says_what_came_of_it_and_names_nobody() -> None:
    lines = report_in_markdown(a_report(a_difference(1), a_difference(12, old_rank=None, new_rank=3))).splitlines()
    assert lines == [
        "# Rerun 2 of iris",
        "",
        "Adopted: 3 new results were adopted.",
        "",
        "* 4 submissions: 2 finished, 1 failed, 1 not scored",
        "* 2 have other results, 1 stand at another rank",
        "* 1 that were finished fail now, 0 that had failed are finished",
        "",
        "| submission | phase | accuracy | loss | rank |",
        "| --- | --- | --- | --- | --- |",
        "| 1 | First | 0.5 → 0.123457 | - → 1e-09 | 1 → - |",
        "| 12 | First | 0.5 → 0.123457 | - → 1e-09 | - → 3 |",
    ]


def test_what_is_as_it_was_is_no_row() -> None:
    same = a_difference(1, new_scores=(0.5, None))
    kept = a_difference(2, new_status=None)
    assert "|" not in report_in_markdown(a_report(same, kept))
    failing = a_difference(3, new_status=FAILED, new_scores=(None, None))
    assert "| 3 | First | 0.5 → - | - → - | 1 → - |" in report_in_markdown(a_report(same, failing))


def test_why_it_was_held_back_stands_there() -> None:
    text = report_in_markdown(a_report(status=RerunStatus.READY, held_back="1 submission would fail."))
    assert "* held back: 1 submission would fail." in text.splitlines()


def test_a_long_one_says_how_much_more_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reruns, "ROWS_SHOWN", 2)
    lines = report_in_markdown(a_report(*(a_difference(number) for number in range(5)))).splitlines()
    assert lines[-3:] == [
        "| 1 | First | 0.5 → 0.123457 | - → 1e-09 | 1 → - |",
        "",
        "3 more are in Podium's own report.",
    ]


def test_a_name_with_a_bar_or_a_line_of_its_own_stays_in_its_cell() -> None:
    text = report_in_markdown(a_report(a_difference(1, phase="A|B\n# C"), held_back="It says:\n# Oh\nno"))
    assert "| 1 | A\\|B # C | 0.5 → 0.123457 | - → 1e-09 | 1 → - |" in text.splitlines()
    assert "* held back: It says: # Oh no" in text.splitlines()
