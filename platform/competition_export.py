"""A competition in the database as the content of a bundle: the inverse of `podium.platform.competition_creation`.

What is there now is taken: phases as they were changed, tasks in their present versions. Who takes part, who organizes
and what was submitted is no part of a bundle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.orm.interfaces import LoaderOption

from podium.platform.archive_rules import ArchiveLimits, name_fault
from podium.platform.bundles.content import (
    CompetitionContent,
    FileInBundle,
    PageContent,
    PhaseContent,
    SolutionContent,
    TaskContent,
    TeamRules,
)
from podium.platform.bundles.submission_formats import format_from_json
from podium.platform.competition_creation import DEFAULT_POOL
from podium.platform.identifiers import slug_of
from podium.platform.leaderboard.content import leaderboard_content
from podium.platform.leaderboard.entries import questions_of
from podium.platform.models import (
    Competition,
    Dataset,
    Leaderboard,
    Phase,
    PhaseTask,
    Task,
    TaskVersion,
)
from podium.platform.storage import content_key
from podium.platform.submissions.fitting import relaxations_of
from podium.platform.task_versions import KINDS


@dataclass(frozen=True, slots=True)
class BundledFile:
    """A stored file of a bundle: where it lies in the bundle, where in the store, its size in bytes and its SHA-256."""

    path: str
    content: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ExportedContent:
    """A competition as a bundle says it.

    Attributes:
        files: The image and the datasets, where the content names them.
        left_out: What a bundle can't say, in sentences.
    """

    content: CompetitionContent
    files: tuple[BundledFile, ...]
    left_out: tuple[str, ...]


def export_content(session: Session, competition: Competition) -> ExportedContent:
    """The content of a competition as it is now. The same competition gives the same content and paths."""
    files = _Files(session)
    tasks = _tasks(competition)
    image = files.image(competition)
    content = CompetitionContent(
        title=competition.title,
        description=competition.description,
        image=image,
        terms=competition.terms,
        terms_file=f"terms.{_suffix(is_html=competition.terms_is_html)}",
        registration_auto_approve=competition.registration_auto_approve,
        docker_image=competition.docker_image,
        queue=competition.pool.name if competition.pool.name != DEFAULT_POOL else None,
        enable_detailed_results=competition.enable_detailed_results,
        show_detailed_results_in_submission_panel=competition.show_detailed_results_in_submission_panel,
        show_detailed_results_in_leaderboard=competition.show_detailed_results_in_leaderboard,
        auto_run_submissions=competition.auto_run_submissions,
        can_participants_make_submissions_public=competition.can_participants_make_submissions_public,
        make_programs_available=competition.make_programs_available,
        make_input_data_available=competition.make_input_data_available,
        competition_type=competition.competition_type,
        reward=competition.reward,
        contact_email=competition.contact_email,
        forum_enabled=competition.forum_enabled,
        fact_sheet=questions_of(competition),
        pages=_pages(competition),
        tasks=tuple(_task(index, task, files) for index, task in tasks.items()),
        solutions=tuple(_solutions(competition, tasks, files)),
        phases=tuple(_phase(phase, files) for phase in competition.phases),
        leaderboards=tuple(leaderboard_content(board) for board in competition.leaderboards),
        relaxations=relaxations_of(competition),
        start=competition.starts,
        end=competition.ends,
        registration_start=competition.registration_starts,
        registration_end=competition.registration_ends,
        teams=_teams(competition),
    )
    return ExportedContent(content, tuple(files.found.values()), tuple(_left_out(competition, tasks, image)))


def find_bundled_file(session: Session, competition: Competition, sha256: str) -> str | None:
    """Where a file of the competition's bundle is stored, also one of an older version of a task; `None` for others."""
    if competition.image_content == content_key(sha256):
        return competition.image_content
    used = {solution.dataset_id for solution in competition.solutions}
    task_ids = {task_id for solution in competition.solutions for task_id in solution.task_ids}
    for phase in competition.phases:
        used |= {one for one in (phase.starting_kit_id, phase.public_data_id) if one}
        task_ids |= {entry.task_id for entry in phase.tasks}
    versions = session.scalars(select(TaskVersion).where(TaskVersion.task_id.in_(task_ids)))
    for version in versions:
        used |= {getattr(version, f"{kind}_id") for kind in KINDS} - {None}
    return session.scalar(select(Dataset.content).where(Dataset.id.in_(used), Dataset.sha256 == sha256).limit(1))


def export_options() -> Sequence[LoaderOption]:
    """What to load with a competition that is to be exported."""
    return (
        joinedload(Competition.pool),
        selectinload(Competition.collaborators),
        selectinload(Competition.pages),
        selectinload(Competition.solutions),
        selectinload(Competition.phases).selectinload(Phase.tasks).joinedload(PhaseTask.task),
        selectinload(Competition.leaderboards).selectinload(Leaderboard.columns),
    )


@dataclass(slots=True)
class _Files:
    """Gives each stored file one path, by what it is for and its name; different files never share one."""

    session: Session
    found: dict[tuple[str, UUID | None], BundledFile] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)

    def image(self, competition: Competition) -> str:
        if competition.image_content is None:
            return ""
        path = self._path("image", competition.image_name.rpartition("/")[2] or "image")
        sha256 = competition.image_content.rpartition("/")[2]
        self.found["image", None] = BundledFile(path, competition.image_content, competition.image_size, sha256)
        return path

    def dataset(self, kind: str, dataset_id: UUID) -> FileInBundle:
        if (kind, dataset_id) not in self.found:
            row = self.session.get_one(Dataset, dataset_id)
            path = self._path(kind, row.name.removesuffix(".zip") + ".zip")
            self.found[kind, dataset_id] = BundledFile(path, row.content, row.size, row.sha256)
        return FileInBundle(self.found[kind, dataset_id].path, is_folder=False)

    def optional(self, kind: str, dataset_id: UUID | None) -> FileInBundle | None:
        return None if dataset_id is None else self.dataset(kind, dataset_id)

    def _path(self, folder: str, name: str) -> str:
        stem, dot, suffix = _plain(name).rpartition(".")
        path, number = f"{folder}/{stem}{dot}{suffix}", 1
        # Whatever the case: the bundle may be unpacked where that makes no difference.
        while path.casefold() in self._taken:
            number += 1
            path = f"{folder}/{stem}-{number}{dot}{suffix}"
        self._taken.add(path.casefold())
        return path


def _plain(name: str) -> str:
    """A file's name, if it can stand in a bundle, else one that is much like it."""
    stem, _, suffix = name.rpartition(".")
    is_fit = name == name.strip() and stem.strip(". ") and len(name.encode()) < 240 and "/" not in name
    if is_fit and name_fault(name, ArchiveLimits()) is None:
        return name
    return f"{slug_of(stem)}.{slug_of(suffix)}"


def _tasks(competition: Competition) -> Mapping[str, Task]:
    """The tasks by the bundle's names for them, in the order in which phases name them first."""
    return {entry.index: entry.task for phase in competition.phases for entry in phase.tasks}


def _task(index: str, task: Task, files: _Files) -> TaskContent:
    return TaskContent(
        index=index,
        name=task.name,
        description=task.description,
        scoring_program=files.dataset("scoring_program", task.scoring_program_id),
        ingestion_program=files.optional("ingestion_program", task.ingestion_program_id),
        input_data=files.optional("input_data", task.input_data_id),
        reference_data=files.optional("reference_data", task.reference_data_id),
        ingestion_only_during_scoring=task.ingestion_only_during_scoring,
        protocol=task.protocol,
    )


def _pages(competition: Competition) -> tuple[PageContent, ...]:
    return tuple(
        PageContent(page.title, f"pages/{number:02}-{slug_of(page.title)}.{_suffix(is_html=page.is_html)}", page.text)
        for number, page in enumerate(competition.pages, 1)
    )


def _teams(competition: Competition) -> TeamRules | None:
    if competition.max_team_members is None:
        return None
    return TeamRules(competition.max_team_members, competition.team_deadline)


def _suffix(*, is_html: bool) -> str:
    return "html" if is_html else "md"


def _solutions(competition: Competition, tasks: Mapping[str, Task], files: _Files) -> Iterator[SolutionContent]:
    indexes = {task.id: index for index, task in reversed(list(tasks.items()))}
    for number, solution in enumerate(competition.solutions):
        solved = tuple(indexes[task_id] for task_id in solution.task_ids if task_id in indexes)
        if solved:
            yield SolutionContent(
                index=str(number),
                name=solution.name,
                description=solution.description,
                tasks=solved,
                source=files.dataset("solution", solution.dataset_id),
            )


def _phase(phase: Phase, files: _Files) -> PhaseContent:
    return PhaseContent(
        name=phase.name,
        description=phase.description,
        start=phase.starts,
        end=phase.ends,
        tasks=tuple(entry.index for entry in phase.tasks),
        max_submissions_per_day=phase.max_submissions_per_day,
        max_submissions=phase.max_submissions,
        execution_time_limit=phase.execution_time_limit,
        auto_migrate_to_this_phase=phase.auto_migrate_to_this_phase,
        hide_output=phase.hide_output,
        hide_prediction_output=phase.hide_prediction_output,
        hide_score_output=phase.hide_score_output,
        accepts_only_result_submissions=phase.accepts_only_result_submissions,
        starting_kit=files.optional("starting_kit", phase.starting_kit_id),
        public_data=files.optional("public_data", phase.public_data_id),
        accepts_container_submissions=phase.accepts_container_submissions,
        limits=dict(phase.limits),
        max_concurrent_submissions=phase.max_concurrent_submissions,
        time_zone=phase.time_zone,
        submission_window=phase.submission_window,
        failed_submissions_given_back=phase.failed_submissions_given_back,
        submission_format=format_from_json(phase.submission_format),
    )


def _left_out(competition: Competition, tasks: Mapping[str, Task], image: str) -> Iterator[str]:
    if not image:
        yield "The competition has no picture, and a bundle needs one: put one in, and name it under `image`."
    for phase in competition.phases:
        if phase.paused is not None:
            yield f"Phase '{phase.name}' is paused; a bundle can't say so, and its copy will not be."
    known = {task.id for task in tasks.values()}
    for solution in competition.solutions:
        if not known.intersection(solution.task_ids):
            yield f"Solution '{solution.name}' is for tasks that no phase uses, and is left out."
