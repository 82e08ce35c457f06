"""Attempts at a submission: claimed once, kept alive, lost, given back, cancelled, superseded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from world import Known, World, evaluation_results, phase, result_of, success

from podium.platform.errors import InvalidInput, NotFound
from podium.platform.jobs import Handback, Heartbeat, OutputKind, ScoringJob
from podium.platform.lifecycle import (
    AttemptStatus,
    EvaluationStatus,
    IllegalTransition,
    Stage,
    SubmissionStatus,
    Verdict,
)
from podium.platform.models import Attempt, Event, LeaderboardEntry, Phase, Submission, Token, now
from podium.platform.submissions.attempts import (
    LAST_WORDS,
    MAX_ATTEMPTS,
    DoesNotFit,
    Superseded,
    cancel_submission,
    hand_back,
    heartbeat,
    lose_expired,
)
from podium.platform.submissions.results import store_result


@pytest.fixture
def slug(world: World, ada: Known) -> str:
    """A competition of two tasks, in which each participant may submit thrice."""
    organizer = world.person("olga", organizer=True)
    made = world.competition(organizer, tasks=2, phases=[phase(tasks=[0, 1], max_submissions=3)])
    world.join(ada, made)
    return made


def beat(world: World, job: ScoringJob, stage: Stage) -> bool:
    """Send a heartbeat; tell whether the attempt may go on."""
    with world.session() as session:
        return not heartbeat(session, job.attempt_id, Heartbeat(stage=stage), settings=world.settings).stop


def give_back(world: World, job: ScoringJob, *, stopping: bool = False) -> None:
    with world.session() as session:
        hand_back(session, job.attempt_id, Handback(reason="The disk is full.", stopping=stopping))


def cancel(world: World, submission_id: UUID) -> None:
    with world.session() as session:
        cancel_submission(session, submission_id, actor="person:ada", reason="Changed my mind.")


def let_lease_run_out(world: World, job: ScoringJob) -> list[UUID]:
    with world.session() as session:
        past = now() - timedelta(seconds=1)
        session.execute(update(Attempt).where(Attempt.id == job.attempt_id).values(lease_expires=past))
    with world.session() as session:
        return lose_expired(session)


def attempt(world: World, job: ScoringJob) -> Attempt:
    with world.session() as session:
        return session.get_one(Attempt, job.attempt_id)


def path_of(world: World, submission_id: UUID) -> list[str]:
    """The statuses that a submission has been in, by its events."""
    with world.session() as session:
        query = select(Event).where(Event.subject_id == submission_id, Event.subject == "submission")
        events = session.scalars(query.order_by(Event.id)).all()
    assert [event.before for event in events][1:] == [event.after for event in events][:-1]
    return [event.after for event in events]


def test_a_job_has_all_that_an_agent_needs(world: World, ada: Known, slug: str) -> None:
    submission_id = world.submit(ada, slug)
    job = world.claim(submission_id)
    assert (job.submission_id, job.competition, job.phase, job.attempt_number) == (submission_id, slug, "First", 1)
    assert job.submission.size == world.submission(submission_id).size
    assert job.score_keys == ("accuracy",)
    assert job.limits.wall_seconds == 600
    assert [evaluation.task for evaluation in job.evaluations] == ["Task 0", "Task 1"]
    for evaluation in job.evaluations:
        assert evaluation.reference_data is not None
        assert (evaluation.ingestion_program, evaluation.input_data) == (None, None)
        assert set(evaluation.outputs) == set(OutputKind)
        assert {request.method for request in evaluation.outputs.values()} == {"PUT"}
    assert world.submission(submission_id).status is SubmissionStatus.PREPARING


def test_what_an_attempt_may_fetch_and_put_is_good_to_the_end_of_its_work(world: World, ada: Known, slug: str) -> None:
    hours = 20
    with world.session() as session:
        session.execute(update(Phase).values(execution_time_limit=hours * 3600))
    job = world.claim(world.submit(ada, slug))
    assert job.limits.wall_seconds == hours * 3600
    last = now() + timedelta(hours=2 * hours * len(job.evaluations))
    for evaluation in job.evaluations:
        requests = [*evaluation.outputs.values(), evaluation.scoring_program.request]
        assert all(request.expires > last for request in requests)
    assert job.submission.request.expires < last


def test_of_many_agents_that_claim_at_once_exactly_one_gets_it(world: World, ada: Known, slug: str) -> None:
    submission_id = world.submit(ada, slug)
    start = Barrier(8)

    def claim(_: int) -> str:
        start.wait(10)
        try:
            return str(world.claim(submission_id).attempt_id)
        except IllegalTransition:
            return "refused"

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(claim, range(8)))
    assert results.count("refused") == 7
    assert str(attempt_ids(world, submission_id)[0]) in results
    assert len(attempt_ids(world, submission_id)) == 1


def attempt_ids(world: World, submission_id: UUID) -> list[UUID]:
    with world.session() as session:
        query = select(Attempt.id).where(Attempt.submission_id == submission_id).order_by(Attempt.number)
        return list(session.scalars(query))


def test_only_what_is_queued_can_be_claimed(world: World, ada: Known, slug: str) -> None:
    submission_id = world.announce(ada, slug)
    with pytest.raises(IllegalTransition):
        world.claim(submission_id)
    cancel(world, submission_id)
    with pytest.raises(IllegalTransition):
        world.claim(submission_id)


def test_a_pool_claims_its_own_submissions_alone(world: World, ada: Known, slug: str) -> None:
    submission_id = world.submit(ada, slug)
    with pytest.raises(NotFound):
        world.claim(submission_id, pool="gpu")
    with pytest.raises(NotFound):
        world.claim(uuid4())
    assert world.submission(submission_id).status is SubmissionStatus.QUEUED


def test_the_status_follows_the_stages(world: World, ada: Known, slug: str) -> None:
    submission_id = world.submit(ada, slug)
    job = world.claim(submission_id)
    stages = [Stage.PREPARING, Stage.RUNNING, Stage.RUNNING, Stage.SCORING, Stage.RUNNING, Stage.SCORING]
    seen = []
    for stage in stages:
        assert beat(world, job, stage)
        seen.append(world.submission(submission_id).status.value)
    assert seen == ["preparing", "running", "running", "scoring", "running", "scoring"]
    assert path_of(world, submission_id) == [
        *("submitted", "queued", "preparing", "running", "scoring", "running", "scoring")
    ]
    assert world.submission(submission_id).version == 7


def test_a_heartbeat_renews_the_lease(world: World, ada: Known, slug: str) -> None:
    job = world.claim(world.submit(ada, slug))
    before = attempt(world, job).lease_expires
    assert beat(world, job, Stage.PREPARING)
    after = attempt(world, job).lease_expires
    assert before < after <= now() + timedelta(seconds=world.settings.lease_seconds)
    with world.session() as session:
        assert lose_expired(session) == []


def test_a_lost_lease_queues_again_and_the_third_time_gives_up_without_costing_quota(
    world: World, ada: Known, slug: str
) -> None:
    submission_id = world.submit(ada, slug)
    for number in range(1, MAX_ATTEMPTS + 1):
        job = world.claim(submission_id)
        assert job.attempt_number == number
        assert let_lease_run_out(world, job) == ([submission_id] if number < MAX_ATTEMPTS else [])
        assert attempt(world, job).status is AttemptStatus.LOST
        assert not beat(world, job, Stage.RUNNING)
    submission = world.submission(submission_id)
    assert (submission.status, submission.counts) == (SubmissionStatus.FAILED, False)
    assert "does not count against your quota" in submission.status_message
    assert path_of(world, submission_id) == ["submitted", *["queued", "preparing"] * 3, "failed"]


def test_an_attempt_that_is_queued_again_needs_a_new_flow_run(world: World, ada: Known, slug: str) -> None:
    submission_id = world.submit(ada, slug)
    with world.session() as session:
        session.get_one(Submission, submission_id).flow_run_id = uuid4()
    give_back(world, world.claim(submission_id))
    submission = world.submission(submission_id)
    assert (submission.status, submission.flow_run_id) == (SubmissionStatus.QUEUED, None)
    assert "The disk is full." in submission.status_message


def test_agents_that_stop_in_good_order_use_up_no_try(world: World, ada: Known, slug: str) -> None:
    submission_id = world.submit(ada, slug)
    for _ in range(MAX_ATTEMPTS + 1):
        give_back(world, world.claim(submission_id), stopping=True)

    with world.session() as session:
        submission = session.get_one(Submission, submission_id)
        assert submission.status is SubmissionStatus.QUEUED
        assert {attempt.status for attempt in submission.attempts} == {AttemptStatus.CANCELLED}


def test_giving_back_three_times_ends_it_too(world: World, ada: Known, slug: str) -> None:
    submission_id = world.submit(ada, slug)
    for _ in range(MAX_ATTEMPTS):
        job = world.claim(submission_id)
        give_back(world, job)
        assert attempt(world, job).status is AttemptStatus.PLATFORM_ERROR
    assert (world.submission(submission_id).status, world.submission(submission_id).counts) == ("failed", False)
    with world.session() as session:
        given_up = session.get_one(Submission, submission_id)
        assert {evaluation.status for evaluation in given_up.evaluations} == {EvaluationStatus.CANCELLED}
    with pytest.raises(IllegalTransition):
        world.claim(submission_id)


def test_a_platform_error_of_one_task_keeps_the_scores_of_the_other_for_the_next_attempt(
    world: World, ada: Known, slug: str
) -> None:
    submission_id = world.submit(ada, slug)
    job = world.claim(submission_id)
    first, second = evaluation_results(job, [{"accuracy": 0.25}, {}])
    failed = {**second, "outcome": "platform_error", "message": "The engine is gone."}
    with world.session() as session:
        assert store_result(session, result_of(job, [first, failed]), world.storage)
    again = world.claim(submission_id)
    assert [evaluation.evaluation_id for evaluation in again.evaluations] == [job.evaluations[1].evaluation_id]
    world.finish(again, {"accuracy": 0.75})
    assert world.submission(submission_id).status is SubmissionStatus.FINISHED
    with world.session() as session:
        assert session.scalars(select(LeaderboardEntry.scores)).one() == [0.5]


def test_a_user_error_of_an_earlier_attempt_is_not_forgotten(world: World, ada: Known, slug: str) -> None:
    submission_id = world.submit(ada, slug)
    job = world.claim(submission_id)
    first, second = evaluation_results(job, [{}, {}])
    failed = {**first, "outcome": "user_error", "verdict": "time_limit", "message": "Too slow."}
    with world.session() as session:
        store_result(session, result_of(job, [failed, {**second, "outcome": "platform_error"}]), world.storage)
    world.finish(world.claim(submission_id), {"accuracy": 1})
    submission = world.submission(submission_id)
    assert (submission.status, submission.status_message) == (SubmissionStatus.FAILED, "Task 'Task 0': Too slow.")
    assert submission.counts


def test_a_user_error_costs_quota_and_is_not_tried_again(world: World, ada: Known, slug: str) -> None:
    submission_id = world.submit(ada, slug)
    job = world.claim(submission_id)
    first, second = evaluation_results(job, [{"accuracy": 1}, {}])
    failed = {**second, "outcome": "user_error", "verdict": "memory_limit", "message": "Needed too much."}
    with world.session() as session:
        assert not store_result(session, result_of(job, [first, failed]), world.storage)
    with world.session() as session:
        submission = session.get_one(Submission, submission_id)
        assert (submission.status, submission.counts) == (SubmissionStatus.FAILED, True)
        assert submission.status_message == "Task 'Task 1': Needed too much."
        assert [(evaluation.status, evaluation.verdict) for evaluation in submission.evaluations] == [
            (EvaluationStatus.SUCCEEDED, None),
            (EvaluationStatus.FAILED, Verdict.MEMORY_LIMIT),
        ]
        assert session.scalars(select(LeaderboardEntry)).all() == []
    assert attempt(world, job).status is AttemptStatus.USER_ERROR


def test_cancelling_gives_the_quota_back_only_if_it_never_ran(world: World, ada: Known, slug: str) -> None:
    never_ran = [world.announce(ada, slug), world.submit(ada, slug)]
    for submission_id in never_ran:
        cancel(world, submission_id)
    for stage in Stage:
        submission_id = world.submit(ada, slug)
        job = world.claim(submission_id)
        assert beat(world, job, stage)
        cancel(world, submission_id)
        assert world.submission(submission_id).counts
        assert attempt(world, job).status is AttemptStatus.CANCELLED
        assert not beat(world, job, stage)
    assert [world.submission(submission_id).counts for submission_id in never_ran] == [False, False]
    with world.session() as session:
        statuses = {found.status for found in session.get_one(Submission, submission_id).evaluations}
        assert statuses == {EvaluationStatus.CANCELLED}


@pytest.mark.parametrize("end", ["finished", "failed", "cancelled"])
def test_what_has_ended_can_not_be_cancelled(world: World, ada: Known, slug: str, end: str) -> None:
    submission_id = world.submit(ada, slug)
    if end == "cancelled":
        cancel(world, submission_id)
    else:
        job = world.claim(submission_id)
        if end == "finished":
            world.finish(job, {"accuracy": 1}, {"accuracy": 1})
        else:
            results = evaluation_results(job, [{}, {}])
            failed = [{**found, "outcome": "user_error", "verdict": "no_scores"} for found in results]
            with world.session() as session:
                store_result(session, result_of(job, failed), world.storage)
    before = world.submission(submission_id)
    assert before.status == end
    with pytest.raises(IllegalTransition, match=f"{end} can't become cancelled"):
        cancel(world, submission_id)
    assert world.submission(submission_id).version == before.version


def test_a_cancellation_that_meets_a_claim_still_cancels(world: World, ada: Known, slug: str) -> None:
    """The gateway has looked at the submission, to see whose it is, before an agent claims it."""
    submission_id = world.submit(ada, slug)
    with world.session() as session:
        looked_at = session.get_one(Submission, submission_id)
        assert looked_at.status is SubmissionStatus.QUEUED
        job = world.claim(submission_id)
        cancel_submission(session, submission_id, actor="person:ada", reason="Changed my mind.")
    submission = world.submission(submission_id)
    assert (submission.status, submission.counts) == (SubmissionStatus.CANCELLED, True)
    assert attempt(world, job).status is AttemptStatus.CANCELLED


def test_a_result_of_a_superseded_attempt_is_refused_and_changes_nothing(world: World, ada: Known, slug: str) -> None:
    submission_id = world.submit(ada, slug)
    lost = world.claim(submission_id)
    let_lease_run_out(world, lost)
    for after in ("queued", "preparing"):
        with world.session() as session, pytest.raises(Superseded, match="This attempt is lost"):
            store_result(session, success(lost, {"accuracy": 1}, {"accuracy": 1}), world.storage)
        assert world.submission(submission_id).status == after
        if after == "queued":
            current = world.claim(submission_id)
    with world.session() as session, pytest.raises(Superseded):
        hand_back(session, lost.attempt_id, Handback(reason="Late."))
    world.finish(current, {"accuracy": 0.5}, {"accuracy": 0.5})
    with world.session() as session:
        assert session.scalars(select(LeaderboardEntry.scores)).one() == [0.5]


def test_an_attempt_that_is_lost_while_its_result_arrives_is_superseded(world: World, ada: Known, slug: str) -> None:
    """The gateway has looked at the attempt before it is lost and another agent has claimed the submission."""
    submission_id = world.submit(ada, slug)
    lost = world.claim(submission_id)
    with world.session() as session:
        looked_at = session.get_one(Attempt, lost.attempt_id)
        assert looked_at.status is AttemptStatus.ACTIVE
        let_lease_run_out(world, lost)
        current = world.claim(submission_id)
        with pytest.raises(Superseded):
            store_result(session, success(lost, {"accuracy": 1}, {"accuracy": 1}), world.storage)
    assert world.submission(submission_id).status is SubmissionStatus.PREPARING
    assert attempt(world, current).status is AttemptStatus.ACTIVE


def test_the_same_result_twice_is_stored_once(world: World, ada: Known, slug: str) -> None:
    submission_id = world.submit(ada, slug)
    job = world.claim(submission_id)
    for _ in range(2):
        world.finish(job, {"accuracy": 0.5}, {"accuracy": 1})
    assert path_of(world, submission_id) == ["submitted", "queued", "preparing", "finished"]
    with pytest.raises(Superseded, match="This attempt is succeeded"):
        world.finish(job, {"accuracy": 1}, {"accuracy": 1})


def test_the_same_result_twice_at_once_is_stored_once_and_both_hear_well(world: World, ada: Known, slug: str) -> None:
    job = world.claim(world.submit(ada, slug))
    start = Barrier(4)

    def post(_: int) -> str:
        start.wait(10)
        world.finish(job, {"accuracy": 0.5}, {"accuracy": 1})
        return "heard"

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(post, range(4))) == ["heard"] * 4
    with world.session() as session:
        assert len(session.scalars(select(LeaderboardEntry)).all()) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": {"accuracy": float("nan")}}, "not a finite number"),
        ({"scores": {"accuracy": float("inf")}}, "not a finite number"),
        ({"verdict": "time_limit"}, "A verdict belongs to a user error"),
        ({"outcome": "user_error"}, "A verdict belongs to a user error"),
        ({"evaluation_id": str(uuid4())}, "exactly once"),
        ({"scores": {"k" * 101: 1.0}}, "longer than 100"),
        ({"outputs": [{"kind": "scoring_output", "sha256": "0" * 64, "size": 1}] * 2}, "reported twice"),
    ],
)
def test_a_result_that_does_not_fit_changes_nothing(
    world: World, ada: Known, slug: str, change: dict[str, object], message: str
) -> None:
    submission_id = world.submit(ada, slug)
    job = world.claim(submission_id)
    first, second = evaluation_results(job, [{"accuracy": 1}, {"accuracy": 1}])
    with world.session() as session, pytest.raises(InvalidInput, match=message):
        store_result(session, result_of(job, [first, {**second, **change}]), world.storage)
    assert world.submission(submission_id).status is SubmissionStatus.PREPARING
    assert beat(world, job, Stage.SCORING)


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_result_names_each_evaluation_once(world: World, ada: Known, slug: str, number: int) -> None:
    job = world.claim(world.submit(ada, slug))
    results = evaluation_results(job, [{"accuracy": 1}, {"accuracy": 1}])
    with world.session() as session, pytest.raises(InvalidInput, match="exactly once"):
        store_result(session, result_of(job, (results * 2)[:number]), world.storage)


def test_an_output_that_was_not_uploaded_refuses_the_result(world: World, ada: Known, slug: str) -> None:
    job = world.claim(world.submit(ada, slug))
    first, second = evaluation_results(job, [{"accuracy": 1}, {"accuracy": 1}])
    output = {"kind": "scoring_output", "sha256": "0" * 64, "size": 1}
    with world.session() as session, pytest.raises(NotFound, match="Nothing has been uploaded"):
        store_result(session, result_of(job, [first, {**second, "outputs": [output]}]), world.storage)


def test_the_token_of_an_attempt_dies_soon_after_it(world: World, ada: Known, slug: str) -> None:
    job = world.claim(world.submit(ada, slug))
    give_back(world, job)
    with world.session() as session:
        expires = session.scalars(select(Token.expires).where(Token.attempt_id == job.attempt_id)).one()
        assert expires is not None
        assert now() < expires <= now() + LAST_WORDS


def test_nobody_begins_before_the_pause_after_trouble_is_over(world: World, ada: Known, slug: str) -> None:
    """Not even an agent that heard of the submission before it was tried the first time."""
    submission_id = world.submit(ada, slug)
    with world.session() as session:
        hand_back(session, world.claim(submission_id).attempt_id, Handback(reason="The disk is full."))
    with pytest.raises(DoesNotFit, match="It is tried again at"):
        world.claim(submission_id, patient=False)
    assert world.submission(submission_id).status is SubmissionStatus.QUEUED
    with world.session() as session:
        session.execute(update(Submission).where(Submission.id == submission_id).values(not_before=now()))
    assert world.claim(submission_id, patient=False).attempt_number == 2
