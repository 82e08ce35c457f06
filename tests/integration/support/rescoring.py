"""Reruns and boards, made, driven and looked at the way that Podium does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from world import FUTURE, Known, World, hours, phase, result_of

from podium.platform.competitions import find_competition
from podium.platform.jobs import Handback, ScoringJob
from podium.platform.leaderboard.entries import submission_values
from podium.platform.leaderboard.rules import column_rules
from podium.platform.leaderboard.whole_board import board_of, ranks_of, scored_submissions
from podium.platform.lifecycle import RerunStatus
from podium.platform.models import Adoption, LeaderboardEntry, Phase, Rerun, Submission, TaskVersion
from podium.platform.records.reruns import RerunRecord
from podium.platform.reruns.control import adopt_by_hand, start_rerun
from podium.platform.reruns.driving import begin, finish_if_done, release_batch
from podium.platform.reruns.selection import Selection
from podium.platform.reruns.views import rerun_record
from podium.platform.submissions.attempts import hand_back
from podium.platform.submissions.results import store_result


class KilledError(Exception):
    """Whoever worked ends here, and what was not committed is gone."""


def killed_after(world: World, step: Callable[[Session], object]) -> None:
    """Do a step, and be killed before it is committed."""

    def work() -> None:
        with world.session() as session:
            step(session)
            raise KilledError

    with pytest.raises(KilledError):
        work()


Outcome = Mapping[str, float] | str | None
"""What becomes of a submission: its scores, the message of its failure, or `None` where the platform gives up."""


def two_phases(world: World, organizer: Known, participant: Known) -> str:
    """A competition of two phases, of which the second is open."""
    phases = [phase(end=hours(-1)), phase(name="Second", start=hours(-0.5), end=FUTURE)]
    made = world.competition(organizer, slug="iris", phases=phases)
    world.join(participant, made)
    return made


def score(world: World, participant: Known, slug: str, number: int = 1) -> list[UUID]:
    """Submissions to the second phase that are scored, each better than the one before."""
    return [world.score(participant, slug, {"accuracy": at / 10}, phase="2") for at in range(1, number + 1)]


def record(world: World, rerun_id: UUID) -> RerunRecord:
    """A rerun as the API shows it."""
    with world.session() as session:
        return rerun_record(session, session.get_one(Rerun, rerun_id))


def tell(world: World, rerun_id: UUID, act: Callable[..., None]) -> Rerun:
    """Have an organizer pause, resume, cancel or adopt a rerun."""
    with world.session() as session:
        act(session, session.get_one(Rerun, rerun_id, with_for_update={"of": Rerun}), actor="person:olga")
    return rerun(world, rerun_id)


def start(
    world: World,
    organizer: Known,
    slug: str,
    selection: Selection | None = None,
    *,
    adoption: Adoption = Adoption.MANUAL,
    reason: str = "The truth was wrong.",
    parallel: int | None = None,
) -> UUID:
    """Start a rerun, of all of the first phase unless something else is selected."""
    with world.session() as session:
        return start_rerun(
            session,
            find_competition(session, slug, world.caller(organizer)),
            selection or Selection(phase="1"),
            reason=reason,
            adoption=adoption,
            parallel=parallel,
            person_id=organizer.id,
            actor=f"person:{organizer.username}",
        ).id


def release(world: World, rerun_id: UUID, *, size: int = 50) -> UUID | None:
    """Begin the rerun, if that was not done, and put a batch into the queue."""
    with world.session() as session:
        begin(session, rerun_id)
    with world.session() as session:
        return release_batch(session, rerun_id, size=size)


def again(world: World, rerun_id: UUID) -> dict[int, UUID]:
    """The submissions that score others again, by the numbers of these."""
    with world.session() as session:
        rows = session.execute(
            select(Submission.number, Submission.id).where(Submission.rerun_id == rerun_id).order_by(Submission.number)
        )
        return {row[0]: row[1] for row in rows}


def settle(world: World, submission_id: UUID, outcome: Outcome) -> None:
    """Let an agent score a queued submission."""
    if outcome is None:
        for _ in range(3):
            give_back(world, world.claim(submission_id))
        return
    job = world.claim(submission_id)
    if isinstance(outcome, str):
        fail(world, job, outcome)
    else:
        world.finish(job, *[outcome] * len(job.evaluations))


def give_back(world: World, job: ScoringJob) -> None:
    """End an attempt through no fault of the submission."""
    with world.session() as session:
        hand_back(session, job.attempt_id, Handback(reason="The disk is full.", stopping=False))


def fail(world: World, job: ScoringJob, message: str = "It takes too long.") -> None:
    """End an attempt with a verdict."""
    failures = [
        {
            "evaluation_id": str(evaluation.evaluation_id),
            "outcome": "user_error",
            "verdict": "time_limit",
            "message": message,
        }
        for evaluation in job.evaluations
    ]
    with world.session() as session:
        store_result(session, result_of(job, failures), world.storage)


def score_again(world: World, rerun_id: UUID, outcomes: Mapping[int, Outcome]) -> None:
    """Let agents score all of a rerun; those that are not named are given up by the platform."""
    while release(world, rerun_id) is not None:
        pass
    for number, submission_id in again(world, rerun_id).items():
        settle(world, submission_id, outcomes.get(number))


def finish(world: World, rerun_id: UUID) -> Rerun:
    """Compare, and adopt where that is asked for and safe."""
    with world.session() as session:
        finish_if_done(session, rerun_id)
    return rerun(world, rerun_id)


def rescore(world: World, organizer: Known, slug: str, outcomes: Mapping[int, Outcome], **options: Any) -> UUID:  # noqa: ANN401
    """A rerun of which everything is scored, and adopted if that is said in the `options` of `start`."""
    rerun_id = start(world, organizer, slug, **options)
    score_again(world, rerun_id, outcomes)
    finish(world, rerun_id)
    return rerun_id


def adopt(world: World, rerun_id: UUID) -> Rerun:
    """Adopt as an organizer does."""
    with world.session() as session:
        found = session.get_one(Rerun, rerun_id, with_for_update={"of": Rerun})
        adopt_by_hand(session, found, actor="person:olga")
    return rerun(world, rerun_id)


def rerun(world: World, rerun_id: UUID) -> Rerun:
    """The row, as it is now."""
    with world.session() as session:
        return session.get_one(Rerun, rerun_id)


def set_status(world: World, rerun_id: UUID, status: RerunStatus) -> None:
    """Put a rerun into a state, past all rules."""
    with world.session() as session:
        session.execute(update(Rerun).where(Rerun.id == rerun_id).values(status=status))


def standing(world: World, slug: str, *, phase: int = 0) -> dict[int, list[float | None]]:
    """What stands on a phase's leaderboard: scores by the numbers of submissions."""
    with world.session() as session:
        rows = session.execute(
            select(Submission.number, LeaderboardEntry.scores)
            .join(Submission, Submission.id == LeaderboardEntry.submission_id)
            .where(LeaderboardEntry.phase_id == find_competition(session, slug, None).phases[phase].id)
            .where(LeaderboardEntry.until.is_(None))
            .order_by(Submission.number)
        )
        return {row[0]: list(row[1]) for row in rows}


def require_board_from_scratch(world: World, slug: str, *, phase: int = 0) -> None:
    """Go on only if a phase's leaderboard is the one that is made from nothing but submissions and their scores."""
    with world.session() as session:
        competition = find_competition(session, slug, None)
        found, board = competition.phases[phase], competition.leaderboards[0]
        entries = session.scalars(
            select(LeaderboardEntry).where(LeaderboardEntry.phase_id == found.id, LeaderboardEntry.until.is_(None))
        ).all()
        scratch = board_of(board, scored_submissions(session, found, board, {}))
        assert {entry.submission_id: list(entry.scores) for entry in entries} == {
            submission_id: one.values for submission_id, one in scratch.items()
        }
        assert {entry.submission_id: entry.person_id for entry in entries} == {
            submission_id: one.person_id for submission_id, one in scratch.items()
        }
        flagged = session.scalars(
            select(Submission).where(Submission.phase_id == found.id, Submission.on_leaderboard)
        ).all()
        assert {submission.id for submission in flagged} == set(scratch)
        assert {submission.id: submission_values(board, submission) for submission in flagged} == {
            submission_id: one.values for submission_id, one in scratch.items()
        }
        assert set(ranks_of(board, scratch)) == {one.person_id for one in scratch.values()}
        assert len(column_rules(board)) == len(board.columns)


def phase_id(world: World, slug: str, *, at: int = 0) -> UUID:
    """The id of a phase."""
    with world.session() as session:
        return session.scalars(
            select(Phase.id)
            .where(Phase.competition_id == find_competition(session, slug, None).id)
            .order_by(Phase.position)
        ).all()[at]


def task_versions(world: World) -> list[int]:
    """The numbers of all versions of tasks, in order."""
    with world.session() as session:
        return list(session.scalars(select(TaskVersion.number).order_by(TaskVersion.number)))
