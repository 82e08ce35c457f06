"""Which submissions a rerun scores, and which it leaves out and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, aliased, joinedload

from podium.platform.errors import InvalidInput, NotFound
from podium.platform.lifecycle import (
    LIVE_RERUN_STATUSES,
    EvaluationStatus,
    SubmissionStatus,
    Verdict,
)
from podium.platform.models import Competition, Evaluation, Rerun, RerunItem, Submission, now
from podium.platform.submissions.windows import choose_phase

SUBMISSIONS_NAMED = 1000
"""Submissions that may be named by number."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What an organizer asked for: a phase, submissions by number, or what the platform failed.

    Attributes:
        phase: As the organizer named it; with `platform_failures` only those of this phase.
        submissions: Numbers.
        platform_failures: All that failed through no fault of their own.
    """

    phase: str | None = None
    submissions: tuple[int, ...] = ()
    platform_failures: bool = False

    def in_words(self) -> str:
        """What is scored again, for people."""
        if self.submissions:
            numbers = ", ".join(str(number) for number in self.submissions[:10])
            more = f" and {len(self.submissions) - 10} more" if len(self.submissions) > 10 else ""
            return f"submission{'s' if len(self.submissions) > 1 else ''} {numbers}{more}"
        where = f" of phase {self.phase}" if self.phase else ""
        return f"what the platform failed{where}" if self.platform_failures else f"all{where}"

    def stored(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "phase": self.phase,
            "submissions": list(self.submissions),
            "platform_failures": self.platform_failures,
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Selection:
        """As it was kept."""
        return cls(stored["phase"], tuple(stored["submissions"]), stored["platform_failures"])


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a rerun would score, in the order of their numbers, and what not, with the reason."""

    submissions: Sequence[Submission]
    left_out: Sequence[tuple[Submission, str]]


def require_one_selection(selection: Selection) -> None:
    """Go on only if it says in one way what is to be scored.

    Raises:
        InvalidInput: It says nothing, or two things.
    """
    remedy = "Name a phase, or submissions by their numbers, or ask for what the platform failed."
    if selection.submissions and (selection.phase is not None or selection.platform_failures):
        raise InvalidInput("Submissions are named by number, and chosen in another way too.", remedy=remedy)
    if not (selection.submissions or selection.phase is not None or selection.platform_failures):
        raise InvalidInput("Nothing was selected to be scored again.", remedy=remedy)


def choose_submissions(session: Session, competition: Competition, selection: Selection) -> Chosen:
    """The submissions of a selection that can be scored again now.

    Raises:
        InvalidInput: The selection says nothing, or two things.
        NotFound: There is no such phase, or no submission of such a number; all of them are named.
    """
    require_one_selection(selection)
    query = select(Submission).where(Submission.competition_id == competition.id, Submission.rerun_id.is_(None))
    if selection.submissions:
        query = query.where(Submission.number.in_(selection.submissions))
    if selection.phase is not None:
        query = query.where(Submission.phase_id == choose_phase(competition, selection.phase, now()).id)
    if selection.platform_failures:
        query = query.where(_failed_by_platform())
    found = session.scalars(query.order_by(Submission.number).options(joinedload(Submission.person))).all()
    if missing := sorted(set(selection.submissions) - {submission.number for submission in found}):
        named = ", ".join(str(number) for number in missing[:20])
        raise NotFound(
            f"'{competition.slug}' has no submission {named}.", remedy="List them with `podium submissions`."
        )
    taken = _in_live_reruns(session, competition)
    reasons = [(submission, _why_not(submission, taken)) for submission in found]
    return Chosen(
        [submission for submission, reason in reasons if not reason],
        [(submission, reason) for submission, reason in reasons if reason],
    )


def _why_not(submission: Submission, taken: Mapping[UUID, int]) -> str:
    """Why a submission can't be scored again now; empty if it can."""
    if submission.ended is None:
        return f"it is {submission.status}, and will be scored by the present version"
    if submission.content is None:
        return "its file was removed" if submission.files_removed else "its file was never uploaded"
    if submission.status is SubmissionStatus.CANCELLED:
        return "it was cancelled"
    if submission.id in taken:
        return f"rerun {taken[submission.id]} scores it already"
    return ""


def _in_live_reruns(session: Session, competition: Competition) -> dict[UUID, int]:
    rows = session.execute(
        select(RerunItem.origin_id, Rerun.number)
        .join(Rerun, Rerun.id == RerunItem.rerun_id)
        .where(Rerun.competition_id == competition.id, Rerun.status.in_(LIVE_RERUN_STATUSES))
    )
    return {row[0]: row[1] for row in rows}


def _failed_by_platform() -> ColumnElement[bool]:
    """That a submission failed, and none of the tasks that count for it was judged to be its own fault."""
    judged = aliased(Evaluation)
    by_itself = exists().where(
        judged.submission_id == func.coalesce(Submission.results_id, Submission.id),
        judged.status == EvaluationStatus.FAILED,
        judged.verdict.is_distinct_from(Verdict.IMAGE_UNAVAILABLE),
    )
    return (Submission.status == SubmissionStatus.FAILED) & ~by_itself


def failed_by_platform(submission: Submission) -> bool:
    """The same of a submission that is loaded, by its own evaluations."""
    return submission.status is SubmissionStatus.FAILED and not any(
        one.status is EvaluationStatus.FAILED and one.verdict is not Verdict.IMAGE_UNAVAILABLE
        for one in submission.evaluations
    )
