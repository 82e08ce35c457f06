"""Several submissions claimed, and several results stored, in one call: each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from rescoring import again, release, start
from sqlalchemy import func, select, update
from world import Known, RunningGateway, World, phase, success

from podium.platform.errors import NotFound, PodiumError
from podium.platform.jobs import Claim, ClaimAnswers, Claims, Handback, ResultAnswers, ScoringJob
from podium.platform.lifecycle import IllegalTransition
from podium.platform.models import Attempt, Event, LeaderboardEntry, Pool, Rerun, Score, Submission, now
from podium.platform.reruns.selection import Selection
from podium.platform.submissions.attempts import DoesNotFit, Superseded, cancel_submission, hand_back, lose_expired
from podium.platform.submissions.claiming import Answer, claim_submissions
from podium.platform.submissions.results import Stored, store_results


@pytest.fixture
def slug(world: World, ada: Known, olga: Known) -> str:
    made = world.competition(olga, phases=[phase()])
    world.join(ada, made)
    return made


def claims(submission_ids: Sequence[UUID], *, ahead: bool = False) -> list[Claim]:
    return [Claim(submission_id=one, flow_run_id=uuid4(), ahead=ahead) for one in submission_ids]


def claim(world: World, wanted: Sequence[Claim]) -> dict[UUID, Answer]:
    with world.session() as session:
        pool = session.scalars(select(Pool).where(Pool.name == "docker")).one()
        return claim_submissions(session, wanted, agent=None, pool=pool, storage=world.storage, settings=world.settings)


def jobs(answers: dict[UUID, Answer]) -> list[ScoringJob]:
    return [answer for answer in answers.values() if isinstance(answer, ScoringJob)]


def store(world: World, results: Sequence[Any]) -> dict[UUID, Stored | PodiumError]:
    with world.session() as session:
        return store_results(session, results, world.storage)


def attempts(world: World, submission_id: UUID) -> list[tuple[int, str]]:
    with world.session() as session:
        query = select(Attempt.number, Attempt.status).where(Attempt.submission_id == submission_id)
        return [(number, status.value) for number, status in session.execute(query.order_by(Attempt.number))]


def test_what_can_be_had_is_granted_beside_what_can_not(world: World, ada: Known, slug: str) -> None:
    first, cancelled, waits, taken, last = (world.submit(ada, slug) for _ in range(5))
    world.claim(taken)
    with world.session() as session:
        cancel_submission(session, cancelled, actor="tests", reason="No.")
        later = now() + timedelta(minutes=1)
        session.execute(update(Submission).where(Submission.id == waits).values(not_before=later))
    unknown = uuid4()
    wanted = [last, cancelled, waits, unknown, taken, first, last]
    answers = claim(world, claims(wanted))
    assert {one: type(answer) for one, answer in answers.items()} == {
        last: ScoringJob,
        first: ScoringJob,
        cancelled: IllegalTransition,
        taken: IllegalTransition,
        waits: DoesNotFit,
        unknown: NotFound,
    }
    for submission_id in (first, last):
        job = answers[submission_id]
        assert isinstance(job, ScoringJob)
        assert (job.submission_id, job.attempt_number, len(job.evaluations)) == (submission_id, 1, 1)
        assert world.submission(submission_id).status == "preparing"
    assert len({job.attempt_token for job in jobs(answers)}) == 2
    assert world.submission(waits).status == "queued"


def test_agents_that_claim_the_same_at_once_get_what_the_others_do_not(world: World, ada: Known, slug: str) -> None:
    submissions = [world.submit(ada, slug) for _ in range(8)]
    at_once = Barrier(4)

    def take(number: int) -> list[UUID]:
        at_once.wait(10)
        order = submissions if number % 2 else submissions[::-1]
        return [job.submission_id for job in jobs(claim(world, claims(order)))]

    with ThreadPoolExecutor(4) as threads:
        taken = [one for part in threads.map(take, range(4)) for one in part]
    assert sorted(taken) == sorted(submissions)


def test_a_rerun_has_exactly_as_many_slots_as_it_may_and_none_for_those_who_wait(
    world: World, ada: Known, olga: Known, slug: str
) -> None:
    for _ in range(6):
        world.score(ada, slug, {"accuracy": 0.5})
    rerun_id = start(world, olga, slug, Selection(phase="1"))
    with world.session() as session:
        session.execute(update(Rerun).where(Rerun.id == rerun_id).values(parallel=3))
    release(world, rerun_id)
    copies = list(again(world, rerun_id).values())
    assert jobs(claim(world, claims(copies, ahead=True))) == []
    at_once = Barrier(2)

    def take(_: int) -> list[ScoringJob]:
        at_once.wait(10)
        return jobs(claim(world, claims(copies)))

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(take, range(2))
    assert len(first) + len(second) == 3


def test_what_an_agent_took_along_when_it_died_is_tried_again_once_each(world: World, ada: Known, slug: str) -> None:
    submissions = [world.submit(ada, slug) for _ in range(3)]
    held = jobs(claim(world, claims(submissions, ahead=True)))
    with world.session() as session:
        past = now() - timedelta(seconds=1)
        session.execute(update(Attempt).values(lease_expires=past))
    with world.session() as session:
        assert sorted(lose_expired(session)) == sorted(submissions)
    with world.session() as session:
        assert lose_expired(session) == []
    answers = store(world, [success(job, {"accuracy": 0.9}) for job in held])
    assert {type(answer) for answer in answers.values()} == {Superseded}
    assert len(jobs(claim(world, claims(submissions)))) == 3
    assert [attempts(world, one) for one in submissions] == [[(1, "lost"), (2, "active")]] * 3


def test_what_waited_in_vain_is_handed_back_without_a_failure(world: World, ada: Known, slug: str) -> None:
    submission_id = world.submit(ada, slug)
    for number in range(1, 6):  # more often than anything may fail
        (job,) = jobs(claim(world, claims([submission_id], ahead=True)))
        assert job.attempt_number == number
        with world.session() as session:
            hand_back(session, job.attempt_id, Handback(reason="The agent had no slot for it.", stopping=True))
        assert world.submission(submission_id).not_before is None
    assert {status for _, status in attempts(world, submission_id)} == {"cancelled"}


def test_results_are_stored_beside_those_that_are_refused(world: World, ada: Known, slug: str) -> None:
    good, bad, cancelled, failed, given_up = (world.submit(ada, slug) for _ in range(5))
    by_id = {job.submission_id: job for job in jobs(claim(world, claims([good, bad, cancelled, failed, given_up])))}
    with world.session() as session:
        cancel_submission(session, cancelled, actor="tests", reason="No.")
    results = {one: success(by_id[one], {"accuracy": 0.8}) for one in (good, bad, cancelled, failed, given_up)}
    results[bad] = results[bad].model_copy(update={"evaluations": ()})
    for one, changes in {
        failed: {"outcome": "user_error", "verdict": "no_scores", "message": "None."},
        given_up: {"outcome": "platform_error", "message": "The disk is full."},
    }.items():
        (evaluation,) = results[one].evaluations
        changed = type(evaluation).model_validate({**evaluation.model_dump(), **changes, "scores": {}})
        results[one] = results[one].model_copy(update={"evaluations": (changed,)})
    answers = store(world, list(results.values()))
    told = {job.submission_id: answers[job.attempt_id] for job in by_id.values()}
    assert told[good] == Stored(good)
    assert told[failed] == Stored(failed)
    assert told[given_up] == Stored(given_up, queued_again=True)
    assert isinstance(told[bad], PodiumError)
    assert isinstance(told[cancelled], Superseded)
    assert [str(world.submission(one).status) for one in (good, bad, cancelled, failed, given_up)] == [
        "finished",
        "preparing",
        "cancelled",
        "failed",
        "queued",
    ]
    # The bad one may still be made good, and the others told again change nothing.
    results[bad] = success(by_id[bad], {"accuracy": 0.7})
    before = counted(world)
    answers = store(world, [results[one] for one in (good, good, failed)])
    assert set(answers.values()) == {Stored(good), Stored(failed)}
    assert counted(world) == before
    assert store(world, [results[bad]]) == {by_id[bad].attempt_id: Stored(bad)}
    with world.session() as session:
        assert session.scalars(
            select(LeaderboardEntry.submission_id).where(LeaderboardEntry.until.is_(None))
        ).all() == [bad]


def counted(world: World) -> tuple[int, int]:
    with world.session() as session:
        return session.scalar(select(func.count(Event.id))) or 0, session.scalar(select(func.count(Score.value))) or 0


def test_over_http_each_is_answered_by_itself(gateway: RunningGateway, world: World, ada: Known, slug: str) -> None:
    agent, submissions = world.agent_token(), [world.submit(ada, slug) for _ in range(3)]
    body = Claims(claims=tuple(claims([*submissions, uuid4()])))
    answer = gateway.call("POST", "/agent/claims/several", agent, json=body.model_dump(mode="json"))
    assert answer.status_code == 200, answer.text
    granted = ClaimAnswers.model_validate_json(answer.content).answers
    held = [one.job for one in granted if one.job is not None]
    (refusal,) = [one.refusal for one in granted if one.refusal is not None]
    assert len(held) == 3
    assert (refusal.status, refusal.type) == (404, "not-found")

    # The second comes with the token of the third, and the third has a key that no database holds.
    tokens = [held[0].attempt_token, held[2].attempt_token, held[2].attempt_token]
    scores = [{"accuracy": 0.5}, {"accuracy": 0.6}, {"accu\0racy": 0.7}]
    sent = [
        {"token": token, "result": success(job, score).model_dump(mode="json")}
        for token, job, score in zip(tokens, held, scores, strict=True)
    ]
    answer = gateway.call("POST", "/agent/results", agent, json={"results": sent})
    assert answer.status_code == 200, answer.text
    told = {one.attempt_id: one.refusal for one in ResultAnswers.model_validate_json(answer.content).answers}
    assert told[held[0].attempt_id] is None
    assert [told[job.attempt_id].status for job in held[1:]] == [403, 422]  # type: ignore[union-attr]
    assert [str(world.submission(job.submission_id).status) for job in held] == ["finished", "preparing", "preparing"]

    good = {"results": sent[:1]}
    again_ = gateway.call("POST", "/agent/results", agent, json=good)
    assert [one.refusal for one in ResultAnswers.model_validate_json(again_.content).answers] == [None]
    assert gateway.call("POST", "/agent/results", held[1].attempt_token, json=good).status_code == 403
