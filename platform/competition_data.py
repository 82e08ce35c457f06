"""The data of a competition, as far as participants may have it, and from when on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from podium.platform.models import Competition, Dataset, Phase, PhaseTask, Task
from podium.platform.records.data import DataFileRecord
from podium.platform.storage import Storage
from podium.platform.submissions.windows import phase_status
from podium.platform.uploads import signed_record


@dataclass(slots=True)
class _Offered:
    """A dataset under one of its names, and the phases that it was found in."""

    dataset_id: UUID
    kind: str
    task: str
    phases: list[str] = field(default_factory=list)


def data_files(
    session: Session, competition: Competition, storage: Storage, moment: datetime, *, for_organizer: bool
) -> list[DataFileRecord]:
    """What there is to download: that of phases that have begun; for organizers, that of all."""
    phases = session.scalars(
        select(Phase)
        .where(Phase.competition_id == competition.id)
        .order_by(Phase.position)
        .options(selectinload(Phase.tasks).joinedload(PhaseTask.task))
    ).all()
    begun = [phase for phase in phases if for_organizer or phase_status(phase, moment) != "upcoming"]
    offered = _offered(competition, begun)
    datasets = {
        dataset.id: dataset
        for dataset in session.scalars(select(Dataset).where(Dataset.id.in_({one.dataset_id for one in offered})))
    }
    return [_record(one, datasets[one.dataset_id], storage) for one in offered]


def _offered(competition: Competition, phases: Sequence[Phase]) -> list[_Offered]:
    found: dict[tuple[UUID, str], _Offered] = {}
    for phase in phases:
        for kind, dataset_id, task in _of_phase(competition, phase):
            if dataset_id is not None:
                one = found.setdefault((dataset_id, kind), _Offered(dataset_id, kind, task))
                one.phases.append(phase.name)
    return list(found.values())


def _of_phase(competition: Competition, phase: Phase) -> Iterator[tuple[str, UUID | None, str]]:
    yield "public_data", phase.public_data_id, ""
    yield "starting_kit", phase.starting_kit_id, ""
    for entry in phase.tasks:
        yield from _of_task(competition, entry.task)


def _of_task(competition: Competition, task: Task) -> Iterator[tuple[str, UUID | None, str]]:
    if competition.make_input_data_available:
        yield "input_data", task.input_data_id, task.name
    if competition.make_programs_available:
        yield "ingestion_program", task.ingestion_program_id, task.name
        yield "scoring_program", task.scoring_program_id, task.name


def _record(offered: _Offered, dataset: Dataset, storage: Storage) -> DataFileRecord:
    return DataFileRecord(
        id=dataset.id,
        kind=offered.kind,
        name=dataset.name,
        size=dataset.size,
        sha256=dataset.sha256,
        phases=tuple(dict.fromkeys(offered.phases)),
        task=offered.task,
        request=signed_record(storage.sign_get(dataset.content, filename=dataset.name)),
    )
