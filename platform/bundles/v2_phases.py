"""Phases of a version 2 bundle, and the order that their dates must be in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from podium.platform.bundles.content import PhaseContent
from podium.platform.bundles.dates import show_date
from podium.platform.bundles.fields import Section, Value
from podium.platform.bundles.findings import shown
from podium.platform.bundles.sources import Sources
from podium.platform.bundles.v2_limits import read_limits, read_wall_limit
from podium.platform.bundles.v2_quotas import QUOTA_FIELDS, read_quota
from podium.platform.bundles.v2_submission_format import read_submission_format
from podium.platform.bundles.v2_tasks import MAX_NAME_LENGTH, read_task_references
from podium.platform.bundles.windows import read_date
from podium.platform.limits import default_of

PHASE_FIELDS = (
    "index",
    "name",
    "description",
    "start",
    "end",
    "tasks",
    *QUOTA_FIELDS,
    "execution_time_limit",
    "auto_migrate_to_this_phase",
    "hide_output",
    "hide_prediction_output",
    "hide_score_output",
    "accepts_only_result_submissions",
    "accepts_container_submissions",
    "limits",
    "submission_format",
    "starting_kit",
    "public_data",
)
DEFAULT_EXECUTION_TIME_LIMIT = int(default_of("wall_seconds"))

# Many bundles list solutions here; they belong to tasks.
_IGNORED_PHASE_FIELDS = ("solutions",)

_NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Phase:
    """A phase as it was read: `start` and `end` are `None` where they are absent or wrong."""

    order: int
    section: Section
    content: PhaseContent
    start: datetime | None
    end: datetime | None

    @property
    def called(self) -> str:
        return f"Phase {shown(self.content.name)}"


def read_phases(
    values: Collection[Value], tasks: Collection[str], sources: Sources, *, may_touch: bool = False
) -> tuple[PhaseContent, ...]:
    """Read the list of phases, in the order of their indexes.

    Args:
        tasks: The indexes of the bundle's tasks.
        may_touch: Whether a phase begins when the one before ends without a warning that Codabench refuses it.
    """
    sections = [value.section("a phase", PHASE_FIELDS, _IGNORED_PHASE_FIELDS) for value in values]
    phases = [_phase(section, tasks, sources) for section in sections if section]
    phases.sort(key=lambda phase: phase.order)
    for phase in phases:
        _check_window(phase)
        _check_submissions(phase)
    for before, after in pairwise(phases):
        _check_order(before, after, may_touch=may_touch)
    if phases and phases[0].content.auto_migrate_to_this_phase:
        phases[0].section.place_of("auto_migrate_to_this_phase").error(
            f"{phases[0].called} is the first one: there is no phase to migrate submissions from.",
            "Set this on a later phase.",
        )
    return tuple(phase.content for phase in phases)


def _phase(section: Section, tasks: Collection[str], sources: Sources) -> _Phase:
    start = read_date(section.required("start", "Write when the phase begins, such as `2026-01-30`."))
    end = read_date(section.value("end"))
    references = section.required_items("tasks", "List the indexes of its tasks, such as `[0]`.")
    quota = read_quota(section)
    limits = read_limits(section.value("limits"))
    seconds = section.number("execution_time_limit", default=0)
    wall = read_wall_limit(seconds, limits, section, default=DEFAULT_EXECUTION_TIME_LIMIT)
    content = PhaseContent(
        name=section.required_text("name", max_length=MAX_NAME_LENGTH),
        description=section.text("description"),
        start=start or _NO_DATE,
        end=end,
        tasks=read_task_references(references, tasks),
        max_submissions_per_day=quota.per_window,
        max_submissions=quota.total,
        execution_time_limit=wall,
        auto_migrate_to_this_phase=section.flag("auto_migrate_to_this_phase", default=False),
        hide_output=section.flag("hide_output", default=False),
        hide_prediction_output=section.flag("hide_prediction_output", default=False),
        hide_score_output=section.flag("hide_score_output", default=False),
        accepts_only_result_submissions=section.flag("accepts_only_result_submissions", default=False),
        accepts_container_submissions=section.flag("accepts_container_submissions", default=False),
        starting_kit=sources.dataset(section.value("starting_kit")),
        public_data=sources.dataset(section.value("public_data")),
        limits=limits,
        max_concurrent_submissions=quota.concurrent,
        time_zone=quota.time_zone,
        submission_window=quota.window,
        failed_submissions_given_back=quota.failed_given_back,
        submission_format=read_submission_format(section.value("submission_format")),
    )
    return _Phase(section.number("index", default=0), section, content, start, end)


def _check_window(phase: _Phase) -> None:
    if phase.start and phase.end and phase.end <= phase.start:
        begin = phase.section.place_of("start")
        phase.section.place_of("end").error(
            f"{phase.called} ends {show_date(phase.end)}, which is not after it starts "
            f"({show_date(phase.start)}, {begin.where}).",
            "Let it end later, or leave `end` out if no phase follows.",
        )


def _check_submissions(phase: _Phase) -> None:
    if phase.content.accepts_container_submissions and phase.content.accepts_only_result_submissions:
        phase.section.place_of("accepts_container_submissions").error(
            f"{phase.called} takes containers, and takes results only.", "Set one of the two."
        )
    if phase.content.accepts_container_submissions and phase.content.submission_format:
        phase.section.place_of("submission_format").error(
            f"{phase.called} takes containers, which are no files of results.", "Leave the format out."
        )


def _check_order(before: _Phase, after: _Phase, *, may_touch: bool) -> None:
    start, end = after.section.place_of("start"), before.section.place_of("end")
    if before.section.value("end") is None:
        end.error(
            f"{before.called} has no end, but {after.called} follows it.",
            "Write when it ends: only the last phase may go on for ever.",
        )
    elif before.end and after.start and after.start < before.end:
        first_second = show_date(before.end)
        start.error(
            f"{after.called} starts {show_date(after.start)}, which is before the end of "
            f"{before.called} ({show_date(before.end)}, {end.where}).",
            f"Start it at {first_second} or later, or end the other one earlier.",
        )
    elif before.end and after.start == before.end and not may_touch:
        # A phase's end is no part of it: nothing can be submitted to both.
        start.warning(
            f"{after.called} starts at the very moment when {before.called} ends; Codabench refuses this.",
            f"For Codabench, start it at {show_date(before.end + timedelta(seconds=1))}.",
        )
