"""Postgres and Prefect compared, and every disagreement repaired. Postgres is right.

Prefect's database can be lost, its flow runs can crash or be ended by hand, and its agents can die: what is queued is
then dispatched again, and what Prefect still takes for running is ended there. What an attempt's lease decides (is it
lost?) needs no Prefect, and is done by the gateway every few seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from podium.platform.batches import follow_batches
from podium.platform.database import Database
from podium.platform.lifecycle import (
    TERMINAL_SUBMISSION_STATUSES,
    AttemptStatus,
    BundleStatus,
    CampaignStatus,
    ImportStatus,
    MigrationStatus,
    RerunStatus,
    SubmissionStatus,
)
from podium.platform.models import (
    Attempt,
    Batch,
    Bundle,
    Chore,
    FlowLease,
    ImportSession,
    MailCampaign,
    MailRound,
    PhaseMigration,
    Rerun,
    Submission,
    now,
)
from podium.platform.orchestration import (
    CREATE_COMPETITION,
    DELIVER_MAIL,
    IMPORT_IMAGES,
    MIGRATE_PHASE,
    RECONCILE,
    RERUN_PHASE,
    SCALE_POOL,
    SCORE_SUBMISSION,
    SCORING_FLOWS,
    SEND_MASS_EMAIL,
    TICK,
    KnownFlowRun,
    Orchestration,
)

logger = logging.getLogger(__name__)
RECONCILE_SECONDS = 30.0
"""How often Postgres is compared with Prefect."""
SETTLING = timedelta(seconds=30)
"""A flow run that is younger may belong to a change that is being written at this moment."""
LOOKED_AT = 2000
"""Queued submissions that one reconciliation asks Prefect about."""
SHORT_FLOWS = timedelta(minutes=5)
"""No run of the flows that look after the platform takes so long."""
LEASED_FLOWS = (CREATE_COMPETITION, RERUN_PHASE, MIGRATE_PHASE, IMPORT_IMAGES, SEND_MASS_EMAIL, DELIVER_MAIL)
"""The platform's own flows that others wait for."""


@dataclass(slots=True)
class Repairs:
    """How many disagreements were repaired, by kind.

    Attributes:
        queued: Submissions that wait and had no flow run that could bring them on.
        batches: Batches, likewise.
        orphans: Flow runs that nothing needs, ended in Prefect.
        crashed: Flow runs that Prefect took for running, and nobody runs.
        flows: The platform's own flows that are to be begun again.
    """

    queued: int = 0
    batches: int = 0
    orphans: int = 0
    crashed: int = 0
    flows: int = 0

    def __str__(self) -> str:
        found = [f"{name} {getattr(self, name)}" for name in (one.name for one in fields(self)) if getattr(self, name)]
        return ", ".join(found) or "nothing to repair"


def reconcile(database: Database, orchestration: Orchestration, *, by: str) -> Repairs | None:
    """Compare and repair; `None` if another process is at it, or was a moment ago.

    Raises:
        PlatformFault: Prefect or Postgres can't be reached; what was repaired until then stays so.
    """
    with _alone(database) as is_alone:
        if not is_alone:
            return None
        repairs = Repairs()
        _dispatch_again_what_waits(database, orchestration, repairs)
        _dispatch_batches_again(database, orchestration, repairs)
        _end_orphans(database, orchestration, repairs)
        _begin_flows_again(database, orchestration, repairs)
        with database.session() as session:
            note_chore(session, "reconcile", by=by, outcome=asdict(repairs))
        if str(repairs) != str(Repairs()):
            logger.warning("reconciled Postgres and Prefect: %s", repairs)
        return repairs


def note_chore(session: Session, name: str, *, by: str, outcome: dict[str, int]) -> None:
    """Remember that something that is done again and again was done now."""
    values = {"ran": now(), "by": by[:100], "outcome": outcome}
    session.execute(
        insert(Chore).values(name=name, **values).on_conflict_do_update(index_elements=["name"], set_=values)
    )


def seconds_since(session: Session, name: str) -> float | None:
    """How long ago it was done; `None` if never."""
    ran = session.scalar(select(Chore.ran).where(Chore.name == name))
    return None if ran is None else (now() - ran).total_seconds()


@contextmanager
def _alone(database: Database) -> Iterator[bool]:
    """Whether nobody else reconciles while the block runs. The lock goes with the connection, whoever dies."""
    with database.engine.connect() as connection:
        got = bool(connection.scalar(text("SELECT pg_try_advisory_lock(hashtext('podium-reconcile'))")))
        try:
            yield got
        finally:
            if got:
                connection.execute(text("SELECT pg_advisory_unlock(hashtext('podium-reconcile'))"))
            connection.commit()


def _dispatch_again_what_waits(database: Database, orchestration: Orchestration, repairs: Repairs) -> None:
    with database.session() as session:
        waiting = session.execute(
            select(Submission.id, Submission.flow_run_id)
            .where(
                Submission.status == SubmissionStatus.QUEUED,
                Submission.ended.is_(None),
                Submission.flow_run_id.is_not(None),
                Submission.batch_id.is_(None),
            )
            .order_by(Submission.queued)
            .limit(LOOKED_AT)
        ).all()
    known = orchestration.flow_runs([flow_run_id for _, flow_run_id in waiting if flow_run_id])
    for submission_id, flow_run_id in waiting:
        if flow_run_id and _is_gone(known.get(flow_run_id)):
            with database.session() as session:
                changed = session.scalar(
                    update(Submission)
                    .where(
                        Submission.id == submission_id,
                        Submission.flow_run_id == flow_run_id,
                        Submission.status == SubmissionStatus.QUEUED,
                    )
                    .values(flow_run_id=None)
                    .returning(Submission.id)
                )
            repairs.queued += changed is not None


def _is_gone(run: KnownFlowRun | None) -> bool:
    return run is None or run.ended


def _dispatch_batches_again(database: Database, orchestration: Orchestration, repairs: Repairs) -> None:
    with database.session() as session:
        follow_batches(session, orchestration)
        open_batches = session.execute(
            select(Batch.id, Batch.flow_run_id).where(Batch.ended.is_(None), Batch.flow_run_id.is_not(None))
        ).all()
    known = orchestration.flow_runs([flow_run_id for _, flow_run_id in open_batches if flow_run_id])
    for batch_id, flow_run_id in open_batches:
        if flow_run_id and _is_gone(known.get(flow_run_id)):
            with database.session() as session:
                session.execute(update(Batch).where(Batch.id == batch_id).values(ended=now()))
                session.execute(
                    update(Submission)
                    .where(Submission.batch_id == batch_id, Submission.status == SubmissionStatus.QUEUED)
                    .values(flow_run_id=None, batch_id=None)
                )
            repairs.batches += 1


def _end_orphans(database: Database, orchestration: Orchestration, repairs: Repairs) -> None:
    """Flow runs of scoring that Prefect takes for open, and that nothing in Postgres needs any more."""
    runs = [run for run in orchestration.open_flow_runs(SCORING_FLOWS) if now() - run.since > SETTLING]
    if not runs:
        return
    with database.session() as session:
        needed = _needed_flow_runs(session, [run.id for run in runs])
    for run in runs:
        if run.id in needed:
            continue
        if run.state in {"RUNNING", "PENDING"} and run.flow == SCORE_SUBMISSION:
            orchestration.set_state(run.id, "CRASHED", name="Lost", message="Its attempt is over.")
            repairs.crashed += 1
        else:
            orchestration.set_state(run.id, "CANCELLED", name="Cancelled", message="Nothing waits for it any more.")
            repairs.orphans += 1


def _needed_flow_runs(session: Session, ids: list[UUID]) -> set[UUID]:
    """Those under which something waits or is scored."""
    waiting = session.scalars(
        select(Submission.flow_run_id).where(
            Submission.flow_run_id.in_(ids), Submission.status.not_in(TERMINAL_SUBMISSION_STATUSES)
        )
    )
    running = session.scalars(
        select(Attempt.flow_run_id).where(Attempt.flow_run_id.in_(ids), Attempt.status == AttemptStatus.ACTIVE)
    )
    # What ended a moment ago may not have been told to Prefect yet: agents tell it a little later.
    ending = session.scalars(
        select(Attempt.flow_run_id).where(
            Attempt.flow_run_id.in_(ids), Attempt.ended > now() - SETTLING, Attempt.status != AttemptStatus.LOST
        )
    )
    batches = session.scalars(select(Batch.flow_run_id).where(Batch.flow_run_id.in_(ids), Batch.ended.is_(None)))
    return {one for found in (waiting, running, ending, batches) for one in found if one is not None}


def _begin_flows_again(database: Database, orchestration: Orchestration, repairs: Repairs) -> None:
    """The platform's own flows: end those that nobody runs, and let go of those that have ended too early."""
    with database.session() as session:
        leases = {row[0]: row[1] for row in session.execute(select(FlowLease.flow_run_id, FlowLease.expires))}
    for run in orchestration.open_flow_runs((RECONCILE, TICK, SCALE_POOL)):
        if run.state in {"RUNNING", "PENDING"} and now() - run.since > SHORT_FLOWS:
            orchestration.set_state(run.id, "CRASHED", name="Lost", message="The agent that ran it is gone.")
            repairs.crashed += 1
    for run in orchestration.open_flow_runs(LEASED_FLOWS):
        settled = now() - run.since > SETTLING
        if run.state in {"RUNNING", "PENDING"} and settled and leases.get(run.id, run.since) < now():
            orchestration.set_state(run.id, "CRASHED", name="Lost", message="The agent that ran it is gone.")
            repairs.crashed += 1
    with database.session() as session:
        held = _held_by_flows(session)
    known = orchestration.flow_runs(list(held))
    for flow_run_id, (model, key) in held.items():
        if _is_gone(known.get(flow_run_id)):
            with database.session() as session:
                session.execute(
                    update(model)
                    .where(next(iter(model.__mapper__.primary_key)) == key, model.flow_run_id == flow_run_id)
                    .values(flow_run_id=None)
                )
            repairs.flows += 1


Held = type[Bundle] | type[Rerun] | type[PhaseMigration] | type[ImportSession] | type[MailCampaign] | type[MailRound]


def _held_by_flows(session: Session) -> dict[UUID, tuple[Held, UUID]]:
    """Whatever waits for a flow of the platform's own, by its flow run."""
    found: dict[UUID, tuple[Held, UUID]] = {}
    for model, key, condition in (
        (Bundle, Bundle.id, Bundle.status.in_((BundleStatus.QUEUED, BundleStatus.READING))),
        (Rerun, Rerun.id, Rerun.status.in_((RerunStatus.WAITING, RerunStatus.RUNNING))),
        (PhaseMigration, PhaseMigration.phase_id, PhaseMigration.status == MigrationStatus.RUNNING),
        (MailCampaign, MailCampaign.id, MailCampaign.status == CampaignStatus.SENDING),
        (MailRound, MailRound.id, MailRound.ended.is_(None)),
        (ImportSession, ImportSession.id, ImportSession.status.in_((ImportStatus.QUEUED, ImportStatus.IMPORTING))),
    ):
        for subject_id, flow_run_id in session.execute(select(key, model.flow_run_id).where(condition)):
            if flow_run_id is not None:
                found[flow_run_id] = (model, subject_id)
    return found
