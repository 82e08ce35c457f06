"""Batches: one flow run for a burst or a part of a rerun, and what Prefect is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import pytest
from rescoring import again, give_back, release, start
from sqlalchemy import select, text, update
from stand_in_prefect import StandInPrefect
from world import Known, World, eventually

from podium.platform import batches
from podium.platform.batches import BUSY, assign_to_batch, dispatch_batch, follow_batches, is_busy, undispatched_batches
from podium.platform.dispatch import Dispatcher
from podium.platform.errors import PlatformFault
from podium.platform.models import Batch, Pool, Submission, now
from podium.platform.orchestration import Orchestration
from podium.platform.reconciliation import reconcile


@pytest.fixture
def orchestration(prefect: StandInPrefect) -> Iterator[Orchestration]:
    made = Orchestration(prefect.address)
    yield made
    made.close()


@pytest.fixture
def dispatcher(world: World, orchestration: Orchestration) -> Dispatcher:
    return Dispatcher(world.database, orchestration, upload_seconds=3600)


@pytest.fixture
def slug(world: World, ada: Known, olga: Known) -> str:
    made = world.competition(olga, slug="iris")
    world.join(ada, made)
    return made


def all_batches(world: World) -> list[Batch]:
    with world.session() as session:
        return list(session.scalars(select(Batch).order_by(Batch.created)))


def busy(world: World) -> bool:
    with world.session() as session:
        return is_busy(session, session.scalars(select(Pool.id).where(Pool.name == "docker")).one())


def follow(world: World, orchestration: Orchestration) -> int:
    with world.session() as session:
        return follow_batches(session, orchestration)


def assign(world: World, submission_id: UUID) -> UUID:
    with world.session() as session:
        return assign_to_batch(session, session.get_one(Submission, submission_id))


def let_linger_pass(world: World) -> None:
    with world.session() as session:
        session.execute(update(Batch).values(created=now() - timedelta(seconds=6)))


def burst(world: World, dispatcher: Dispatcher, ada: Known, slug: str, number: int) -> list[UUID]:
    """Submissions that wait, and were then dispatched."""
    waiting = [world.submit(ada, slug) for _ in range(number)]
    for submission_id in waiting:
        dispatcher.dispatch_submission(submission_id)
    return waiting


def test_a_pool_is_busy_when_so_many_fresh_ones_wait(world: World, ada: Known, olga: Known, slug: str) -> None:
    again_of = world.score(ada, slug, {"accuracy": 1})
    waiting = [world.submit(ada, slug) for _ in range(BUSY - 1)]
    rerun_id = start(world, olga, slug)
    release(world, rerun_id)
    assert world.submission(again_of).status == "finished"
    assert not busy(world)  # what is scored again keeps nobody waiting
    waiting.append(world.submit(ada, slug))
    assert busy(world)
    world.claim(waiting[0])
    assert not busy(world)


def test_few_have_a_flow_run_each_and_a_burst_shares_one(
    world: World, dispatcher: Dispatcher, prefect: StandInPrefect, ada: Known, slug: str
) -> None:
    for _ in range(BUSY - 1):
        dispatcher.dispatch_submission(world.submit(ada, slug))
    assert len(prefect.runs_of_flow("score-submission")) == BUSY - 1
    more = [world.submit(ada, slug) for _ in range(5)]
    for submission_id in more:
        dispatcher.dispatch_submission(submission_id)
    (run,) = prefect.runs_of_flow("score-batch")
    (batch,) = all_batches(world)
    assert run["parameters"] == {"batch_id": str(batch.id)}
    assert (run["work_queue_name"], run["tags"], batch.size) == ("default", ["batch"], 5)
    assert "ada" not in str(run)
    for submission_id in more:
        submission = world.submission(submission_id)
        assert (submission.batch_id, str(submission.flow_run_id)) == (batch.id, run["id"])
        assert submission.dispatches == 1


def test_many_that_are_dispatched_at_once_make_few_flow_runs(
    world: World, dispatcher: Dispatcher, prefect: StandInPrefect, ada: Known, slug: str
) -> None:
    waiting = [world.submit(ada, slug) for _ in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(dispatcher.dispatch_submission, waiting))
    assert prefect.calls == 1
    (batch,) = all_batches(world)
    assert batch.size == 24
    assert {world.submission(one).flow_run_id for one in waiting} == {batch.flow_run_id}


def test_a_tick_puts_what_waits_into_batches_together(
    world: World,
    dispatcher: Dispatcher,
    prefect: StandInPrefect,
    ada: Known,
    slug: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batches, "BATCH_SIZE", 4)
    first = burst(world, dispatcher, ada, slug, BUSY + 2)  # the last batch of these has room for two more
    more = [world.submit(ada, slug) for _ in range(6)]
    dispatcher.tick()
    assert [batch.size for batch in all_batches(world)] == [4, 4, 4]
    assert len(prefect.runs_of_flow("score-batch")) == 3
    runs = {batch.id: batch.flow_run_id for batch in all_batches(world)}
    for submission_id in more:
        submission = world.submission(submission_id)
        assert submission.batch_id is not None
        assert (submission.flow_run_id, submission.dispatches) == (runs[submission.batch_id], 1)
    assert all(world.submission(one).dispatches == 1 for one in first)


def test_ticks_at_the_same_moment_put_each_into_one_batch(
    world: World, dispatcher: Dispatcher, prefect: StandInPrefect, ada: Known, slug: str
) -> None:
    waiting = [world.submit(ada, slug) for _ in range(12)]
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(dispatcher.tick) for _ in range(4)]:
            done.result()
    assert prefect.calls == 1
    (batch,) = all_batches(world)
    assert batch.size == 12
    assert {world.submission(one).dispatches for one in waiting} == {1}


def test_what_somebody_holds_keeps_no_other_from_its_batch(
    world: World, dispatcher: Dispatcher, ada: Known, slug: str
) -> None:
    held, *others = [world.submit(ada, slug) for _ in range(BUSY + 1)]
    with world.session() as session:
        session.get_one(Submission, held, with_for_update={"of": Submission})
        dispatcher.tick()
        (batch,) = all_batches(world)
        assert batch.size == len(others)
    assert world.submission(held).flow_run_id is None
    dispatcher.tick()
    (batch,) = all_batches(world)
    assert (batch.size, world.submission(held).flow_run_id) == (len(others) + 1, batch.flow_run_id)


def test_a_burst_says_why_it_waits_while_prefect_is_away(
    world: World, dispatcher: Dispatcher, prefect: StandInPrefect, ada: Known, slug: str
) -> None:
    waiting = [world.submit(ada, slug) for _ in range(BUSY + 1)]
    prefect.stop()
    dispatcher.tick()
    for submission in map(world.submission, waiting):
        assert (submission.status, submission.flow_run_id) == ("queued", None)
        assert submission.status_message.startswith("Waits for the scheduler: Prefect can't be reached")
    prefect.start()
    dispatcher.tick()
    (batch,) = all_batches(world)
    assert {world.submission(one).flow_run_id for one in waiting} == {batch.flow_run_id}


def test_a_batch_that_is_full_takes_no_more(
    world: World, dispatcher: Dispatcher, ada: Known, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH_SIZE", 4)
    burst(world, dispatcher, ada, slug, 10)
    assert [batch.size for batch in all_batches(world)] == [4, 4, 2]


def test_fresh_and_migrated_ones_never_share_a_batch(world: World, ada: Known, olga: Known, slug: str) -> None:
    world.score(ada, slug, {"accuracy": 1})
    fresh, migrated = world.submit(ada, slug), world.submit(ada, slug)
    with world.session() as session:
        session.execute(update(Submission).where(Submission.id == migrated).values(queue="rerun"))
    rerun_id = start(world, olga, slug)
    release(world, rerun_id)
    of_rerun = world.submission(again(world, rerun_id)[1]).batch_id
    assert len({assign(world, fresh), assign(world, migrated), of_rerun}) == 3


def test_one_that_is_dispatched_twice_at_once_has_one_place(world: World, ada: Known, slug: str) -> None:
    submission_id = world.submit(ada, slug)
    barrier = Barrier(2)

    def assign_it(_: int) -> UUID:
        with world.session() as session:
            submission = session.get_one(Submission, submission_id)
            assert submission.batch_id is None
            barrier.wait(10)
            return assign_to_batch(session, submission)

    with ThreadPoolExecutor(2) as pool:
        found = set(pool.map(assign_it, range(2)))
    (batch,) = all_batches(world)
    assert (found, batch.size) == ({batch.id}, 1)


def test_a_batch_that_ends_at_this_moment_gets_no_more(
    world: World, dispatcher: Dispatcher, ada: Known, slug: str
) -> None:
    burst(world, dispatcher, ada, slug, BUSY)
    (ending,) = all_batches(world)
    late = world.submit(ada, slug)
    with ThreadPoolExecutor(1) as pool:
        with world.session() as session:
            session.execute(update(Batch).values(ended=now()))
            assigned = pool.submit(assign, world, late)
            eventually(lambda: _waits_for_lock(world) or assigned.done())
        assert assigned.result(30) != ending.id


def _waits_for_lock(world: World) -> bool:
    with world.database.engine.connect() as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        return bool(connection.scalar(text(query)))


def test_prefect_hears_that_a_batch_has_begun_and_ended(
    world: World,
    dispatcher: Dispatcher,
    orchestration: Orchestration,
    prefect: StandInPrefect,
    ada: Known,
    slug: str,
) -> None:
    first, second, third, fourth = burst(world, dispatcher, ada, slug, 4)
    (batch,) = all_batches(world)
    assert batch.flow_run_id is not None
    let_linger_pass(world)
    assert follow(world, orchestration) == 0
    assert prefect.told(batch.flow_run_id) == []

    world.finish(world.claim(first), {"accuracy": 1})
    for _ in range(2):
        assert follow(world, orchestration) == 0
    assert prefect.told(batch.flow_run_id) == [("RUNNING", "")]

    for submission_id in (second, third):
        world.finish(world.claim(submission_id), {"accuracy": 1})
    for _ in range(3):
        give_back(world, world.claim(fourth))
        dispatcher.tick()
    assert follow(world, orchestration) == 1
    assert follow(world, orchestration) == 0
    assert prefect.told(batch.flow_run_id)[1:] == [("COMPLETED", "3 finished")]


def test_a_batch_says_what_became_of_all_in_it(
    world: World,
    dispatcher: Dispatcher,
    orchestration: Orchestration,
    prefect: StandInPrefect,
    ada: Known,
    slug: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batches, "BATCH_SIZE", 4)
    waiting = burst(world, dispatcher, ada, slug, 4)
    for submission_id, status in zip(waiting, ("finished", "failed", "cancelled", "finished"), strict=True):
        with world.session() as session:
            session.execute(update(Submission).where(Submission.id == submission_id).values(status=status, ended=now()))
    # It is full, and does not linger.
    assert follow(world, orchestration) == 1
    (batch,) = all_batches(world)
    assert batch.flow_run_id is not None
    assert prefect.told(batch.flow_run_id)[-1] == ("COMPLETED", "1 cancelled, 1 failed, 2 finished")


def test_a_batch_with_room_lingers_for_more_of_the_burst(
    world: World, dispatcher: Dispatcher, orchestration: Orchestration, ada: Known, slug: str
) -> None:
    for submission_id in burst(world, dispatcher, ada, slug, BUSY):
        world.finish(world.claim(submission_id), {"accuracy": 1})
    assert follow(world, orchestration) == 0
    burst(world, dispatcher, ada, slug, BUSY)
    (batch,) = all_batches(world)
    assert (batch.size, batch.ended) == (2 * BUSY, None)


def test_what_prefect_was_not_told_is_told_later(
    world: World,
    dispatcher: Dispatcher,
    orchestration: Orchestration,
    prefect: StandInPrefect,
    ada: Known,
    slug: str,
) -> None:
    for submission_id in burst(world, dispatcher, ada, slug, BUSY):
        world.finish(world.claim(submission_id), {"accuracy": 1})
    let_linger_pass(world)
    prefect.stop()
    with pytest.raises(PlatformFault):
        follow(world, orchestration)
    prefect.start()
    assert follow(world, orchestration) == 1
    (batch,) = all_batches(world)
    assert batch.flow_run_id is not None
    assert [state for state, _ in prefect.told(batch.flow_run_id)] == ["RUNNING", "COMPLETED"]


def test_a_batch_that_prefect_missed_is_dispatched_by_the_next_tick(
    world: World, dispatcher: Dispatcher, prefect: StandInPrefect, ada: Known, slug: str
) -> None:
    prefect.stop()
    waiting = burst(world, dispatcher, ada, slug, BUSY + 1)
    assert {world.submission(one).flow_run_id for one in waiting} == {None}
    prefect.start()
    for _ in range(2):
        dispatcher.tick()
    assert prefect.calls == 1
    (run,) = prefect.runs_of_flow("score-batch")
    assert {str(world.submission(one).flow_run_id) for one in waiting} == {run["id"]}
    with world.session() as session:
        assert undispatched_batches(session) == []


def test_the_flow_run_of_a_batch_is_made_once(
    world: World, orchestration: Orchestration, prefect: StandInPrefect, ada: Known, olga: Known, slug: str
) -> None:
    world.score(ada, slug, {"accuracy": 1})
    batch_id = release(world, start(world, olga, slug))
    assert batch_id is not None

    def dispatch(_: int) -> UUID:
        with world.session() as session:
            return dispatch_batch(session, orchestration, batch_id)

    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(dispatch, range(3)))) == 1
    assert prefect.calls == 1
    (run,) = prefect.runs_of(batch_id)
    assert run["tags"] == ["batch", "competition:iris", "phase:1", "rerun:1"]
    assert (run["name"], run["work_queue_name"]) == ("iris rerun 1 batch 1", "rerun")


def test_what_waits_in_a_batch_that_prefect_lost_gets_another(
    world: World,
    dispatcher: Dispatcher,
    orchestration: Orchestration,
    prefect: StandInPrefect,
    ada: Known,
    slug: str,
) -> None:
    first, *waiting = burst(world, dispatcher, ada, slug, BUSY + 1)
    (lost,) = all_batches(world)
    world.claim(first)
    prefect.runs.clear()
    repairs = reconcile(world.database, orchestration, by="tests")
    assert repairs is not None
    assert repairs.batches == 1
    dispatcher.tick()
    ended, made = all_batches(world)
    assert (ended.id, ended.ended is not None) == (lost.id, True)
    assert {world.submission(one).batch_id for one in waiting} == {made.id}
    assert {str(world.submission(one).flow_run_id) for one in waiting} == {prefect.runs_of(made.id)[0]["id"]}
    # The one that an agent holds goes on under the flow run that it was claimed for.
    assert world.submission(first).batch_id == lost.id
