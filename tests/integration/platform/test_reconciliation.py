"""Postgres and Prefect compared: every disagreement, and everything lost. Prefect is a stand-in here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from stand_in_prefect import StandInPrefect
from world import Known, World

from podium.platform import batches, dispatch, driven, reconciliation
from podium.platform.dispatch import Dispatcher
from podium.platform.errors import PlatformFault
from podium.platform.flow_leases import alive
from podium.platform.lifecycle import BundleStatus, MigrationStatus, RerunStatus, SubmissionStatus
from podium.platform.models import (
    Adoption,
    Attempt,
    Batch,
    Bundle,
    Chore,
    Competition,
    FlowLease,
    Phase,
    PhaseMigration,
    Rerun,
    Submission,
    now,
)
from podium.platform.orchestration import Orchestration
from podium.platform.reconciliation import SETTLING, Repairs, reconcile, seconds_since
from podium.platform.reruns.control import start_rerun
from podium.platform.reruns.selection import Selection

LONG_AGO = timedelta(minutes=5)


@pytest.fixture
def orchestration(prefect: StandInPrefect) -> Iterator[Orchestration]:
    made = Orchestration(prefect.address)
    yield made
    made.close()


@pytest.fixture
def dispatcher(world: World, orchestration: Orchestration) -> Dispatcher:
    return Dispatcher(world.database, orchestration, upload_seconds=3600)


def repaired(world: World, orchestration: Orchestration) -> Repairs:
    """What a reconciliation has found to repair; one after it finds nothing."""
    found = reconcile(world.database, orchestration, by="tests")
    assert found is not None
    again = reconcile(world.database, orchestration, by="tests")
    assert again == Repairs()
    return found


def dispatched(world: World, dispatcher: Dispatcher, ada: Known, slug: str) -> UUID:
    submission_id = world.submit(ada, slug)
    dispatcher.dispatch_submission(submission_id)
    return submission_id


def grown_old(prefect: StandInPrefect, flow_run_id: UUID | str, state: str = "SCHEDULED") -> None:
    """Have been in that state for so long that nobody is writing about it any more."""
    prefect.set_state(flow_run_id, state, at=now() - LONG_AGO)


def flow_run_of(world: World, submission_id: UUID) -> UUID:
    found = world.submission(submission_id).flow_run_id
    assert found is not None
    return found


def test_where_both_agree_nothing_is_repaired(
    world: World, dispatcher: Dispatcher, orchestration: Orchestration, prefect: StandInPrefect, ada: Known, slug: str
) -> None:
    waiting, held = (dispatched(world, dispatcher, ada, slug) for _ in range(2))
    world.claim(held)
    for submission_id in (waiting, held):
        grown_old(prefect, flow_run_of(world, submission_id))
    assert repaired(world, orchestration) == Repairs()
    with world.session() as session:
        chore = session.get_one(Chore, "reconcile")
        assert (chore.by, chore.outcome["queued"]) == ("tests", 0)
        assert (seconds_since(session, "reconcile") or 99) < 60
        assert seconds_since(session, "nothing") is None


def test_what_waits_is_dispatched_again_when_prefect_has_lost_everything(
    world: World, dispatcher: Dispatcher, orchestration: Orchestration, prefect: StandInPrefect, ada: Known, slug: str
) -> None:
    waiting = [dispatched(world, dispatcher, ada, slug) for _ in range(3)]
    before = {flow_run_of(world, submission_id) for submission_id in waiting}
    prefect.lose()
    assert not orchestration.is_registered()
    dispatcher.look_after()
    assert orchestration.is_registered()
    assert all(world.submission(submission_id).flow_run_id is None for submission_id in waiting)
    dispatcher.tick()
    after = {flow_run_of(world, submission_id) for submission_id in waiting}
    assert len(after) == 3
    assert not before & after
    assert all(str(flow_run_of(world, one)) == prefect.runs_of(one)[-1]["id"] for one in waiting)
    assert repaired(world, orchestration) == Repairs()


@pytest.mark.parametrize("state", ["CRASHED", "CANCELLED", "FAILED", "COMPLETED"])
def test_a_flow_run_that_somebody_has_ended_in_prefect_is_made_anew(
    world: World,
    dispatcher: Dispatcher,
    orchestration: Orchestration,
    prefect: StandInPrefect,
    ada: Known,
    slug: str,
    state: str,
) -> None:
    """Prefect's pages end flow runs, not submissions: those are cancelled in Podium."""
    submission_id = dispatched(world, dispatcher, ada, slug)
    first = flow_run_of(world, submission_id)
    prefect.set_state(first, state)
    assert repaired(world, orchestration) == Repairs(queued=1)
    dispatcher.tick()
    assert flow_run_of(world, submission_id) != first
    assert world.submission(submission_id).status is SubmissionStatus.QUEUED
    keys = [run["idempotency_key"] for run in prefect.runs_of(submission_id)]
    assert keys == [f"{submission_id}/1", f"{submission_id}/2"]


def test_a_flow_run_of_what_is_being_scored_is_left_alone_whatever_prefect_says(
    world: World, dispatcher: Dispatcher, orchestration: Orchestration, prefect: StandInPrefect, ada: Known, slug: str
) -> None:
    """The attempt's lease decides, and an agent may score although Prefect was told otherwise."""
    submission_id = dispatched(world, dispatcher, ada, slug)
    job = world.claim(submission_id)
    prefect.set_state(flow_run_of(world, submission_id), "CRASHED")
    assert repaired(world, orchestration) == Repairs()
    world.finish(job, {"accuracy": 1.0})
    assert world.submission(submission_id).status is SubmissionStatus.FINISHED


def test_flow_runs_that_nothing_needs_are_ended(
    world: World, dispatcher: Dispatcher, orchestration: Orchestration, prefect: StandInPrefect, ada: Known, slug: str
) -> None:
    orphan = orchestration.dispatch_submission(uuid4(), pool="docker", dispatch=1, name="nobody's", tags=[])
    young = orchestration.dispatch_submission(uuid4(), pool="docker", dispatch=1, name="just made", tags=[])
    waiting = dispatched(world, dispatcher, ada, slug)
    grown_old(prefect, orphan)
    grown_old(prefect, flow_run_of(world, waiting))
    assert repaired(world, orchestration) == Repairs(orphans=1)
    assert [state for state, _ in prefect.told(orphan)][-1] == "CANCELLED"
    assert prefect.told(young) == []


def test_a_flow_run_whose_attempt_was_lost_is_ended_as_crashed(
    world: World, dispatcher: Dispatcher, orchestration: Orchestration, prefect: StandInPrefect, ada: Known, slug: str
) -> None:
    submission_id = dispatched(world, dispatcher, ada, slug)
    first = flow_run_of(world, submission_id)
    world.claim(submission_id)
    with world.session() as session:
        session.execute(update(Attempt).values(flow_run_id=first, lease_expires=now() - SETTLING))
    grown_old(prefect, first, "RUNNING")
    dispatcher.tick()
    second = flow_run_of(world, submission_id)
    assert repaired(world, orchestration) == Repairs(crashed=1)
    assert prefect.told(first)[-1] == ("CRASHED", "Its attempt is over.")
    assert prefect.told(second) == []


def test_what_ended_a_moment_ago_may_still_be_on_its_way_to_prefect(
    world: World, dispatcher: Dispatcher, orchestration: Orchestration, prefect: StandInPrefect, ada: Known, slug: str
) -> None:
    submission_id = dispatched(world, dispatcher, ada, slug)
    run = flow_run_of(world, submission_id)
    job = world.claim(submission_id)
    with world.session() as session:
        session.execute(update(Attempt).values(flow_run_id=run))
    world.finish(job, {"accuracy": 1.0})
    grown_old(prefect, run, "RUNNING")
    assert repaired(world, orchestration) == Repairs()
    with world.session() as session:
        session.execute(update(Attempt).values(ended=now() - LONG_AGO))
    assert repaired(world, orchestration) == Repairs(crashed=1)


def test_a_batch_that_prefect_has_lost_gives_its_submissions_back(
    world: World,
    dispatcher: Dispatcher,
    orchestration: Orchestration,
    prefect: StandInPrefect,
    ada: Known,
    slug: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batches, "BUSY", 1)
    waiting = [dispatched(world, dispatcher, ada, slug) for _ in range(4)]
    (first,) = {flow_run_of(world, one) for one in waiting}
    assert prefect.calls == 1
    prefect.lose()
    orchestration.register()
    repairs = reconcile(world.database, orchestration, by="tests")
    assert repairs == Repairs(batches=1)
    dispatcher.tick()
    (second,) = {flow_run_of(world, one) for one in waiting}
    assert second != first
    with world.session() as session:
        ended = {one.flow_run_id: one.ended is not None for one in session.scalars(select(Batch))}
    assert ended == {first: True, second: False}


@pytest.fixture
def rerun_id(world: World, olga: Known, ada: Known, slug: str) -> UUID:
    world.score(ada, slug, {"accuracy": 0.5})
    with world.session() as session:
        competition = session.scalars(select(Competition)).one()
        return start_rerun(
            session,
            competition,
            Selection(phase="1"),
            reason="tests",
            adoption=Adoption.AUTOMATIC,
            parallel=None,
            person_id=olga.id,
            actor="tests",
        ).id


def rerun_row(world: World, rerun_id: UUID) -> Rerun:
    with world.session() as session:
        return session.get_one(Rerun, rerun_id)


@pytest.mark.parametrize("how", ["lost", "ended", "agent died", "agent died before it began"])
def test_a_rerun_whose_flow_is_gone_is_driven_again(
    world: World,
    dispatcher: Dispatcher,
    orchestration: Orchestration,
    prefect: StandInPrefect,
    rerun_id: UUID,
    how: str,
) -> None:
    dispatcher.tick()
    first = rerun_row(world, rerun_id).flow_run_id
    assert first is not None
    match how:
        case "lost":
            prefect.lose()
            orchestration.register()
        case "ended":
            prefect.set_state(first, "COMPLETED")
        case "agent died":
            grown_old(prefect, first, "RUNNING")
            with world.session() as session:
                session.add(FlowLease(flow_run_id=first, flow="rerun-phase", expires=now() - timedelta(seconds=1)))
        case _:
            grown_old(prefect, first, "PENDING")
    repairs = repaired(world, orchestration)
    assert (repairs.flows, repairs.crashed) == (1, int("died" in how))
    dispatcher.tick()
    second = rerun_row(world, rerun_id).flow_run_id
    assert second not in {None, first}
    assert rerun_row(world, rerun_id).dispatches == 2


@pytest.mark.parametrize("state", ["SCHEDULED", "RUNNING"])
def test_a_rerun_whose_flow_waits_or_lives_is_left_alone(
    world: World,
    dispatcher: Dispatcher,
    orchestration: Orchestration,
    prefect: StandInPrefect,
    rerun_id: UUID,
    state: str,
) -> None:
    dispatcher.tick()
    run = rerun_row(world, rerun_id).flow_run_id
    assert run is not None
    grown_old(prefect, run, state)
    with alive(world.database, run, "rerun-phase"):
        assert repaired(world, orchestration) == Repairs()
    assert rerun_row(world, rerun_id).flow_run_id == run
    with world.session() as session:
        assert session.scalars(select(FlowLease)).all() == []


@pytest.mark.parametrize("status", [RerunStatus.PAUSED, RerunStatus.READY, RerunStatus.ADOPTED, RerunStatus.CANCELLED])
def test_a_rerun_that_rests_or_is_over_needs_no_flow(
    world: World,
    dispatcher: Dispatcher,
    orchestration: Orchestration,
    prefect: StandInPrefect,
    rerun_id: UUID,
    status: str,
) -> None:
    with world.session() as session:
        session.execute(update(Rerun).values(status=status, flow_run_id=uuid4()))
    assert repaired(world, orchestration) == Repairs()
    with world.session() as session:
        session.execute(update(Rerun).values(flow_run_id=None))
    dispatcher.tick()
    assert prefect.calls == 0


def test_a_rerun_whose_flow_lets_its_lease_run_out_is_driven_again_by_the_next_tick(
    world: World, dispatcher: Dispatcher, rerun_id: UUID
) -> None:
    """Without Prefect's word: an agent that was killed can't give any."""
    dispatcher.tick()
    first = rerun_row(world, rerun_id).flow_run_id
    assert first is not None
    with alive(world.database, first, "rerun-phase"):
        dispatcher.tick()
        assert rerun_row(world, rerun_id).flow_run_id == first
        with world.session() as session:
            session.execute(update(FlowLease).values(expires=now() - timedelta(seconds=1)))
        dispatcher.tick()
    assert rerun_row(world, rerun_id).flow_run_id not in {None, first}
    with world.session() as session:
        assert session.scalars(select(FlowLease)).all() == []


def test_only_so_many_reruns_are_driven_at_once(
    world: World, dispatcher: Dispatcher, rerun_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driven, "RERUNS_AT_ONCE", 1)
    with world.session() as session:
        first = session.get_one(Rerun, rerun_id)
        second = Rerun(
            competition_id=first.competition_id,
            number=2,
            requested_by=first.requested_by,
            reason="tests",
            adoption=Adoption.MANUAL,
            total=0,
        )
        session.add(second)
    dispatcher.tick()
    assert rerun_row(world, rerun_id).flow_run_id is not None
    assert rerun_row(world, second.id).flow_run_id is None
    with world.session() as session:
        session.execute(update(Rerun).where(Rerun.id == rerun_id).values(status=RerunStatus.CANCELLED, ended=now()))
    dispatcher.tick()
    assert rerun_row(world, second.id).flow_run_id is not None


def test_a_bundle_whose_flow_died_while_it_was_read_is_read_again(
    world: World, dispatcher: Dispatcher, orchestration: Orchestration, prefect: StandInPrefect, olga: Known
) -> None:
    bundle_id = world.bundle_row(olga)
    dispatcher.tick()
    (run,) = prefect.runs_of(bundle_id)
    grown_old(prefect, run["id"], "RUNNING")
    assert repaired(world, orchestration) == Repairs(crashed=1, flows=1)
    with world.session() as session:
        session.execute(update(Bundle).values(dispatched=now() - driven.PAUSES[1]))
    dispatcher.tick()
    assert len(prefect.runs_of(bundle_id)) == 2
    with world.session() as session:
        assert session.get_one(Bundle, bundle_id).status is BundleStatus.READING


def test_a_bundle_whose_reading_failed_again_and_again_rests_before_the_next_time(
    world: World, dispatcher: Dispatcher, prefect: StandInPrefect, olga: Known
) -> None:
    bundle_id = world.bundle_row(olga)
    for _ in range(2):
        dispatcher.tick()
        with world.session() as session:
            session.execute(update(Bundle).values(flow_run_id=None))
    assert len(prefect.runs_of(bundle_id)) == 1
    with world.session() as session:
        session.execute(update(Bundle).values(dispatched=now() - driven.PAUSES[1]))
    dispatcher.tick()
    assert len(prefect.runs_of(bundle_id)) == 2


def test_a_bundle_that_ends_whoever_reads_it_is_given_up(
    world: World, dispatcher: Dispatcher, prefect: StandInPrefect, olga: Known
) -> None:
    bundle_id = world.bundle_row(olga)
    for _ in range(len(driven.PAUSES) + 2):
        dispatcher.tick()
        with world.session() as session:
            session.execute(update(Bundle).values(flow_run_id=None, dispatched=now() - driven.PAUSES[-1]))
    assert len(prefect.runs_of(bundle_id)) == len(driven.PAUSES)
    with world.session() as session:
        bundle = session.get_one(Bundle, bundle_id)
        assert bundle.status is BundleStatus.FAILED
        assert "interrupted" in bundle.message


def test_leases_that_nobody_could_renew_do_not_count(
    world: World, dispatcher: Dispatcher, ada: Known, slug: str
) -> None:
    """After the gateway or the database were away, agents get the time to be heard again."""
    submission_id = dispatched(world, dispatcher, ada, slug)
    world.claim(submission_id)
    with world.session() as session:
        session.execute(update(Attempt).values(lease_expires=now() - timedelta(seconds=1)))
    dispatcher.tick(leases_count=False)
    assert world.submission(submission_id).status is SubmissionStatus.PREPARING
    dispatcher.tick()
    assert world.submission(submission_id).status is SubmissionStatus.QUEUED


def test_a_gateway_that_has_just_started_loses_nobody(
    world: World, orchestration: Orchestration, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = [1000.0]
    monkeypatch.setattr(dispatch, "time", SimpleNamespace(monotonic=lambda: moment[0]))
    started = Dispatcher(world.database, orchestration, upload_seconds=3600, lease_seconds=60)
    assert not started.leases_count()
    moment[0] += 60.1
    assert started.leases_count()

    def frozen(_: float) -> bool:
        moment[0] += 100
        return False

    # A process that was frozen has heard nobody either, and one that waits as long as it should has.
    monkeypatch.setattr(started._stop, "wait", frozen)
    assert not started._sleeps(1)
    assert not started.leases_count()
    moment[0] += 60.1
    monkeypatch.setattr(started._stop, "wait", lambda _: False)
    assert not started._sleeps(1)
    assert started.leases_count()


def test_flows_that_look_after_the_platform_and_died_are_ended(
    world: World, orchestration: Orchestration, prefect: StandInPrefect
) -> None:
    run = orchestration.dispatch_flow("tick", {}, key="tick", name="tick", tags=[], queue="fast")
    grown_old(prefect, run, "RUNNING")
    prefect.set_state(run, "RUNNING", at=now() - 2 * LONG_AGO)
    assert repaired(world, orchestration) == Repairs(crashed=1)


def test_a_migration_whose_flow_has_ended_goes_on(
    world: World, dispatcher: Dispatcher, orchestration: Orchestration, prefect: StandInPrefect, slug: str
) -> None:
    with world.session() as session:
        phase_id = session.scalars(select(Phase.id)).one()
        session.add(PhaseMigration(phase_id=phase_id, status=MigrationStatus.RUNNING))
    dispatcher.tick()
    (run,) = prefect.runs_of(phase_id)
    assert run["name"] == "iris migrate into phase 1"
    prefect.set_state(run["id"], "FAILED")
    assert repaired(world, orchestration) == Repairs(flows=1)
    dispatcher.tick()
    assert len(prefect.runs_of(phase_id)) == 2


def test_two_that_reconcile_at_once_do_not_do_it_twice(
    world: World, orchestration: Orchestration, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, leave = threading.Event(), threading.Event()

    def wait_inside(*_: object) -> None:
        inside.set()
        assert leave.wait(30)

    monkeypatch.setattr(reconciliation, "_dispatch_again_what_waits", wait_inside)
    first = threading.Thread(target=lambda: reconcile(world.database, orchestration, by="first"))
    first.start()
    assert inside.wait(30)
    assert reconcile(world.database, orchestration, by="second") is None
    leave.set()
    first.join(30)
    with world.session() as session:
        assert session.get_one(Chore, "reconcile").by == "first"


def test_a_prefect_that_is_away_is_no_reason_to_let_go_of_anything(
    world: World, dispatcher: Dispatcher, orchestration: Orchestration, prefect: StandInPrefect, ada: Known, slug: str
) -> None:
    submission_id = dispatched(world, dispatcher, ada, slug)
    run = flow_run_of(world, submission_id)
    prefect.stop()
    with pytest.raises(PlatformFault):
        reconcile(world.database, orchestration, by="tests")
    assert flow_run_of(world, submission_id) == run
    with world.session() as session:
        assert seconds_since(session, "reconcile") is None


def test_the_gateway_does_it_where_no_flow_does(
    world: World, dispatcher: Dispatcher, ada: Known, slug: str, prefect: StandInPrefect
) -> None:
    submission_id = dispatched(world, dispatcher, ada, slug)
    prefect.set_state(flow_run_of(world, submission_id), "CRASHED")
    with world.session() as session:
        reconciliation.note_chore(session, "reconcile", by="a flow", outcome={})
    dispatcher.look_after()
    assert world.submission(submission_id).flow_run_id is not None
    with world.session() as session:
        session.execute(update(Chore).values(ran=now() - timedelta(seconds=dispatch.OVERDUE_SECONDS + 1)))
    dispatcher.look_after()
    assert world.submission(submission_id).flow_run_id is None
    with world.session() as session:
        assert {chore.name: chore.by for chore in session.scalars(select(Chore))} == {
            "reconcile": "gateway",
            "tick": "gateway",
        }


def test_agents_are_woken_when_the_wait_before_a_retry_is_over(
    world: World, dispatcher: Dispatcher, ada: Known, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission_id = world.submit(ada, slug)
    woken: list[str] = []
    here = threading.get_ident()  # a gateway that serves other tests has a dispatcher too, in a thread of its own

    def note(_: Session, topic: str) -> None:
        if threading.get_ident() == here:
            woken.append(topic)

    monkeypatch.setattr(dispatch, "notify", note)
    dispatcher.wake_for_retries()
    assert woken == []
    with world.session() as session:
        session.execute(update(Submission).where(Submission.id == submission_id).values(not_before=now()))
    dispatcher.wake_for_retries()
    dispatcher.wake_for_retries()
    assert woken == ["pool:docker"]
