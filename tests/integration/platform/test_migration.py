"""Auto-migration: what stands on a phase's board when the next begins is scored there too, once, whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from rescoring import fail, give_back, killed_after, phase_id, require_board_from_scratch, settle, standing
from sqlalchemy import func, select, update
from stand_in_prefect import StandInPrefect
from world import Known, RunningGateway, World, board, evaluation_results, hours, phase, result_of

from podium.platform import phase_clock
from podium.platform.dispatch import Dispatcher
from podium.platform.lifecycle import MigrationStatus, PhaseStatus
from podium.platform.models import Event, Phase, PhaseMigration, Submission, now
from podium.platform.orchestration import Orchestration
from podium.platform.phase_migration import finish_if_done, migrate_part
from podium.platform.submissions.allowances import quota_left
from podium.platform.submissions.attempts import cancel_submission
from podium.platform.submissions.results import store_result

NAMES = ("ada", "bob", "cleo")


@pytest.fixture
def dispatcher(world: World, prefect: StandInPrefect) -> Iterator[Dispatcher]:
    orchestration = Orchestration(prefect.address)
    yield Dispatcher(world.database, orchestration, upload_seconds=3600)
    orchestration.close()


@pytest.fixture
def people(world: World) -> list[Known]:
    return [world.person(name) for name in NAMES]


def competition(world: World, olga: Known, people: list[Known], **fields: Any) -> str:  # noqa: ANN401  # of the bundle
    """A competition whose first phase is open; into the second its board is taken over."""
    tasks = list(range(fields.get("tasks", 1)))
    later = {"auto_migrate_to_this_phase": True, "tasks": tasks, **fields.pop("later", {})}
    phases = [
        phase(end=hours(1), tasks=tasks),
        phase(name="Final", start=hours(2), end=hours(3), **later),
    ]
    slug = world.competition(olga, slug="iris", phases=phases, **fields)
    for person in people:
        world.join(person, slug)
    return slug


@pytest.fixture
def slug(world: World, olga: Known, people: list[Known]) -> str:
    return competition(world, olga, people)


def let_the_next_begin(world: World, *, late: float = 0) -> None:
    """Move the dates so that the first phase is over and the second is open."""
    moment = now() - timedelta(seconds=late)
    with world.session() as session:
        first, second = session.scalars(select(Phase).order_by(Phase.position)).all()
        first.ends, second.starts = moment - timedelta(seconds=2), moment - timedelta(seconds=1)


def tick(world: World) -> phase_clock.Ticked:
    with world.session() as session:
        return phase_clock.tick(session)


def begin(world: World, slug: str) -> UUID:
    """Let the next phase and its migration begin; return the phase's id."""
    let_the_next_begin(world)
    assert tick(world).migrating == [phase_id(world, slug, at=1)]
    return phase_id(world, slug, at=1)


def migrate(world: World, into: UUID, *, size: int = 100) -> int:
    """What the flow does: part after part, each in a transaction; return how many were taken over."""
    taken = 0
    while True:
        with world.session() as session:
            part = migrate_part(session, into, size=size)
        if not part:
            return taken
        taken += len(part)


def end(world: World, into: UUID) -> bool:
    with world.session() as session:
        return finish_if_done(session, into)


def migration(world: World, into: UUID) -> PhaseMigration:
    with world.session() as session:
        return session.get_one(PhaseMigration, into)


def migrated(world: World) -> dict[int, Submission]:
    """The new submissions, by the numbers of those that they were migrated from."""
    with world.session() as session:
        rows = session.scalars(select(Submission).where(Submission.origin_id.is_not(None)).order_by(Submission.number))
        return {session.get_one(Submission, one.origin_id).number: one for one in rows}


# It begins.


def test_the_clock_begins_it_once(world: World, people: list[Known], slug: str) -> None:
    world.score(people[0], slug, {"accuracy": 0.5})
    before = tick(world)
    assert (before.opened, before.ended, before.migrating) == (1, 0, [])  # the first phase has opened
    let_the_next_begin(world)
    barrier = Barrier(3)

    def at_once(_: int) -> tuple[int, int]:
        barrier.wait(10)
        ticked = tick(world)
        return ticked.opened, ticked.ended

    with ThreadPoolExecutor(3) as pool:
        ticked = list(pool.map(at_once, range(3)))
    assert (sum(one[0] for one in ticked), sum(one[1] for one in ticked)) == (1, 1)
    into = phase_id(world, slug, at=1)
    assert tick(world).migrating == [into]
    assert (migration(world, into).status, migration(world, into).copied) == (MigrationStatus.RUNNING, 0)
    with world.session() as session:
        told = session.execute(
            select(Event.subject_id, Event.after).where(Event.subject == "phase").order_by(Event.id)
        ).all()
    assert sorted((row[1], row[0] == into) for row in told) == [("open", False), ("open", True), ("over", False)]


def test_a_phase_that_nobody_looked_at_while_it_was_open_gets_its_submissions_too(
    world: World, people: list[Known], slug: str
) -> None:
    world.score(people[0], slug, {"accuracy": 0.5})
    with world.session() as session:
        first, second = session.scalars(select(Phase).order_by(Phase.position)).all()
        first.ends, second.starts, second.ends = (now() - timedelta(hours=one) for one in (3, 2, 1))
    assert tick(world).migrating == [phase_id(world, slug, at=1)]
    assert migrate(world, phase_id(world, slug, at=1)) == 1


def test_only_where_the_bundle_asks_for_it(world: World, olga: Known, people: list[Known]) -> None:
    slug = competition(world, olga, people, later={"auto_migrate_to_this_phase": False})
    world.score(people[0], slug, {"accuracy": 0.5})
    let_the_next_begin(world)
    assert (tick(world).migrating, tick(world).migrating) == ([], [])
    assert migrate(world, phase_id(world, slug, at=1)) == 0


def test_dates_that_are_moved_are_told_and_nothing_is_taken_over_twice(
    world: World, olga: Known, people: list[Known], slug: str, gateway: RunningGateway
) -> None:
    world.score(people[0], slug, {"accuracy": 0.5})
    into = begin(world, slug)
    assert migrate(world, into) == 1
    assert end(world, into)

    def move(number: int, **dates: str) -> None:
        answer = gateway.call("PATCH", f"/competitions/{slug}/phases/{number}", olga.token, json=dates)
        assert answer.status_code == 200, answer.text

    def announced() -> list[PhaseStatus]:
        tick(world)
        with world.session() as session:
            return list(session.scalars(select(Phase.announced).order_by(Phase.position)))

    assert announced() == ["over", "open"]
    move(2, start=hours(1), end=hours(2))
    move(1, end=hours(0.5))
    assert announced() == ["open", "upcoming"]
    world.score(people[1], slug, {"accuracy": 0.7}, phase="1")
    move(1, end=hours(-0.2))
    move(2, start=hours(-0.1))
    assert announced() == ["over", "open"]
    assert (migrate(world, into), list(migrated(world))) == (0, [1])
    assert migration(world, into).status is MigrationStatus.FINISHED


# What is taken over.


def test_exactly_what_stands_on_the_board_is_taken_over(
    world: World, gateway: RunningGateway, people: list[Known], slug: str
) -> None:
    ada, bob, cleo = people
    world.score(ada, slug, {"accuracy": 0.9})  # 1: the last one counts, which is the next
    world.score(ada, slug, {"accuracy": 0.5}, fact_sheet={}, filename="second.zip")
    settle(world, world.submit(bob, slug), "It takes too long.")
    world.score(cleo, slug, {"other": 0.5})  # it stands there without a rank
    with world.session() as session:
        session.execute(
            update(Submission)
            .where(Submission.number == 2)
            .values(message="more trees", fact_sheet={"method": "trees", "team": "A"})
        )
    into = begin(world, slug)
    assert migrate(world, into) == 2
    made = migrated(world)
    assert sorted(made) == [2, 4]
    copy, origin = made[2], world.submission(made[2].origin_id or UUID(int=0))
    same = ("person_id", "competition_id", "filename", "size", "sha256", "content", "message", "fact_sheet")
    for name in same:
        assert getattr(copy, name) == getattr(origin, name)
    assert (copy.message, copy.fact_sheet) == ("more trees", {"method": "trees", "team": "A"})
    assert (copy.phase_id, copy.status, copy.queue, copy.counts) == (into, "queued", "rerun", False)
    assert {one.number for one in made.values()} == {5, 6}
    assert (copy.on_leaderboard, copy.results_id, copy.rerun_id) == (False, None, None)
    with world.session() as session:
        event = session.scalars(select(Event).where(Event.subject_id == copy.id)).one()
    assert (event.after, event.actor) == ("queued", "flow:migrate-phase")
    assert event.reason == "Migrated from phase 'First', submission 2."
    record = gateway.call("GET", f"/submissions/{copy.id}", ada.token).json()
    assert (record["migrated_from"], record["phase"], record["number"]) == (2, "Final", copy.number)
    own = gateway.call("GET", f"/competitions/{slug}/submissions", ada.token).json()
    assert [one["migrated_from"] for one in own] == [2, None, None]
    # The next submission has the next number.
    assert world.submission(world.submit(bob, slug)).number == 7

    world.finish(world.claim(copy.id), {"accuracy": 0.4})
    assert standing(world, slug, phase=1) == {copy.number: [0.4]}
    assert standing(world, slug) == {2: [0.5], 4: [None]}
    require_board_from_scratch(world, slug, phase=1)


def test_submissions_to_several_tasks_are_taken_over_and_scored_by_all(
    world: World, olga: Known, people: list[Known]
) -> None:
    slug = competition(world, olga, people, tasks=2)
    world.score(people[0], slug, {"accuracy": 0.2}, {"accuracy": 0.4})
    into = begin(world, slug)
    assert migrate(world, into) == 1
    job = world.claim(migrated(world)[1].id)
    assert [one.task for one in job.evaluations] == ["Task 0", "Task 1"]
    world.finish(job, {"accuracy": 0.6}, {"accuracy": 0.8})
    assert standing(world, slug, phase=1) == {2: [pytest.approx(0.7)]}


def test_the_tasks_are_those_of_the_new_phase(world: World, olga: Known, people: list[Known]) -> None:
    slug = world.competition(
        olga,
        slug="iris",
        tasks=2,
        phases=[
            phase(end=hours(1), tasks=[0]),
            phase(name="Final", start=hours(2), end=hours(3), tasks=[1], auto_migrate_to_this_phase=True),
        ],
    )
    world.join(people[0], slug)
    world.score(people[0], slug, {"accuracy": 0.2})
    migrate(world, begin(world, slug))
    assert [one.task for one in world.claim(migrated(world)[1].id).evaluations] == ["Task 1"]


def test_several_of_one_participant_and_equal_ones_keep_their_order(
    world: World, gateway: RunningGateway, olga: Known, people: list[Known]
) -> None:
    rule = {"submission_rule": "Force_Latest_Multiple"}
    slug = competition(world, olga, people, leaderboards=[board(**rule)])
    for at in range(9):
        world.score(people[at % 3], slug, {"accuracy": 0.5})
    migrate(world, begin(world, slug))
    for one in reversed(migrated(world).values()):
        world.finish(world.claim(one.id), {"accuracy": 0.5})

    def order(number: int) -> list[str]:
        path = f"/competitions/{slug}/leaderboard?phase={number}"
        return [row["participant"] for row in gateway.call("GET", path).json()["rows"]]

    assert order(1) == order(2) == [*NAMES, *NAMES, *NAMES]


def test_nothing_of_it_counts_against_a_quota(world: World, olga: Known, people: list[Known]) -> None:
    limits = {"max_submissions_per_day": 1, "max_submissions": 1, "max_concurrent_submissions": 1}
    slug, ada = competition(world, olga, people, later=limits), people[0]
    world.score(ada, slug, {"accuracy": 0.5})
    into = begin(world, slug)
    migrate(world, into)

    def left() -> list[int | None]:
        with world.session() as session:
            found = quota_left(session, session.get_one(Phase, into), ada.id, now())
        return [found.in_window, found.total, found.concurrent]

    assert left() == [1, 1, 1]
    job = world.claim(migrated(world)[1].id)
    assert left() == [1, 1, 1]
    world.finish(job, {"accuracy": 0.4})
    assert left() == [1, 1, 1]
    world.submit(ada, slug, phase="2")
    assert left() == [0, 0, 0]


def test_what_is_migrated_has_its_place_behind_fresh_ones(
    world: World, people: list[Known], slug: str, dispatcher: Dispatcher, prefect: StandInPrefect
) -> None:
    for person in people:
        world.score(person, slug, {"accuracy": 0.5})
    into = begin(world, slug)
    migrate(world, into)
    dispatcher.tick()
    (run,) = prefect.runs_of_flow("score-batch")
    assert (run["work_queue_name"], run["tags"]) == ("rerun", ["batch"])
    assert {str(one.flow_run_id) for one in migrated(world).values()} == {run["id"]}
    (flow,) = prefect.runs_of(into)
    assert flow["parameters"] == {"phase_id": str(into)}
    assert (flow["name"], flow["tags"]) == ("iris migrate into phase 2", ["competition:iris", "phase:2"])
    dispatcher.tick()
    assert len(prefect.runs_of(into)) == 1


# Whatever happens.


def test_killed_between_its_parts_and_gone_on_with_each_is_taken_over_once(
    world: World, people: list[Known], slug: str
) -> None:
    for at in range(6):
        world.score(people[at % 3], slug, {"accuracy": 0.5})
    into = begin(world, slug)
    killed_after(world, lambda session: migrate_part(session, into, size=2))
    assert migrated(world) == {}
    with world.session() as session:
        assert len(migrate_part(session, into, size=2)) == 2
    killed_after(world, lambda session: migrate_part(session, into, size=2))
    assert not end(world, into)  # another one is left
    assert migrate(world, into, size=2) == 1
    killed_after(world, lambda session: finish_if_done(session, into))
    assert (end(world, into), end(world, into)) == (True, True)
    assert sorted(migrated(world)) == [4, 5, 6]
    found = migration(world, into)
    assert (found.status, found.copied) == (MigrationStatus.FINISHED, 3)
    assert found.message == "3 submissions of phase 'First' were taken over."
    assert found.ended is not None


def test_two_flows_at_once_take_each_over_once(world: World, olga: Known, people: list[Known]) -> None:
    slug = competition(world, olga, people, leaderboards=[board(submission_rule="Force_Latest_Multiple")])
    for at in range(12):
        world.score(people[at % 3], slug, {"accuracy": 0.5})
    into = begin(world, slug)
    barrier = Barrier(4)

    def flow(_: int) -> int:
        barrier.wait(10)
        taken = migrate(world, into, size=2)
        end(world, into)
        return taken

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(flow, range(4))) == 12
    made = migrated(world)
    assert sorted(made) == list(range(1, 13))
    assert sorted(one.number for one in made.values()) == list(range(13, 25))
    with world.session() as session:
        assert session.scalar(select(func.count()).where(Submission.phase_id == into)) == 12
        events = session.scalars(select(Event.after).where(Event.subject == "migration")).all()
    assert list(events) == ["finished"]
    assert migration(world, into).copied == 12


def test_one_that_is_still_scored_holds_up_nothing_and_comes_after(
    world: World, people: list[Known], slug: str, dispatcher: Dispatcher, prefect: StandInPrefect
) -> None:
    ada, bob, _ = people
    world.score(ada, slug, {"accuracy": 0.5})
    job = world.claim(world.submit(bob, slug))
    into = begin(world, slug)
    dispatcher.tick()
    assert migrate(world, into) == 1
    assert not end(world, into)
    found = migration(world, into)
    assert (found.status, found.message) == (
        MigrationStatus.RUNNING,
        "1 of phase 'First' is still being scored.",
    )
    for _ in range(2):
        dispatcher.tick()
    assert len(prefect.runs_of(into)) == 1  # there is nothing to do yet
    world.finish(job, {"accuracy": 0.7})
    dispatcher.tick()
    assert len(prefect.runs_of(into)) == 2  # the flow is begun again for what is left
    assert migrate(world, into) == 1
    assert end(world, into)
    assert sorted(migrated(world)) == [1, 2]


@pytest.mark.parametrize("how", ["fails", "is given up", "is cancelled", "is never uploaded"])
def test_one_that_comes_to_nothing_does_not_keep_it_from_ending(
    world: World, people: list[Known], slug: str, dispatcher: Dispatcher, how: str
) -> None:
    ada, bob, _ = people
    world.score(ada, slug, {"accuracy": 0.5})
    stuck = world.announce(bob, slug) if how == "is never uploaded" else world.submit(bob, slug)
    into = begin(world, slug)
    assert (migrate(world, into), end(world, into)) == (1, False)
    steps: dict[str, Callable[[], object]] = {
        "fails": lambda: fail(world, world.claim(stuck)),
        "is given up": lambda: [give_back(world, world.claim(stuck)) for _ in range(3)],
        "is cancelled": lambda: cancel(world, stuck),
        "is never uploaded": lambda: overdue(world, stuck, dispatcher),
    }
    steps[how]()
    assert (migrate(world, into), end(world, into)) == (0, True)
    assert migration(world, into).message == "1 submission of phase 'First' was taken over."


def cancel(world: World, submission_id: UUID) -> None:
    with world.session() as session:
        cancel_submission(session, submission_id, actor="person:bob", reason="No.")


def overdue(world: World, submission_id: UUID, dispatcher: Dispatcher) -> None:
    with world.session() as session:
        long_ago = now() - timedelta(seconds=3601)
        session.execute(update(Submission).where(Submission.id == submission_id).values(created=long_ago))
    dispatcher.tick()


def test_an_empty_board_is_taken_over_at_once(world: World, slug: str) -> None:
    into = begin(world, slug)
    assert (migrate(world, into), end(world, into)) == (0, True)
    assert migration(world, into).message == "0 submissions of phase 'First' were taken over."


def test_a_phase_without_a_migration_is_let_alone(world: World, slug: str) -> None:
    for unknown in (UUID(int=1), phase_id(world, slug)):
        with world.session() as session:
            assert migrate_part(session, unknown) == []
            assert finish_if_done(session, unknown)


def test_the_steps_of_the_flow_do_no_more_than_that(
    world: World, gateway: RunningGateway, people: list[Known], slug: str, prefect: StandInPrefect
) -> None:
    from podium.tasks.migrations import end_migration, take_over  # noqa: PLC0415  # Prefect takes its time
    from podium.tasks.platform_services import PlatformServices  # noqa: PLC0415

    orchestration = Orchestration(prefect.address)
    services = PlatformServices(world.settings, world.database, orchestration)
    world.score(people[0], slug, {"accuracy": 0.5})
    into = begin(world, slug)
    assert [take_over.fn(services, into) for _ in range(2)] == [1, 0]
    assert end_migration.fn(services, into) is True
    orchestration.close()
    shown = gateway.call("GET", f"/competitions/{slug}").json()["phases"]
    assert (shown[0]["migration"], shown[1]["migration"]["copied"]) == (None, 1)


@pytest.mark.parametrize("how", ["failed by its own fault", "cancelled while it ran"])
def test_one_that_was_migrated_and_ends_badly_costs_nothing_either(
    world: World, olga: Known, people: list[Known], how: str
) -> None:
    limits = {"max_submissions_per_day": 1, "max_submissions": 1, "max_concurrent_submissions": 1}
    slug, ada = competition(world, olga, people, later=limits), people[0]
    world.score(ada, slug, {"accuracy": 0.5})
    into = begin(world, slug)
    migrate(world, into)
    job = world.claim(migrated(world)[1].id)
    with world.session() as session:
        if how == "cancelled while it ran":
            cancel_submission(session, job.submission_id, actor="tests", reason="Tests.")
        else:
            verdict = {"outcome": "user_error", "verdict": "time_limit", "message": "Too slow."}
            failed = {**evaluation_results(job, [{}])[0], **verdict}
            store_result(session, result_of(job, [failed]), world.storage)
    with world.session() as session:
        found = quota_left(session, session.get_one(Phase, into), ada.id, now())
    assert (found.in_window, found.total, found.concurrent) == (1, 1, 1)
