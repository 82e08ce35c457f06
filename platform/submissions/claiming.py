"""Claims: an agent takes one queued submission or several, by the same rules and the same few statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session, joinedload

from podium.platform.errors import Conflict, NotFound, PodiumError
from podium.platform.identifiers import new_id
from podium.platform.identity import issue_attempt_tokens
from podium.platform.jobs import Claim, ScoringJob
from podium.platform.lifecycle import (
    SUBMISSION_TRANSITIONS,
    IllegalTransition,
    RerunStatus,
    SubmissionStatus,
)
from podium.platform.models import Agent, Attempt, Competition, Phase, Pool, Rerun, Submission, now
from podium.platform.placement import Offer, missing
from podium.platform.settings import ServerSettings
from podium.platform.storage import Storage
from podium.platform.submissions.attempts import DoesNotFit, active_in_rerun
from podium.platform.submissions.cordons import Cordoned, require_takes_work
from podium.platform.submissions.fitting import needs_of, offer_of_agent, why_closed
from podium.platform.submissions.manifest import COMPETITION_OF_JOB, PHASE_OF_JOB, Begun, scoring_jobs
from podium.platform.submissions.transitions import move_submissions

TOKEN_DAYS = 30

Answer = ScoringJob | NotFound | Conflict
"""What comes of a claim: the job, or why there is none."""


@dataclass(frozen=True, slots=True)
class _Granted:
    """A claim and what it is for. What a submission refers to is forgotten when it moves, and would be read again."""

    claim: Claim
    submission: Submission
    competition: Competition
    phase: Phase


def claim_submission(
    session: Session,
    submission_id: UUID,
    *,
    flow_run_id: UUID,
    agent: Agent | None,
    pool: Pool,
    storage: Storage,
    settings: ServerSettings,
    gpus: int = 0,
    token_id: UUID | None = None,
) -> ScoringJob:
    """Begin an attempt at a queued submission and say what is to be done.

    Args:
        gpus: What the agent has set aside for it.
        token_id: The agent's token: once that is revoked, the attempt is over.

    Raises:
        NotFound: No such submission for this pool.
        DoesNotFit: The agent does not have what it needs, or it is to wait.
        Cordoned: The agent takes nothing new.
        IllegalTransition: It is not queued any more: another agent has it, or it was cancelled.
    """
    claim = Claim(submission_id=submission_id, flow_run_id=flow_run_id, gpus=gpus)
    answers = claim_submissions(
        session, [claim], agent=agent, pool=pool, storage=storage, settings=settings, token_id=token_id
    )
    answer = answers[submission_id]
    if isinstance(answer, PodiumError):
        raise answer
    return answer


def claim_submissions(
    session: Session,
    claims: Sequence[Claim],
    *,
    agent: Agent | None,
    pool: Pool,
    storage: Storage,
    settings: ServerSettings,
    token_id: UUID | None = None,
) -> dict[UUID, Answer]:
    """Begin an attempt at each of several queued submissions, or say why not; by submission.

    A claim that is refused changes nothing, and nothing about the others. Where there is not room for all, as in a
    rerun that takes few slots, the first in the order of the claims have it.
    """
    # Of two for the same submission the first counts.
    wanted = {claim.submission_id: claim for claim in reversed(claims)}
    found = _lock(session, wanted)
    closed = _why_closed(session, pool, agent)
    places = _Places(session, (rerun for _, rerun in found.values()))
    offer = offer_of_agent(agent)
    answers: dict[UUID, Answer] = {}
    granted: list[_Granted] = []
    for claim in reversed(wanted.values()):
        try:
            submission, rerun = _find(found, claim, pool)
            if closed is not None:
                raise closed
            _require_fits(submission, pool, replace(offer, gpus=claim.gpus), settings)
            _require_may_begin(submission, rerun, claim, places)
        except (NotFound, Conflict) as refused:
            answers[claim.submission_id] = refused
        else:
            granted.append(_Granted(claim, submission, submission.competition, submission.phase))
    if granted:
        actor = f"agent:{agent.name if agent else pool.name}"
        lease = timedelta(seconds=settings.lease_seconds)
        begun = _begin(session, granted, agent, token_id, actor=actor, lease=lease)
        jobs = scoring_jobs(session, begun, storage, settings)
        answers |= {job.submission_id: job for job in jobs}
    return answers


def _lock(session: Session, submission_ids: Iterable[UUID]) -> dict[UUID, tuple[Submission, Rerun | None]]:
    """Those submissions that there are, locked, with the reruns that they belong to.

    One statement, and of competition and phase only what a job is made of: this is done for each submission.
    """
    found = session.execute(
        select(Submission, Rerun)
        .outerjoin(Rerun, Rerun.id == Submission.rerun_id)
        .where(Submission.id.in_(submission_ids))
        .order_by(Submission.id)  # two that claim some of the same at once lock in the same order
        .options(
            joinedload(Submission.competition, innerjoin=True).load_only(*COMPETITION_OF_JOB),
            joinedload(Submission.phase, innerjoin=True).load_only(*PHASE_OF_JOB),
        )
        .with_for_update(of=Submission)
        .execution_options(populate_existing=True)
    )
    return {submission.id: (submission, rerun) for submission, rerun in found}


def _why_closed(session: Session, pool: Pool, agent: Agent | None) -> Conflict | None:
    """Why the agent is to take nothing at all; else whoever would cordon it is held off until the claim has ended."""
    try:
        require_takes_work(session, agent)
    except Cordoned as cordoned:
        return cordoned
    why = why_closed(pool, None)
    return DoesNotFit(why) if why else None


def _find(
    found: Mapping[UUID, tuple[Submission, Rerun | None]], claim: Claim, pool: Pool
) -> tuple[Submission, Rerun | None]:
    submission, rerun = found.get(claim.submission_id, (None, None))
    if submission is None or submission.competition.pool_id != pool.id:
        raise NotFound("This pool has no submission of that id.")
    return submission, rerun


def _require_fits(submission: Submission, pool: Pool, offer: Offer, settings: ServerSettings) -> None:
    needs = needs_of(submission.competition, submission.phase, pool, settings.limit_maxima)
    if lacks := missing(needs, offer):
        raise DoesNotFit(f"It is for an agent that {' and '.join(lacks)}.")


def _require_may_begin(submission: Submission, rerun: Rerun | None, claim: Claim, places: _Places) -> None:
    """Go on only if it may be scored now. What was announced a moment before that changed stays queued."""
    if rerun is not None and rerun.status is not RerunStatus.RUNNING:
        raise DoesNotFit(f"Its rerun is {rerun.status}.")
    if rerun is not None and rerun.parallel is not None and claim.ahead:
        # It would have one of the rerun's few slots, and wait in it.
        raise DoesNotFit(f"Its rerun takes {rerun.parallel} slots; it is for one that is free now.")
    if submission.not_before is not None and submission.not_before > now():
        # Agents may have heard of it before the attempt that failed.
        raise DoesNotFit(f"It is tried again at {submission.not_before:%H:%M:%S} UTC.")
    if SubmissionStatus.PREPARING not in SUBMISSION_TRANSITIONS[submission.status]:
        raise IllegalTransition(f"A submission that is {submission.status} can't be claimed.")
    if rerun is not None:
        places.take(rerun)


class _Places:
    """How many more submissions of each rerun agents may hold, where it takes so many slots at the most."""

    def __init__(self, session: Session, reruns: Iterable[Rerun | None]) -> None:
        bounded = {rerun.id: rerun.parallel for rerun in reruns if rerun is not None and rerun.parallel is not None}
        self._left: dict[UUID, int] = {}
        for rerun_id in sorted(bounded):
            # Two agents that take the last slot at once: the second waits here and sees the first.
            session.execute(select(func.pg_advisory_xact_lock(func.hashtext(str(rerun_id)))))
            self._left[rerun_id] = bounded[rerun_id] - active_in_rerun(session, rerun_id)

    def take(self, rerun: Rerun) -> None:
        if rerun.id not in self._left:
            return
        if self._left[rerun.id] < 1:
            raise DoesNotFit(f"Its rerun takes {rerun.parallel} slots, and has them.")
        self._left[rerun.id] -= 1


def _begin(
    session: Session,
    granted: Sequence[_Granted],
    agent: Agent | None,
    token_id: UUID | None,
    *,
    actor: str,
    lease: timedelta,
) -> list[Begun]:
    """Move submissions on and write down their attempts and tokens."""
    moment = now()
    move_submissions(
        session,
        [(one.submission, actor) for one in granted],
        SubmissionStatus.PREPARING,
        started=func.coalesce(Submission.started, moment),
        not_before=None,
    )
    # Asked only now that they are locked: the statement that waits for a lock still sees the attempts of before.
    attempts = session.execute(
        select(Attempt.submission_id, func.max(Attempt.number))
        .where(Attempt.submission_id.in_([one.submission.id for one in granted]))
        .group_by(Attempt.submission_id)
    )
    last: dict[UUID, int] = {row[0]: row[1] for row in attempts}
    numbers = {new_id(): 1 + last.get(one.submission.id, 0) for one in granted}
    session.execute(
        insert(Attempt),
        [
            {
                "id": attempt_id,
                "submission_id": one.submission.id,
                "number": numbers[attempt_id],
                "agent_id": agent.id if agent else None,
                "agent_token_id": token_id,
                "flow_run_id": one.claim.flow_run_id,
                "started": moment,
                "lease_expires": moment + lease,
            }
            for attempt_id, one in zip(numbers, granted, strict=True)
        ],
    )
    names = {attempt_id: f"attempt {number}" for attempt_id, number in numbers.items()}
    tokens = issue_attempt_tokens(session, names, days=TOKEN_DAYS)
    return [
        Begun(one.submission, one.competition, one.phase, attempt_id, numbers[attempt_id], tokens[attempt_id])
        for attempt_id, one in zip(numbers, granted, strict=True)
    ]
