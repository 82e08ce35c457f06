"""The files that a competition offers to who takes part: starting kits, public data, and what its organizer opens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from podium.platform import competitions
from podium.platform.errors import NotFound
from podium.platform.identity import Caller
from podium.platform.models import Competition, Dataset, Phase, Task, now
from podium.platform.records.offers import OfferedFile
from podium.platform.submissions.participation import require_participant
from podium.platform.submissions.windows import phase_status


def offered_files(session: Session, competition: Competition, caller: Caller | None) -> list[OfferedFile]:
    """What there is to download, once each, in the order of the phases; of a phase that has begun, or to organizers."""
    return [record for record, _ in _offered(session, competition, caller)]


def offered_file(session: Session, competition: Competition, file_id: UUID, caller: Caller) -> Dataset:
    """One of them, for who takes part and for organizers.

    Raises:
        NotFound: The competition does not offer it, or not yet.
        NotParticipating: The caller does not take part, or has not accepted the present terms.
    """
    if not competitions.may_organize(competition, caller):
        assert caller.person_id is not None
        require_participant(session, competition, caller.person_id, lock=False)
    for record, dataset in _offered(session, competition, caller):
        if record.id == file_id:
            return dataset
    raise NotFound("The competition offers no such file.", remedy="Its phase may not have begun.")


def _offered(
    session: Session, competition: Competition, caller: Caller | None
) -> Iterator[tuple[OfferedFile, Dataset]]:
    organizes, moment = competitions.may_organize(competition, caller), now()
    found: dict[UUID, tuple[str, str, Dataset]] = {}
    phases: dict[UUID, dict[str, None]] = {}
    for phase in competition.phases:
        if not (organizes or _has_begun(competition, phase, moment)):
            continue
        for kind, task, dataset in _of_phase(session, competition, phase):
            found.setdefault(dataset.id, (kind, task, dataset))
            phases.setdefault(dataset.id, {})[phase.name] = None
    for kind, task, dataset in found.values():
        names = tuple(phases[dataset.id])
        yield OfferedFile(dataset.id, kind, names, task, dataset.name, dataset.size, dataset.sha256), dataset


def _has_begun(competition: Competition, phase: Phase, moment: datetime) -> bool:
    is_too_early = competition.starts is not None and moment < competition.starts
    return not is_too_early and phase_status(phase, moment) != "upcoming"


def _of_phase(session: Session, competition: Competition, phase: Phase) -> Iterator[tuple[str, str, Dataset]]:
    for kind, dataset_id in (("starting_kit", phase.starting_kit_id), ("public_data", phase.public_data_id)):
        if dataset_id is not None:
            yield kind, "", session.get_one(Dataset, dataset_id)
    for entry in phase.tasks:
        for kind, dataset in _of_task(competition, entry.task):
            if dataset is not None:
                yield kind, entry.task.name, dataset


def _of_task(competition: Competition, task: Task) -> Iterator[tuple[str, Dataset | None]]:
    if competition.make_input_data_available:
        yield "input_data", task.input_data
    if competition.make_programs_available:
        yield "ingestion_program", task.ingestion_program
        yield "scoring_program", task.scoring_program
