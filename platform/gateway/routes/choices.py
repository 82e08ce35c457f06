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
from podium.platform.team_members import is_member

router = APIRouter(tags=["submissions"])


@router.put("/submissions/{submission_id}/leaderboard")
def put_on_leaderboard(submission_id: UUID, services: WithServices, caller: WithCaller) -> SubmissionRecord:
    """Have a submission stand on the leaderboard, where its rule leaves that to participants."""
    return _decide(services, submission_id, caller, choosing.put_on_leaderboard, by_team=True)


@router.delete("/submissions/{submission_id}/leaderboard")
def take_off_leaderboard(submission_id: UUID, services: WithServices, caller: WithCaller) -> SubmissionRecord:
    """Have it stand there no more."""
    return _decide(services, submission_id, caller, choosing.take_off_leaderboard, by_team=True)


@router.put("/submissions/{submission_id}/shared")
def share_submission(submission_id: UUID, services: WithServices, caller: WithCaller) -> SubmissionRecord:
    """Let everybody have a submission's file, where the organizers allow it."""
    return _decide(services, submission_id, caller, sharing.share)


@router.delete("/submissions/{submission_id}/shared")
def unshare_submission(submission_id: UUID, services: WithServices, caller: WithCaller) -> SubmissionRecord:
    """Let nobody else have it any more."""
    return _decide(services, submission_id, caller, sharing.unshare)


def _decide(
    services: Services,
    submission_id: UUID,
    caller: Caller,
    decision: Callable[[Session, Submission], None],
    *,
    by_team: bool = False,
) -> SubmissionRecord:
    with services.database.session() as session:
        submission = _find_own(session, submission_id, caller, by_team=by_team)
        decision(session, submission)
        session.flush()
        return views.submission_record(session, submission, for_organizer=False)


def _find_own(session: Session, submission_id: UUID, caller: Caller, *, by_team: bool) -> Submission:
    """The caller's own submission, or their team's.

    Args:
        by_team: Whether every member of its team may decide this, and not only who submitted it.

    Raises:
        NotFound: There is none of that id that the caller may see.
        NotAllowed: It is somebody else's, and the caller sees it as an organizer, or for their team's sake.
    """
    submission = session.get(Submission, submission_id, options=views.submission_options())
    if submission is not None and submission.rerun_id is None:
        is_of_team = is_member(session, submission.team_id, caller.person_id)
        is_own = submission.person_id == caller.person_id
        # Whoever has left a team decides nothing of what stands there for it.
        if is_of_team if by_team and submission.team_id is not None else is_own:
            return submission
        if is_own or is_of_team or competitions.may_organize(submission.competition, caller):
            whose = "the team for which it was made" if is_own else "the participant whose submission it is"
            raise NotAllowed(f"Only {whose} can decide this.")
    raise NotFound("You have no submission of that id.", remedy="List yours with `podium submissions`.")
