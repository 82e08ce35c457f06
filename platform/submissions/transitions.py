"""The only place where a stored state changes: one conditional UPDATE, one event row, one notice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, String, Uuid, column, insert, tuple_, update, values
from sqlalchemy.orm import Session

from podium.platform import audit
from podium.platform.database import notify, notify_all
from podium.platform.lifecycle import (
    ADOPTION_TRANSITIONS,
    BUNDLE_TRANSITIONS,
    MIGRATION_TRANSITIONS,
    PHASE_TRANSITIONS,
    RERUN_TRANSITIONS,
    SUBMISSION_TRANSITIONS,
    TERMINAL_SUBMISSION_STATUSES,
    BundleStatus,
    IllegalTransition,
    MigrationStatus,
    PhaseStatus,
    RerunStatus,
    SubmissionStatus,
    origins,
    require_transition,
)
from podium.platform.models import Bundle, Event, Phase, PhaseMigration, Rerun, Submission, now
from podium.platform.submissions.logs import logs_topic

WAITS_FOR_AGENT = "Waits for an agent."
"""The status message of a submission that is queued and has its flow run."""
_AT_ONCE = 1000
"""Submissions that one statement changes."""


def record_event(
    session: Session,
    *,
    subject: str,
    subject_id: UUID,
    before: str | None,
    after: str,
    actor: str,
    reason: str = "",
    name: str = "",
) -> None:
    """Remember that something changed, who did it and why; in the audit log too, where it is an organizer's act.

    Args:
        name: What people call it, where the address of the call does not say so.
    """
    audit.note(session, subject, name=name, before=before, after=after, reason=reason)
    session.add(
        Event(subject=subject, subject_id=subject_id, before=before, after=after, actor=actor[:200], reason=reason)
    )


def submission_topic(submission_id: UUID) -> str:
    """The topic under which watchers of a submission are told."""
    return f"submission:{submission_id}"


def bundle_topic(bundle_id: UUID) -> str:
    """The topic under which watchers of a bundle are told."""
    return f"bundle:{bundle_id}"


def pool_topic(pool: str) -> str:
    """The topic under which a pool's agents are told that there is work."""
    return f"pool:{pool}"


def rerun_topic(rerun_id: UUID) -> str:
    """The topic under which watchers of a rerun are told."""
    return f"rerun:{rerun_id}"


def move_submission(
    session: Session,
    submission: Submission,
    after: SubmissionStatus,
    *,
    actor: str,
    reason: str = "",
    **values: Any,  # noqa: ANN401  # columns of Submission, checked by SQLAlchemy
) -> None:
    """Change a submission's status, if the table allows it from the status that it has in the database.

    Args:
        reason: Shown to people as the submission's `status_message`.
        values: Other columns to set in the same UPDATE.

    Raises:
        IllegalTransition: The status is one from which `after` can't be reached; nothing was changed.
    """
    move_submissions(session, [(submission, actor)], after, reason=reason, **values)


def move_submissions(
    session: Session,
    moves: Sequence[tuple[Submission, str]],
    after: SubmissionStatus,
    *,
    reason: str = "",
    **values: Any,  # noqa: ANN401  # columns of Submission, checked by SQLAlchemy
) -> None:
    """Change the status of several submissions, each by its actor: in as many statements as for one.

    Raises:
        IllegalTransition: One has a status from which `after` can't be reached. The caller rolls back.
    """
    if after in TERMINAL_SUBMISSION_STATUSES:
        values["ended"] = now()
    before = {submission.id: submission.status for submission, _ in moves}
    moved = session.scalars(
        update(Submission)
        .where(Submission.id.in_(before), tuple_(Submission.id, Submission.status).in_(before.items()))
        .where(Submission.status.in_(origins(SUBMISSION_TRANSITIONS, after)))
        .values(status=after, status_message=reason, version=Submission.version + 1, **values)
        .returning(Submission)
        # The rows that come back are what the session knows of them from now on.
        .execution_options(synchronize_session=False, populate_existing=True)
    ).all()
    if len(moved) != len(moves):
        unmoved = set(before) - {submission.id for submission in moved}
        refused = " or ".join(sorted({str(before[one]) for one in unmoved}))
        raise IllegalTransition(f"A submission that is {refused} can't become {after}.")
    _record_moves(session, moves, before, after, reason)
    topics = [submission_topic(one) for one in before]
    if after in TERMINAL_SUBMISSION_STATUSES:
        # Whoever follows the logs waits for text, and now there will be no more.
        topics += [logs_topic(one) for one in before]
        topics += {rerun_topic(one.rerun_id) for one in moved if one.rerun_id is not None}
    notify_all(session, topics)


def _record_moves(
    session: Session,
    moves: Sequence[tuple[Submission, str]],
    before: Mapping[UUID, SubmissionStatus],
    after: SubmissionStatus,
    reason: str,
) -> None:
    for submission, _ in moves:
        audit.note(session, "submission", before=before[submission.id], after=after, reason=reason)
    common = {"subject": "submission", "after": after, "reason": reason, "time": now()}
    session.execute(
        insert(Event),
        [
            {**common, "subject_id": submission.id, "before": before[submission.id], "actor": actor[:200]}
            for submission, actor in moves
        ],
    )


@dataclass(frozen=True, slots=True)
class Adopted:
    """That the evaluations of `results_id` are to be the ones that count for a submission, which then is `after`."""

    submission_id: UUID
    before: SubmissionStatus
    after: SubmissionStatus
    results_id: UUID
    message: str


def adopt_results(session: Session, adopted: Sequence[Adopted], *, actor: str, reason: str) -> None:
    """Let other evaluations be the ones that count for submissions that have ended, all of them at once.

    Raises:
        IllegalTransition: One is not as it was said to be, or can't become what it should; nothing was changed.
    """
    for one in adopted:
        require_transition(ADOPTION_TRANSITIONS, one.before, one.after)
    for start in range(0, len(adopted), _AT_ONCE):
        part = adopted[start : start + _AT_ONCE]
        # Without rows of its own in the statement, the guard would be one statement for each.
        new = values(
            column("id", Uuid(as_uuid=True)),
            column("before", String),
            column("after", String),
            column("results_id", Uuid(as_uuid=True)),
            column("message", String),
            name="new",
        ).data([(one.submission_id, one.before, one.after, one.results_id, one.message) for one in part])
        status = Submission.__table__.c.status
        result = session.execute(
            update(Submission)
            .where(Submission.id == new.c.id, Submission.status == new.c.before.cast(status.type))
            .values(
                status=new.c.after.cast(status.type),
                status_message=new.c.message,
                results_id=new.c.results_id,
                version=Submission.version + 1,
            )
            .execution_options(synchronize_session=False)
        )
        assert isinstance(result, CursorResult)
        if result.rowcount != len(part):
            raise IllegalTransition("A submission has changed since its new results were compared with the old.")
        session.execute(
            insert(Event),
            [
                {
                    "subject": "submission",
                    "subject_id": one.submission_id,
                    "before": one.before,
                    "after": one.after,
                    "actor": actor[:200],
                    "reason": reason,
                    "time": now(),
                }
                for one in part
            ],
        )
    for one in adopted:
        notify(session, submission_topic(one.submission_id))


def touch_submission(session: Session, submission: Submission, **values: Any) -> None:  # noqa: ANN401  # columns
    """Change what watchers of a submission see, but not its status."""
    session.execute(
        update(Submission).where(Submission.id == submission.id).values(version=Submission.version + 1, **values)
    )
    session.refresh(submission)
    notify(session, submission_topic(submission.id))


def move_bundle(
    session: Session,
    bundle: Bundle,
    after: BundleStatus,
    *,
    actor: str,
    reason: str = "",
    **values: Any,  # noqa: ANN401  # columns of Bundle, checked by SQLAlchemy
) -> None:
    """Change a bundle's status, if the table allows it from the status that it has in the database.

    Raises:
        IllegalTransition: The status is one from which `after` can't be reached; nothing was changed.
    """
    before = bundle.status
    result = session.execute(
        update(Bundle)
        .where(Bundle.id == bundle.id, Bundle.status == before)
        .where(Bundle.status.in_(origins(BUNDLE_TRANSITIONS, after)))
        .values(status=after, message=reason, **values)
    )
    _require_changed(result, "bundle", before, after)
    session.refresh(bundle)
    record_event(
        session, subject="bundle", subject_id=bundle.id, before=before, after=after, actor=actor, reason=reason
    )
    notify(session, bundle_topic(bundle.id))


def move_rerun(
    session: Session,
    rerun: Rerun,
    after: RerunStatus,
    *,
    actor: str,
    reason: str = "",
    **values: Any,  # noqa: ANN401  # columns of Rerun, checked by SQLAlchemy
) -> None:
    """Change a rerun's status, if the table allows it from the status that it has in the database.

    Raises:
        IllegalTransition: The status is one from which `after` can't be reached; nothing was changed.
    """
    if after in {RerunStatus.ADOPTED, RerunStatus.CANCELLED}:
        values["ended"] = now()
    before = rerun.status
    result = session.execute(
        update(Rerun)
        .where(Rerun.id == rerun.id, Rerun.status == before)
        .where(Rerun.status.in_(origins(RERUN_TRANSITIONS, after)))
        .values(status=after, status_message=reason, version=Rerun.version + 1, **values)
    )
    _require_changed(result, "rerun", before, after)
    session.refresh(rerun)
    record_event(session, subject="rerun", subject_id=rerun.id, before=before, after=after, actor=actor, reason=reason)
    notify(session, rerun_topic(rerun.id))


def announce_phase(session: Session, phase: Phase, after: PhaseStatus, *, actor: str) -> bool:
    """Remember that a phase has opened or ended; tell whether that is news.

    Of several that announce the same at once, one does.
    """
    before = phase.announced
    result = session.execute(
        update(Phase)
        .where(Phase.id == phase.id, Phase.announced == before)
        .where(Phase.announced.in_(origins(PHASE_TRANSITIONS, after)))
        .values(announced=after)
    )
    assert isinstance(result, CursorResult)
    if result.rowcount != 1:
        return False
    session.refresh(phase)
    record_event(session, subject="phase", subject_id=phase.id, before=before, after=after, actor=actor)
    return True


def finish_migration(session: Session, migration: PhaseMigration, *, actor: str, message: str) -> None:
    """End the migration into a phase.

    Raises:
        IllegalTransition: It has ended before.
    """
    before, after = MigrationStatus.RUNNING, MigrationStatus.FINISHED
    result = session.execute(
        update(PhaseMigration)
        .where(PhaseMigration.phase_id == migration.phase_id)
        .where(PhaseMigration.status.in_(origins(MIGRATION_TRANSITIONS, after)))
        .values(status=after, message=message, ended=now())
    )
    _require_changed(result, "migration", before, after)
    session.refresh(migration)
    record_event(
        session,
        subject="migration",
        subject_id=migration.phase_id,
        before=before,
        after=after,
        actor=actor,
        reason=message,
    )


def _require_changed(result: Any, subject: str, before: str, after: str) -> None:  # noqa: ANN401  # a CursorResult
    assert isinstance(result, CursorResult)
    if result.rowcount != 1:
        raise IllegalTransition(f"A {subject} that is {before} can't become {after}.")
