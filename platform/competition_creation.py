"""A competition's rows, made from what its bundle says: all in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from podium.platform.bundles.content import (
    CompetitionContent,
    FileInBundle,
    LeaderboardContent,
    PhaseContent,
    StoredDataset,
    StoredTask,
    TaskContent,
)
from podium.platform.bundles.problems import BundleRefused, Problem, Severity
from podium.platform.bundles.v2_limits import limits_beyond
from podium.platform.identifiers import SLUG_MAX, new_id, slug_of
from podium.platform.models import (
    Bundle,
    Column,
    Competition,
    Dataset,
    Leaderboard,
    Page,
    Person,
    Phase,
    PhaseTask,
    Pool,
    Solution,
    Task,
    now,
)
from podium.platform.pool_access import may_use
from podium.platform.storage import StoredContent
from podium.platform.task_versions import first_version

DEFAULT_POOL = "docker"
Source = FileInBundle | StoredDataset
NOTHING = UUID(int=0)
"""Stands in for what is missing, until all problems are found."""


def dataset_sources(content: CompetitionContent) -> list[tuple[str, Source]]:
    """Every dataset that a competition names, with its kind, in the bundle's order."""
    found: list[tuple[str, Source | None]] = []
    for task in content.tasks:
        if isinstance(task, TaskContent):
            found += [
                ("scoring_program", task.scoring_program),
                ("ingestion_program", task.ingestion_program),
                ("input_data", task.input_data),
                ("reference_data", task.reference_data),
            ]
    found += [("solution", solution.source) for solution in content.solutions]
    for phase in content.phases:
        found += [("starting_kit", phase.starting_kit), ("public_data", phase.public_data)]
    return list(dict.fromkeys((kind, source) for kind, source in found if source is not None))


class CompetitionWriter:
    """Writes one competition into a session.

    Args:
        stored: Where the files of the bundle were stored, by path in the bundle.
        maxima: What the operator allows at most of limits, by their names, in place of the table's maxima.

    Problems that only the database can show (an unknown dataset, a slug that is taken) are collected, and raised
    together.
    """

    def __init__(
        self,
        session: Session,
        bundle: Bundle,
        content: CompetitionContent,
        stored: Mapping[str, StoredContent],
        *,
        maxima: Mapping[str, float],
    ) -> None:
        self._maxima = maxima
        self._session = session
        self._bundle = bundle
        self._content = content
        self._stored = stored
        self._problems: list[Problem] = []
        self._tasks: dict[str, UUID] = {}

    def write(self) -> tuple[Competition, list[Problem]]:
        """Make all rows; return the competition and warnings.

        Raises:
            BundleRefused: Something that the bundle names is not there, or not the organizer's; nothing is kept.
        """
        competition = self._competition()
        for position, page in enumerate(self._content.pages):
            competition.pages.append(
                Page(position=position, title=page.title, text=page.text, is_html=_is_html(page.file))
            )
        for task in self._content.tasks:
            self._tasks[task.index] = self._task(task)
        for position, board in enumerate(self._content.leaderboards):
            competition.leaderboards.append(_leaderboard(position, board))
        for position, phase in enumerate(self._content.phases):
            competition.phases.append(self._phase(position, phase))
        for position, solution in enumerate(self._content.solutions):
            competition.solutions.append(
                Solution(
                    position=position,
                    name=solution.name,
                    description=solution.description,
                    dataset_id=self._dataset("solution", solution.source),
                    task_ids=[self._tasks[index] for index in solution.tasks],
                )
            )
        if self._has_errors():
            raise BundleRefused(self._problems)
        self._session.add(competition)
        self._session.flush()
        return competition, self._problems

    def _competition(self) -> Competition:
        content = self._content
        image = self._stored.get(content.image)
        return Competition(
            slug=self._slug(),
            organizer_id=self._bundle.owner_id,
            pool_id=self._pool(),
            published=not self._bundle.draft,
            title=content.title,
            description=content.description,
            image_name=content.image,
            image_content=image.key if image else None,
            image_size=image.size if image else 0,
            terms=content.terms,
            terms_is_html=_is_html(content.terms_file),
            terms_sha256=hashlib.sha256(content.terms.encode()).hexdigest(),
            registration_auto_approve=content.registration_auto_approve,
            docker_image=content.docker_image,
            relaxations=asdict(content.relaxations),
            enable_detailed_results=content.enable_detailed_results,
            show_detailed_results_in_submission_panel=content.show_detailed_results_in_submission_panel,
            show_detailed_results_in_leaderboard=content.show_detailed_results_in_leaderboard,
            auto_run_submissions=content.auto_run_submissions,
            can_participants_make_submissions_public=content.can_participants_make_submissions_public,
            make_programs_available=content.make_programs_available,
            make_input_data_available=content.make_input_data_available,
            competition_type=content.competition_type,
            reward=content.reward,
            contact_email=content.contact_email,
            forum_enabled=content.forum_enabled,
            fact_sheet=[asdict(question) for question in content.fact_sheet],
            starts=content.start,
            ends=content.end,
            registration_starts=content.registration_start,
            registration_ends=content.registration_end,
            max_team_members=content.teams.max_members if content.teams else None,
            team_deadline=content.teams.deadline if content.teams else None,
        )

    def _slug(self) -> str:
        # Until the transaction ends nobody else takes a slug: what is free now is free then.
        self._session.execute(text("SELECT pg_advisory_xact_lock(hashtext('podium-slugs'))"))
        wanted = self._bundle.slug
        taken = set(self._session.scalars(select(Competition.slug)))
        if wanted is not None:
            if wanted in taken:
                self._problem(f"The slug '{wanted}' is taken.", suggestion="Choose another.")
            return wanted
        base = slug_of(self._content.title)
        candidate, number = base, 1
        while candidate in taken:
            number += 1
            suffix = f"-{number}"
            candidate = base[: SLUG_MAX - len(suffix)] + suffix
        return candidate

    def _pool(self) -> UUID:
        wanted = self._content.queue or DEFAULT_POOL
        pool = self._session.scalar(select(Pool).where(Pool.name == wanted))
        owner = self._session.get_one(Person, self._bundle.owner_id)
        # A pool that they may not use, and one that is not there: they are told the same of both.
        if pool is None or not may_use(self._session, pool, owner):
            self._problem(
                f"There is no pool '{wanted}' here that you may use; submissions will be scored on '{DEFAULT_POOL}'.",
                field="queue",
                severity=Severity.WARNING,
            )
            return self._session.scalars(select(Pool.id).where(Pool.name == DEFAULT_POOL)).one()
        return pool.id

    def _task(self, task: TaskContent | StoredTask) -> UUID:
        if isinstance(task, StoredTask):
            stored = self._session.get(Task, _uuid(task.key))
            if stored is None or stored.owner_id != self._bundle.owner_id:
                self._problem(f"You have no task with the key '{task.key}'.", field="tasks")
                return NOTHING
            return stored.id
        row = Task(
            owner_id=self._bundle.owner_id,
            name=task.name,
            description=task.description,
            scoring_program_id=self._dataset("scoring_program", task.scoring_program),
            ingestion_program_id=self._optional("ingestion_program", task.ingestion_program),
            input_data_id=self._optional("input_data", task.input_data),
            reference_data_id=self._optional("reference_data", task.reference_data),
            ingestion_only_during_scoring=task.ingestion_only_during_scoring,
            protocol=task.protocol,
        )
        if not self._has_errors():
            self._session.add(row)
            self._session.flush()
            self._session.add(first_version(row, actor=f"bundle:{self._bundle.id}"))
        return row.id

    def _phase(self, position: int, phase: PhaseContent) -> Phase:
        self._problems += limits_beyond(position, phase, self._maxima)
        self._check_containers(position, phase)
        return Phase(
            position=position,
            name=phase.name,
            description=phase.description,
            starts=phase.start,
            ends=phase.end,
            max_submissions_per_day=phase.max_submissions_per_day,
            max_submissions=phase.max_submissions,
            max_concurrent_submissions=phase.max_concurrent_submissions,
            time_zone=phase.time_zone,
            submission_window=phase.submission_window,
            failed_submissions_given_back=phase.failed_submissions_given_back,
            execution_time_limit=phase.execution_time_limit,
            auto_migrate_to_this_phase=phase.auto_migrate_to_this_phase,
            hide_output=phase.hide_output,
            hide_prediction_output=phase.hide_prediction_output,
            hide_score_output=phase.hide_score_output,
            accepts_only_result_submissions=phase.accepts_only_result_submissions,
            accepts_container_submissions=phase.accepts_container_submissions,
            limits=dict(phase.limits),
            submission_format=asdict(phase.submission_format) if phase.submission_format else {},
            starting_kit_id=self._optional("starting_kit", phase.starting_kit),
            public_data_id=self._optional("public_data", phase.public_data),
            tasks=[
                PhaseTask(position=at, index=index, task_id=self._tasks[index]) for at, index in enumerate(phase.tasks)
            ],
        )

    def _check_containers(self, position: int, phase: PhaseContent) -> None:
        # For tasks that are in the bundle itself, its reader has done so.
        stored = {task.index for task in self._content.tasks if isinstance(task, StoredTask)}
        for index in stored.intersection(phase.tasks) if phase.accepts_container_submissions else ():
            task = self._session.get(Task, self._tasks[index])
            if task is not None and task.ingestion_program_id is not None:
                self._problem(
                    f"Phase '{phase.name}' takes containers, which run by themselves, but the task '{task.name}' has "
                    "an ingestion program.",
                    field=f"phases[{position}].tasks",
                    suggestion="Give the phase tasks without one.",
                )

    def _optional(self, kind: str, source: Source | None) -> UUID | None:
        return None if source is None else self._dataset(kind, source)

    def _dataset(self, kind: str, source: Source) -> UUID:
        if isinstance(source, StoredDataset):
            dataset = self._session.get(Dataset, _uuid(source.key))
            if dataset is None or dataset.owner_id != self._bundle.owner_id:
                self._problem(f"You have no dataset with the key '{source.key}'.", field=kind)
                return NOTHING
            return dataset.id
        stored = self._stored[source.path]
        values = {
            "owner_id": self._bundle.owner_id,
            "kind": kind,
            "name": source.path.rsplit("/", 1)[-1].removesuffix(".zip")[:250] + ".zip",
            "content": stored.key,
            "sha256": stored.sha256,
            "size": stored.size,
        }
        self._session.execute(
            insert(Dataset)
            .values(id=new_id(), created=now(), **values)
            .on_conflict_do_nothing(constraint="uq_datasets_owner_id_kind_sha256")
        )
        return self._session.scalars(
            select(Dataset.id).where(
                Dataset.owner_id == self._bundle.owner_id, Dataset.kind == kind, Dataset.sha256 == stored.sha256
            )
        ).one()

    def _has_errors(self) -> bool:
        return any(problem.severity is Severity.ERROR for problem in self._problems)

    def _problem(
        self, message: str, *, field: str = "", suggestion: str = "", severity: Severity = Severity.ERROR
    ) -> None:
        file = "competition.yaml" if field else ""
        self._problems.append(Problem(severity, message, file=file, field=field, suggestion=suggestion))


def _leaderboard(position: int, board: LeaderboardContent) -> Leaderboard:
    return Leaderboard(
        position=position,
        title=board.title,
        key=board.key,
        submission_rule=board.submission_rule,
        hidden=board.hidden,
        primary_index=board.primary_index,
        ranking=board.ranking,
        anonymous=board.anonymous,
        freeze_hours=board.freeze_hours,
        rank_change_hours=board.rank_change_hours,
        organizers_are_baselines=board.organizers_are_baselines,
        columns=[
            Column(
                index=column.index,
                key=column.key,
                title=column.title,
                sorting=column.sorting,
                computation=column.computation,
                computation_indexes=list(column.computation_indexes),
                computation_weights=list(column.computation_weights),
                precision=column.precision,
                hidden=column.hidden,
                ranking_precision=column.ranking_precision,
                tie_tolerance=column.tie_tolerance,
                exclude_from_ranking=column.exclude_from_ranking,
            )
            for column in board.columns
        ],
    )


def _is_html(file: str) -> bool:
    return file.lower().endswith((".html", ".htm"))


def _uuid(key: str) -> UUID:
    """The id that a key stands for; one that nothing has, if it stands for none."""
    try:
        return UUID(key)
    except ValueError:
        return NOTHING
