"""What stands in the place of variables in news, looked up when they are sent, for many at once.

So what was hidden since is not told, and what was scored again is told as it is now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from podium.platform.lifecycle import EvaluationStatus, SubmissionStatus
from podium.platform.mail.links import MailLinks
from podium.platform.mail.rank_rules import ranks_are_shown
from podium.platform.mail.template_files import TemplateName
from podium.platform.models import Competition, Evaluation, Leaderboard, Phase, Submission, now
from podium.platform.records.score_text import score_text
from podium.platform.submissions.views import scores_in, shown_columns

_OF_SUBMISSIONS = frozenset({TemplateName.SUBMISSION_FINISHED, TemplateName.SUBMISSION_FAILED})
_GIVEN_UP = "Podium could not score it"


@dataclass(frozen=True, slots=True)
class NewsItem:
    """One piece of news, as it is in the outbox."""

    id: UUID
    template: TemplateName
    competition_id: UUID | None
    filled_in: Mapping[str, str]


def values_of(
    session: Session, items: Sequence[NewsItem], competitions: Mapping[UUID, Competition], links: MailLinks
) -> dict[UUID, dict[str, str] | None]:
    """The values of each piece of news, by its id; `None` for what is not to be told any more."""
    submissions = _submissions(
        session, {UUID(one.filled_in["submission_id"]) for one in items if one.template in _OF_SUBMISSIONS}
    )
    found: dict[UUID, dict[str, str] | None] = {}
    for one in items:
        competition = competitions.get(one.competition_id) if one.competition_id is not None else None
        values: dict[str, str] | None = dict(one.filled_in)
        if one.template in _OF_SUBMISSIONS:
            submission = submissions.get(UUID(one.filled_in["submission_id"]))
            values = None if submission is None else values_of_submission(submission)
        elif one.template is TemplateName.RANK_CHANGED and not _rank_is_shown(session, competition, one):
            values = None
        if values is not None and competition is not None:
            values = {**values, "competition": competition.title, **links.of_competition(competition.slug)}
        found[one.id] = values
    return found


def competitions_of(session: Session, ids: Iterable[UUID | None]) -> dict[UUID, Competition]:
    """Competitions by their ids."""
    wanted = {one for one in ids if one is not None}
    query = select(Competition).where(Competition.id.in_(wanted)).options(joinedload(Competition.organizer))
    return {one.id: one for one in session.scalars(query)}


def _submissions(session: Session, ids: Collection[UUID]) -> dict[UUID, Submission]:
    results = selectinload(Submission.evaluations).selectinload(Evaluation.scores)
    query = (
        select(Submission)
        .where(Submission.id.in_(ids))
        .options(
            joinedload(Submission.phase),
            joinedload(Submission.competition).options(
                selectinload(Competition.leaderboards).selectinload(Leaderboard.columns)
            ),
            results,
            joinedload(Submission.adopted).options(results),
        )
    )
    return {one.id: one for one in session.scalars(query)} if ids else {}


def values_of_submission(submission: Submission) -> dict[str, str]:
    """What its participant may know of a submission that has ended."""
    failed = [one.verdict for one in submission.results.evaluations if one.status is EvaluationStatus.FAILED]
    verdict = next((one for one in failed if one is not None), None)
    return {
        "number": str(submission.number),
        "phase": submission.phase.name,
        "scores": _scores(submission),
        "verdict": verdict.replace("_", " ") if verdict is not None else _GIVEN_UP,
        "reason": submission.status_message or "It has no scores.",
    }


def _scores(submission: Submission) -> str:
    if submission.status is not SubmissionStatus.FINISHED:
        return "none any more, since it was scored again"
    columns = shown_columns(submission, for_organizer=False)
    if not columns:
        return "not shown to participants"
    shown = [
        f"{column.title} {score_text(value, column.precision)}" for column, value in scores_in(submission, columns)
    ]
    return ", ".join(shown) or "none"


def _rank_is_shown(session: Session, competition: Competition | None, one: NewsItem) -> bool:
    phase = session.get(Phase, UUID(one.filled_in["phase_id"]))
    return competition is not None and phase is not None and ranks_are_shown(competition, phase, now())
