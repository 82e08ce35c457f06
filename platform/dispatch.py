"""From queued to a flow run: at once after the upload, and again for whatever was left behind.

Postgres says what is queued; a flow run is how operators see it. If Prefect can't be reached, the submission stays
queued with the reason, and the next tick tries again.

A flow run costs Prefect about half a second of a core. So while many wait, and for reruns, one stands for a batch.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from podium.platform import phase_clock
from podium.platform.batches import (
    BATCH_SIZE,
    Alike,
    assign_to_batch,
    assign_together,
    dispatch_batch,
    is_busy,
    undispatched_batches,
    undispatched_submissions,
)
from podium.platform.database import Database, notify
from podium.platform.driven import DRIVEN_KINDS, AnyDriven
from podium.platform.errors import PlatformFault
from podium.platform.events import pool_topic
from podium.platform.flow_leases import let_go_of_dead
from podium.platform.lifecycle import SubmissionQueue, SubmissionStatus
from podium.platform.mail.agent_news import tell_of_lost_agents
from podium.platform.mail.rounds import settle_abandoned
from podium.platform.models import Competition, Pool, Submission, now
from podium.platform.orchestration import Orchestration
from podium.platform.pool_registration import register_pools
from podium.platform.reconciliation import RECONCILE_SECONDS, note_chore, reconcile, seconds_since
from podium.platform.submissions.attempts import cancel_overdue_uploads, lose_expired
from podium.platform.submissions.transitions import WAITS_FOR_AGENT, touch_submission

logger = logging.getLogger(__name__)
TICK_SECONDS = 5.0
WAKE_SECONDS = 1.0
"""How often agents are told of retries whose time has come."""
SLEPT_SECONDS = 3.0
"""A wait that takes so much longer than it should tells that this process was frozen."""
OVERDUE_SECONDS = 3 * RECONCILE_SECONDS
"""Without a reconciliation for so long, its flow is not run by anybody, and the gateway does it."""
DISPATCHABLE = frozenset({SubmissionStatus.SUBMITTED, SubmissionStatus.QUEUED})
WAITS_FOR_SCHEDULER = "Waits for the scheduler"
UNDISPATCHED = 500
"""Submissions that one tick dispatches at most."""


class Dispatcher:
    """Makes flow runs for submissions and bundles, and ends what is overdue: attempts and uploads.

    Args:
        upload_seconds: How long an upload may take.
        lease_seconds: How long heartbeats get after a start, or after the database was away, before attempts are lost:
            for nobody could renew a lease meanwhile.
    """

    def __init__(
        self, database: Database, orchestration: Orchestration, *, upload_seconds: float, lease_seconds: float = 0
    ) -> None:
        self._database = database
        self._lease_seconds = lease_seconds
        self._upload_seconds = upload_seconds
        self._orchestration = orchestration
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._woken = now()
        self._checked = time.monotonic()
        self._reachable = time.monotonic()

    def start(self) -> None:
        """Tick from now on, in a thread."""
        self._thread = threading.Thread(target=self._run, name="podium-dispatcher", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop ticking."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def dispatch_submission(self, submission_id: UUID) -> None:
        """Make the flow run for a submission that has none: at best while its file is still on the way.

        Says in the status of a queued one why, if that fails.
        """
        with self._database.session() as session:
            submission = session.get(Submission, submission_id)
            if submission is None or submission.status not in DISPATCHABLE or submission.flow_run_id:
                return
            pool = submission.competition.pool
            in_batch = submission.queue is not SubmissionQueue.DEFAULT or is_busy(session, pool.id)
            if in_batch and submission.status is SubmissionStatus.SUBMITTED:
                return  # it gets into a batch when its file is there
            try:
                if in_batch:
                    batch_id = assign_to_batch(session, submission)
                    flow_run_id = dispatch_batch(session, self._orchestration, batch_id)
                else:
                    flow_run_id = self._flow_run(submission)
            except PlatformFault as error:
                self._say_why(session, submission, error)
                return
            # The upload may have been completed meanwhile: the status that counts is the one that is locked now.
            status = session.scalar(
                update(Submission)
                .where(Submission.id == submission_id, Submission.flow_run_id.is_(None))
                .values(flow_run_id=flow_run_id, dispatches=Submission.dispatches + 1)
                .returning(Submission.status)
            )
            if status is SubmissionStatus.QUEUED:
                if submission.status_message.startswith(WAITS_FOR_SCHEDULER):
                    touch_submission(session, submission, status_message=WAITS_FOR_AGENT)
                notify(session, pool_topic(pool.name))

    def _dispatch_together(self, alike: Alike) -> None:
        """Put submissions into batches, and make the flow runs of these that have none."""
        ids = alike.submission_ids
        for start in range(0, len(ids), BATCH_SIZE):
            part = replace(alike, submission_ids=ids[start : start + BATCH_SIZE])
            with self._database.session() as session:
                batches = assign_together(session, part)
                try:
                    for batch_id in batches:
                        dispatch_batch(session, self._orchestration, batch_id)
                except PlatformFault as error:
                    undispatched = select(Submission).where(
                        Submission.batch_id.in_(batches), Submission.flow_run_id.is_(None)
                    )
                    for submission in session.scalars(undispatched).all():
                        self._say_why(session, submission, error)

    def _say_why(self, session: Session, submission: Submission, error: PlatformFault) -> None:
        logger.warning("submission %s could not be dispatched: %s", submission.id, error)
        reason = f"{WAITS_FOR_SCHEDULER}: {error.detail} It is tried again every few seconds."
        if submission.status is SubmissionStatus.QUEUED and submission.status_message != reason:
            touch_submission(session, submission, status_message=reason)

    def _flow_run(self, submission: Submission) -> UUID:
        competition = submission.competition
        tries = f" attempt {submission.attempts[-1].number + 1}" if submission.attempts else ""
        return self._orchestration.dispatch_submission(
            submission.id,
            pool=competition.pool.name,
            dispatch=submission.dispatches + 1,
            name=f"{competition.slug} #{submission.number}{tries}",
            tags=[
                f"competition:{competition.slug}",
                f"phase:{submission.phase.position + 1}",
                f"submission:{submission.id}",
            ],
        )

    def forget_flow_run(self, flow_run_id: UUID) -> None:
        """Tell Prefect that a flow run will not be needed any more; that it can't be told harms nothing."""
        try:
            self._orchestration.cancel_flow_run(flow_run_id)
        except PlatformFault as error:
            logger.warning("flow run %s could not be cancelled: %s", flow_run_id, error)

    def drive(self, kind: AnyDriven, one: UUID) -> None:
        """Make the flow run of a bundle, a rerun or a migration that needs one and has none."""
        kind.dispatch(self._database, self._orchestration, one)

    def tick(self, *, leases_count: bool = True) -> None:
        """End attempts that were lost and uploads that never came; dispatch what is queued without a flow run.

        Args:
            leases_count: Whether whoever holds a lease has had the time to renew it.
        """
        with self._database.session() as session:
            if leases_count:
                lose_expired(session)
                let_go_of_dead(session)
            cancel_overdue_uploads(session, seconds=self._upload_seconds)
        with self._database.session() as session:
            together, singly = undispatched_submissions(session, limit=UNDISPATCHED)
            batches = undispatched_batches(session)
            driven = [(kind, kind.waiting(session)) for kind in DRIVEN_KINDS]
        for batch_id in batches:
            self.dispatch_batch(batch_id)
        for alike in together:
            self._dispatch_together(alike)
        for submission_id in singly:
            self.dispatch_submission(submission_id)
        for kind, waiting in driven:
            for one in waiting:
                self.drive(kind, one)

    def dispatch_batch(self, batch_id: UUID) -> None:
        """Make the flow run of a batch that has none, and let agents have its submissions."""
        with self._database.session() as session:
            try:
                dispatch_batch(session, self._orchestration, batch_id)
            except PlatformFault as error:
                logger.warning("batch %s could not be dispatched: %s", batch_id, error)

    def wake_for_retries(self) -> None:
        """Tell agents of submissions whose wait before the next attempt has ended."""
        since, self._woken = self._woken, now()
        with self._database.session() as session:
            for pool in session.scalars(_pools_with_retries(since, self._woken)):
                notify(session, pool_topic(pool))

    def look_after(self) -> None:
        """Tell of lost agents; stand in for flows that look after the platform where nobody runs them."""
        with self._database.session() as session:
            tell_of_lost_agents(session, timedelta(seconds=time.monotonic() - self._reachable))
            settle_abandoned(session)
        with self._database.session() as session:
            since = seconds_since(session, "reconcile")
            ticked = seconds_since(session, "tick")
            if ticked is None or ticked > OVERDUE_SECONDS:
                phase_clock.tick(session)
                note_chore(session, "tick", by="gateway", outcome={})
        if not self._orchestration.is_registered():
            logger.warning("Prefect has lost its deployments: they are made again")
            self._orchestration.register()
        register_pools(self._database, self._orchestration)
        if since is None or since > OVERDUE_SECONDS:
            reconcile(self._database, self._orchestration, by="gateway")

    def leases_count(self) -> bool:
        """Whether whoever holds a lease has had the time to renew it since this gateway could last not be reached."""
        return time.monotonic() - self._reachable > self._lease_seconds

    def _sleeps(self, seconds: float) -> bool:
        """Wait until the next look; tell whether to stop. A process that was frozen has heard no heartbeat either."""
        began = time.monotonic()
        stop = self._stop.wait(seconds)
        if time.monotonic() - began > seconds + max(SLEPT_SECONDS, self._lease_seconds / 2):
            self._reachable = time.monotonic()
        return stop

    def _run(self) -> None:
        ticked = time.monotonic()
        while not self._sleeps(WAKE_SECONDS):
            try:
                self.wake_for_retries()
                if time.monotonic() - ticked >= TICK_SECONDS:
                    ticked = time.monotonic()
                    self.tick(leases_count=self.leases_count())
                    if time.monotonic() - self._checked >= RECONCILE_SECONDS:
                        self._checked = time.monotonic()
                        self.look_after()
            except PlatformFault as error:
                logger.warning("the dispatcher could not do its work: %s", error)
                if not self._database.answers():
                    self._reachable = time.monotonic()
            except Exception:
                # The loop must outlive anything: a database that is down comes back.
                logger.exception("a tick of the dispatcher failed")


def _pools_with_retries(since: datetime, until: datetime) -> Select[tuple[str]]:
    return (
        select(Pool.name)
        .join(Competition, Competition.pool_id == Pool.id)
        .join(Submission, Submission.competition_id == Competition.id)
        .where(
            Submission.status == SubmissionStatus.QUEUED,
            Submission.ended.is_(None),
            Submission.not_before > since,
            Submission.not_before <= until,
        )
        .distinct()
    )
