"""News of submissions: that one is scored, or has failed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from podium.platform.lifecycle import SubmissionStatus
from podium.platform.mail.news import news_rules, tell
from podium.platform.mail.queueing import Addressed
from podium.platform.mail.template_files import TemplateName
from podium.platform.models import MailKind, Submission

_ENDS = {
    SubmissionStatus.FINISHED: TemplateName.SUBMISSION_FINISHED,
    SubmissionStatus.FAILED: TemplateName.SUBMISSION_FAILED,
}


def end_is_news(after: SubmissionStatus, *, is_rerun: bool, is_migrated: bool) -> bool:
    """Whether its participant is told of a submission's end.

    What a rerun scores is none of theirs: they hear of their rank. What was migrated they have not sent in, and hear of
    only where it failed. Whoever cancels one knows.
    """
    if is_rerun or after not in _ENDS:
        return False
    return after is SubmissionStatus.FAILED or not is_migrated


def tell_of_ends(session: Session, submissions: Sequence[Submission], after: SubmissionStatus) -> int:
    """Tell participants that their submissions have ended for good; return how many are told."""
    if news_rules(session) is None or after not in _ENDS:
        return 0
    addressed = [
        Addressed(
            one.person_id,
            key=f"submission:{one.id}",
            competition_id=one.competition_id,
            filled_in={"submission_id": str(one.id)},
        )
        for one in submissions
        if end_is_news(after, is_rerun=one.rerun_id is not None, is_migrated=one.origin_id is not None)
    ]
    return tell(session, MailKind.SUBMISSION, _ENDS[after], addressed)
