"""`teams` of a bundle."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from podium.platform.bundles.content import CompetitionContent, TeamRules
from podium.platform.bundles.dates import shift_schedule
from podium.platform.bundles.reader import BundleReading

TITLE = "title: Iris\n"


def test_without_it_everybody_takes_part_alone(accepted: Callable[..., CompetitionContent]):
    assert accepted((TITLE, f"{TITLE}teams:\n")).teams is None


def test_a_team_has_a_size_and_perhaps_a_deadline(accepted: Callable[..., CompetitionContent]):
    assert accepted((TITLE, f"{TITLE}teams: {{max_members: 4}}\n")).teams == TeamRules(4)
    content = accepted((TITLE, f"{TITLE}teams:\n  max_members: 4\n  deadline: 2026-03-01\n"))
    assert content.teams == TeamRules(4, datetime(2026, 3, 1, tzinfo=UTC))
    moved = shift_schedule(content, content.phases[0].start + timedelta(days=7))
    assert moved.teams == TeamRules(4, datetime(2026, 3, 8, tzinfo=UTC))


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("true", "Expected the fields of teams"),
        ("{}", "max_members"),
        ("{deadline: 2026-03-01}", "max_members"),
        ("{max_members: 1}", "2"),
        ("{max_members: 101}", "100"),
        ("{max_members: 3, deadline: soon}", "'soon' is not a date that can be understood."),
        ("{max_member: 3, max_members: 3}", "max_member"),
    ],
)
def test_what_is_wrong_is_said(written: str, message: str, read: Callable[..., BundleReading]):
    problems = read((TITLE, f"{TITLE}teams: {written}\n")).problems
    assert len(problems) == 1
    assert message in problems[0].message
