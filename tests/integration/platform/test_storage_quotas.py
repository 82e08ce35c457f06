"""What files take: counted exactly on whom they belong, held to when many come at once, and seen by their owners."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update
from world import PREDICTIONS, Known, RunningGateway, World, problem_of, result_of, sha256_of

from podium.platform.bundles.problems import BundleRefused
from podium.platform.models import Person, StorageCharge, Submission, now
from podium.platform.storage_quotas import put_together, usage_of
from podium.platform.submissions.attempts import cancel_overdue_uploads, cancel_submission
from podium.platform.submissions.results import store_result

SIZE = len(PREDICTIONS)
OUTPUT = b"everything that scoring left behind"
LARGEST = 2**60


def kinds(world: World, person: Known) -> dict[str, int]:
    """What a person's files take."""
    with world.session() as session:
        return usage_of(session, person.id, default=LARGEST).by_kind


def allow(world: World, person: Known, size: int | None) -> None:
    with world.session() as session:
        session.execute(update(Person).where(Person.id == person.id).values(storage_quota_bytes=size))


def announce(gateway: RunningGateway, person: Known, slug: str, size: int = SIZE) -> Any:  # noqa: ANN401  # an answer
    body = {"filename": "p.zip", "size": size, "sha256": sha256_of(PREDICTIONS)}
    return gateway.call("POST", f"/competitions/{slug}/submissions", person.token, json=body)


def score_with_output(world: World, submission_id: UUID) -> None:
    job = world.claim(submission_id)
    output = {"kind": "scoring_output", "sha256": sha256_of(OUTPUT), "size": len(OUTPUT), "content": OUTPUT}
    results = [
        {"evaluation_id": one.evaluation_id, "outcome": "succeeded", "scores": {"accuracy": 1}, "outputs": [output]}
        for one in job.evaluations
    ]
    with world.session() as session:
        store_result(session, result_of(job, results), world.storage)


def test_submissions_are_the_participants_and_outputs_the_organizers(
    world: World, olga: Known, ada: Known, slug: str
) -> None:
    """Outputs were the participants' in Codabench, who could do nothing about them."""
    before = kinds(world, olga)
    assert set(before) == {"datasets", "competitions"}
    submission_id = world.submit(ada, slug)
    assert kinds(world, ada) == {"submissions": SIZE}
    score_with_output(world, submission_id)
    assert kinds(world, ada) == {"submissions": SIZE}
    assert kinds(world, olga) == {**before, "outputs": len(OUTPUT)}


def test_a_file_counts_from_its_announcement_until_it_is_given_up(world: World, ada: Known, slug: str) -> None:
    first, second = world.announce(ada, slug), world.announce(ada, slug)
    assert kinds(world, ada) == {"submissions": 2 * SIZE}
    with world.session() as session:
        cancel_submission(session, first, actor="tests", reason="not wanted")
    assert kinds(world, ada) == {"submissions": SIZE}
    with world.session() as session:
        session.execute(update(Submission).values(created=now() - timedelta(days=2)))
    with world.session() as session:
        cancel_overdue_uploads(session, seconds=3600)
    assert kinds(world, ada) == {}
    assert second != first


def test_one_that_was_uploaded_counts_even_if_it_is_cancelled_later(world: World, ada: Known, slug: str) -> None:
    """It is still there."""
    submission_id = world.submit(ada, slug)
    with world.session() as session:
        cancel_submission(session, submission_id, actor="tests", reason="not wanted")
    assert kinds(world, ada) == {"submissions": SIZE}


def test_copies_that_the_platform_makes_cost_nothing(world: World, ada: Known, slug: str) -> None:
    origin = world.submission(world.score(ada, slug, {"accuracy": 1}))
    columns = ("competition_id", "phase_id", "person_id", "number", "filename", "size", "sha256", "content")
    copy = Submission(**{name: getattr(origin, name) for name in columns} | {"number": 99}, origin_id=origin.id)
    with world.session() as session:
        session.add(copy)
    assert kinds(world, ada) == {"submissions": SIZE}
    with world.session() as session:
        session.delete(session.get_one(Submission, copy.id))
        session.delete(session.get_one(Submission, origin.id))
    assert kinds(world, ada) == {}


def test_many_at_once_never_take_more_than_there_is(
    world: World, gateway: RunningGateway, ada: Known, slug: str
) -> None:
    allow(world, ada, 3 * SIZE + SIZE // 2)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: announce(gateway, ada, slug), range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [413] * 5
    refusal = problem_of(next(answer for answer in answers if answer.status_code == 413))
    assert refusal["type"] == "storage-full"
    assert "podium storage files" in refusal["remedy"]
    assert kinds(world, ada) == {"submissions": 3 * SIZE}
    with world.session() as session:
        assert session.scalar(select(func.count(Submission.id))) == 3


def test_bundles_and_datasets_are_held_to_it_too(world: World, gateway: RunningGateway, olga: Known) -> None:
    allow(world, olga, 100)
    file = {"filename": "b.zip", "size": 60, "sha256": "0" * 64}
    assert gateway.call("POST", "/bundles", olga.token, json=file).status_code == 201
    assert gateway.call("POST", "/bundles", olga.token, json=file).status_code == 413
    dataset = {**file, "kind": "reference_data", "size": 41}
    assert problem_of(gateway.call("POST", "/datasets", olga.token, json=dataset))["type"] == "storage-full"
    assert gateway.call("POST", "/datasets", olga.token, json={**dataset, "size": 40}).status_code == 201
    assert kinds(world, olga) == {"bundles": 60, "datasets": 40}


def test_a_bundle_whose_files_have_no_room_is_refused_and_leaves_nothing(world: World, olga: Known) -> None:
    allow(world, olga, 10)
    with pytest.raises(BundleRefused) as refused:
        world.competition(olga)
    assert "they may take 10 bytes" in refused.value.problems[0].message
    assert kinds(world, olga) == {}


def test_nothing_new_is_taken_while_the_organizers_room_is_used_up(
    world: World, gateway: RunningGateway, olga: Known, ada: Known, slug: str
) -> None:
    """What is under way is scored and kept: it was accepted."""
    submission_id = world.submit(ada, slug)
    allow(world, olga, sum(kinds(world, olga).values()))
    score_with_output(world, submission_id)
    refusal = announce(gateway, ada, slug)
    assert refusal.status_code == 413
    assert problem_of(refusal)["detail"] == "The organizer of this competition has no room left for results."
    allow(world, olga, None)
    assert announce(gateway, ada, slug).status_code == 201


def test_charges_that_are_put_together_have_the_same_sum(world: World, ada: Known, slug: str) -> None:
    with world.session() as session:
        person = session.get_one(Person, ada.id)
        session.add_all(StorageCharge(owner_id=person.id, kind="submissions", bytes=n) for n in range(-10, 30))
    before = kinds(world, ada)

    def work(number: int) -> None:
        if number % 2:
            world.announce(ada, slug)
        else:
            with world.session() as session:
                put_together(session)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, range(12)))
    with world.session() as session:
        put_together(session)
        count = select(func.count(StorageCharge.id)).where(StorageCharge.owner_id == ada.id)
        assert session.scalar(count) < 25
    assert kinds(world, ada) == {"submissions": before["submissions"] + 6 * SIZE}


def test_what_is_charged_is_what_the_rows_say(world: World, olga: Known, ada: Known, slug: str) -> None:
    """Whatever has happened to them."""
    for _ in range(2):
        score_with_output(world, world.submit(ada, slug))
    world.announce(ada, slug)
    sums = {
        "submissions": "SELECT sum(size) FROM submissions",
        "datasets": "SELECT sum(size) FROM datasets",
        "outputs": "SELECT sum(size) FROM outputs",
        "competitions": "SELECT sum(image_size) FROM competitions",
    }
    with world.session() as session:
        expected = {kind: int(session.scalar(text(query)) or 0) for kind, query in sums.items()}
        charged = dict(
            session.execute(
                select(StorageCharge.kind, func.sum(StorageCharge.bytes))
                .where(StorageCharge.owner_id.in_([olga.id, ada.id]), StorageCharge.kind != "bundles")
                .group_by(StorageCharge.kind)
            ).all()
        )
    assert charged == expected
    with world.session() as session:
        session.execute(text("DELETE FROM competitions"))
    assert set(kinds(world, olga)) == {"datasets"}
    assert kinds(world, ada) == {}


def test_who_sees_and_who_sets_it(world: World, gateway: RunningGateway, ada: Known, slug: str) -> None:
    admin, eve = world.person("root", administrator=True), world.person("eve")
    world.submit(ada, slug)
    own = gateway.call("GET", "/me/storage", ada.token).json()
    assert own == {
        "username": "ada",
        "quota": world.settings.storage_quota_bytes,
        "used": SIZE,
        "own_quota": None,
        "by_kind": {"submissions": SIZE},
    }
    assert gateway.call("GET", "/people/ada/storage", admin.token).json() == own
    for person in (ada, eve):
        assert gateway.call("GET", "/people/ada/storage", person.token).status_code == 403
        assert gateway.call("PUT", "/people/ada/storage", person.token, json={"quota": 1}).status_code == 403
    answer = gateway.call("PUT", "/people/ada/storage", admin.token, json={"quota": 7}).json()
    assert (answer["quota"], answer["own_quota"], answer["used"]) == (7, 7, SIZE)
    assert announce(gateway, ada, slug, size=1).status_code == 413
    assert gateway.call("PUT", "/people/ada/storage", admin.token, json={"quota": -1}).status_code == 422
    assert gateway.call("PUT", "/people/ada/storage", admin.token, json={"quota": None}).json()["own_quota"] is None
    assert gateway.call("PUT", "/people/nobody/storage", admin.token, json={"quota": 1}).status_code == 404
    assert announce(gateway, ada, slug).status_code == 201
