"""Submissions that agents, participants and dead agents pull at in any order, and at the same time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from threading import Barrier
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import Phase as HypothesisPhase
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from world import Known, World, evaluation_results, phase, result_of

from podium.platform.errors import PodiumError
from podium.platform.jobs import Handback, Heartbeat, ScoringJob
from podium.platform.lifecycle import (
    ACTIVE_SUBMISSION_STATUSES,
    SUBMISSION_TRANSITIONS,
    TERMINAL_SUBMISSION_STATUSES,
    AttemptStatus,
    EvaluationStatus,
    IllegalTransition,
    Stage,
    SubmissionStatus,
)
from podium.platform.models import Attempt, Evaluation, Event, LeaderboardEntry, Phase, Score, Submission, now
from podium.platform.submissions.allowances import quota_left
from podium.platform.submissions.attempts import (
    Superseded,
    cancel_overdue_uploads,
    cancel_submission,
    hand_back,
    heartbeat,
    lose_expired,
)
from podium.platform.submissions.results import store_result
from podium.platform.submissions.retries import FAILED_ATTEMPTS, MAX_ATTEMPTS
from podium.platform.submissions.transitions import move_submission

LIMIT = 1000
MOST = 4
"""Submissions of one example."""
HELD = ("preparing", "running", "scoring")
OVER = ("finished", "failed", "cancelled")
NOT_QUEUED = ("submitted", *HELD, *OVER)
OUTCOMES = ("succeeded", "platform_error", "user_error", "image", "cancelled")
PICKS = st.integers(min_value=0, max_value=MOST * 3 - 1)
VALUES = st.sampled_from([0.0, 0.25, 0.5, 1.0])
ChoiceT = TypeVar("ChoiceT")
EVERYTHING = text(
    """
    SELECT (SELECT to_jsonb(s) FROM submissions s WHERE s.id = :id),
      (SELECT jsonb_agg(to_jsonb(a) ORDER BY a.number) FROM attempts a WHERE a.submission_id = :id),
      (SELECT jsonb_agg(to_jsonb(t) ORDER BY t.id) FROM tokens t JOIN attempts a ON a.id = t.attempt_id
        WHERE a.submission_id = :id),
      (SELECT jsonb_agg(to_jsonb(e) ORDER BY e.position) FROM evaluations e WHERE e.submission_id = :id),
      (SELECT jsonb_agg(to_jsonb(c) ORDER BY c.evaluation_id, c.key) FROM scores c
        JOIN evaluations e ON e.id = c.evaluation_id WHERE e.submission_id = :id),
      (SELECT jsonb_agg(to_jsonb(v) ORDER BY v.id) FROM events v WHERE v.subject_id = :id),
      (SELECT jsonb_agg(to_jsonb(l)) FROM leaderboard_entries l WHERE l.submission_id = :id)
    """
)


@dataclass
class Expected:
    """What should be true of a submission, by rules that are written here again, and shorter."""

    id: UUID
    status: str = "submitted"
    tasks: list[str] = field(default_factory=lambda: ["waiting", "waiting"])
    blamed: list[bool] = field(default_factory=lambda: [False, False])
    attempts: list[str] = field(default_factory=list)
    counts: bool = True
    path: list[str] = field(default_factory=lambda: ["submitted"])

    def move(self, status: str) -> None:
        self.status = status
        self.path.append(status)

    def end_attempt(self, how: str) -> None:
        self.attempts[-1] = how
        if how in ("succeeded", "user_error"):
            failed = "failed" in self.tasks
            self.counts = not failed or any(self.blamed)
            self.move("failed" if failed else "finished")
        elif sum(one in ("platform_error", "lost") for one in self.attempts) == 3:
            self.tasks = ["cancelled" if one == "waiting" else one for one in self.tasks]
            self.counts = False
            self.move("failed")
        else:
            self.move("queued")


def reported(outcome: str, value: float) -> dict[str, Any]:
    """What a result says of an evaluation; `image` is a user error that is no participant's doing."""
    match outcome:
        case "succeeded":
            return {"scores": {"accuracy": value}}
        case "user_error":
            return {"outcome": "user_error", "verdict": "time_limit", "message": "Too slow.", "scores": {}}
        case "image":
            return {"outcome": "user_error", "verdict": "image_unavailable", "message": "No image.", "scores": {}}
    return {"outcome": outcome, "message": "Trouble.", "scores": {}}


def result_with(job: ScoringJob, outcomes: Sequence[str], value: float) -> Any:  # noqa: ANN401  # a ScoringResult
    """A result that says this of each evaluation of the job."""
    blank = evaluation_results(job, [{}] * len(job.evaluations))
    return result_of(job, [{**part, **reported(how, value)} for part, how in zip(blank, outcomes, strict=True)])


def chosen(some: Sequence[ChoiceT], pick: int) -> ChoiceT:
    return some[pick % len(some)]


class Tug(RuleBasedStateMachine):
    """Each example has a participant of its own in one competition: nothing has to be swept between."""

    world: World
    slug: str

    def __init__(self) -> None:
        super().__init__()
        self.person = self.world.person(f"p{uuid4().hex[:20]}")
        self.world.join(self.person, self.slug)
        self.expected: dict[UUID, Expected] = {}
        self.jobs: list[ScoringJob] = []
        self.results: dict[UUID, Any] = {}

    def everything(self, submission_id: UUID) -> Sequence[Any]:
        with self.world.session() as session:
            return session.execute(EVERYTHING, {"id": submission_id}).one()

    def refused(self, submission_id: UUID, error: type[PodiumError], call: Callable[[], object]) -> None:
        """It is refused, and nothing is as much as touched."""
        before = self.everything(submission_id)
        with pytest.raises(error):
            call()
        assert self.everything(submission_id) == before

    def changes_nothing(self, submission_id: UUID, call: Callable[[], bool]) -> None:
        before = self.everything(submission_id)
        assert not call()
        assert self.everything(submission_id) == before

    def those(self, *statuses: str) -> list[Expected]:
        return [one for one in self.expected.values() if one.status in statuses]

    def superseded(self) -> list[ScoringJob]:
        return [job for job in self.jobs if not self.holds(job)]

    def holds(self, job: ScoringJob) -> bool:
        expected = self.expected[job.submission_id]
        return expected.status in HELD and len(expected.attempts) == job.attempt_number

    @precondition(lambda self: len(self.expected) < MOST)
    @rule(uploaded=st.sampled_from([True, True, True, False]))
    def announce(self, uploaded: bool) -> None:  # noqa: FBT001  # hypothesis passes it by name
        submission_id = self.world.announce(self.person, self.slug)
        self.expected[submission_id] = Expected(submission_id)
        if uploaded:
            self._complete(self.expected[submission_id])

    @precondition(lambda self: self.expected)
    @rule(pick=PICKS)
    def complete(self, pick: int) -> None:
        self._complete(chosen(list(self.expected.values()), pick))

    def _complete(self, expected: Expected) -> None:
        self.world.upload(expected.id)
        if expected.status == "submitted":
            self.world.complete(expected.id)
            expected.move("queued")
        elif expected.status == "cancelled":
            self.refused(expected.id, IllegalTransition, lambda: self.world.complete(expected.id))
        else:
            self.changes_nothing(expected.id, lambda: bool(self.world.complete(expected.id)))

    @precondition(lambda self: self.those("queued"))
    @rule(pick=PICKS)
    def claim(self, pick: int) -> None:
        self._claim(chosen(self.those("queued"), pick))

    def _claim(self, expected: Expected) -> ScoringJob:
        job = self.world.claim(expected.id)
        expected.move("preparing")
        expected.attempts.append("active")
        self.jobs.append(job)
        assert job.attempt_number == len(expected.attempts)
        assert len(job.evaluations) == expected.tasks.count("waiting")
        return job

    def _held(self, pick: int) -> ScoringJob:
        """An attempt that has its submission; of one that waits, a new one."""
        expected = chosen(self.those("queued", *HELD), pick)
        if expected.status == "queued":
            return self._claim(expected)
        return next(job for job in self.jobs if job.submission_id == expected.id and self.holds(job))

    @precondition(lambda self: self.those(*NOT_QUEUED))
    @rule(pick=PICKS)
    def claim_what_is_not_queued(self, pick: int) -> None:
        expected = chosen(self.those(*NOT_QUEUED), pick)
        self.refused(expected.id, IllegalTransition, lambda: self.world.claim(expected.id))

    @precondition(lambda self: self.those("queued", *HELD))
    @rule(pick=PICKS, stage=st.sampled_from(Stage))
    def beat(self, pick: int, stage: Stage) -> None:
        job = self._held(pick)
        expected = self.expected[job.submission_id]
        assert not self._beat(job, stage)
        if stage.value not in ("preparing", expected.status):
            expected.move(stage.value)

    def _beat(self, job: ScoringJob, stage: Stage) -> bool:
        with self.world.session() as session:
            return heartbeat(session, job.attempt_id, Heartbeat(stage=stage), settings=self.world.settings).stop

    @precondition(lambda self: self.those("queued", *HELD))
    @rule(pick=PICKS, value=VALUES)
    def succeed(self, pick: int, value: float) -> None:
        self._end(self._held(pick), ["succeeded", "succeeded"], value)

    @precondition(lambda self: self.those("queued", *HELD))
    @rule(pick=PICKS, outcomes=st.lists(st.sampled_from(OUTCOMES), min_size=2, max_size=2), value=VALUES)
    def end_somehow(self, pick: int, outcomes: list[str], value: float) -> None:
        self._end(self._held(pick), outcomes, value)

    def _end(self, job: ScoringJob, outcomes: Sequence[str], value: float) -> None:
        expected = self.expected[job.submission_id]
        outcomes = outcomes[: len(job.evaluations)]
        result = self.results[job.attempt_id] = result_with(job, outcomes, value)
        again = self._store(result)
        places = [place for place, one in enumerate(expected.tasks) if one == "waiting"]
        for place, outcome in zip(places, outcomes, strict=True):
            if outcome in ("succeeded", "user_error", "image"):
                expected.tasks[place] = "succeeded" if outcome == "succeeded" else "failed"
                expected.blamed[place] = outcome == "user_error"
        gravest = ("cancelled", "platform_error", "user_error", "image", "succeeded")
        worst = next(outcome for outcome in gravest if outcome in outcomes)
        expected.end_attempt("user_error" if worst == "image" else worst)
        assert again == (expected.status == "queued")

    def _store(self, result: Any) -> bool:  # noqa: ANN401  # a ScoringResult
        with self.world.session() as session:
            return store_result(session, result, self.world.storage)

    @precondition(lambda self: self.those("queued", *HELD))
    @rule(pick=PICKS, stopping=st.booleans())
    def give_back(self, pick: int, stopping: bool) -> None:  # noqa: FBT001  # hypothesis passes it by name
        job = self._held(pick)
        self._hand_back(job, stopping=stopping)
        self.expected[job.submission_id].end_attempt("cancelled" if stopping else "platform_error")

    def _hand_back(self, job: ScoringJob, *, stopping: bool = False) -> None:
        with self.world.session() as session:
            hand_back(session, job.attempt_id, Handback(reason="The disk is full.", stopping=stopping))

    @precondition(lambda self: self.those("queued", *HELD))
    @rule(pick=PICKS)
    def lose(self, pick: int) -> None:
        job = self._held(pick)
        expected = self.expected[job.submission_id]
        self._let_lease_run_out(job)
        queued = self._lose_expired()
        expected.end_attempt("lost")
        assert queued == ([expected.id] if expected.status == "queued" else [])

    def _let_lease_run_out(self, job: ScoringJob) -> None:
        with self.world.session() as session:
            past = now() - timedelta(seconds=1)
            session.execute(update(Attempt).where(Attempt.id == job.attempt_id).values(lease_expires=past))

    def _lose_expired(self) -> list[UUID]:
        with self.world.session() as session:
            return lose_expired(session)

    @precondition(lambda self: self.superseded())
    @rule(pick=PICKS, stage=st.sampled_from(Stage), stopping=st.booleans())
    def hear_of_the_superseded(self, pick: int, stage: Stage, stopping: bool) -> None:  # noqa: FBT001  # by name
        job = chosen(self.superseded(), pick)
        submission_id = job.submission_id
        self._let_lease_run_out(job)
        before = self.everything(submission_id)
        assert self._beat(job, stage)
        assert self._lose_expired() == []
        assert self.everything(submission_id) == before
        self.refused(submission_id, Superseded, lambda: self._hand_back(job, stopping=stopping))
        late = result_with(job, ["succeeded"] * len(job.evaluations), 0.125)
        self.refused(submission_id, Superseded, lambda: self._store(late))
        if result := self.results.get(job.attempt_id):
            # The agent did not hear the answer, and says it once more: also long after.
            self.changes_nothing(submission_id, lambda: self._store(result))

    @precondition(lambda self: self.those(*HELD))
    @rule(pick=PICKS)
    def cancel_what_runs(self, pick: int) -> None:
        self._cancel(chosen(self.those(*HELD), pick))

    @precondition(lambda self: len(self.those("submitted", "queued")) > MOST // 2)
    @rule(pick=PICKS)
    def cancel_what_waits(self, pick: int) -> None:
        self._cancel(chosen(self.those("submitted", "queued"), pick))

    def _cancel(self, expected: Expected) -> None:
        with self.world.session() as session:
            cancel_submission(session, expected.id, actor="person:ada", reason="Changed my mind.")
        self._cancelled(expected)

    @precondition(lambda self: self.those(*OVER))
    @rule(pick=PICKS)
    def cancel_what_is_over(self, pick: int) -> None:
        expected = chosen(self.those(*OVER), pick)
        self.refused(expected.id, IllegalTransition, lambda: self._cancel(expected))

    @precondition(lambda self: self.those("submitted"))
    @rule()
    def uploads_are_overdue(self) -> None:
        with self.world.session() as session:
            ended = set(cancel_overdue_uploads(session, seconds=0))
        overdue = self.those("submitted")
        assert {one.id for one in overdue} <= ended
        for one in overdue:
            self._cancelled(one)

    def _cancelled(self, expected: Expected) -> None:
        expected.counts = expected.status in HELD
        if expected.counts:
            expected.attempts[-1] = "cancelled"
        expected.tasks = ["cancelled" if one == "waiting" else one for one in expected.tasks]
        expected.move("cancelled")

    @invariant()
    def all_is_as_it_should_be(self) -> None:
        if not self.expected:
            return
        with self.world.session() as session:
            ids = list(self.expected)
            submissions = {one.id: one for one in session.scalars(select(Submission).where(Submission.id.in_(ids)))}
            attempts = session.scalars(
                select(Attempt).where(Attempt.submission_id.in_(ids)).order_by(Attempt.number)
            ).all()
            evaluations = session.scalars(
                select(Evaluation).where(Evaluation.submission_id.in_(ids)).order_by(Evaluation.position)
            ).all()
            scored = set(
                session.scalars(select(Score.evaluation_id).join(Evaluation).where(Evaluation.submission_id.in_(ids)))
            )
            events = session.scalars(select(Event).where(Event.subject_id.in_(ids)).order_by(Event.id)).all()
            stood = session.scalars(select(LeaderboardEntry).where(LeaderboardEntry.person_id == self.person.id)).all()
            left = quota_left(
                session, session.get_one(Phase, next(iter(submissions.values())).phase_id), self.person.id, now()
            )
        board = {one.submission_id for one in stood if one.until is None}
        for submission_id, expected in self.expected.items():
            row = submissions[submission_id]
            marked = times_marked([one for one in stood if one.submission_id == submission_id])
            own = [one for one in attempts if one.submission_id == submission_id]
            self._check(row, own, [one for one in events if one.subject_id == submission_id], expected, marked)
            tasks = [one for one in evaluations if one.submission_id == submission_id]
            assert [one.status.value for one in tasks] == expected.tasks
            for one in tasks:
                assert (one.id in scored) == (one.status is EvaluationStatus.SUCCEEDED)
                assert (one.verdict is not None) == (one.status is EvaluationStatus.FAILED)
            assert row.on_leaderboard == (submission_id in board)
        # The competition's rule is that the last one stands: of those that have finished, the one made last.
        finished = [one.id for one in self.expected.values() if one.status == "finished"]
        assert board == set(finished[-1:])
        assert left.total == LIMIT - sum(one.counts for one in self.expected.values())

    @staticmethod
    def _check(
        row: Submission, attempts: Sequence[Attempt], events: Sequence[Event], expected: Expected, marked: int
    ) -> None:
        assert row.status.value == expected.status
        assert (row.ended is not None) == (row.status in TERMINAL_SUBMISSION_STATUSES)
        assert row.counts == expected.counts
        assert [one.status.value for one in attempts] == expected.attempts
        active = [one for one in attempts if one.status is AttemptStatus.ACTIVE]
        assert len(active) == (row.status in ACTIVE_SUBMISSION_STATUSES)
        assert all((one.ended is None) == (one.status is AttemptStatus.ACTIVE) for one in attempts)
        failed = sum(one.status in FAILED_ATTEMPTS for one in attempts)
        assert failed <= MAX_ATTEMPTS
        if failed == MAX_ATTEMPTS:
            assert row.status in TERMINAL_SUBMISSION_STATUSES
        moves = [one for one in events if one.subject == "submission"]
        assert [one.after for one in moves] == expected.path
        assert [one.before for one in moves] == [None, *expected.path[:-1]]
        assert row.version == len(moves) + marked
        for one in moves:
            assert one.actor
            if one.before is not None:
                assert one.after in SUBMISSION_TRANSITIONS[SubmissionStatus(one.before)]


@pytest.fixture
def slug(world: World, ada: Known) -> str:
    organizer = world.person("olga", organizer=True)
    phases = [phase(tasks=[0, 1], max_submissions=LIMIT, max_submissions_per_day=LIMIT)]
    made = world.competition(organizer, tasks=2, phases=phases)
    world.join(ada, made)
    return made


def test_whatever_happens_in_whatever_order(world: World, slug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.settings, "lease_seconds", 3600.0)  # none runs out but those that are meant to
    machine = type("TugHere", (Tug,), {"world": world, "slug": slug})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # To look for a shorter way to a fault would take minutes.
            phases=[HypothesisPhase.generate],
        ),
    )


def at_once(*calls: Callable[[], object]) -> list[str]:
    """Call all at the same time; say of each whether it went well, or what refused it."""
    start = Barrier(len(calls))

    def call(one: Callable[[], object]) -> str:
        start.wait(60)
        try:
            one()
        except (IllegalTransition, Superseded) as error:
            return error.type
        return "well"

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(call, calls))


def times_marked(rows: Sequence[LeaderboardEntry]) -> int:
    """How often a submission came onto the leaderboard or left it, by its rows there."""
    return len({row.since for row in rows} ^ {row.until for row in rows if row.until is not None})


def path_of(world: World, submission_id: UUID) -> list[str]:
    """The statuses by its events, which must be a way through the table, to the status that it has."""
    with world.session() as session:
        query = select(Event).where(Event.subject_id == submission_id, Event.subject == "submission")
        events = session.scalars(query.order_by(Event.id)).all()
        submission = session.get_one(Submission, submission_id)
        stood = session.scalars(select(LeaderboardEntry).where(LeaderboardEntry.submission_id == submission_id)).all()
    path = [SubmissionStatus(event.after) for event in events]
    assert [event.before for event in events] == [None, *path[:-1]]
    assert all(after in SUBMISSION_TRANSITIONS[before] for before, after in pairwise(path))
    assert (submission.status, submission.version) == (path[-1], len(path) + times_marked(stood))
    return [status.value for status in path]


def attempts_of(world: World, submission_id: UUID) -> list[str]:
    with world.session() as session:
        query = select(Attempt.status).where(Attempt.submission_id == submission_id).order_by(Attempt.number)
        return [status.value for status in session.scalars(query)]


@pytest.fixture
def cancelling(world: World) -> Callable[[UUID], None]:
    def cancel(submission_id: UUID) -> None:
        with world.session() as session:
            cancel_submission(session, submission_id, actor="person:ada", reason="Changed my mind.")

    return cancel


ROUNDS = range(6)


@pytest.mark.parametrize("_", ROUNDS)
def test_of_claims_at_once_one_gets_it(world: World, ada: Known, slug: str, _: int) -> None:
    submission_id = world.submit(ada, slug)
    heard = at_once(*[lambda: world.claim(submission_id)] * 4)
    assert sorted(heard) == ["illegal-transition"] * 3 + ["well"]
    assert path_of(world, submission_id) == ["submitted", "queued", "preparing"]
    assert attempts_of(world, submission_id) == ["active"]


@pytest.mark.parametrize("_", ROUNDS)
def test_a_claim_and_a_cancellation_at_once_end_cancelled(
    world: World, ada: Known, slug: str, cancelling: Callable[[UUID], None], _: int
) -> None:
    submission_id = world.submit(ada, slug)
    claimed, cancelled = at_once(lambda: world.claim(submission_id), lambda: cancelling(submission_id))
    assert cancelled == "well"
    ran = claimed == "well"
    assert path_of(world, submission_id) == ["submitted", "queued", *["preparing"] * ran, "cancelled"]
    assert attempts_of(world, submission_id) == ["cancelled"] * ran
    assert world.submission(submission_id).counts == ran


@pytest.mark.parametrize("_", ROUNDS)
def test_a_completion_and_a_cancellation_at_once_end_cancelled(
    world: World, ada: Known, slug: str, cancelling: Callable[[UUID], None], _: int
) -> None:
    submission_id = world.announce(ada, slug)
    world.upload(submission_id)
    completed, cancelled = at_once(lambda: world.complete(submission_id), lambda: cancelling(submission_id))
    assert cancelled == "well"
    assert path_of(world, submission_id) == ["submitted", *["queued"] * (completed == "well"), "cancelled"]
    assert not world.submission(submission_id).counts


@pytest.mark.parametrize("_", ROUNDS)
def test_of_a_result_and_a_cancellation_at_once_one_holds(
    world: World, ada: Known, slug: str, cancelling: Callable[[UUID], None], _: int
) -> None:
    submission_id = world.submit(ada, slug)
    job = world.claim(submission_id)
    heard = at_once(lambda: world.finish(job, {"accuracy": 1}, {"accuracy": 1}), lambda: cancelling(submission_id))
    assert heard in (["well", "illegal-transition"], ["superseded", "well"])
    finished = heard[0] == "well"
    end = "finished" if finished else "cancelled"
    assert path_of(world, submission_id) == ["submitted", "queued", "preparing", end]
    assert attempts_of(world, submission_id) == ["succeeded" if finished else "cancelled"]
    with world.session() as session:
        assert len(session.scalars(select(LeaderboardEntry)).all()) == finished
        assert len(session.scalars(select(Score)).all()) == 2 * finished
    assert world.submission(submission_id).on_leaderboard == finished


@pytest.mark.parametrize("_", ROUNDS)
def test_of_two_cancellations_at_once_one_is_told_of_the_other(
    world: World, ada: Known, slug: str, cancelling: Callable[[UUID], None], _: int
) -> None:
    submission_id = world.submit(ada, slug)
    world.claim(submission_id)
    assert sorted(at_once(*[lambda: cancelling(submission_id)] * 2)) == ["illegal-transition", "well"]
    assert path_of(world, submission_id)[-1] == "cancelled"
    with world.session() as session:
        told = session.scalars(select(Event).where(Event.subject == "attempt")).all()
    assert [(event.before, event.after, event.actor) for event in told] == [("active", "cancelled", "person:ada")]


@pytest.mark.parametrize("_", ROUNDS)
def test_of_a_result_a_loss_and_a_hand_back_at_once_one_holds(world: World, ada: Known, slug: str, _: int) -> None:
    submission_id = world.submit(ada, slug)
    job = world.claim(submission_id)
    with world.session() as session:
        session.execute(update(Attempt).values(lease_expires=now() - timedelta(seconds=1)))
    lost: list[UUID] = []

    def lose() -> None:
        with world.session() as session:
            lost.extend(lose_expired(session))

    def give_back() -> None:
        with world.session() as session:
            hand_back(session, job.attempt_id, Handback(reason="The disk is full."))

    finished, *_, given = at_once(lambda: world.finish(job, {"accuracy": 1}, {"accuracy": 1}), lose, lose, give_back)
    assert [finished == "well", len(lost) == 1, given == "well"].count(True) == 1
    (attempt,) = attempts_of(world, submission_id)
    assert attempt == ("succeeded" if finished == "well" else "lost" if lost else "platform_error")
    assert path_of(world, submission_id)[3:] == ["finished" if finished == "well" else "queued"]


def test_a_change_is_made_only_from_the_status_that_it_was_thought_of_for(world: World, ada: Known, slug: str) -> None:
    """Without any lock: the guard of the UPDATE alone."""
    submission_id = world.submit(ada, slug)
    with world.session() as early, world.session() as late:
        first, second = early.get_one(Submission, submission_id), late.get_one(Submission, submission_id)
        move_submission(early, first, SubmissionStatus.CANCELLED, actor="person:ada")
        early.commit()
        with pytest.raises(IllegalTransition, match="queued can't become preparing"):
            move_submission(late, second, SubmissionStatus.PREPARING, actor="agent:a")
    assert path_of(world, submission_id) == ["submitted", "queued", "cancelled"]


def test_a_second_active_attempt_is_refused_by_the_database_too(world: World, ada: Known, slug: str) -> None:
    job = world.claim(world.submit(ada, slug))
    with pytest.raises(IntegrityError, match="uq_attempts_active"), world.session() as session:
        session.add(Attempt(submission_id=job.submission_id, number=2, flow_run_id=uuid4(), lease_expires=now()))
