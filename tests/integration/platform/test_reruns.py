"""Reruns from their start to the last of their results: what is scored again, in which order, and once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import pytest
from rescoring import (
    again,
    fail,
    finish,
    give_back,
    killed_after,
    record,
    release,
    rerun,
    score,
    settle,
    standing,
    start,
    tell,
    two_phases,
)
from sqlalchemy import func, select, update
from stand_in_prefect import StandInPrefect
from world import Known, World

from podium.platform.competitions import find_competition
from podium.platform.dispatch import Dispatcher
from podium.platform.driven import RERUNS
from podium.platform.errors import Conflict
from podium.platform.lifecycle import IllegalTransition, RerunStatus, SubmissionStatus
from podium.platform.models import (
    Adoption,
    Attempt,
    Batch,
    Event,
    Pool,
    Rerun,
    RerunItem,
    Submission,
    now,
)
from podium.platform.orchestration import Orchestration
from podium.platform.placement import Offer
from podium.platform.reruns import control, driving
from podium.platform.reruns.selection import Selection
from podium.platform.submissions.attempts import DoesNotFit, lose_expired
from podium.platform.submissions.waiting import announced_runs


@pytest.fixture
def slug(world: World, olga: Known, ada: Known) -> str:
    return two_phases(world, olga, ada)


@pytest.fixture
def dispatcher(world: World, prefect: StandInPrefect) -> Iterator[Dispatcher]:
    orchestration = Orchestration(prefect.address)
    yield Dispatcher(world.database, orchestration, upload_seconds=3600)
    orchestration.close()


def announced(world: World) -> list[UUID]:
    with world.session() as session:
        pool = session.scalars(select(Pool).where(Pool.name == "docker")).one()
        return [run.submission_id for run in announced_runs(session, pool, Offer(), maxima={}, limit=100)]


def events(world: World, subject_id: UUID) -> list[tuple[str, str, str]]:
    with world.session() as session:
        query = select(Event).where(Event.subject_id == subject_id).order_by(Event.id)
        return [(event.after, event.actor, event.reason) for event in session.scalars(query)]


def counted(world: World, rerun_id: UUID) -> tuple[int, int]:
    """How many submissions a rerun has made, and for how many others."""
    with world.session() as session:
        query = select(func.count(), func.count(func.distinct(Submission.origin_id)))
        made, origins = session.execute(query.where(Submission.rerun_id == rerun_id)).one()
        return made, origins


def test_a_start_remembers_who_what_and_why(world: World, ada: Known, olga: Known, slug: str) -> None:
    score(world, ada, slug, 2)
    rerun_id = start(
        world, olga, slug, Selection(phase="2"), reason="Labels were swapped.", adoption=Adoption.AUTOMATIC, parallel=3
    )
    found = record(world, rerun_id)
    assert (found.number, found.status, found.total, found.waiting) == (1, RerunStatus.WAITING, 2, 2)
    assert (found.reason, found.requested_by, found.selection) == ("Labels were swapped.", "olga", "all of phase 2")
    assert (found.adoption, found.parallel) == ("automatic", 3)
    assert events(world, rerun_id) == [("waiting", "person:olga", "all of phase 2: Labels were swapped.")]
    with world.session() as session:
        items = session.scalars(select(RerunItem).order_by(RerunItem.position)).all()
        assert [item.position for item in items] == [0, 1]
    # Nothing runs by that alone.
    assert again(world, rerun_id) == {}


def test_reruns_are_numbered_in_each_competition(world: World, ada: Known, olga: Known, slug: str) -> None:
    other = world.competition(olga, slug="other")
    world.join(ada, other)
    score(world, ada, slug, 3)
    world.score(ada, other, {"accuracy": 1})
    numbers = [rerun(world, start(world, olga, slug, Selection(submissions=(at,)))).number for at in (3, 1, 2)]
    assert numbers == [1, 2, 3]
    assert rerun(world, start(world, olga, other)).number == 1


def test_where_there_is_nothing_to_do_it_says_why(world: World, ada: Known, olga: Known, slug: str) -> None:
    with pytest.raises(Conflict, match="Nothing of this can be scored again, for there is nothing"):
        start(world, olga, slug, Selection(phase="2"))
    score(world, ada, slug)
    world.submit(ada, slug)
    start(world, olga, slug, Selection(submissions=(1,)))
    said = "it is queued, and will be scored by the present version; rerun 1 scores it already"
    with pytest.raises(Conflict, match=f"Nothing of this can be scored again: {said}."):
        start(world, olga, slug, Selection(phase="2"))
    with world.session() as session:
        assert session.scalar(select(func.count()).select_from(Rerun)) == 1


def test_two_that_start_at_the_same_moment_never_both_take_a_submission(
    world: World, ada: Known, olga: Known, slug: str
) -> None:
    score(world, ada, slug, 4)
    barrier = Barrier(3)

    def begin(selection: Selection) -> UUID | str:
        barrier.wait(10)
        try:
            return start(world, olga, slug, selection)
        except Conflict as conflict:
            return str(conflict)

    selections = (Selection(phase="2"), Selection(phase="2"), Selection(submissions=(1, 2)))
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(begin, selections))
    with world.session() as session:
        origins = session.scalars(select(RerunItem.origin_id)).all()
        numbers = session.scalars(select(Rerun.number).order_by(Rerun.number)).all()
    assert len(origins) == len(set(origins)) == 4
    started = [one for one in found if isinstance(one, UUID)]
    assert list(numbers) == list(range(1, len(started) + 1))
    assert all("scores it already" in one for one in found if isinstance(one, str))


def test_what_another_rerun_has_let_go_may_be_taken(world: World, ada: Known, olga: Known, slug: str) -> None:
    score(world, ada, slug)
    for _ in range(2):
        tell(world, start(world, olga, slug, Selection(phase="2")), control.cancel_rerun)
    start(world, olga, slug, Selection(phase="2"))


# Driving.


def test_batches_are_released_until_all_have_been(
    world: World, ada: Known, olga: Known, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driving, "LOW_WATER", 2)
    score(world, ada, slug, 5)
    rerun_id = start(world, olga, slug, Selection(phase="2"))
    assert release(world, rerun_id, size=3) is not None
    assert list(again(world, rerun_id)) == [1, 2, 3]
    assert release(world, rerun_id, size=3) is None  # as many wait as the next ones would wait behind
    world.claim(again(world, rerun_id)[1])
    assert release(world, rerun_id, size=3) is None
    settle(world, again(world, rerun_id)[2], {"accuracy": 1})
    assert release(world, rerun_id, size=3) is not None
    assert list(again(world, rerun_id)) == [1, 2, 3, 4, 5]
    progress = record(world, rerun_id)
    assert (progress.waiting, progress.queued, progress.under_way, progress.finished) == (0, 3, 1, 1)
    with world.session() as session:
        batches = session.scalars(select(Batch).order_by(Batch.created)).all()
    assert [(batch.size, batch.name, batch.rerun_id) for batch in batches] == [
        (3, "iris rerun 1 batch 1", rerun_id),
        (2, "iris rerun 1 batch 2", rerun_id),
    ]


def test_what_scores_a_submission_again_has_all_of_it(world: World, ada: Known, olga: Known, slug: str) -> None:
    (origin_id,) = score(world, ada, slug)
    rerun_id = start(world, olga, slug, Selection(phase="2"))
    release(world, rerun_id)
    origin, made = world.submission(origin_id), world.submission(again(world, rerun_id)[1])
    for name in ("competition_id", "phase_id", "person_id", "number", "filename", "size", "sha256", "content"):
        assert getattr(made, name) == getattr(origin, name)
    assert (made.origin_id, made.rerun_id, made.results_id) == (origin_id, rerun_id, None)
    assert (made.counts, made.on_leaderboard, made.queue, made.status) == (False, False, "rerun", "queued")
    assert events(world, made.id) == [("queued", "flow:rerun-phase", "Rerun 1")]
    job = world.claim(made.id)
    assert (job.submission.sha256, len(job.evaluations)) == (origin.sha256, 1)


def test_driven_by_several_and_killed_between_any_two_steps_each_is_scored_once(
    world: World, ada: Known, olga: Known, slug: str, dispatcher: Dispatcher, prefect: StandInPrefect
) -> None:
    score(world, ada, slug, 7)
    rerun_id = start(world, olga, slug, Selection(phase="2"))
    barrier = Barrier(4)

    def drive(_: int) -> None:
        barrier.wait(10)
        while release(world, rerun_id, size=2) is not None:
            pass

    killed_after(world, lambda session: driving.begin(session, rerun_id))
    assert rerun(world, rerun_id).status is RerunStatus.WAITING
    with world.session() as session:
        assert [driving.begin(session, rerun_id) for _ in range(2)] == [True, True]
    killed_after(world, lambda session: driving.release_batch(session, rerun_id, size=2))
    assert counted(world, rerun_id) == (0, 0)
    with world.session() as session:  # and killed after its commit, before Prefect heard of it
        driving.release_batch(session, rerun_id, size=2)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(drive, range(4)))
    assert counted(world, rerun_id) == (7, 7)
    with world.session() as session:
        items = session.scalars(select(RerunItem)).all()
        made = session.scalars(select(Submission).where(Submission.rerun_id == rerun_id)).all()
        origins = {one.id: one.origin_id for one in made}
        assert {item.submission_id: item.origin_id for item in items} == origins
        assert session.scalar(select(func.sum(Batch.size))) == 7
    for _ in range(2):
        dispatcher.tick()
    assert len(prefect.runs_of_flow("score-batch")) == 4
    assert all(world.submission(one).flow_run_id for one in origins)

    for submission_id in again(world, rerun_id).values():
        with world.session() as session:
            assert driving.finish_if_done(session, rerun_id) is None
        settle(world, submission_id, {"accuracy": 0.9})
    killed_after(world, lambda session: driving.finish_if_done(session, rerun_id))
    assert rerun(world, rerun_id).status is RerunStatus.RUNNING
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: finish(world, rerun_id), range(3)))
    assert [after for after, _, _ in events(world, rerun_id)] == ["waiting", "running", "ready"]
    with world.session() as session:
        assert driving.begin(session, rerun_id) is False
    assert release(world, rerun_id) is None


def test_reruns_that_are_gone_or_over_are_not_driven(world: World) -> None:
    with world.session() as session:
        assert driving.begin(session, UUID(int=1)) is False
        assert driving.release_batch(session, UUID(int=1)) is None
        assert driving.finish_if_done(session, UUID(int=1)) is None


def test_a_rerun_has_one_flow_run_and_another_when_it_is_resumed(
    world: World, ada: Known, olga: Known, slug: str, dispatcher: Dispatcher, prefect: StandInPrefect
) -> None:
    score(world, ada, slug)
    prefect.stop()
    rerun_id = start(world, olga, slug, Selection(phase="2"))
    dispatcher.drive(RERUNS, rerun_id)
    prefect.start()
    for _ in range(2):
        dispatcher.tick()
    (run,) = prefect.runs_of(rerun_id)
    assert run["parameters"] == {"rerun_id": str(rerun_id)}
    assert (run["name"], run["work_queue_name"]) == ("iris rerun 1", "rerun")
    assert run["tags"] == ["competition:iris", "phase:2", "rerun:1"]
    assert run["deployment"] == prefect.deployment("rerun-phase", "cpu")
    release(world, rerun_id)
    tell(world, rerun_id, control.pause_rerun)
    dispatcher.tick()
    assert len(prefect.runs_of(rerun_id)) == 1
    tell(world, rerun_id, control.resume_rerun)
    for _ in range(2):
        dispatcher.tick()
    assert len(prefect.runs_of(rerun_id)) == 2


# Its place in the queue.


def test_fresh_ones_come_first_and_a_pause_holds_back(
    world: World, ada: Known, olga: Known, slug: str, dispatcher: Dispatcher
) -> None:
    score(world, ada, slug, 2)
    rerun_id = start(world, olga, slug, Selection(phase="2"))
    release(world, rerun_id)
    dispatcher.tick()
    fresh = world.submit(ada, slug)
    dispatcher.tick()
    waiting = again(world, rerun_id)
    assert announced(world)[0] == fresh
    assert set(announced(world)[1:]) == set(waiting.values())

    tell(world, rerun_id, control.pause_rerun)
    assert announced(world) == [fresh]
    # What was announced a moment before is refused, and waits on.
    with pytest.raises(DoesNotFit, match="Its rerun is paused"):
        world.claim(waiting[1])
    assert world.submission(waiting[1]).status is SubmissionStatus.QUEUED
    assert release(world, rerun_id) is None
    tell(world, rerun_id, control.resume_rerun)
    assert set(announced(world)) == {fresh, *waiting.values()}
    world.claim(waiting[1])


def test_what_agents_hold_ends_while_it_is_paused(world: World, ada: Known, olga: Known, slug: str) -> None:
    score(world, ada, slug)
    rerun_id = start(world, olga, slug, Selection(phase="2"))
    release(world, rerun_id)
    job = world.claim(again(world, rerun_id)[1])
    tell(world, rerun_id, control.pause_rerun)
    world.finish(job, {"accuracy": 0.5})
    assert finish(world, rerun_id).status is RerunStatus.PAUSED
    tell(world, rerun_id, control.resume_rerun)
    assert finish(world, rerun_id).status is RerunStatus.READY


def test_it_takes_no_more_slots_than_it_may(
    world: World, ada: Known, olga: Known, slug: str, dispatcher: Dispatcher
) -> None:
    score(world, ada, slug, 3)
    rerun_id = start(world, olga, slug, Selection(phase="2"), parallel=2)
    release(world, rerun_id)
    dispatcher.tick()
    first, second, third = again(world, rerun_id).values()
    job = world.claim(first)
    assert set(announced(world)) == {second, third}
    world.claim(second)
    assert announced(world) == []
    with pytest.raises(DoesNotFit, match="Its rerun takes 2 slots, and has them"):
        world.claim(third)
    world.finish(job, {"accuracy": 1})
    assert announced(world) == [third]
    world.claim(third)


def test_many_agents_at_once_take_no_more_slots_than_it_may(world: World, ada: Known, olga: Known, slug: str) -> None:
    score(world, ada, slug, 8)
    rerun_id = start(world, olga, slug, Selection(phase="2"), parallel=2)
    release(world, rerun_id)
    barrier = Barrier(8)

    def claim(submission_id: UUID) -> bool:
        barrier.wait(10)
        try:
            world.claim(submission_id)
        except DoesNotFit:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, again(world, rerun_id).values())) == 2
    assert record(world, rerun_id).under_way == 2


def test_a_lost_attempt_is_tried_again_in_a_batch_of_the_same_rerun(
    world: World, ada: Known, olga: Known, slug: str, dispatcher: Dispatcher, prefect: StandInPrefect
) -> None:
    score(world, ada, slug, 2)
    rerun_id = start(world, olga, slug, Selection(phase="2"))
    batch_id = release(world, rerun_id)
    dispatcher.tick()
    submission_id = again(world, rerun_id)[1]
    world.claim(submission_id)
    with world.session() as session:
        session.execute(update(Attempt).values(lease_expires=now() - timedelta(seconds=1)))
        assert lose_expired(session) == [submission_id]
    assert world.submission(submission_id).batch_id is None
    dispatcher.tick()
    assert world.submission(submission_id).batch_id == batch_id
    with world.session() as session:
        session.execute(update(Batch).values(ended=now()))
    give_back(world, world.claim(submission_id))
    dispatcher.tick()
    later = world.submission(submission_id)
    with world.session() as session:
        found = session.get_one(Batch, later.batch_id)
    assert (found.rerun_id, found.name, found.id != batch_id) == (rerun_id, "iris rerun 1 batch 2", True)
    assert str(later.flow_run_id) == prefect.runs_of(found.id)[0]["id"]
    world.finish(world.claim(submission_id), {"accuracy": 0.7})
    assert counted(world, rerun_id) == (2, 2)


def test_what_the_platform_gives_up_keeps_the_old_result(world: World, ada: Known, olga: Known, slug: str) -> None:
    first, second = score(world, ada, slug, 2)
    rerun_id = start(world, olga, slug, Selection(phase="2"))
    release(world, rerun_id)
    waiting = again(world, rerun_id)
    settle(world, waiting[1], {"accuracy": 0.9})
    settle(world, waiting[2], None)
    version = world.submission(second).version
    found = record(world, rerun_id)
    assert (found.finished, found.failed, found.given_up) == (1, 0, 1)
    finish(world, rerun_id)
    tell(world, rerun_id, control.adopt_by_hand)
    said = "1 new result was adopted; 1 could not be scored and keeps the old one."
    assert rerun(world, rerun_id).status_message == said
    kept = world.submission(second)
    assert (kept.status, kept.results_id, kept.version) == ("finished", None, version)
    assert world.submission(first).results_id == waiting[1]
    assert standing(world, slug, phase=1) == {2: [0.2]}


# Pausing, going on, cancelling.


@pytest.mark.parametrize(
    ("act", "legal"),
    [
        (control.pause_rerun, {"waiting", "running", "paused"}),
        (control.resume_rerun, {"waiting", "running", "paused"}),
        (control.cancel_rerun, {"waiting", "running", "paused", "ready", "cancelled"}),
        (control.adopt_by_hand, {"ready", "adopted"}),
    ],
)
@pytest.mark.parametrize("status", RerunStatus)
def test_what_may_be_done_in_which_state(
    world: World, ada: Known, olga: Known, slug: str, act: Callable[..., None], legal: set[str], status: RerunStatus
) -> None:
    score(world, ada, slug)
    rerun_id = start(world, olga, slug, Selection(phase="2"))
    with world.session() as session:
        session.execute(update(Rerun).values(status=status))
    if status in legal:
        tell(world, rerun_id, act)
        return
    with pytest.raises(IllegalTransition if act is not control.adopt_by_hand else Conflict):
        tell(world, rerun_id, act)
    assert rerun(world, rerun_id).status is status


def test_cancelling_ends_everything_and_throws_the_results_away(
    world: World, ada: Known, olga: Known, slug: str
) -> None:
    origins = score(world, ada, slug, 4)
    before = [world.submission(one) for one in origins]
    board = standing(world, slug, phase=1)
    rerun_id = start(world, olga, slug, Selection(phase="2"), adoption=Adoption.AUTOMATIC)
    release(world, rerun_id, size=3)
    scored, held, waits = again(world, rerun_id).values()
    settle(world, scored, {"accuracy": 0.99})
    job = world.claim(held)
    for _ in range(2):
        assert tell(world, rerun_id, control.cancel_rerun).status is RerunStatus.CANCELLED
    assert rerun(world, rerun_id).ended is not None
    for submission_id in (held, waits):
        cancelled = world.submission(submission_id)
        assert (cancelled.status, cancelled.status_message) == ("cancelled", "Rerun 1 was cancelled.")
    with pytest.raises(Conflict):
        world.finish(job, {"accuracy": 1})
    assert release(world, rerun_id) is None
    assert finish(world, rerun_id).status is RerunStatus.CANCELLED
    assert standing(world, slug, phase=1) == board
    for old, submission_id in zip(before, origins, strict=True):
        found = world.submission(submission_id)
        assert (found.version, found.status, found.results_id) == (old.version, "finished", None)
    assert counted(world, rerun_id) == (3, 3)


def test_one_that_ends_while_its_rerun_is_cancelled_has_ended(world: World, ada: Known, olga: Known, slug: str) -> None:
    score(world, ada, slug, 8)
    rerun_id = start(world, olga, slug, Selection(phase="2"))
    release(world, rerun_id)
    jobs = [world.claim(one) for one in again(world, rerun_id).values()]
    barrier = Barrier(9)

    def end(at: int) -> bool:
        barrier.wait(10)
        try:
            if at % 2:
                fail(world, jobs[at])
            else:
                world.finish(jobs[at], {"accuracy": 1})
        except Conflict:
            return False
        return True

    def cancel() -> None:
        barrier.wait(10)
        tell(world, rerun_id, control.cancel_rerun)

    with ThreadPoolExecutor(9) as pool:
        cancelling = pool.submit(cancel)
        ended = list(pool.map(end, range(8)))
        cancelling.result(30)
    statuses = [world.submission(one).status for one in again(world, rerun_id).values()]
    assert [status != "cancelled" for status in statuses] == ended
    assert all(status in {"finished", "failed", "cancelled"} for status in statuses)


def test_a_phase_that_is_over_is_scored_again_too(world: World, ada: Known, olga: Known, slug: str) -> None:
    score(world, ada, slug)
    with world.session() as session:
        competition = find_competition(session, slug, None)
        competition.phases[1].starts, competition.phases[1].ends = now() - timedelta(days=2), now() - timedelta(days=1)
    rerun_id = start(world, olga, slug, Selection(phase="2"))
    release(world, rerun_id)
    settle(world, again(world, rerun_id)[1], {"accuracy": 0.9})
    finish(world, rerun_id)
    tell(world, rerun_id, control.adopt_by_hand)
    assert standing(world, slug, phase=1) == {1: [0.9]}
