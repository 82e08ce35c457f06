"""What happens at the dates of phases: that one has opened or ended is told, and migrations begin.

Whether a phase takes submissions is decided at each submission by the clock (`submissions.windows`); being late here
lets nobody in and keeps nobody out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from podium.platform.database import notify
from podium.platform.leaderboard.changes import leaderboard_topic
from podium.platform.lifecycle import MigrationStatus, PhaseStatus
from podium.platform.mail.phase_news import tell_of_phases
from podium.platform.models import Phase, PhaseMigration, now
from podium.platform.submissions.windows import phase_status
from podium.platform.transitions import announce_phase

ACTOR = "flow:tick"


@dataclass(slots=True)
class Ticked:
    """What a tick has found: how many phases it announced and messages it queued, and which migrations are to go on."""

    opened: int = 0
    ended: int = 0
    told: int = 0
    migrating: Sequence[UUID] = ()


def tick(session: Session) -> Ticked:
    """Announce what has changed since the last tick, and begin migrations; safe to do twice at once."""
    moment, ticked = now(), Ticked()
    for phase in session.scalars(_to_be_announced(moment)).all():
        after = PhaseStatus(phase_status(phase, moment))
        if phase.announced is after or not announce_phase(session, phase, after, actor=ACTOR):
            continue
        ticked.opened += after is PhaseStatus.OPEN
        ticked.ended += after is PhaseStatus.OVER
        notify(session, leaderboard_topic(phase.id))
        if after is PhaseStatus.UPCOMING:
            phase.opening_told = None  # it was put off: when it opens, that is news again
        if after is not PhaseStatus.UPCOMING and phase.auto_migrate_to_this_phase and phase.position > 0:
            session.execute(
                insert(PhaseMigration)
                .values(
                    phase_id=phase.id,
                    status=MigrationStatus.RUNNING,
                    message="",
                    copied=0,
                    dispatches=0,
                    started=moment,
                )
                .on_conflict_do_nothing()
            )
    session.flush()
    ticked.told = tell_of_phases(session, moment)
    ticked.migrating = session.scalars(
        select(PhaseMigration.phase_id).where(
            PhaseMigration.status == MigrationStatus.RUNNING, PhaseMigration.flow_run_id.is_(None)
        )
    ).all()
    return ticked


def _to_be_announced(moment: datetime) -> Select[tuple[Phase]]:
    """Phases whose dates have passed since they were last announced, or were moved."""
    over = Phase.ends <= moment
    begun = Phase.starts <= moment
    return (
        select(Phase)
        .where(
            or_(
                begun & ~over.is_(True) & (Phase.announced != PhaseStatus.OPEN),
                over & (Phase.announced != PhaseStatus.OVER),
                (Phase.starts > moment) & (Phase.announced != PhaseStatus.UPCOMING),
            )
        )
        .order_by(Phase.id)
    )
