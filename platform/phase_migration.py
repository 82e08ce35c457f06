"""Auto-migration: what stands on a phase's leaderboard when it ends is scored in the phase after it too.

A submission that is still under way when the next phase begins holds nothing up: what is scored is taken over at once,
and the rest when it is scored, or never if it fails. Taking over can be stopped at any point and gone on with: a
submission is taken over once, the database sees to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from podium.platform.lifecycle import (
    TERMINAL_SUBMISSION_STATUSES,
    MigrationStatus,
)
from podium.platform.models import (
    Competition,
    LeaderboardEntry,
    Phase,
    PhaseMigration,
    Submission,
)
from podium.platform.submissions.copies import queue_copies
from podium.platform.transitions import finish_migration

PART = 100
"""Submissions that are taken over in one transaction."""
ACTOR = "flow:migrate-phase"


def migrate_part(session: Session, phase_id: UUID, *, size: int = PART) -> list[UUID]:
    """Take over some more of what stands on the leaderboard of the phase before; return the new submissions.

    They don't count against anybody's quota, and are scored behind those that people make now.
    """
    migration = session.get(PhaseMigration, phase_id, with_for_update=True, populate_existing=True)
    if migration is None or migration.status is not MigrationStatus.RUNNING:
        return []
    phase = session.get_one(Phase, phase_id)
    origins = session.scalars(_left_to_migrate(phase).limit(size)).all()
    if not origins:
        return []
    made = _take_over(session, phase, origins)
    migration.copied += len(made)
    return made


def _before(phase: Phase) -> Phase:
    return phase.competition.phases[phase.position - 1]


def _left_to_migrate(phase: Phase) -> Select[tuple[Submission]]:
    copy = aliased(Submission)
    return (
        select(Submission)
        .join(LeaderboardEntry, LeaderboardEntry.submission_id == Submission.id)
        .where(
            LeaderboardEntry.phase_id == _before(phase).id,
            LeaderboardEntry.until.is_(None),
            Submission.content.is_not(None),
            ~exists().where(copy.phase_id == phase.id, copy.origin_id == Submission.id, copy.rerun_id.is_(None)),
        )
        .order_by(Submission.created, Submission.id)
    )


def _take_over(session: Session, phase: Phase, origins: Sequence[Submission]) -> list[UUID]:
    first = session.scalar(
        update(Competition)
        .where(Competition.id == phase.competition_id)
        .values(next_submission_number=Competition.next_submission_number + len(origins))
        .returning(Competition.next_submission_number - len(origins))
    )
    assert first is not None
    before = _before(phase)
    made = queue_copies(
        session,
        origins,
        number=lambda at, _: first + at,
        actor=ACTOR,
        reason=lambda origin: f"Migrated from phase '{before.name}', submission {origin.number}.",
        phase_id=phase.id,
    )
    return list(made.values())


def waiting_for_a_flow(session: Session) -> list[UUID]:
    """Phases into which a migration goes on, that no flow drives and for which there is something to do now.

    While all that is left of the phase before is still under way, there is not.
    """
    running = select(PhaseMigration.phase_id).where(
        PhaseMigration.status == MigrationStatus.RUNNING, PhaseMigration.flow_run_id.is_(None)
    )
    found = []
    for phase_id in session.scalars(running).all():
        phase = session.get_one(Phase, phase_id)
        if session.scalars(_left_to_migrate(phase).limit(1)).first() is not None or not _under_way(session, phase):
            found.append(phase_id)
    return found


def _under_way(session: Session, phase: Phase) -> int:
    """Submissions of the phase before that may still come onto its leaderboard."""
    query = select(func.count()).where(
        Submission.phase_id == _before(phase).id,
        Submission.rerun_id.is_(None),
        Submission.status.not_in(TERMINAL_SUBMISSION_STATUSES),
    )
    return session.scalar(query) or 0


def finish_if_done(session: Session, phase_id: UUID) -> bool:
    """End the migration if nothing is left that could still be taken over; else say what it waits for."""
    migration = session.get(PhaseMigration, phase_id, with_for_update=True, populate_existing=True)
    if migration is None or migration.status is not MigrationStatus.RUNNING:
        return True
    phase = session.get_one(Phase, phase_id)
    before = _before(phase)
    under_way = _under_way(session, phase)
    # The count first: what ends between the two queries is found by the second.
    left = session.scalars(_left_to_migrate(phase).limit(1)).first()
    if under_way or left is not None:
        verb = "is" if under_way == 1 else "are"
        migration.message = f"{under_way} of phase '{before.name}' {verb} still being scored." if under_way else ""
        migration.flow_run_id = None
        return False
    what, were = ("submission", "was") if migration.copied == 1 else ("submissions", "were")
    said = f"{migration.copied} {what} of phase '{before.name}' {were} taken over."
    finish_migration(session, migration, actor=ACTOR, message=said)
    return True
