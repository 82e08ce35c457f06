"""What organizers write into forms, on its way to the gateway."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from stand_in import make_phase
from stand_in_organizing import make_version

from podium.dashboards.phase_changes import as_edited, changes_of
from podium.dashboards.selection import Choice, Selection, phase_reference, read_numbers
from podium.dashboards.task_versions import outdated_words
from podium.platform.errors import InvalidInput

LATER = datetime(2027, 1, 2, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("3", (3,)),
        ("#3, #7", (3, 7)),
        ("7; 3 12 - 14", (3, 7, 12, 13, 14)),
        ("5–6, 5", (5, 6)),  # noqa: RUF001 - a dash that people paste
    ],
)
def test_numbers_of_submissions(words: str, numbers: tuple[int, ...]):
    assert read_numbers(words) == numbers


@pytest.mark.parametrize("words", ["", " , ", "three", "3,x", "9-3", "1-999999", "-4", "1 - - 2", "3.5"])
def test_what_is_no_number_is_refused(words: str):
    with pytest.raises(InvalidInput) as refused:
        read_numbers(words)
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("selection", "phase", "submissions", "failures"),
    [
        (Selection(Choice.PHASE, 2, "3", None), 2, None, None),
        (Selection(Choice.NUMBERS, 2, "3", None), None, (3,), None),
        (Selection(Choice.PLATFORM, 2, "", None), 2, None, True),
        (Selection(Choice.PLATFORM, None, "", None), None, None, True),
    ],
)
def test_a_selection_says_one_thing(
    selection: Selection,
    phase: int | None,
    submissions: tuple[int, ...] | None,
    failures: bool | None,  # noqa: FBT001 - pytest passes it
):
    assert selection.arguments() == {
        "phase": phase,
        "submissions": submissions,
        "platform_failures": failures,
        "parallel": None,
    }


def test_what_is_not_touched_is_not_sent():
    phase = make_phase()
    assert changes_of(phase, as_edited(phase)) == {}
    # Seconds that the form can't show are no change.
    odd = replace(phase, end=LATER + timedelta(seconds=59))
    assert changes_of(odd, as_edited(odd)) == {}


def test_changes_of_a_phase():
    phase = replace(make_phase(), max_concurrent_submissions=1)
    edited = replace(as_edited(phase), end=LATER, per_window=0, total=None, at_once=2)
    assert changes_of(phase, edited) == {
        "end": LATER,
        "max_submissions_per_day": 0,
        "max_concurrent_submissions": 2,
        "without_limits": ("max_submissions",),
    }
    assert changes_of(phase, replace(as_edited(phase), end=None)) == {"without_end": True}
    assert changes_of(make_phase(end=None), as_edited(make_phase(end=None))) == {}


def test_results_of_earlier_versions_are_counted():
    present = make_version(2, is_current=True, submissions=5)
    assert outdated_words([present, make_version(1, is_current=False, submissions=0)]) == ""
    assert "1 result that counts comes from" in outdated_words(
        [present, make_version(1, is_current=False, submissions=1)]
    )


def test_a_phase_is_called_by_a_name_that_is_its_own():
    phases = [make_phase(1, "2"), make_phase(2, "Final"), make_phase(3, "Last"), make_phase(4, "last")]
    assert [phase_reference(phases, number) for number in (1, 2, 3, 4)] == [1, "Final", 3, 4]
