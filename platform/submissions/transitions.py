"""Submissions change here and nowhere else: one conditional UPDATE, one event row, one notice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, String, Uuid, column, insert, tuple_, update, values
from sqlalchemy.orm import Session

from podium.platform import audit
from podium.platform.database import notify, notify_all
from podium.platform.events import rerun_topic, submission_topic
from podium.platform.lifecycle import (
    ADOPTION_TRANSITIONS,
    SUBMISSION_TRANSITIONS,
    TERMINAL_SUBMISSION_STATUSES,
    IllegalTransition,
    SubmissionStatus,
    origins,
    require_transition,
)
from podium.platform.mail.submission_news import tell_of_ends
from podium.platform.models import Event, Submission, now
from podium.platform.submissions.logs import logs_topic

WAITS_FOR_AGENT = "Waits for an agent."
"""The status message of a submission that is queued and has its flow run."""
_AT_ONCE = 1000
"""Submissions that one statement changes."""


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
    tell_of_ends(session, moved, after)
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
