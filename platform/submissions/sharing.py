"""Submissions that their participants let everybody have, where the competition allows it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium.platform.errors import Conflict, NotFound
from podium.platform.identity import Caller
from podium.platform.leaderboard.reading import shown_name
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.models import Competition, Submission, now
from podium.platform.records.offers import SharedSubmission
from podium.platform.submissions.views import submission_options, submission_record


def share(session: Session, submission: Submission) -> None:
    """Let everybody have a submission's file and message.

    Raises:
        Conflict: The organizers don't allow it, it was not scored, or its file is gone.
    """
    if not submission.competition.can_participants_make_submissions_public:
        raise Conflict("The organizers of this competition don't let submissions be made public.")
    _hold(session, submission)
    if submission.status is not SubmissionStatus.FINISHED:
        raise Conflict("Only a submission that was scored can be made public.")
    if submission.content is None:
        raise Conflict("The file of this submission was removed, so that there is nothing to make public.")
    if submission.shared is None:
        submission.shared = now()
        submission.version += 1


def unshare(session: Session, submission: Submission) -> None:
    """Let nobody else have a submission's file any more. Who has it already keeps it."""
    _hold(session, submission)
    if submission.shared is not None:
        submission.shared = None
        submission.version += 1


def _hold(session: Session, submission: Submission) -> None:
    """See what others have decided of it, and let them wait."""
    session.refresh(submission, ["status", "content", "shared", "version"], with_for_update=True)


def shared_submissions(
    session: Session, competition: Competition, caller: Caller | None, *, limit: int, offset: int
) -> list[SharedSubmission]:
    """What participants let everybody have, what was shared last first; of an anonymous board without their names."""
    if not competition.can_participants_make_submissions_public:
        return []
    rows = session.scalars(
        select(Submission)
        .where(Submission.competition_id == competition.id, *_IS_SHARED)
        .order_by(Submission.shared.desc(), Submission.id)
        .limit(limit)
        .offset(offset)
        .options(*submission_options())
    ).all()
    return [_record(session, row, caller) for row in rows]


def shared_submission(session: Session, competition: Competition, submission_id: UUID) -> Submission:
    """One of them.

    Raises:
        NotFound: Nobody shares one of that id.
    """
    found = None
    if competition.can_participants_make_submissions_public:
        found = session.scalar(
            select(Submission).where(
                Submission.id == submission_id, Submission.competition_id == competition.id, *_IS_SHARED
            )
        )
    if found is None or found.content is None:
        raise NotFound("Nobody shares a submission of that id.", remedy="Its participant may have taken it back.")
    return found


_IS_SHARED = (Submission.shared.is_not(None), Submission.content.is_not(None), Submission.rerun_id.is_(None))


def _record(session: Session, submission: Submission, caller: Caller | None) -> SharedSubmission:
    record = submission_record(session, submission, for_organizer=False, whole=False)
    return SharedSubmission(
        id=record.id,
        number=record.number,
        participant=shown_name(session, submission, caller),
        phase=record.phase,
        filename=record.filename,
        size=record.size,
        message=record.message,
        submitted=record.created,
        scores=record.scores,
    )
