"""How many submissions a phase takes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from podium.platform.bundles import time_zones
from podium.platform.bundles.content import CompetitionContent, PhaseContent, SubmissionWindow
from podium.platform.bundles.reader import BundleReading

SECOND = "  - name: Second\n    start: 2026-07-01\n"


@pytest.fixture
def phase(accepted: Callable[..., CompetitionContent]) -> Callable[[str], PhaseContent]:
    """Read the second phase of a bundle, with one more line in it."""
    return lambda line: accepted((SECOND, f"{SECOND}    {line}\n")).phases[1]


def test_one_day_of_utc_counts_unless_the_bundle_says_otherwise(accepted: Callable[..., CompetitionContent]):
    first = accepted().phases[0]
    assert (first.max_submissions_per_day, first.max_submissions, first.max_concurrent_submissions) == (5, 100, None)
    assert (first.submission_window, first.time_zone) == (SubmissionWindow.CALENDAR_DAY, "UTC")
    assert first.failed_submissions_given_back == 0


@pytest.mark.parametrize("field", ["max_submissions_per_day", "max_submissions", "max_concurrent_submissions"])
@pytest.mark.parametrize(
    ("text", "limit"), [("0", None), ("null", None), ("~", None), ("", None), ("'0'", None), ("2", 2)]
)
def test_nothing_and_null_are_no_limit_as_on_codabench(
    field: str, text: str, limit: int | None, phase: Callable[[str], PhaseContent]
):
    assert getattr(phase(f"{field}: {text}"), field) == limit


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("time_zone", "Europe/Paris", "Europe/Paris"),
        ("time_zone", "'America/Argentina/Buenos_Aires'", "America/Argentina/Buenos_Aires"),
        ("time_zone", "UTC", "UTC"),
        ("time_zone", "null", "UTC"),
        ("submission_window", "day", SubmissionWindow.CALENDAR_DAY),
        ("submission_window", "sliding_day", SubmissionWindow.SLIDING_DAY),
        ("submission_window", "'sliding_week'", SubmissionWindow.SLIDING_WEEK),
        ("submission_window", "", SubmissionWindow.CALENDAR_DAY),
        ("failed_submissions_given_back", "3", 3),
        ("failed_submissions_given_back", "null", 0),
    ],
)
def test_fields_are_read(field: str, text: str, value: object, phase: Callable[[str], PhaseContent]):
    assert getattr(phase(f"{field}: {text}"), field) == value


@pytest.mark.parametrize(
    ("line", "message", "suggestion"),
    [
        ("time_zone: Europe/Pari", "There is no time zone 'Europe/Pari'.", "Did you mean `Europe/Paris`?"),
        ("time_zone: europe/paris", "There is no time zone 'europe/paris'.", "Did you mean `Europe/Paris`?"),
        ("time_zone: utc", "There is no time zone 'utc'.", "Did you mean `UTC`?"),
        ("time_zone: new york", "There is no time zone 'new york'.", "Did you mean `America/New_York`?"),
        ("time_zone: UTC+2", "There is no time zone 'UTC+2'.", "Write a name such as `Europe/Paris` or "),
        ("time_zone: GMT+2", "There is no time zone 'GMT+2'.", "Write a name such as `Europe/Paris` or "),
        ("time_zone: localtime", "There is no time zone 'localtime'.", "Write a name such as "),
        ("time_zone: ../../etc/passwd", "There is no time zone '../../etc/passwd'.", "Write a name such as "),
        ("time_zone: ''", "There is no time zone ''.", "Write a name such as "),
        ("time_zone: [UTC]", "Expected a text, got a list.", ""),
        ("submission_window: week", "Expected one of day, sliding_day, sliding_week, got the text 'week'.", ""),
        ("submission_window: sliding-week", "Expected one of day, sliding_day, ", "Did you mean `sliding_week`?"),
        ("max_concurrent_submissions: -1", "-1 is out of range: it may be 0 to 2147483647.", ""),
        ("max_concurrent_submissions: one", "Expected a whole number, got the text 'one'.", ""),
        ("failed_submissions_given_back: -1", "-1 is out of range: it may be 0 to 2147483647.", ""),
        ("failed_submissions_given_back: true", "Expected a whole number, got the truth value true.", ""),
    ],
)
def test_what_is_wrong_is_said_at_its_line(
    line: str, message: str, suggestion: str, read: Callable[..., BundleReading]
):
    (problem,) = read((SECOND, f"{SECOND}    {line}\n")).problems
    assert (problem.line, problem.field) == (20, f"phases[1].{line.partition(':')[0]}")
    assert problem.message.startswith(message)
    assert problem.suggestion.startswith(suggestion)


def test_a_machine_without_time_zones_leaves_the_names_to_the_server(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(time_zones, "_names", frozenset)
    assert time_zones.is_time_zone("Europe/Paris")
    assert time_zones.is_time_zone("UTC")
    assert not time_zones.is_time_zone("")
