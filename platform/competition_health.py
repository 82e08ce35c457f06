"""A competition in one view, for its organizers: what waits, what fails and whose doing it is, and what to do."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from podium.platform.dataset_uses import datasets_of
from podium.platform.health_warnings import REPEATED, Figures, warnings_of
from podium.platform.lifecycle import AttemptStatus, EvaluationStatus, ParticipantStatus, SubmissionStatus, Verdict
from podium.platform.models import (
    Attempt,
    Competition,
    Dataset,
    Evaluation,
    Output,
    Participant,
    Submission,
    now,
)
from podium.platform.records.organizing import Blame, FailureCount, HealthView, RepeatedError
from podium.platform.storage_quotas import usage_of
from podium.platform.submissions.queue_view import queue_record

LATELY = timedelta(days=1)
_LOOKED_AT = 5000
"""Failures of the last day that are looked into, the latest."""
_NAMED = 5
_MESSAGE_CHARACTERS = 200
_LAST_LINE = re.compile(r'last line on stderr: "(.+?)"\.')
"""How a verdict quotes what the program wrote last."""


class _Failure(NamedTuple):
    """A submission that failed lately, with what its first failed task says."""

    number: int
    participant: object
    verdict: Verdict | None
    message: str


def health_of(session: Session, competition: Competition, *, default_quota: int) -> HealthView:
    """The view, as things are now.

    Args:
        default_quota: The room, in bytes, of an owner who has none of their own.
    """
    since = now() - LATELY
    failures = list(_failures(session, competition, since))
    ended = _ended(session, competition, since)
    usage = usage_of(session, competition.organizer_id, default=default_quota)
    figures = Figures(
        queue=queue_record(session, competition),
        failures=failure_counts(failures),
        repeated=repeated_errors(failures),
        ended=sum(ended.values()),
        lost_attempts=_lost_attempts(session, competition, since),
        pending_participants=_pending(session, competition),
        used_bytes=usage.used,
        quota_bytes=usage.quota,
        paused_phases=tuple(phase.name for phase in competition.phases if phase.paused is not None),
        published=competition.published,
    )
    return HealthView(
        queue=figures.queue,
        failures=figures.failures,
        repeated=figures.repeated,
        ended_lately=figures.ended,
        finished_lately=ended.get(SubmissionStatus.FINISHED, 0),
        lost_attempts=figures.lost_attempts,
        pending_participants=figures.pending_participants,
        stored_bytes=_stored(session, competition),
        used_bytes=figures.used_bytes,
        quota_bytes=figures.quota_bytes,
        warnings=tuple(warnings_of(figures)),
    )


def blame_of(verdict: Verdict | None) -> Blame:
    """Whose doing a failure is: without a verdict, and for want of an image, the platform's."""
    return Blame.PLATFORM if verdict is None or verdict is Verdict.IMAGE_UNAVAILABLE else Blame.SUBMISSION


def failure_counts(failures: Sequence[_Failure]) -> tuple[FailureCount, ...]:
    """How many failed in each way, the most frequent first."""
    counts = Counter(one.verdict for one in failures)
    return tuple(FailureCount(blame_of(verdict), verdict, count) for verdict, count in counts.most_common())


def repeated_errors(failures: Sequence[_Failure]) -> tuple[RepeatedError, ...]:
    """Words that several failures share, the most frequent first."""
    by_words: dict[str, list[_Failure]] = defaultdict(list)
    for one in failures:
        if words := _line(one.message):
            by_words[words].append(one)
    found = [
        RepeatedError(
            message=words,
            count=len(those),
            participants=len({one.participant for one in those}),
            numbers=tuple(one.number for one in those[:_NAMED]),
        )
        for words, those in by_words.items()
        if len(those) >= REPEATED
    ]
    return tuple(sorted(found, key=lambda one: -one.count)[:_NAMED])


def _line(message: str) -> str:
    """The part of a message that says most: what the program wrote last, else the message's last line."""
    if written := _LAST_LINE.search(message):
        return written[1][:_MESSAGE_CHARACTERS]
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return lines[-1][:_MESSAGE_CHARACTERS] if lines else ""


def _failures(session: Session, competition: Competition, since: datetime) -> Iterator[_Failure]:
    failed = (
        select(Submission.id, Submission.results_id)
        .where(
            Submission.competition_id == competition.id,
            Submission.rerun_id.is_(None),
            Submission.status == SubmissionStatus.FAILED,
            Submission.ended >= since,
        )
        .order_by(Submission.ended.desc())
        .limit(_LOOKED_AT)
        .subquery()
    )
    rows = session.execute(
        select(
            Submission.number,
            Submission.person_id,
            Submission.status_message,
            Evaluation.verdict,
            Evaluation.message,
        )
        .join(failed, failed.c.id == Submission.id)
        .outerjoin(
            Evaluation,
            (Evaluation.submission_id == func.coalesce(failed.c.results_id, failed.c.id))
            & (Evaluation.status == EvaluationStatus.FAILED),
        )
        .order_by(Submission.number.desc(), Evaluation.position)
    )
    seen: set[int] = set()
    for number, person, status_message, verdict, message in rows:
        if number not in seen:
            seen.add(number)
            yield _Failure(number, person, verdict, message or status_message)


def _ended(session: Session, competition: Competition, since: datetime) -> dict[SubmissionStatus, int]:
    rows = session.execute(
        select(Submission.status, func.count())
        .where(
            Submission.competition_id == competition.id,
            Submission.rerun_id.is_(None),
            Submission.ended >= since,
            Submission.status != SubmissionStatus.CANCELLED,
        )
        .group_by(Submission.status)
    )
    return {row[0]: row[1] for row in rows}


def _lost_attempts(session: Session, competition: Competition, since: datetime) -> int:
    return (
        session.scalar(
            select(func.count())
            .select_from(Attempt)
            .join(Submission, Submission.id == Attempt.submission_id)
            .where(
                Submission.competition_id == competition.id,
                Attempt.started >= since,
                Attempt.status.in_((AttemptStatus.LOST, AttemptStatus.PLATFORM_ERROR)),
            )
        )
        or 0
    )


def _pending(session: Session, competition: Competition) -> int:
    return (
        session.scalar(
            select(func.count()).where(
                Participant.competition_id == competition.id, Participant.status == ParticipantStatus.PENDING
            )
        )
        or 0
    )


def _stored(session: Session, competition: Competition) -> dict[str, int]:
    """What the competition takes, in bytes by kind; what is stored once counts once."""
    submitted = session.scalar(
        select(func.coalesce(func.sum(Submission.size), 0)).where(
            Submission.competition_id == competition.id,
            Submission.rerun_id.is_(None),
            Submission.content.is_not(None),
        )
    )
    outputs = session.scalar(
        select(func.coalesce(func.sum(Output.size), 0))
        .join(Evaluation, Evaluation.id == Output.evaluation_id)
        .join(Submission, Submission.id == Evaluation.submission_id)
        .where(Submission.competition_id == competition.id)
    )
    ids = list(datasets_of(session, competition))
    datasets = session.scalar(select(func.coalesce(func.sum(Dataset.size), 0)).where(Dataset.id.in_(ids)))
    return {"submissions": int(submitted or 0), "outputs": int(outputs or 0), "datasets": int(datasets or 0)}
