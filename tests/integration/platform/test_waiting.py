"""What waits: in which order, why, and for how long; and that agents hear of what is over."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from world import Known, RunningGateway, World, eventually, phase

from podium.platform.client import Client
from podium.platform.jobs import CONTRACT, AnnouncedRun, Handback, ScoringJob, Wake
from podium.platform.lifecycle import RerunStatus, SubmissionQueue
from podium.platform.models import Agent, Attempt, Competition, Phase, Pool, Rerun, Submission, now
from podium.platform.models.reruns import Adoption
from podium.platform.placement import Offer
from podium.platform.records.submissions import QueueRecord
from podium.platform.submissions import waiting
from podium.platform.submissions.attempts import STOPS_REMEMBERED, cancel_submission, hand_back, lose_expired
from podium.platform.submissions.queue_view import queue_record
from podium.platform.supervisor.ports import free_port

SECONDS = timedelta(seconds=1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """What time it is for those who wait: the first item."""
    moment = [now()]
    monkeypatch.setattr(waiting, "now", lambda: moment[0])
    return moment


def agent(world: World, name: str = "a", *, slots: int = 1, trouble: str = "", **fields: Any) -> None:  # noqa: ANN401  # columns
    """An agent of the pool that was heard of just now."""
    with world.session() as session:
        pool = session.scalars(select(Pool).where(Pool.name == "docker")).one()
        values = {"version": "1", "executor": "docker", "labels": {}, "last_seen": now(), **fields}
        session.add(Agent(pool_id=pool.id, name=name, slots=slots, trouble=trouble, **values))


def dispatched(world: World, person: Known, slug: str, **columns: Any) -> UUID:  # noqa: ANN401  # columns
    """A queued submission with a flow run."""
    submission_id: UUID = world.submit(person, slug)
    change(world, submission_id, flow_run_id=uuid4(), **columns)
    return submission_id


def change(world: World, submission_id: UUID, **columns: Any) -> None:  # noqa: ANN401  # columns
    with world.session() as session:
        session.execute(update(Submission).where(Submission.id == submission_id).values(**columns))


def rerun(world: World, olga: Known, status: RerunStatus = RerunStatus.RUNNING) -> UUID:
    with world.session() as session:
        competition_id = session.scalars(select(Competition.id)).one()
        made = Rerun(
            competition_id=competition_id,
            number=1,
            requested_by=olga.id,
            reason="New data.",
            adoption=Adoption.MANUAL,
            total=1,
            status=status,
        )
        session.add(made)
        session.flush()
        return made.id


def announced(world: World) -> tuple[AnnouncedRun, ...]:
    with world.session() as session:
        pool = session.scalars(select(Pool).where(Pool.name == "docker")).one()
        return waiting.announced_runs(session, pool, Offer(), maxima=world.settings.limit_maxima)


def queue(world: World) -> list[UUID]:
    return [run.submission_id for run in announced(world)]


def ahead(world: World, submission_id: UUID) -> int | None:
    with world.session() as session:
        return waiting.ahead_of(session, session.get_one(Submission, submission_id))


def why(world: World, submission_id: UUID) -> str:
    with world.session() as session:
        return waiting.why_waiting(session, session.get_one(Submission, submission_id))


def expected(world: World, submission_id: UUID, clock: list[datetime]) -> float | None:
    """In how many seconds it is expected to be scored."""
    with world.session() as session:
        end = waiting.expected_end(session, session.get_one(Submission, submission_id))
    return None if end is None else (end - clock[0]).total_seconds()


def history(world: World, person: Known, slug: str, *seconds: float) -> None:
    """Submissions that took so long, the latest last."""
    for number, took in enumerate(seconds):
        submission_id = world.score(person, slug, {"accuracy": 1})
        ended = now() - timedelta(seconds=1000 - number)
        with world.session() as session:
            session.execute(
                update(Attempt)
                .where(Attempt.submission_id == submission_id)
                .values(started=ended - took * SECONDS, ended=ended)
            )


def test_what_is_fresh_comes_before_what_is_scored_again_then_who_was_first(
    world: World, olga: Known, ada: Known, slug: str
) -> None:
    first = dispatched(world, ada, slug)
    again = [dispatched(world, ada, slug, queue=SubmissionQueue.RERUN) for _ in range(2)]
    second, third = dispatched(world, ada, slug), dispatched(world, ada, slug)
    change(world, third, queued=now() - timedelta(hours=1))  # it waits for longest
    undispatched = world.submit(ada, slug)
    announcing = world.announce(ada, slug)
    in_order = [third, first, second, *again]
    assert queue(world) == in_order
    assert [ahead(world, one) for one in (third, first, second)] == [0, 1, 2]
    # What has no flow run yet is in its place all the same.
    assert [ahead(world, one) for one in (undispatched, *again)] == [3, 4, 5]
    assert ahead(world, announcing) is None
    job = world.claim(third)
    assert queue(world) == in_order[1:]
    assert (ahead(world, third), ahead(world, first)) == (None, 0)
    world.finish(job, {"accuracy": 1})
    assert ahead(world, third) is None


def test_those_of_one_moment_stand_one_after_the_other(world: World, ada: Known, slug: str) -> None:
    """A migration puts many into the queue at once."""
    moment = now()
    for _ in range(4):
        dispatched(world, ada, slug, queued=moment)
    assert [ahead(world, submission_id) for submission_id in queue(world)] == [0, 1, 2, 3]


def test_another_pool_has_a_queue_of_its_own(world: World, olga: Known, ada: Known, slug: str) -> None:
    other = world.competition(olga, title="On GPUs", queue="gpu")
    world.join(ada, other)
    elsewhere = dispatched(world, ada, other)
    here = dispatched(world, ada, slug)
    assert (ahead(world, elsewhere), ahead(world, here)) == (0, 0)
    assert queue(world) == [here]


def test_a_retry_is_held_back_and_says_until_when(world: World, ada: Known, slug: str, clock: list[datetime]) -> None:
    agent(world)
    submission_id = dispatched(world, ada, slug)
    with world.session() as session:
        hand_back(session, world.claim(submission_id).attempt_id, Handback(reason="The registry is away."))
    change(world, submission_id, flow_run_id=uuid4())
    not_before = world.submission(submission_id).not_before
    assert not_before is not None
    for moment, offered in ((not_before - timedelta(microseconds=1), []), (not_before, [submission_id])):
        clock[0] = moment
        assert queue(world) == offered
        assert (why(world, submission_id) == "") == bool(offered)
    clock[0] = not_before - SECONDS
    assert why(world, submission_id) == (
        "Queued again, for the platform's own trouble in attempt 1: The registry is away. "
        f"It is tried again at {not_before:%H:%M:%S} UTC."
    )
    # Once it is claimed the wait is over for good.
    world.claim(submission_id)
    assert world.submission(submission_id).not_before is None


def test_what_was_lost_is_offered_again_at_once_the_first_time(world: World, ada: Known, slug: str) -> None:
    submission_id = dispatched(world, ada, slug)
    began = now()
    lose(world, world.claim(submission_id))
    assert world.submission(submission_id).not_before is None
    lose(world, world.claim(submission_id))
    not_before = world.submission(submission_id).not_before
    assert not_before is not None
    assert began + 15 * SECONDS < not_before <= now() + 15 * SECONDS


def lose(world: World, job: ScoringJob) -> None:
    with world.session() as session:
        session.execute(update(Attempt).where(Attempt.id == job.attempt_id).values(lease_expires=now() - SECONDS))
    with world.session() as session:
        lose_expired(session)


def test_why_somebody_waits(world: World, olga: Known, ada: Known, slug: str) -> None:
    submission_id = dispatched(world, ada, slug)
    announcing = world.announce(ada, slug)
    assert why(world, announcing) == ""
    alone = "No agent of pool 'docker' is running; it is scored as soon as there is one."
    assert why(world, submission_id) == alone
    agent(world, "long-gone", last_seen=now() - timedelta(seconds=61))
    assert why(world, submission_id) == alone
    agent(world, "ill", trouble="The engine is gone.")
    assert why(world, submission_id) == (
        "The agents of pool 'docker' have trouble of their own; it is scored as soon as that is mended."
    )
    agent(world, "well")
    assert why(world, submission_id) == ""
    with world.session() as session:
        session.execute(update(Phase).values(limits={"gpus": 1}))
    assert why(world, submission_id) == "No agent of pool 'docker' has 1 GPU; it is scored as soon as one does."
    world_rerun = rerun(world, olga, RerunStatus.PAUSED)
    change(world, submission_id, rerun_id=world_rerun, origin_id=announcing)
    assert why(world, submission_id) == "Its rerun is paused."
    assert queue(world) == []


def test_without_a_history_nobody_says_how_long_it_takes(
    world: World, ada: Known, slug: str, clock: list[datetime]
) -> None:
    agent(world)
    submission_id = dispatched(world, ada, slug)
    assert expected(world, submission_id, clock) is None
    world.claim(submission_id)
    assert expected(world, submission_id, clock) is None


def test_how_long_it_takes_is_the_median_of_what_ended_well_lately(
    world: World, ada: Known, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    history(world, ada, slug, 500, 500, 10, 20, 60)
    lost = world.submit(ada, slug)
    lose(world, world.claim(lost))  # what was lost says nothing
    with world.session() as session:
        phase_id = session.scalars(select(Phase.id)).one()
        assert waiting.typical_seconds(session, phase_id) == 60
        monkeypatch.setattr(waiting, "HISTORY", 3)
        assert waiting.typical_seconds(session, phase_id) == 20
        assert waiting.typical_seconds(session, uuid4()) is None


def test_when_one_will_be_scored(world: World, ada: Known, slug: str, clock: list[datetime]) -> None:
    history(world, ada, slug, 20)
    clock[0] = now()
    first = dispatched(world, ada, slug)
    assert expected(world, first, clock) is None  # nobody would take it
    agent(world, slots=2)
    assert expected(world, first, clock) == pytest.approx(20)
    # Two run, half done; of those that wait each slot takes its share.
    others = [dispatched(world, ada, slug) for _ in range(3)]
    world.claim(first)
    # One slot of two is free, and nobody stands before it.
    assert expected(world, others[0], clock) == pytest.approx(20)
    world.claim(others[0])
    assert expected(world, others[1], clock) == pytest.approx((2 * 20 / 2) / 2 + 20)
    assert expected(world, others[2], clock) == pytest.approx((2 * 20 / 2 + 20) / 2 + 20)
    # What runs is expected by when it began; once that has passed, at any moment.
    with world.session() as session:
        session.execute(
            update(Attempt).where(Attempt.submission_id == first).values(started=clock[0] - timedelta(seconds=5))
        )
    assert expected(world, first, clock) == pytest.approx(15)
    clock[0] += timedelta(seconds=50)
    assert expected(world, first, clock) == 0
    with world.session() as session:
        cancel_submission(session, first, actor="tests", reason="")
    assert expected(world, first, clock) is None


def test_enough_free_slots_make_nobody_wait(world: World, ada: Known, slug: str, clock: list[datetime]) -> None:
    history(world, ada, slug, 20)
    clock[0] = now()
    agent(world, slots=8)
    waits = [dispatched(world, ada, slug) for _ in range(4)]
    world.claim(waits[0])
    assert [expected(world, one, clock) for one in waits[1:]] == [pytest.approx(20)] * 3


def test_what_is_held_back_is_not_expected_at_any_time(
    world: World, ada: Known, slug: str, clock: list[datetime]
) -> None:
    history(world, ada, slug, 20)
    clock[0] = now()
    agent(world)
    submission_id = dispatched(world, ada, slug, not_before=clock[0] + 30 * SECONDS)
    assert expected(world, submission_id, clock) is None


def test_organizers_see_the_queue(world: World, gateway: RunningGateway, olga: Known, ada: Known) -> None:
    phases = [phase(end="2099-01-01"), phase(name="Second", start="2099-01-02")]
    slug = world.competition(olga, phases=phases)
    other = world.competition(olga, title="Other")
    for one in (slug, other):
        world.join(ada, one)

    def seen() -> QueueRecord:
        with Client(gateway.address, olga.token) as client:
            return client.queue(slug)

    empty = seen()
    assert (empty.pool, empty.agents, empty.queued, empty.oldest_seconds) == ("docker", 0, 0, None)
    assert (empty.typical_seconds, empty.reason) == ({}, "No agent of pool 'docker' is running.")
    history(world, ada, slug, 30)
    waits = [world.submit(ada, slug) for _ in range(3)]
    change(world, waits[0], queued=now() - timedelta(seconds=100))
    change(world, waits[2], queue=SubmissionQueue.RERUN)
    world.announce(ada, slug)  # its file is on the way: it is in no queue
    world.claim(world.submit(ada, slug))
    world.submit(ada, other)
    agent(world, "ill", slots=4, trouble="The engine is gone.")
    told = seen()
    assert (told.agents, told.slots) == (0, 0)
    assert told.reason == "The agents of pool 'docker' have trouble of their own (ill: The engine is gone.)."
    agent(world, "well", slots=3)
    told = seen()
    assert (told.agents, told.slots, told.reason) == (1, 3, "")
    assert (told.queued, told.queued_reruns, told.under_way, told.queued_in_pool) == (2, 1, 1, 4)
    assert told.oldest_seconds is not None
    assert 100 <= told.oldest_seconds < 200
    assert told.typical_seconds == {"First": 30.0}
    with world.session() as session:
        session.execute(update(Phase).where(Phase.name == "Second").values(limits={"gpus": 2}))
        competition = session.scalars(select(Competition).where(Competition.slug == slug)).one()
        assert queue_record(session, competition).reason == (
            "No agent of pool 'docker' has 2 GPUs; it is scored as soon as one does."
        )


# What was ended from outside reaches the agent that runs it.


class Listener:
    """An agent that listens, as it would in its waiting call."""

    def __init__(self, gateway: RunningGateway, token: str, name: str) -> None:
        self.gateway, self.token, self.name = gateway, token, name
        hello = {"name": name, "pool": "docker", "version": "1", "slots": 2, "executor": "docker", "labels": {}}
        body = {"contract": CONTRACT, "trouble": "", **hello}
        assert gateway.call("POST", "/agent/hello", token, json=body).status_code == 200

    def wake(self, cursor: int = -1, wait: float = 0) -> Wake:
        params = {"agent": self.name, "cursor": cursor, "wait": wait}
        answer = self.gateway.call("GET", "/agent/wake", self.token, params=params)
        assert answer.status_code == 200, answer.text
        return Wake.model_validate_json(answer.content)

    def claim(self, submission_id: UUID) -> ScoringJob:
        body = {"contract": CONTRACT, "submission_id": str(submission_id), "flow_run_id": str(uuid4())}
        answer = self.gateway.call("POST", "/agent/claims", self.token, params={"agent": self.name}, json=body)
        assert answer.status_code == 201, answer.text
        return ScoringJob.model_validate_json(answer.content)


@pytest.fixture
def listen(gateway: RunningGateway, world: World) -> Callable[[str], Listener]:
    token = world.agent_token()
    return lambda name: Listener(gateway, token, name)


def test_a_cancellation_is_heard_at_once_by_the_agent_that_runs_it(
    world: World, gateway: RunningGateway, listen: Callable[[str], Listener], ada: Known, slug: str
) -> None:
    here, there = listen("here"), listen("there")
    cancelled, other = here.claim(world.submit(ada, slug)), there.claim(world.submit(ada, slug))
    kept = here.claim(world.submit(ada, slug))
    quiet = here.wake()
    while (again := here.wake(quiet.cursor, 0.3)).work:  # what the claims have told is heard
        quiet = again
    assert quiet.stops == ()
    with ThreadPoolExecutor(1) as threads:
        began = time.monotonic()
        call = threads.submit(here.wake, quiet.cursor, 25.0)
        time.sleep(0.3)
        assert not call.done()
        answer = gateway.call("POST", f"/submissions/{cancelled.submission_id}/cancel", ada.token)
        assert answer.json()["status"] == "cancelled"
        woken = call.result(30)
    assert time.monotonic() - began < 15
    assert (woken.work, woken.stops) == (True, (cancelled.attempt_id,))
    assert there.wake().stops == ()
    assert kept.attempt_id not in here.wake().stops
    assert other.attempt_id not in here.wake().stops


def test_a_lost_attempt_is_stopped_too_and_only_for_a_while(
    world: World, listen: Callable[[str], Listener], ada: Known, slug: str
) -> None:
    here, there = listen("here"), listen("there")
    lost = here.claim(world.submit(ada, slug))
    lose(world, lost)
    assert (here.wake().stops, there.wake().stops) == ((lost.attempt_id,), ())
    # The next attempt at it goes on, also with the same agent.
    again = here.claim(lost.submission_id)
    assert here.wake().stops == (lost.attempt_id,)
    world.finish(again, {"accuracy": 1})
    assert here.wake().stops == (lost.attempt_id,)
    with world.session() as session:
        past = now() - STOPS_REMEMBERED - SECONDS
        session.execute(update(Attempt).where(Attempt.id == lost.attempt_id).values(ended=past))
    assert here.wake().stops == ()


def test_an_agent_of_the_same_name_in_another_pool_hears_nothing_of_it(
    world: World, gateway: RunningGateway, listen: Callable[[str], Listener], ada: Known, slug: str
) -> None:
    here = listen("here")
    job = here.claim(world.submit(ada, slug))
    with world.session() as session:
        cancel_submission(session, job.submission_id, actor="tests", reason="Changed my mind.")
    elsewhere = world.agent_token("gpu")
    answer = gateway.call("GET", "/agent/wake", elsewhere, params={"agent": "here"})
    assert Wake.model_validate_json(answer.content).stops == ()
    assert here.wake().stops == (job.attempt_id,)


def test_a_gateway_that_stops_answers_those_who_wait(world: World, ada: Known, slug: str) -> None:
    path = f"/submissions/{world.submit(ada, slug)}"
    settings = world.settings.model_copy(update={"public_url": f"http://127.0.0.1:{free_port()}"})
    with RunningGateway(settings) as gateway, ThreadPoolExecutor(1) as threads:
        seen = gateway.call("GET", path, ada.token).json()["version"]
        watcher = threads.submit(gateway.call, "GET", f"{path}?seen={seen}&wait=20", ada.token)
        eventually(lambda: gateway.services.notices._waiters)
        gateway.stop()
        answer = watcher.result()
    assert (answer.status_code, answer.json()["version"]) == (200, seen)
