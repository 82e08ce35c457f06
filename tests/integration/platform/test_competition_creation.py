"""From an uploaded bundle to a competition, by the steps of the flow, without a Prefect server."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from world import FUTURE, PAST, Known, World, board, hours, phase, sha256_of

from podium.flows import competition as flow
from podium.platform import competition_creation
from podium.platform.errors import PodiumError
from podium.platform.lifecycle import BundleStatus, IllegalTransition
from podium.platform.models import Bundle, Competition, Dataset, Event, Phase, Task
from podium.platform.transitions import move_bundle

STEPS = ("begin_reading", "store_files", "write_competition", "refuse_bundle", "fail_bundle")


@pytest.fixture(autouse=True)
def without_prefect(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The flow's steps as plain functions, in the environment of the platform's own pool."""
    for name in STEPS:
        monkeypatch.setattr(flow, name, getattr(flow, name).fn)
    monkeypatch.setattr(flow, "read_settings", lambda: world.settings)


def queue_bundle(world: World, owner: Known, folder: Path, **values: object) -> UUID:
    """Upload a bundle, as a zip."""
    archive = Path(shutil.make_archive(str(world.folder / str(uuid4())), "zip", folder))
    with world.session() as session:
        data = archive.read_bytes()
        bundle = Bundle(owner_id=owner.id, filename="b.zip", size=len(data), sha256=sha256_of(data), **values)
        session.add(bundle)
        session.flush()
        stored = world.storage.store(archive, sha256_of(data))
        move_bundle(session, bundle, BundleStatus.QUEUED, actor="tests", content=stored.key)
        return bundle.id


def create(world: World, bundle_id: UUID) -> Bundle:
    flow.create_competition.fn(bundle_id)
    return read(world, bundle_id)


def read(world: World, bundle_id: UUID) -> Bundle:
    with world.session() as session:
        return session.get_one(Bundle, bundle_id)


def rows(world: World) -> list[int]:
    """How many competitions, tasks and datasets there are."""
    with world.session() as session:
        return [len(session.scalars(select(table)).all()) for table in (Competition, Task, Dataset)]


def test_a_bundle_becomes_a_competition(world: World, olga: Known) -> None:
    bundle = create(world, queue_bundle(world, olga, world.bundle_folder(title="Iris Flowers")))
    assert (bundle.status, bundle.problems, bundle.message) == (BundleStatus.CREATED, [], "")
    with world.session() as session:
        competition = session.get_one(Competition, bundle.competition_id)
        assert (competition.slug, competition.published, competition.terms) == ("iris-flowers", True, "Be fair.")
        assert [found.name for found in competition.phases] == ["First"]
        assert [page.text for page in competition.pages] == ["# Iris"]
        assert [column.key for column in competition.leaderboards[0].columns] == ["accuracy"]
        assert competition.pool.name == "docker"
        assert competition.image_content is not None
        assert world.storage.path(competition.image_content).read_bytes() == b"GIF89a: a picture"
        task = competition.phases[0].tasks[0].task
        for dataset in (task.scoring_program, task.reference_data):
            assert dataset is not None
            assert sha256_of(world.storage.path(dataset.content).read_bytes()) == dataset.sha256
        events = session.scalars(select(Event.after).where(Event.subject_id == bundle.id).order_by(Event.id)).all()
    assert events == ["queued", "reading", "created"]
    assert rows(world) == [1, 1, 2]


def test_a_bundle_with_problems_is_refused_with_all_of_them(world: World, olga: Known) -> None:
    folder = world.bundle_folder(phases=[phase(tasks=[7])], leaderboards=[board(submission_rule="Whatever")])
    (folder / "terms.md").unlink()
    bundle = create(world, queue_bundle(world, olga, folder))
    assert (bundle.status, bundle.competition_id) == (BundleStatus.REFUSED, None)
    assert len(bundle.problems) >= 3
    assert {"error"} == {problem["severity"] for problem in bundle.problems}
    assert rows(world) == [0, 0, 0]


def test_a_file_that_is_no_bundle_is_refused(world: World, olga: Known) -> None:
    file = world.folder / "b.zip"
    file.write_bytes(b"not an archive")
    with world.session() as session:
        stored = world.storage.store(file, sha256_of(file.read_bytes()))
        bundle = Bundle(owner_id=olga.id, filename="b.zip", size=stored.size, sha256=stored.sha256)
        session.add(bundle)
        session.flush()
        move_bundle(session, bundle, BundleStatus.QUEUED, actor="tests", content=stored.key)
    assert create(world, bundle.id).status is BundleStatus.REFUSED


def test_a_slug_that_is_taken_refuses_the_bundle_and_leaves_nothing(world: World, olga: Known) -> None:
    folder = world.bundle_folder()
    create(world, queue_bundle(world, olga, folder, slug="iris"))
    before = rows(world)
    otto = world.person("otto", organizer=True)
    bundle = create(world, queue_bundle(world, otto, folder, slug="iris"))
    assert bundle.status is BundleStatus.REFUSED
    assert [problem["message"] for problem in bundle.problems] == ["The slug 'iris' is taken."]
    assert rows(world) == before


def test_a_slug_of_the_title_gets_a_number_when_it_is_taken(world: World, olga: Known) -> None:
    slugs = [world.competition(olga, title="Iris") for _ in range(3)]
    assert slugs == ["iris", "iris-2", "iris-3"]
    long = [world.competition(olga, title="x" * 80) for _ in range(2)]
    assert long == ["x" * 60, "x" * 58 + "-2"]


def test_bundles_of_one_title_at_the_same_time_all_become_competitions(world: World, olga: Known) -> None:
    bundles = [queue_bundle(world, olga, world.bundle_folder()) for _ in range(4)]
    start = Barrier(len(bundles))

    def make(bundle_id: UUID) -> BundleStatus:
        start.wait(10)
        return create(world, bundle_id).status

    with ThreadPoolExecutor(len(bundles)) as threads:
        assert list(threads.map(make, bundles)) == [BundleStatus.CREATED] * 4
    with world.session() as session:
        assert sorted(session.scalars(select(Competition.slug))) == ["iris", "iris-2", "iris-3", "iris-4"]


def test_an_unknown_pool_is_a_warning(world: World, olga: Known) -> None:
    bundle = create(world, queue_bundle(world, olga, world.bundle_folder(queue="mine")))
    assert (bundle.status, bundle.message) == (BundleStatus.CREATED, "")
    assert [problem["severity"] for problem in bundle.problems] == ["warning"]
    assert "There is no pool 'mine' here" in bundle.problems[0]["message"]
    with world.session() as session:
        competition = session.get_one(Competition, bundle.competition_id)
        assert competition.pool.name == "docker"
        assert competition.phases[0].tasks[0].task.name == "Task 0"


def test_a_draft_is_seen_by_its_organizer_alone(world: World, olga: Known) -> None:
    bundle = create(world, queue_bundle(world, olga, world.bundle_folder(), draft=True))
    with world.session() as session:
        assert not session.get_one(Competition, bundle.competition_id).published


def test_starting_now_moves_the_whole_schedule(world: World, olga: Known) -> None:
    phases = [phase(start=PAST, end="2020-01-08"), phase(name="Second", start="2020-01-15", end="2020-01-22")]
    bundle = create(world, queue_bundle(world, olga, world.bundle_folder(phases=phases), start="now"))
    with world.session() as session:
        first, second = session.scalars(select(Phase).order_by(Phase.position)).all()
        created = session.get_one(Competition, bundle.competition_id).created
    assert abs((first.starts - created).total_seconds()) < 60
    assert (second.starts - first.starts).days == 14
    assert first.ends is not None
    assert (first.ends - first.starts).days == 7


def own_dataset(world: World, owner: Known) -> UUID:
    world.competition(owner, title=f"Of {owner.username}")
    with world.session() as session:
        query = select(Dataset.id).where(Dataset.owner_id == owner.id, Dataset.kind == "scoring_program")
        return session.scalars(query).one()


@pytest.mark.parametrize(("whose", "status"), [("olga", "created"), ("otto", "refused"), ("nobody", "refused")])
def test_a_dataset_that_is_there_must_be_the_organizers_own(world: World, olga: Known, whose: str, status: str) -> None:
    if whose == "nobody":
        key = str(uuid4())
    else:
        key = str(own_dataset(world, olga if whose == "olga" else world.person("otto", organizer=True)))
    before = rows(world)
    folder = world.bundle_folder(title="Another", tasks=[{"index": 0, "name": "Task", "scoring_program": key}])
    bundle = create(world, queue_bundle(world, olga, folder))
    assert bundle.status == status, bundle.problems
    if status == "refused":
        assert [problem["message"] for problem in bundle.problems] == [f"You have no dataset with the key '{key}'."]
        assert rows(world) == before


def test_trouble_of_the_platform_fails_the_bundle_and_leaves_nothing(
    world: World, olga: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(competition_creation, "_leaderboard", fail)
    bundle_id = queue_bundle(world, olga, world.bundle_folder())
    with pytest.raises(RuntimeError):
        flow.create_competition.fn(bundle_id)
    bundle = read(world, bundle_id)
    assert bundle.status is BundleStatus.FAILED
    assert bundle.message.startswith("Something went wrong on Podium's side.")
    assert "secret" not in bundle.message
    assert rows(world) == [0, 0, 0]


def test_a_flow_that_crashed_while_reading_may_be_run_again(world: World, olga: Known) -> None:
    bundle_id = queue_bundle(world, olga, world.bundle_folder())
    with world.session() as session:
        move_bundle(session, session.get_one(Bundle, bundle_id), BundleStatus.READING, actor="a crashed flow")
    assert create(world, bundle_id).status is BundleStatus.CREATED


def test_a_bundle_becomes_one_competition_alone(world: World, olga: Known) -> None:
    bundle_id = queue_bundle(world, olga, world.bundle_folder())
    create(world, bundle_id)
    with pytest.raises(IllegalTransition):
        flow.create_competition.fn(bundle_id)
    bundle = read(world, bundle_id)
    assert bundle.status is BundleStatus.CREATED
    assert rows(world)[0] == 1


def test_phases_and_boards_come_over_whole(world: World, olga: Known) -> None:
    phases = [
        phase(end=hours(1), max_submissions_per_day=0, execution_time_limit=77, hide_output=True),
        phase(name="Second", start=hours(2), end=FUTURE, accepts_only_result_submissions=True),
    ]
    columns = [
        {"key": "loss", "sorting": "asc", "precision": 5},
        {"key": "secret", "hidden": True},
        {"key": "mean", "computation": "avg", "computation_indexes": "0,1"},
    ]
    slug = world.competition(
        olga, phases=phases, leaderboards=[board(*columns, primary_index=2, submission_rule="Force_Best")]
    )
    with world.session() as session:
        competition = session.scalars(select(Competition).where(Competition.slug == slug)).one()
        first, second = competition.phases
        assert (first.max_submissions_per_day, first.execution_time_limit, first.hide_output) == (None, 77, True)
        assert second.accepts_only_result_submissions
        found = competition.leaderboards[0]
        assert (found.primary_index, found.submission_rule) == (2, "Force_Best")
        assert [(column.sorting, column.hidden, column.precision) for column in found.columns] == [
            ("asc", False, 5),
            ("desc", True, 2),
            ("desc", False, 2),
        ]
        assert found.columns[2].computation_indexes == [0, 1]


def test_the_flow_says_what_a_missing_upload_is(world: World, olga: Known) -> None:
    bundle_id = queue_bundle(world, olga, world.bundle_folder())
    content = read(world, bundle_id).content
    assert content is not None
    world.storage.path(content).unlink()
    with pytest.raises(PodiumError):
        flow.create_competition.fn(bundle_id)
    assert read(world, bundle_id).status is BundleStatus.FAILED
