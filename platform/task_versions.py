"""Versions of tasks: what is changed makes a new one, and what was scored by an old one still says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from podium.platform.errors import Conflict, InvalidInput, NotFound
from podium.platform.events import record_event
from podium.platform.models import Competition, Dataset, Evaluation, Phase, PhaseTask, Submission, Task, TaskVersion
from podium.platform.records.reruns import DatasetRecord, TaskVersionRecord

KINDS = ("scoring_program", "ingestion_program", "input_data", "reference_data")
"""What a task is made of."""


def first_version(task: Task, *, actor: str) -> TaskVersion:
    """The version that a task is made with; the task has its id already."""
    return _version(task, reason="", actor=actor)


def _version(task: Task, *, reason: str, actor: str) -> TaskVersion:
    return TaskVersion(
        task_id=task.id,
        number=task.version or 1,
        scoring_program_id=task.scoring_program_id,
        ingestion_program_id=task.ingestion_program_id,
        input_data_id=task.input_data_id,
        reference_data_id=task.reference_data_id,
        reason=reason,
        actor=actor,
    )


def find_task(session: Session, competition: Competition, index: str) -> Task:
    """The task that the bundle of a competition knows by this index.

    Raises:
        NotFound: There is none; the message lists those there are.
    """
    rows = session.execute(
        select(PhaseTask.index, Task)
        .join(Task, Task.id == PhaseTask.task_id)
        .join(Phase, Phase.id == PhaseTask.phase_id)
        .where(Phase.competition_id == competition.id)
        .order_by(Phase.position, PhaseTask.position)
    ).all()
    tasks: dict[str, Task] = {row[0]: row[1] for row in reversed(rows)}
    if index not in tasks:
        known = ", ".join(f"{found} '{task.name}'" for found, task in reversed(tasks.items()))
        raise NotFound(f"'{competition.slug}' has no task '{index[:80]}'.", remedy=f"Its tasks are {known}.")
    return tasks[index]


def change_task(
    session: Session, task: Task, datasets: Mapping[str, UUID], *, owner_id: UUID, reason: str, actor: str
) -> TaskVersion:
    """Make a new version of a task, which is the present one from now on.

    What waits is scored by it, and so is what is tried again; what has been scored keeps its version. It holds for
    every competition that uses the task.

    Args:
        datasets: Ids by kind; the kinds that are left out stay as they are.
        owner_id: Whose the datasets must be.

    Raises:
        NotFound: There is no such dataset of the owner's.
        InvalidInput: A dataset is of another kind.
        Conflict: It would be the same.
    """
    # Two who change it at once make two versions, one after the other.
    session.refresh(task, with_for_update=True)
    for kind, dataset_id in datasets.items():
        dataset = session.get(Dataset, dataset_id)
        if dataset is None or dataset.owner_id != owner_id:
            raise NotFound(f"You have no dataset {dataset_id}.", remedy="Upload it first.")
        if dataset.kind != kind:
            raise InvalidInput(f"'{dataset.name}' is {_words(dataset.kind)}, and can't be {_words(kind)}.")
    changed = {kind: one for kind, one in datasets.items() if getattr(task, f"{kind}_id") != one}
    if not changed:
        raise Conflict(f"Task '{task.name}' is made of exactly that already.")
    for kind, dataset_id in changed.items():
        setattr(task, f"{kind}_id", dataset_id)
    before, task.version = task.version, task.version + 1
    version = _version(task, reason=reason, actor=actor)
    session.add(version)
    session.flush()
    record_event(
        session,
        subject="task",
        subject_id=task.id,
        before=f"version {before}",
        after=f"version {task.version}",
        actor=actor,
        reason=reason,
    )
    return version


def _words(kind: str) -> str:
    words = kind.replace("_", " ")
    if kind.endswith("data"):
        return words
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {words}"


def version_records(session: Session, competition: Competition, task: Task, index: str) -> list[TaskVersionRecord]:
    """All versions of a task, the latest first."""
    versions = session.scalars(
        select(TaskVersion).where(TaskVersion.task_id == task.id).order_by(TaskVersion.number.desc())
    ).all()
    counts = _submissions_by_version(session, competition, task)
    datasets = _datasets(session, versions)

    def named(dataset_id: UUID | None) -> DatasetRecord | None:
        return datasets[dataset_id] if dataset_id is not None else None

    return [
        TaskVersionRecord(
            task=task.name,
            index=index,
            number=version.number,
            is_current=version.number == task.version,
            scoring_program=datasets[version.scoring_program_id],
            ingestion_program=named(version.ingestion_program_id),
            input_data=named(version.input_data_id),
            reference_data=named(version.reference_data_id),
            reason=version.reason,
            actor=version.actor,
            created=version.created,
            submissions=counts.get(version.number, 0),
        )
        for version in versions
    ]


def _submissions_by_version(session: Session, competition: Competition, task: Task) -> dict[int, int]:
    """Submissions of a competition whose results that count were made by each version of a task."""
    entry = aliased(Submission)
    query = (
        select(Evaluation.task_version, func.count())
        .join(entry, func.coalesce(entry.results_id, entry.id) == Evaluation.submission_id)
        .where(
            entry.competition_id == competition.id,
            entry.rerun_id.is_(None),
            Evaluation.task_id == task.id,
            Evaluation.attempt_id.is_not(None),
        )
        .group_by(Evaluation.task_version)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _datasets(session: Session, versions: Sequence[TaskVersion]) -> dict[UUID, DatasetRecord]:
    ids = {getattr(version, f"{kind}_id") for version in versions for kind in KINDS} - {None}
    found = session.scalars(select(Dataset).where(Dataset.id.in_(ids)))
    return {dataset.id: dataset_record(dataset) for dataset in found}


def dataset_record(dataset: Dataset) -> DatasetRecord:
    """A dataset, as its owner sees it."""
    return DatasetRecord(dataset.id, dataset.kind, dataset.name, dataset.size, dataset.sha256)
