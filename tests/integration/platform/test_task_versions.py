"""Versions of tasks: made by organizers, used by what is scored from then on, remembered by what was scored."""

from __future__ import annotations

import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from rescoring import adopt, again, finish, give_back, release, rescore, start, task_versions
from sqlalchemy import select
from world import HTTP, Known, RunningGateway, World, hours, phase, problem_of, sha256_of, zip_of

from podium.platform.jobs import ScoringJob
from podium.platform.models import Adoption, Dataset, Evaluation, Event, Submission, Task, TaskVersion
from podium.platform.reruns.selection import Selection

VERSIONS = "/competitions/iris/tasks/0/versions"


@pytest.fixture
def slug(world: World, ada: Known, olga: Known) -> str:
    made = world.competition(olga, slug="iris")
    world.join(ada, made)
    return made


def dataset(world: World, owner: Known, text: str, *, kind: str = "reference_data") -> UUID:
    """A dataset of this content."""
    data = zip_of({"truth.csv": text})
    path = world.folder / f"{uuid4()}.zip"
    path.write_bytes(data)
    stored = world.storage.store(path, sha256_of(path.read_bytes()))
    with world.session() as session:
        made = Dataset(
            owner_id=owner.id,
            kind=kind,
            name=f"{text}.zip",
            content=stored.key,
            sha256=sha256_of(data),
            size=len(data),
        )
        session.add(made)
        session.flush()
        return made.id


def change(
    gateway: RunningGateway, person: Known, *, path: str = VERSIONS, reason: str = "Wrong labels.", **parts: object
) -> httpx.Response:
    body = {"reason": reason, **{kind: str(one) for kind, one in parts.items()}}
    return gateway.call("POST", path, person.token, json=body)


def versions(gateway: RunningGateway, person: Known, path: str = VERSIONS) -> list[dict[str, Any]]:
    answer = gateway.call("GET", path, person.token)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def counts(gateway: RunningGateway, person: Known, path: str = VERSIONS) -> dict[int, int]:
    return {one["number"]: one["submissions"] for one in versions(gateway, person, path)}


def truth_of(job: ScoringJob) -> str:
    source = job.evaluations[0].reference_data
    assert source is not None
    with zipfile.ZipFile(io.BytesIO(HTTP.get(source.request.url).content)) as archive:
        return archive.read("truth.csv").decode()


def version_of(world: World, submission_id: UUID) -> int:
    with world.session() as session:
        query = select(Evaluation.task_version).where(Evaluation.submission_id == submission_id)
        return session.scalars(query).one()


def test_a_change_is_the_next_version_and_says_who_and_why(
    world: World, gateway: RunningGateway, olga: Known, slug: str
) -> None:
    (first,) = versions(gateway, olga)
    assert (first["number"], first["is_current"], first["reason"], first["submissions"]) == (1, True, "", 0)
    assert (first["task"], first["index"]) == ("Task 0", "0")
    truth, program = dataset(world, olga, "4"), dataset(world, olga, "new", kind="scoring_program")
    answer = change(gateway, olga, reference_data=truth)
    assert answer.status_code == 201, answer.text
    second = answer.json()
    assert (second["number"], second["is_current"], second["reason"]) == (2, True, "Wrong labels.")
    assert (second["actor"], second["reference_data"]["id"]) == ("person:olga", str(truth))
    # What is left out stays as it is.
    assert second["scoring_program"] == first["scoring_program"]
    assert (second["ingestion_program"], second["input_data"]) == (None, None)
    third = change(gateway, olga, scoring_program=program, reason="Faster.").json()
    assert (third["number"], third["reference_data"]["id"]) == (3, str(truth))
    listed = versions(gateway, olga)
    assert [(one["number"], one["is_current"], one["reason"]) for one in listed] == [
        (3, True, "Faster."),
        (2, False, "Wrong labels."),
        (1, False, ""),
    ]
    assert listed[2] == {**first, "is_current": False}
    with world.session() as session:
        events = session.scalars(select(Event).where(Event.subject == "task").order_by(Event.id)).all()
    assert [(event.before, event.after, event.actor, event.reason) for event in events] == [
        ("version 1", "version 2", "person:olga", "Wrong labels."),
        ("version 2", "version 3", "person:olga", "Faster."),
    ]


def test_parts_that_were_not_there_may_be_added(world: World, gateway: RunningGateway, olga: Known, slug: str) -> None:
    program = dataset(world, olga, "x", kind="ingestion_program")
    data = dataset(world, olga, "y", kind="input_data")
    made = change(gateway, olga, ingestion_program=program, input_data=data).json()
    assert (made["ingestion_program"]["id"], made["input_data"]["id"]) == (str(program), str(data))


def test_what_is_as_it_was_is_no_version(world: World, gateway: RunningGateway, olga: Known, slug: str) -> None:
    truth = dataset(world, olga, "4")
    change(gateway, olga, reference_data=truth)
    for parts in ({"reference_data": truth}, {}):
        problem = problem_of(change(gateway, olga, **parts))
        assert (problem["status"], problem["type"]) == (409, "conflict")
        assert problem["detail"] == "Task 'Task 0' is made of exactly that already."
    # To what it was before it may go back; that is a version again.
    assert change(gateway, olga, reference_data=versions(gateway, olga)[1]["reference_data"]["id"]).status_code == 201
    assert counts(gateway, olga) == {3: 0, 2: 0, 1: 0}


@pytest.mark.parametrize("fault", ["of another", "unknown", "of another kind", "without a reason", "unknown part"])
def test_what_can_not_be_is_refused_and_changes_nothing(
    world: World, gateway: RunningGateway, olga: Known, slug: str, fault: str
) -> None:
    otto = world.person("otto", organizer=True)
    good = dataset(world, olga, "4")
    program = dataset(world, olga, "5", kind="scoring_program")
    answers = {
        "of another": lambda: change(gateway, olga, reference_data=dataset(world, otto, "4")),
        "unknown": lambda: change(gateway, olga, scoring_program=program, reference_data=uuid4()),
        "of another kind": lambda: change(gateway, olga, scoring_program=program, reference_data=program),
        "without a reason": lambda: change(gateway, olga, reference_data=good, reason=" "),
        "unknown part": lambda: change(gateway, olga, public_data=good),
    }
    said = {
        "of another": "You have no dataset",
        "unknown": "You have no dataset",
        "of another kind": "'5.zip' is a scoring program, and can't be reference data.",
        "without a reason": "",
        "unknown part": "",
    }
    answer = answers[fault]()
    assert answer.status_code in {404, 422}
    assert said[fault] in problem_of(answer)["detail"]
    assert task_versions(world) == [1]
    with world.session() as session:
        assert session.scalars(select(Task.version)).all() == [1]


def test_a_task_that_is_not_there(gateway: RunningGateway, olga: Known, slug: str) -> None:
    for answer in (
        gateway.call("GET", "/competitions/iris/tasks/7/versions", olga.token),
        change(gateway, olga, path="/competitions/iris/tasks/7/versions"),
    ):
        problem = problem_of(answer)
        assert (problem["detail"], problem["remedy"]) == ("'iris' has no task '7'.", "Its tasks are 0 'Task 0'.")


def test_two_who_change_it_at_once_make_two_versions(
    world: World, gateway: RunningGateway, olga: Known, slug: str
) -> None:
    parts = [{"reference_data": dataset(world, olga, "4")}, {"reference_data": dataset(world, olga, "5")}]
    parts.append({"scoring_program": dataset(world, olga, "6", kind="scoring_program")})
    barrier = Barrier(3)

    def make(part: dict[str, UUID]) -> int:
        barrier.wait(10)
        answer = change(gateway, olga, **part)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["number"])

    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(make, parts))
    assert sorted(made) == [2, 3, 4]
    assert task_versions(world) == [1, 2, 3, 4]
    with world.session() as session:
        task = session.scalars(select(Task)).one()
        last = session.get_one(TaskVersion, (task.id, 4))
        # None has undone what another changed.
        assert task.version == 4
        assert task.scoring_program_id == last.scoring_program_id == parts[2]["scoring_program"]
        assert task.reference_data_id == last.reference_data_id
        assert task.reference_data_id in {parts[0]["reference_data"], parts[1]["reference_data"]}


def test_the_same_change_at_once_is_made_once(world: World, gateway: RunningGateway, olga: Known, slug: str) -> None:
    truth = dataset(world, olga, "4")
    with ThreadPoolExecutor(3) as pool:
        codes = sorted(pool.map(lambda _: change(gateway, olga, reference_data=truth).status_code, range(3)))
    assert codes == [201, 409, 409]
    assert task_versions(world) == [1, 2]


# What it is used for.


def test_what_waits_is_scored_by_the_new_version_and_what_is_scored_keeps_its_own(
    world: World, gateway: RunningGateway, olga: Known, ada: Known, slug: str
) -> None:
    scored = world.score(ada, slug, {"accuracy": 0.1})
    waiting, held = world.submit(ada, slug), world.submit(ada, slug)
    job = world.claim(held)
    old = truth_of(job)
    change(gateway, olga, reference_data=dataset(world, olga, "4"))
    assert (version_of(world, scored), version_of(world, held)) == (1, 1)
    assert truth_of(job) == old  # what has begun goes on with what it began with
    later = world.claim(waiting)
    assert (old, truth_of(later)) == ("1,2,3", "4")
    assert version_of(world, waiting) == 2
    world.finish(job, {"accuracy": 0.2})
    world.finish(later, {"accuracy": 0.3})
    assert [version_of(world, one) for one in (scored, held, waiting)] == [1, 1, 2]
    assert counts(gateway, olga) == {2: 1, 1: 2}
    record = gateway.call("GET", f"/submissions/{waiting}", ada.token).json()
    assert record["evaluations"][0]["task_version"] == 2


def test_what_is_tried_again_is_tried_with_the_present_version(
    world: World, gateway: RunningGateway, olga: Known, ada: Known, slug: str
) -> None:
    submission_id = world.submit(ada, slug)
    first = world.claim(submission_id)
    change(gateway, olga, reference_data=dataset(world, olga, "4"))
    give_back(world, first)
    second = world.claim(submission_id)
    assert truth_of(second) == "4"
    world.finish(second, {"accuracy": 1})
    assert (version_of(world, submission_id), counts(gateway, olga)) == (2, {2: 1, 1: 0})


def test_a_rerun_scores_by_the_present_version_and_then_counts_there(
    world: World, gateway: RunningGateway, olga: Known, ada: Known, slug: str
) -> None:
    for accuracy in (0.1, 0.2):
        world.score(ada, slug, {"accuracy": accuracy})
    change(gateway, olga, reference_data=dataset(world, olga, "4"))
    rerun_id = start(world, olga, slug, Selection(submissions=(1,)))
    release(world, rerun_id)
    (submission_id,) = again(world, rerun_id).values()
    job = world.claim(submission_id)
    assert truth_of(job) == "4"
    world.finish(job, {"accuracy": 0.9})
    finish(world, rerun_id)
    assert counts(gateway, olga) == {2: 0, 1: 2}
    adopt(world, rerun_id)
    assert counts(gateway, olga) == {2: 1, 1: 1}


def test_what_was_scored_for_nobody_is_counted_nowhere(
    world: World, gateway: RunningGateway, olga: Known, ada: Known, slug: str
) -> None:
    world.submit(ada, slug)
    world.announce(ada, slug)
    scored = world.submit(ada, slug)
    for _ in range(3):
        give_back(world, world.claim(scored))
    assert counts(gateway, olga) == {1: 0}


def test_a_task_of_several_phases_and_competitions_changes_in_all_of_them(
    world: World, gateway: RunningGateway, olga: Known, ada: Known, slug: str
) -> None:
    with world.session() as session:
        task_id = session.scalars(select(Task.id)).one()
    phases = [phase(end=hours(1)), phase(name="Final", start=hours(2))]
    other = world.competition(olga, slug="other", tasks=[{"index": 0, "key": str(task_id)}], phases=phases)
    world.join(ada, other)
    for name in (slug, other):
        world.score(ada, name, {"accuracy": 0.5})
    world.score(ada, other, {"accuracy": 0.5})
    path = f"/competitions/{other}/tasks/0/versions"
    assert change(gateway, olga, path=path, reference_data=dataset(world, olga, "4")).status_code == 201
    assert [one["number"] for one in versions(gateway, olga)] == [2, 1]
    # Each counts its own.
    assert (counts(gateway, olga), counts(gateway, olga, path)) == ({2: 0, 1: 1}, {2: 0, 1: 2})
    for name in (slug, other):
        assert truth_of(world.claim(world.submit(ada, name))) == "4"
    rescore(world, olga, other, {1: {"accuracy": 1}, 2: {"accuracy": 1}}, adoption=Adoption.AUTOMATIC)
    assert (counts(gateway, olga), counts(gateway, olga, path)) == ({2: 0, 1: 1}, {2: 2, 1: 0})


def test_the_task_of_another_organizer_is_out_of_reach(world: World, gateway: RunningGateway, slug: str) -> None:
    otto = world.person("otto", organizer=True)
    own = dataset(world, otto, "4")
    for answer in (gateway.call("GET", VERSIONS, otto.token), change(gateway, otto, reference_data=own)):
        assert (answer.status_code, problem_of(answer)["type"]) == (403, "not-allowed")
    assert task_versions(world) == [1]
    with world.session() as session:
        assert session.scalars(select(Submission.id)).all() == []
