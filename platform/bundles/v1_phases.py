"""Phases of a CodaLab bundle, and the tasks that they make.

CodaLab's phases hold their programs and data themselves and have no end: one is over when the next begins. (Codabench
ends it a day before, and nobody can submit on that day.) Phases with the same programs and data share a task.

In version 1.8 a phase may be the parallel parent of others, its children. What is submitted to it is scored by all of
them, so it is one phase with a task for each child.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from podium.platform.bundles.content import PhaseContent, TaskContent
from podium.platform.bundles.dates import show_date
from podium.platform.bundles.fields import Section, Value, did_you_mean
from podium.platform.bundles.findings import shown
from podium.platform.bundles.sources import Sources
from podium.platform.bundles.v1_ignored import IGNORED_PHASE_FIELDS, note_ignored
from podium.platform.bundles.v1_tasks import Tasks
from podium.platform.bundles.v2_tasks import MAX_NAME_LENGTH
from podium.platform.bundles.windows import read_date
from podium.platform.bundles.yaml_source import Mapping

PHASE_FIELDS = (
    "phasenumber",
    "label",
    "description",
    "start_date",
    "max_submissions",
    "max_submissions_per_day",
    "execution_time_limit",
    "auto_migration",
    "is_scoring_only",
    "scoring_program",
    "reference_data",
    "ingestion_program",
    "ingestion_program_only_during_scoring",
    "input_data",
    "public_data",
    "starting_kit",
    "leaderboard_management_mode",
    "force_best_submission_to_leaderboard",
    "hide_output",
    "hide_prediction_output",
    "hide_score_output",
    "is_parallel_parent",
    "parent_phasenumber",
)
DEFAULT_SUBMISSIONS_PER_DAY = 999
DEFAULT_SUBMISSIONS = 100
DEFAULT_EXECUTION_TIME_LIMIT = 300

_MODES = ("default", "hide_results")
_NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The phases of a bundle with their tasks.

    Attributes:
        forces_best: Whether a phase puts each participant's best submission on the leaderboard.
        hides_results: Whether a phase hides its leaderboard.
        end: When the competition is over, which is when its last phase is; `None` for never.
    """

    phases: tuple[PhaseContent, ...] = ()
    tasks: tuple[TaskContent, ...] = ()
    forces_best: bool = False
    hides_results: bool = False
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Phase:
    """A phase as it was read; `number` and `start` are `None` where they are absent or wrong."""

    number: int | None
    label: str
    start: datetime | None
    section: Section
    is_parent: bool
    parent: int | None
    time_limit: int

    @property
    def called(self) -> str:
        return f"Phase {shown(self.label)}"


def read_phases(value: Value | None, sources: Sources, end: Value | None) -> Schedule:
    """Read the mapping of phases, in the order of their numbers.

    Args:
        value: The field `phases`.
        end: The competition's `end_date`, which is the last phase's end; `None` where it has none.
    """
    if value is None:
        return Schedule()
    sections = _sections(value)
    note_ignored(sections, IGNORED_PHASE_FIELDS)
    phases = [_phase(section) for section in sections]
    phases.sort(key=lambda phase: (phase.number is None, phase.number or 0))
    _check_numbers(phases)
    _check_parents(phases)
    # A child of a parent that does not exist is taken for a phase of its own, so that its other mistakes are found.
    parents = {phase.number for phase in phases if phase.is_parent}
    main = [phase for phase in phases if phase.parent is None or phase.parent not in parents]
    for before, after in pairwise(main):
        _check_order(before, after)
    last_end = _last_end(main, end)
    tasks = Tasks(sources)
    contents = []
    for at, phase in enumerate(main):
        children = [child for child in phases if phase.is_parent and child.parent == phase.number]
        follows = main[at + 1].start if at + 1 < len(main) else last_end
        contents.append(_content(phase, children, follows, tasks, sources, is_first=at == 0))
    return Schedule(
        phases=tuple(contents),
        tasks=tasks.found,
        forces_best=_forces_best(main),
        hides_results=True in [_hides_results(phase.section) for phase in main],
        end=last_end,
    )


def _sections(value: Value) -> list[Section]:
    if not isinstance(value.node, Mapping):
        value.expected("phases by their numbers", "Write each one as `1:` with its fields below.")
        return []
    whole = Section(value, value.node)
    if not value.node.entries:
        value.error("`phases` is empty.", "A competition needs a phase.")
    sections = [whole.at(entry).section("a phase", PHASE_FIELDS, IGNORED_PHASE_FIELDS) for entry in value.node.entries]
    return [section for section in sections if section]


def _phase(section: Section) -> _Phase:
    number = section.required("phasenumber", "Number the phases from 1.")
    parent = section.value("parent_phasenumber")
    return _Phase(
        number=number.number() if number else None,
        label=section.required_text("label", max_length=MAX_NAME_LENGTH, suggestion="Give the phase a name."),
        start=read_date(section.required("start_date", "Write when the phase begins, such as `2026-01-30`.")),
        section=section,
        is_parent=section.flag("is_parallel_parent", default=False),
        parent=parent.number() if parent else None,
        time_limit=section.number("execution_time_limit", default=0) or DEFAULT_EXECUTION_TIME_LIMIT,
    )


def _content(
    phase: _Phase,
    children: Sequence[_Phase],
    end: datetime | None,
    tasks: Tasks,
    sources: Sources,
    *,
    is_first: bool,
) -> PhaseContent:
    section = phase.section
    if phase.is_parent:
        indexes = tuple(dict.fromkeys(tasks.of(child.section, child.label, own=True) for child in children))
        _note_parallel(phase, children)
    else:
        indexes = (tasks.of(section, phase.label, own=False),)
    migrates = section.flag("auto_migration", default=False)
    if migrates and is_first:
        section.place_of("auto_migration").warning(
            f"{phase.called} is the first one: there is no phase to migrate submissions from.",
            "CodaLab ignores it too.",
        )
    hides = section.text("leaderboard_management_mode").lower() == "hide_results"
    return PhaseContent(
        name=phase.label,
        description=section.text("description"),
        start=phase.start or _NO_DATE,
        end=end,
        tasks=indexes,
        max_submissions_per_day=_quota(section, "max_submissions_per_day", DEFAULT_SUBMISSIONS_PER_DAY),
        max_submissions=_quota(section, "max_submissions", DEFAULT_SUBMISSIONS),
        execution_time_limit=max([child.time_limit for child in children], default=phase.time_limit),
        auto_migrate_to_this_phase=migrates and not is_first,
        hide_output=section.flag("hide_output", default=False),
        hide_prediction_output=section.flag("hide_prediction_output", default=False),
        hide_score_output=section.flag("hide_score_output", default=False) or hides,
        accepts_only_result_submissions=section.flag("is_scoring_only", default=False) and not phase.is_parent,
        starting_kit=sources.dataset(section.value("starting_kit")),
        public_data=sources.dataset(section.value("public_data")),
    )


def _quota(section: Section, name: str, default: int) -> int:
    value = section.value(name)
    number = value.number() if value else None
    if value and number == 0:
        value.warning(
            f"`{name}: 0` means that nobody can submit, as on CodaLab.",
            f"Without it there are {default:,}, CodaLab's default; Codabench takes 0 for no limit.",
        )
    return default if number is None else number


def _check_numbers(phases: Sequence[_Phase]) -> None:
    for before, after in pairwise(phases):
        if before.number is not None and before.number == after.number:
            line = before.section.place_of("phasenumber").line
            after.section.place_of("phasenumber").error(
                f"The number {after.number} is taken by the phase on line {line}.", "Give each phase its own number."
            )


def _check_parents(phases: Sequence[_Phase]) -> None:
    by_number = {phase.number: phase for phase in phases if phase.number is not None}
    named = {phase.parent for phase in phases if phase.parent is not None}
    for phase in phases:
        place = phase.section.place_of("parent_phasenumber")
        if phase.is_parent and phase.parent is not None:
            place.error("A parallel parent can't have a parent itself.", "Delete one of the two fields.")
        elif phase.parent is not None and phase.parent not in by_number:
            place.error(f"There is no phase with the number {phase.parent}.", "Name the number of its parent.")
        elif phase.parent is not None and not by_number[phase.parent].is_parent:
            place.error(
                f"{by_number[phase.parent].called} is no parallel parent.", "Set its `is_parallel_parent: true`."
            )
        if phase.is_parent and phase.number not in named:
            phase.section.place_of("is_parallel_parent").error(
                f"{phase.called} is a parallel parent, and no phase names it as its parent.",
                "Set `parent_phasenumber` in those that it is made of.",
            )


def _check_order(before: _Phase, after: _Phase) -> None:
    if before.start and after.start and after.start <= before.start:
        after.section.place_of("start_date").error(
            f"{after.called} starts {show_date(after.start)}, which is not after {before.called} starts "
            f"({show_date(before.start)}, line {before.section.place_of('start_date').line}).",
            "Phases follow one another in the order of their numbers.",
        )


def _last_end(main: Sequence[_Phase], end: Value | None) -> datetime | None:
    moment = read_date(end)
    last = main[-1] if main else None
    if end and moment and last and last.start and moment <= last.start:
        end.error(
            f"The competition ends {show_date(moment)}, which is not after {last.called} starts "
            f"({show_date(last.start)}, line {last.section.place_of('start_date').line}).",
            "Let it end later, or leave `end_date` out.",
        )
    return moment


def _note_parallel(phase: _Phase, children: Collection[_Phase]) -> None:
    named = ", ".join(shown(child.label) for child in list(children)[:10])
    phase.section.place_of("is_parallel_parent").warning(
        f"{phase.called} becomes one phase with {len(children)} tasks: {named}.",
        "What is submitted to it is scored by all of them, and its columns are means over the tasks.",
    )
    for name in ("scoring_program", "ingestion_program", "input_data", "reference_data"):
        if value := phase.section.value(name):
            value.warning(f"The `{name}` of a parallel parent is not used.", "Those of the children are.")
    for child in children:
        if child.start and phase.start and child.start != phase.start:
            child.section.place_of("start_date").warning(
                f"{child.called} starts and ends with its parent, {phase.called} "
                f"({show_date(phase.start)}, line {phase.section.place_of('start_date').line})."
            )
    limits = sorted({child.time_limit for child in children})
    if len(limits) > 1:
        phase.section.place_of("is_parallel_parent").warning(
            f"The phases within {phase.called} have different time limits; {limits[-1]} seconds hold for each."
        )


def _forces_best(main: Sequence[_Phase]) -> bool:
    flags = [phase.section.flag("force_best_submission_to_leaderboard", default=False) for phase in main]
    if any(flags) and not all(flags):
        main[flags.index(True)].section.place_of("force_best_submission_to_leaderboard").warning(
            "This holds for all phases: a leaderboard has one rule for what stands on it."
        )
    return any(flags)


def _hides_results(section: Section) -> bool:
    mode = section.value("leaderboard_management_mode")
    word = (mode.text() or "default").lower() if mode else "default"
    if mode and word not in _MODES:
        mode.warning(f"{shown(word)} is no mode, and is taken for `default`.", did_you_mean(word, _MODES))
    if mode and word == "hide_results":
        mode.warning(
            "Podium hides the leaderboard in all phases: they share one.",
            "Take this out, and make a second competition of what is to be hidden.",
        )
    return word == "hide_results"
