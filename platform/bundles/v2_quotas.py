"""How many submissions a phase of a version 2 bundle takes: Codabench's two limits, and Podium's own fields."""

from __future__ import annotations

from podium.platform.bundles.content import SubmissionWindow
from podium.platform.bundles.fields import Section
from podium.platform.bundles.findings import shown
from podium.platform.bundles.time_zones import DEFAULT_TIME_ZONE, is_time_zone, near_time_zones
from podium.platform.bundles.yaml_source import Scalar
from podium.platform.quotas import Quota

QUOTA_FIELDS = (
    "max_submissions_per_day",
    "max_submissions",
    "max_concurrent_submissions",
    "submission_window",
    "time_zone",
    "failed_submissions_given_back",
)
DEFAULT_SUBMISSIONS_PER_DAY = 5
DEFAULT_SUBMISSIONS = 100
NONE_ALLOWED = "closed"
"""What is written for a limit of nothing at all: Codabench takes 0 for no limit."""


def read_quota(section: Section) -> Quota:
    """Read the limits on submissions among the fields of a phase."""
    return Quota(
        per_window=_limit(section, "max_submissions_per_day", DEFAULT_SUBMISSIONS_PER_DAY),
        total=_limit(section, "max_submissions", DEFAULT_SUBMISSIONS),
        concurrent=_limit(section, "max_concurrent_submissions", None),
        window=section.choice("submission_window", SubmissionWindow, default=SubmissionWindow.CALENDAR_DAY),
        time_zone=_time_zone(section),
        failed_given_back=section.number("failed_submissions_given_back", default=0),
    )


def _limit(section: Section, name: str, default: int | None) -> int | None:
    """Codabench counts 0 and null as no limit; only without the field there is the default."""
    if section.mapping.get(name) is None:
        return default
    value = section.value(name)
    if value and isinstance(value.node, Scalar) and value.node.text.strip() == NONE_ALLOWED:
        return 0
    return section.number(name, default=0) or None


def _time_zone(section: Section) -> str:
    name = section.text("time_zone", default=DEFAULT_TIME_ZONE)
    if is_time_zone(name):
        return name
    section.place_of("time_zone").error(f"There is no time zone {shown(name)}.", near_time_zones(name))
    return DEFAULT_TIME_ZONE
