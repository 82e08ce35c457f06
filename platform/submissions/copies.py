"""Submissions that are made of others: to be scored again by a rerun, or in the next phase. They are queued at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from podium.platform.identifiers import new_id
from podium.platform.leaderboard.entries import hold_participants
from podium.platform.lifecycle import SubmissionQueue, SubmissionStatus
from podium.platform.models import Evaluation, Event, PhaseTask, Submission, TeamMember, now
from podium.platform.submissions.transitions import WAITS_FOR_AGENT


def queue_copies(
    session: Session,
    origins: Sequence[Submission],
    *,
    number: Callable[[int, Submission], int],
    actor: str,
    reason: Callable[[Submission], str],
    **values: Any,  # noqa: ANN401  # columns of Submission, checked by SQLAlchemy
) -> dict[UUID, UUID]:
    """Queue a submission for each of these, with its file, note and answers; return the new ids by the old.

    They cost nothing of anybody's limits, and wait behind what people submit themselves.

    Args:
        number: The number of a copy, by its position and its origin.
        reason: Why it was made, for its event.
        values: What all copies have in other columns, such as another `phase_id`.
    """
    moment = now()
    made = {origin.id: new_id() for origin in origins}
    # What a rerun makes stands apart, whoever it is of.
    teams = _teams_of(session, origins) if "phase_id" in values else {}
    session.execute(
        insert(Submission),
        [
            {
                "id": made[origin.id],
                # One after the other: equal scores stand on the board in the order of their origins.
                "created": moment + timedelta(microseconds=at),
                "competition_id": origin.competition_id,
                "phase_id": origin.phase_id,
                "person_id": origin.person_id,
                "team_id": origin.team_id or teams.get((origin.competition_id, origin.person_id)),
                "number": number(at, origin),
                "filename": origin.filename,
                "size": origin.size,
                "sha256": origin.sha256,
                "content": origin.content,
                "message": origin.message,
                "fact_sheet": origin.fact_sheet,
                "status": SubmissionStatus.QUEUED,
                "status_message": WAITS_FOR_AGENT,
                "version": 1,
                "counts": False,
                "on_leaderboard": False,
                "is_baseline": origin.is_baseline,
                "origin_id": origin.id,
                "queue": SubmissionQueue.RERUN,
                "dispatches": 0,
                "queued": moment + timedelta(microseconds=at),
                **values,
            }
            for at, origin in enumerate(origins)
        ],
    )
    phase_of = {origin.id: values.get("phase_id", origin.phase_id) for origin in origins}
    tasks = _tasks_of(session, set(phase_of.values()))
    session.add_all(
        Evaluation(submission_id=made[origin.id], task_id=entry.task_id, position=entry.position)
        for origin in origins
        for entry in tasks[phase_of[origin.id]]
    )
    session.add_all(
        Event(
            subject="submission",
            subject_id=made[origin.id],
            after=SubmissionStatus.QUEUED,
            actor=actor,
            reason=reason(origin),
        )
        for origin in origins
    )
    session.flush()
    return made


def _teams_of(session: Session, origins: Sequence[Submission]) -> dict[tuple[UUID, UUID], UUID]:
    """The teams that people are in now who have submitted these, by competition and person.

    Who joins at the same moment takes over what is there, and the copies come before or after that: their rows are
    held as for a submission.
    """
    competitions = {one.competition_id for one in origins if one.competition.max_team_members is not None}
    if not competitions:
        return {}
    keys = {(one.competition_id, one.person_id) for one in origins if one.competition_id in competitions}
    hold_participants(session, keys)
    members = select(TeamMember).where(tuple_(TeamMember.competition_id, TeamMember.person_id).in_(keys))
    return {(one.competition_id, one.person_id): one.team_id for one in session.scalars(members)}


def _tasks_of(session: Session, phases: set[UUID]) -> dict[UUID, list[PhaseTask]]:
    tasks: dict[UUID, list[PhaseTask]] = {phase_id: [] for phase_id in phases}
    entries = select(PhaseTask).where(PhaseTask.phase_id.in_(phases)).order_by(PhaseTask.position)
    for entry in session.scalars(entries):
        tasks[entry.phase_id].append(entry)
    return tasks
