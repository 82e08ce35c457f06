"""From queued to a flow run: at once after the upload, and again for whatever was left behind.

Postgres says what is queued; a flow run is how an agent gets to know. If Prefect can't be reached, the submission
stays queued with the reason, and the next tick tries again.
"""

from __future__ import annotations

import logging
import threading
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from podium.platform.database import Database, notify
from podium.platform.errors import PlatformFault
from podium.platform.lifecycle import BundleStatus, SubmissionStatus
from podium.platform.models import Attempt, Bundle, Submission
from podium.platform.orchestration import PLATFORM_POOL, Orchestration
from podium.platform.submissions.attempts import cancel_overdue_uploads, lose_expired
from podium.platform.submissions.transitions import WAITS_FOR_AGENT, pool_topic, touch_submission

logger = logging.getLogger(__name__)
TICK_SECONDS = 5.0
DISPATCHABLE = frozenset({SubmissionStatus.SUBMITTED, SubmissionStatus.QUEUED})
WAITS_FOR_SCHEDULER = "Waits for the scheduler"
UNDISPATCHED = 100
"""Submissions that one tick dispatches at most."""


class Dispatcher:
    """Makes flow runs for submissions and bundles, and ends what is overdue: attempts and uploads."""

    def __init__(self, database: Database, orchestration: Orchestration, *, upload_seconds: float) -> None:
        self._database = database
        self._upload_seconds = upload_seconds
        self._orchestration = orchestration
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

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
            try:
                flow_run_id = self._flow_run(session, submission)
            except PlatformFault as error:
                logger.warning("submission %s could not be dispatched: %s", submission_id, error)
                reason = f"{WAITS_FOR_SCHEDULER}: {error.detail} It is tried again every few seconds."
                if submission.status is SubmissionStatus.QUEUED and submission.status_message != reason:
                    touch_submission(session, submission, status_message=reason)
                return
            # The upload may have been completed meanwhile: the status that counts is the one that is locked now.
            status = session.scalar(
                update(Submission)
                .where(Submission.id == submission_id, Submission.flow_run_id.is_(None))
                .values(flow_run_id=flow_run_id)
                .returning(Submission.status)
            )
            if status is SubmissionStatus.QUEUED:
                if submission.status_message.startswith(WAITS_FOR_SCHEDULER):
                    touch_submission(session, submission, status_message=WAITS_FOR_AGENT)
                notify(session, pool_topic(submission.competition.pool.name))

    def _flow_run(self, session: Session, submission: Submission) -> UUID:
        attempt = 1 + (
            session.scalar(select(func.max(Attempt.number)).where(Attempt.submission_id == submission.id)) or 0
        )
        competition = submission.competition
        return self._orchestration.dispatch_submission(
            submission.id,
            pool=competition.pool.name,
            attempt=attempt,
            name=f"{competition.slug} #{submission.number} attempt {attempt}",
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

    def dispatch_bundle(self, bundle_id: UUID) -> None:
        """Make the flow run for a queued bundle that has none."""
        with self._database.session() as session:
            bundle = session.get(Bundle, bundle_id)
            if bundle is None or bundle.status is not BundleStatus.QUEUED or bundle.flow_run_id:
                return
            try:
                bundle.flow_run_id = self._orchestration.dispatch_bundle(
                    bundle_id, name=f"create {bundle.filename}"[:200], tags=[f"bundle:{bundle_id}"]
                )
            except PlatformFault as error:
                logger.warning("bundle %s could not be dispatched: %s", bundle_id, error)
                return
            notify(session, pool_topic(PLATFORM_POOL))

    def tick(self) -> None:
        """End attempts that were lost and uploads that never came; dispatch what is queued without a flow run."""
        with self._database.session() as session:
            lose_expired(session)
            cancel_overdue_uploads(session, seconds=self._upload_seconds)
        with self._database.session() as session:
            submissions = session.scalars(
                select(Submission.id)
                .where(Submission.status == SubmissionStatus.QUEUED, Submission.flow_run_id.is_(None))
                .order_by(Submission.queued)
                .limit(UNDISPATCHED)
            ).all()
            bundles = session.scalars(
                select(Bundle.id).where(Bundle.status == BundleStatus.QUEUED, Bundle.flow_run_id.is_(None))
            ).all()
        for submission_id in submissions:
            self.dispatch_submission(submission_id)
        for bundle_id in bundles:
            self.dispatch_bundle(bundle_id)

    def _run(self) -> None:
        while not self._stop.wait(TICK_SECONDS):
            try:
                self.tick()
            except Exception:
                # The loop must outlive anything: a database that is down comes back.
                logger.exception("a tick of the dispatcher failed")
