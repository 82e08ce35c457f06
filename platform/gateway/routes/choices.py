"""What participants decide of their submissions: which stand on the leaderboard, and which everybody may have."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy.orm import Session

from podium.platform import competitions
from podium.platform.errors import NotAllowed, NotFound
from podium.platform.gateway.access import WithCaller
from podium.platform.gateway.services import Services, WithServices
from podium.platform.identity import Caller
from podium.platform.leaderboard import choosing
from podium.platform.models import Submission
from podium.platform.records.submissions import SubmissionRecord
from podium.platform.submissions import sharing, views

router = APIRouter(tags=["submissions"])


@router.put("/submissions/{submission_id}/leaderboard")
def put_on_leaderboard(submission_id: UUID, services: WithServices, caller: WithCaller) -> SubmissionRecord:
    """Have a submission stand on the leaderboard, where its rule leaves that to participants."""
    return _decide(services, submission_id, caller, choosing.put_on_leaderboard)


@router.delete("/submissions/{submission_id}/leaderboard")
def take_off_leaderboard(submission_id: UUID, services: WithServices, caller: WithCaller) -> SubmissionRecord:
    """Have it stand there no more."""
    return _decide(services, submission_id, caller, choosing.take_off_leaderboard)


@router.put("/submissions/{submission_id}/shared")
def share_submission(submission_id: UUID, services: WithServices, caller: WithCaller) -> SubmissionRecord:
    """Let everybody have a submission's file, where the organizers allow it."""
    return _decide(services, submission_id, caller, lambda _, own: sharing.share(own))


@router.delete("/submissions/{submission_id}/shared")
def unshare_submission(submission_id: UUID, services: WithServices, caller: WithCaller) -> SubmissionRecord:
    """Let nobody else have it any more."""
    return _decide(services, submission_id, caller, lambda _, own: sharing.unshare(own))


def _decide(
    services: Services, submission_id: UUID, caller: Caller, decision: Callable[[Session, Submission], None]
) -> SubmissionRecord:
    with services.database.session() as session:
        submission = _find_own(session, submission_id, caller)
        decision(session, submission)
        session.flush()
        return views.submission_record(session, submission, for_organizer=False)


def _find_own(session: Session, submission_id: UUID, caller: Caller) -> Submission:
    """The caller's own submission, so that of two decisions at the same time the second sees the first.

    Raises:
        NotFound: There is none of that id that the caller may see.
        NotAllowed: It is somebody else's, and the caller sees it as an organizer.
    """
    submission = session.get(
        Submission, submission_id, options=views.submission_options(), with_for_update={"of": Submission}
    )
    if submission is not None and submission.rerun_id is None:
        if submission.person_id == caller.person_id:
            return submission
        if competitions.may_organize(submission.competition, caller):
            raise NotAllowed("Only the participant whose submission it is can decide this.")
    raise NotFound("You have no submission of that id.", remedy="List yours with `podium submissions`.")
