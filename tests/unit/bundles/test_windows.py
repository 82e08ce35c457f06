"""When a competition is open, and when people may register."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from podium.platform.bundles.content import CompetitionContent
from podium.platform.bundles.reader import BundleReading

TITLE = "title: Iris\n"


def test_phases_alone_say_when_unless_the_competition_does(accepted: Callable[..., CompetitionContent]):
    content = accepted((TITLE, f"{TITLE}start:\nregistration_end: null\n"))
    assert (content.start, content.end, content.registration_start, content.registration_end) == (None,) * 4


def test_dates_are_written_as_those_of_phases(accepted: Callable[..., CompetitionContent]):
    lines = "start: 2026-01-01\nend: 12-31-2026 9:15 pm\n"
    lines += "registration_start: 2025-12-01 12:00 +02:00\nregistration_end: '30 Jan 2026'\n"
    content = accepted((TITLE, TITLE + lines))
    assert (content.start, content.end) == (
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 12, 31, 21, 15, tzinfo=UTC),
    )
    assert (content.registration_start, content.registration_end) == (
        datetime(2025, 12, 1, 10, tzinfo=UTC),
        datetime(2026, 1, 30, tzinfo=UTC),
    )


@pytest.mark.parametrize("name", ["start", "end", "registration_start", "registration_end"])
def test_each_of_them_may_stand_alone(name: str, accepted: Callable[..., CompetitionContent]):
    assert getattr(accepted((TITLE, f"{TITLE}{name}: 2026-01-01\n")), name) == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lines", "line", "field", "message"),
    [
        ("start: 2026-02-01\nend: 2026-01-31\n", 4, "end",
         "The competition ends 2026-01-31 00:00 UTC, which is not after it starts (2026-02-01 00:00 UTC, line 3)."),
        ("end: 2026-02-01\nstart: 2026-02-01\n", 3, "end",
         "which is not after it starts (2026-02-01 00:00 UTC, line 4)."),
        ("registration_start: 2026-02-01\nregistration_end: 2026-01-01\n", 4, "registration_end",
         "The registration ends 2026-01-01 00:00 UTC, which is not after it starts (2026-02-01 00:00 UTC, line 3)."),
        ("start: soon\nend: 2026-01-01\n", 3, "start", "'soon' is not a date that can be understood."),
        ("registration_end: [2026-01-01]\n", 3, "registration_end", "Expected a text, got a list."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_once_at_its_line(
    lines: str, line: int, field: str, message: str, read: Callable[..., BundleReading]
):
    (problem,) = read((TITLE, TITLE + lines)).problems
    assert (problem.line, problem.field) == (line, field)
    assert message in problem.message
