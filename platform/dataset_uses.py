"""The datasets of a competition, and where each is used."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium.platform.models import Competition, Dataset, Phase, PhaseTask, Solution, Task, TaskVersion
from podium.platform.records.organizing import DatasetUse

_KINDS = ("scoring_program", "ingestion_program", "input_data", "reference_data")


def dataset_uses(session: Session, competition: Competition) -> list[DatasetUse]:
    """Every dataset that a competition uses or has used: those of the present first, by kind and name."""
    used = datasets_of(session, competition)
    rows = session.scalars(select(Dataset).where(Dataset.id.in_(used)))
    found = [
        DatasetUse(
            id=row.id,
            kind=row.kind,
            name=row.name,
            size=row.size,
            sha256=row.sha256,
            created=row.created,
            is_current=any(is_current for _, is_current in used[row.id]),
            used=tuple(dict.fromkeys(words for words, _ in used[row.id])),
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (not one.is_current, one.kind, one.name, one.created))


def datasets_of(session: Session, competition: Competition) -> dict[UUID, list[tuple[str, bool]]]:
    """Ids of the datasets, with the words that say where each is used, and whether that is so now."""
    found: dict[UUID, list[tuple[str, bool]]] = defaultdict(list)
    versions = session.execute(
        select(Task, TaskVersion)
        .join(TaskVersion, TaskVersion.task_id == Task.id)
        .where(
            Task.id.in_(
                select(PhaseTask.task_id)
                .join(Phase, Phase.id == PhaseTask.phase_id)
                .where(Phase.competition_id == competition.id)
            )
        )
        .order_by(Task.name, TaskVersion.number.desc())
    )
    for task, version in versions:
        is_current = version.number == task.version
        words = f"{task.name}, version {version.number}{' (present)' if is_current else ''}"
        for kind in _KINDS:
            if (dataset_id := getattr(version, f"{kind}_id")) is not None:
                found[dataset_id].append((words, is_current))
    for phase in competition.phases:
        for words, dataset_id in (("starting kit", phase.starting_kit_id), ("public data", phase.public_data_id)):
            if dataset_id is not None:
                found[dataset_id].append((f"{phase.name}: {words}", True))
    solutions = session.scalars(select(Solution).where(Solution.competition_id == competition.id))
    for solution in solutions:
        found[solution.dataset_id].append((f"solution {solution.name}", True))
    return dict(found)
