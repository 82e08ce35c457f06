"""Submissions of a competition as its organizers look for them: by filters, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from podium.platform.errors import NotFound
from podium.platform.leaderboard.entries import submission_values
from podium.platform.lifecycle import EvaluationStatus, SubmissionStatus, Verdict
from podium.platform.models import (
    Competition,
    Evaluation,
    Leaderboard,
    Person,
    Submission,
)
from podium.platform.records.organizing import SubmissionLine, SubmissionPage
from podium.platform.records.submissions import ScoreRecord


@dataclass(frozen=True, slots=True)
class Filter:
    """Which submissions to show; what is not set leaves nothing out.

    Attributes:
        participant: Words in the username, in whatever case.
        since: Submitted from this moment on.
        until: Submitted before this moment.
    """

    phase_id: UUID | None = None
    status: SubmissionStatus | None = None
    verdict: Verdict | None = None
    participant: str = ""
    on_leaderboard: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


def list_page(session: Session, competition: Competition, wanted: Filter, *, limit: int, offset: int) -> SubmissionPage:
    """A page of what a filter leaves, the latest first. What reruns make is left out: their reports show it."""
    conditions = list(_conditions(competition, wanted))
    total = session.scalar(select(func.count()).select_from(Submission).where(*conditions))
    query = select(Submission).where(*conditions).order_by(Submission.number.desc()).limit(limit).offset(offset)
    return SubmissionPage(total or 0, tuple(_lines(session, competition, query)))


def named(
    session: Session, competition: Competition, numbers: Sequence[int], *, lock: bool = False
) -> list[Submission]:
    """Submissions by their numbers, in the order of their ids, in which all who lock several do it.

    Args:
        lock: Let nobody else change them before the transaction ends, and see them as they are now.

    Raises:
        NotFound: There is none of some number; all of those are named.
    """
    query = (
        select(Submission)
        .where(
            Submission.competition_id == competition.id,
            Submission.rerun_id.is_(None),
            Submission.number.in_(numbers),
        )
        .order_by(Submission.id)
        .options(joinedload(Submission.person), joinedload(Submission.phase))
    )
    if lock:
        query = query.with_for_update(of=Submission).execution_options(populate_existing=True)
    found = session.scalars(query).all()
    if missing := sorted(set(numbers) - {one.number for one in found}):
        said = ", ".join(str(number) for number in missing[:20])
        raise NotFound(f"'{competition.slug}' has no submission {said}.", remedy="Look at the list again.")
    return list(found)


def _conditions(competition: Competition, wanted: Filter) -> Iterator[ColumnElement[bool]]:
    yield Submission.competition_id == competition.id
    yield Submission.rerun_id.is_(None)
    if wanted.phase_id is not None:
        yield Submission.phase_id == wanted.phase_id
    if wanted.status is not None:
        yield Submission.status == wanted.status
    if wanted.verdict is not None:
        yield exists().where(
            Evaluation.submission_id == func.coalesce(Submission.results_id, Submission.id),
            Evaluation.verdict == wanted.verdict,
        )
    if wanted.participant:
        yield Submission.person_id.in_(
            select(Person.id).where(Person.username.icontains(wanted.participant, autoescape=True))
        )
    if wanted.on_leaderboard is not None:
        yield Submission.on_leaderboard.is_(wanted.on_leaderboard)
    if wanted.since is not None:
        yield Submission.created >= wanted.since
    if wanted.until is not None:
        yield Submission.created < wanted.until


def _lines(session: Session, competition: Competition, query: Select[tuple[Submission]]) -> list[SubmissionLine]:
    rows = session.scalars(query.options(*_options())).all()
    return [_line(one, competition.leaderboards[0]) for one in rows]


def _options() -> tuple[Any, ...]:
    results = (
        selectinload(Submission.evaluations).selectinload(Evaluation.scores),
        selectinload(Submission.attempts),
    )
    return (
        joinedload(Submission.person),
        joinedload(Submission.phase),
        *results,
        joinedload(Submission.adopted).options(*results),
    )


def _line(submission: Submission, board: Leaderboard) -> SubmissionLine:
    results = submission.results
    failed = [one for one in results.evaluations if one.status is EvaluationStatus.FAILED]
    return SubmissionLine(
        id=submission.id,
        number=submission.number,
        participant=submission.person.username,
        phase=submission.phase.name,
        filename=submission.filename,
        size=submission.size,
        status=submission.status,
        verdict=next((one.verdict for one in failed if one.verdict is not None), None),
        message=submission.status_message or next((one.message for one in failed if one.message), ""),
        on_leaderboard=submission.on_leaderboard,
        created=submission.created,
        ended=submission.ended,
        attempts=len(results.attempts),
        scores=tuple(_scores(submission, board)),
        excluded=submission.excluded,
    )


def _scores(submission: Submission, board: Leaderboard) -> Iterator[ScoreRecord]:
    if submission.status is SubmissionStatus.FINISHED:
        for column, value in zip(board.columns, submission_values(board, submission), strict=True):
            if value is not None:
                yield ScoreRecord(column.key, value)
