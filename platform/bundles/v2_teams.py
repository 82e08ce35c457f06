"""Podium's own field of a version 2 bundle: `teams`, whether participants may stand on the leaderboards as teams."""

from __future__ import annotations

from podium.platform.bundles.content import TeamRules
from podium.platform.bundles.fields import Value
from podium.platform.bundles.windows import read_date

FIELDS = ("max_members", "deadline")
MOST_MEMBERS = 100


def read_teams(value: Value | None) -> TeamRules | None:
    """Read `teams`; without it everybody takes part alone."""
    section = value.section("teams", FIELDS) if value else None
    if section is None:
        return None
    most = section.required("max_members", "Say how many may be in a team, such as `max_members: 5`.")
    number = most.number(minimum=2, maximum=MOST_MEMBERS) if most else None
    return TeamRules(number or 2, read_date(section.value("deadline")))
