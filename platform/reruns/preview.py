"""What a rerun would do: how many submissions, how long by history, and what is left out."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from podium.platform.models import Competition, Evaluation, Submission, Task
from podium.platform.records.reruns import LeftOut, RerunPhase, RerunPreview
from podium.platform.reruns.selection import Chosen, Selection, choose_submissions
from podium.platform.submissions.waiting import live_slots, typical_seconds

NAMED = 100
"""Submissions that are left out and named."""
LONG_SECONDS = 60.0
"""Where an attempt takes longer, a rerun leaves a slot to those who submit meanwhile."""


def preview_rerun(
    session: Session, competition: Competition, selection: Selection, *, parallel: int | None
) -> RerunPreview:
    """What would be scored, without changing anything.

    Raises:
        InvalidInput, NotFound: As for `choose_submissions`.
    """
    chosen = choose_submissions(session, competition, selection)
    phases = phases_of(session, competition, chosen)
    slots = live_slots(session, competition.pool_id)
    parallel = parallel or usual_parallel(phases, slots)
    return RerunPreview(
        competition=competition.slug,
        total=len(chosen.submissions),
        phases=phases,
        left_out=tuple(
            LeftOut(submission.number, submission.person.username, reason)
            for submission, reason in chosen.left_out[:NAMED]
        ),
        left_out_total=len(chosen.left_out),
        expected_seconds=expected_seconds(phases, slots, parallel),
        slots=slots,
        parallel=parallel,
        changed_tasks=_changed_tasks(session, [submission.id for submission in chosen.submissions]),
    )


def phases_of(session: Session, competition: Competition, chosen: Chosen) -> tuple[RerunPhase, ...]:
    """How many are chosen in each phase, and how long one takes there."""
    counts = Counter(submission.phase_id for submission in chosen.submissions)
    return tuple(
        RerunPhase(phase.name, counts[phase.id], typical_seconds(session, phase.id))
        for phase in competition.phases
        if counts[phase.id]
    )


def usual_parallel(phases: tuple[RerunPhase, ...], slots: int) -> int | None:
    """How many slots a rerun takes at most, where nobody says; `None` for all.

    What is short is over soon, and then the fresh ones are first in line. What is long must not hold every slot.
    """
    longest = max((phase.typical_seconds or 0 for phase in phases), default=0)
    return slots - 1 if longest > LONG_SECONDS and slots > 1 else None


def expected_seconds(phases: tuple[RerunPhase, ...], slots: int, parallel: int | None) -> float | None:
    """How long a rerun takes by history; `None` where there is none, or no agent."""
    at_once = min(slots, parallel) if parallel else slots
    if not at_once or any(phase.typical_seconds is None for phase in phases):
        return None
    return sum(phase.submissions * (phase.typical_seconds or 0) for phase in phases) / at_once


def _changed_tasks(session: Session, submissions: list[UUID]) -> tuple[str, ...]:
    """Tasks whose present version is newer than what these were scored by, each with the versions."""
    query = (
        select(Task.name, Evaluation.task_version, Task.version, func.count())
        .join(Evaluation, Evaluation.task_id == Task.id)
        .join(Submission, func.coalesce(Submission.results_id, Submission.id) == Evaluation.submission_id)
        .where(
            Submission.id.in_(submissions),
            Evaluation.attempt_id.is_not(None),
            Evaluation.task_version < Task.version,
        )
        .group_by(Task.name, Evaluation.task_version, Task.version)
        .order_by(Task.name, Evaluation.task_version)
    )
    return tuple(
        f"{name}: {number} by version {old}, now version {new}" for name, old, new, number in session.execute(query)
    )
