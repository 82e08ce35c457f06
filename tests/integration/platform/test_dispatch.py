"""From queued to a flow run, with a stand-in for Prefect."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update
from stand_in_prefect import StandInPrefect
from world import Known, World

from podium.platform.dispatch import Dispatcher
from podium.platform.driven import BUNDLES
from podium.platform.lifecycle import BundleStatus, SubmissionStatus
from podium.platform.models import Attempt, Bundle, Submission, now
from podium.platform.orchestration import Orchestration


@pytest.fixture
def dispatcher(world: World, prefect: StandInPrefect) -> Iterator[Dispatcher]:
    orchestration = Orchestration(prefect.address)
    yield Dispatcher(world.database, orchestration, upload_seconds=3600)
    orchestration.close()


@pytest.fixture
def slug(world: World, ada: Known) -> str:
    made = world.competition(world.person("olga", organizer=True))
    world.join(ada, made)
    return made


def test_a_flow_run_is_told_ids_alone(
    world: World, dispatcher: Dispatcher, prefect: StandInPrefect, ada: Known, slug: str
) -> None:
    submission_id = world.submit(ada, slug)
    dispatcher.dispatch_submission(submission_id)
    run = prefect.runs_of(submission_id)[0]
    assert run["parameters"] == {"submission_id": str(submission_id)}
    assert run["deployment"] == prefect.deployment("score-submission", "docker")
    assert run["idempotency_key"] == f"{submission_id}/1"
    assert "ada" not in str(run)
    assert str(world.submission(submission_id).flow_run_id) == run["id"]


def test_asking_again_makes_no_second_flow_run(
    world: World, dispatcher: Dispatcher, prefect: StandInPrefect, ada: Known, slug: str
) -> None:
    submission_id = world.submit(ada, slug)
    for _ in range(2):
        dispatcher.dispatch_submission(submission_id)
        dispatcher.tick()
    assert prefect.calls == 1


def test_while_prefect_is_away_a_submission_stays_queued_and_says_why(
    world: World, dispatcher: Dispatcher, prefect: StandInPrefect, ada: Known, slug: str
) -> None:
    prefect.stop()
    submission_id = world.submit(ada, slug)
    dispatcher.dispatch_submission(submission_id)
    waiting = world.submission(submission_id)
    assert (waiting.status, waiting.flow_run_id) == (SubmissionStatus.QUEUED, None)
    assert waiting.status_message.startswith("Waits for the scheduler: Prefect can't be reached")
    dispatcher.tick()
    # The same reason again is no news for those who watch.
    assert world.submission(submission_id).version == waiting.version

    prefect.start()
    dispatcher.tick()
    submission = world.submission(submission_id)
    assert str(submission.flow_run_id) == prefect.runs_of(submission_id)[0]["id"]
    assert submission.status_message == "Waits for an agent."
    assert submission.version == waiting.version + 1


def test_each_attempt_has_a_flow_run_of_its_own(
    world: World, dispatcher: Dispatcher, prefect: StandInPrefect, ada: Known, slug: str
) -> None:
    submission_id = world.submit(ada, slug)
    dispatcher.dispatch_submission(submission_id)
    world.claim(submission_id)
    with world.session() as session:
        session.execute(update(Attempt).values(lease_expires=now() - timedelta(seconds=1)))
    dispatcher.tick()
    keys = [run["idempotency_key"] for run in prefect.runs_of(submission_id)]
    assert keys == [f"{submission_id}/1", f"{submission_id}/2"]
    assert world.submission(submission_id).status is SubmissionStatus.QUEUED


def test_what_has_ended_or_is_being_scored_gets_no_flow_run(
    world: World, dispatcher: Dispatcher, prefect: StandInPrefect, ada: Known, slug: str
) -> None:
    scored = world.score(ada, slug, {"accuracy": 1})
    claimed = world.submit(ada, slug)
    world.claim(claimed)
    for submission_id in (scored, claimed, UUID(int=1)):
        dispatcher.dispatch_submission(submission_id)
    dispatcher.tick()
    assert prefect.calls == 0


def test_a_submission_goes_to_the_pool_of_its_competition(
    world: World, dispatcher: Dispatcher, prefect: StandInPrefect, ada: Known
) -> None:
    slug = world.competition(world.person("otto", organizer=True), queue="gpu")
    world.join(ada, slug)
    submission_id = world.submit(ada, slug)
    dispatcher.tick()
    assert prefect.runs_of(submission_id)[0]["deployment"] == prefect.deployment("score-submission", "gpu")
    assert world.claim(submission_id, pool="gpu").submission_id == submission_id


def test_a_bundle_that_prefect_missed_is_dispatched_by_the_next_tick(
    world: World, dispatcher: Dispatcher, prefect: StandInPrefect
) -> None:
    olga = world.person("olga", organizer=True)
    with world.session() as session:
        bundle = Bundle(owner_id=olga.id, filename="b.zip", size=1, sha256="0" * 64, status=BundleStatus.QUEUED)
        session.add(bundle)
    prefect.stop()
    dispatcher.drive(BUNDLES, bundle.id)
    prefect.start()
    dispatcher.tick()
    dispatcher.tick()
    (run,) = prefect.runs_of(bundle.id)
    assert run["parameters"] == {"bundle_id": str(bundle.id)}
    assert run["deployment"] == prefect.deployment("create-competition", "cpu")
    assert prefect.calls == 1


def test_an_upload_that_never_comes_is_cancelled_and_costs_nothing(
    world: World, dispatcher: Dispatcher, ada: Known, slug: str
) -> None:
    late, timely, queued = world.announce(ada, slug), world.announce(ada, slug), world.submit(ada, slug)
    with world.session() as session:
        long_ago = now() - timedelta(seconds=3601)
        session.execute(update(Submission).where(Submission.id.in_([late, queued])).values(created=long_ago))

    dispatcher.tick()

    assert (world.submission(late).status, world.submission(late).counts) == (SubmissionStatus.CANCELLED, False)
    assert "not completed in time" in world.submission(late).status_message
    assert world.submission(timely).status is SubmissionStatus.SUBMITTED
    assert world.submission(queued).status is SubmissionStatus.QUEUED
