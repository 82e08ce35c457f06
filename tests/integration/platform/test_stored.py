"""What may be removed, by whom, and what the sweep takes: never what something refers to, whenever it came to."""

from __future__ import annotations

import os
import threading
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update
from world import PREDICTIONS, Known, RunningGateway, World, problem_of, sha256_of, zip_of

from podium.platform import stored
from podium.platform.client import Client
from podium.platform.lifecycle import BundleStatus
from podium.platform.models import Base, Bundle, Dataset, Submission, Upload
from podium.platform.storage import content_key, incoming_key
from podium.platform.storage.keys import SHARDS
from podium.tasks import upkeep
from podium.tasks.platform_services import PlatformServices

HOUR = timedelta(hours=1)
TRUTH = zip_of({"truth.csv": "9,9,9"})


def grow_old(path: Path, span: timedelta = timedelta(days=3)) -> None:
    moment = time.time() - span.total_seconds()
    os.utime(path, (moment, moment))


def everything_old(world: World) -> None:
    for path in world.storage.root.rglob("*"):
        grow_old(path)


def sweep(world: World) -> stored.Swept:
    """All shards, one after another."""
    swept = stored.Swept()
    for shard in SHARDS:
        part = stored.sweep_content(world.database, world.storage, shard, grace=HOUR)
        swept.content += part.content
        swept.bytes += part.bytes
    return swept


def remove(gateway: RunningGateway, person: Known, kind: str, file_id: UUID) -> tuple[int, str]:
    answer = gateway.call("DELETE", f"/me/storage/files/{kind}/{file_id}", person.token)
    return answer.status_code, "" if answer.is_success else problem_of(answer)["detail"]


def off_the_board(world: World, ada: Known, slug: str) -> UUID:
    """A finished submission that a later one has replaced on the leaderboard."""
    first = world.score(ada, slug, {"accuracy": 0.5})
    world.score(ada, slug, {"accuracy": 0.6}, data=zip_of({"predictions.csv": "4,5,6"}))
    return first


def test_every_column_that_refers_to_content_is_looked_at() -> None:
    named = {
        column
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.name in {"content", "image_content", "thumbnail", "preview"}
    }
    assert named == {reference.property.columns[0] for reference in stored.REFERENCES}


def test_nothing_that_is_referred_to_is_swept_however_old(world: World, ada: Known, slug: str) -> None:
    world.score(ada, slug, {"accuracy": 1})
    everything_old(world)
    before = sorted(world.storage.root.rglob("*"))
    assert sweep(world) == stored.Swept()
    assert sorted(world.storage.root.rglob("*")) == before


def test_what_nothing_refers_to_goes_after_its_grace(world: World) -> None:
    with world.storage.new_file() as path:
        path.write_bytes(b"left behind")
        left = world.storage.store(path, sha256_of(b"left behind"))
    grow_old(world.storage.path(left.key), HOUR / 2)
    assert sweep(world) == stored.Swept()
    grow_old(world.storage.path(left.key), 2 * HOUR)
    assert sweep(world) == stored.Swept(content=1, bytes=11)
    assert world.storage.find(left.key) is None


def test_a_removed_file_goes_and_the_submission_stays(
    world: World, gateway: RunningGateway, ada: Known, slug: str
) -> None:
    submission_id = off_the_board(world, ada, slug)
    content = world.submission(submission_id).content
    assert content is not None
    assert remove(gateway, ada, "submission", submission_id) == (200, "")
    row = world.submission(submission_id)
    assert row.content is None
    assert row.files_removed is not None
    assert row.counts
    assert gateway.call("GET", f"/submissions/{submission_id}", ada.token).json()["status"] == "finished"
    answer = gateway.call("GET", f"/submissions/{submission_id}/file", ada.token)
    assert problem_of(answer)["detail"] == "The file was removed by who submitted it."
    everything_old(world)
    sweep(world)
    assert world.storage.find(content) is None
    assert remove(gateway, ada, "submission", submission_id)[0] == 404


def test_equal_content_of_somebody_else_stays(world: World, gateway: RunningGateway, ada: Known, slug: str) -> None:
    bob = world.person("bob")
    world.join(bob, slug)
    his = world.submit(bob, slug)
    assert remove(gateway, ada, "submission", off_the_board(world, ada, slug)) == (200, "")
    everything_old(world)
    sweep(world)
    content = world.submission(his).content
    assert content is not None
    assert world.storage.path(content).read_bytes() == PREDICTIONS


def test_what_keeps_a_submission(world: World, gateway: RunningGateway, ada: Known, slug: str, olga: Known) -> None:
    queued = world.submit(ada, slug)
    assert remove(gateway, ada, "submission", queued) == (
        409,
        "The files of submission 1 can't be removed: it is queued.",
    )
    on_board = world.score(ada, slug, {"accuracy": 1})
    assert remove(gateway, ada, "submission", on_board)[1].endswith("it stands on the leaderboard.")
    off = off_the_board(world, ada, slug)
    for stranger in (olga, world.person("eve")):
        assert remove(gateway, stranger, "submission", off)[0] == 404
    with Client(gateway.address, ada.token) as client:
        kept = {one.id: one.in_use for one in client.storage_files()}
    assert kept[queued] == "it is queued"
    assert kept[off] == ""


def test_datasets_that_something_is_made_of_stay(world: World, gateway: RunningGateway, olga: Known, slug: str) -> None:
    with Client(gateway.address, olga.token) as client:
        used = [one for one in client.storage_files() if one.kind == "dataset"]
        assert len(used) == 2
        assert all(one.in_use for one in used)
        file = world.folder / "truth.zip"
        file.write_bytes(TRUTH)
        fresh = client.store_dataset("reference_data", file)
    assert remove(gateway, olga, "dataset", used[0].id)[0] == 409
    assert remove(gateway, olga, "dataset", fresh.id) == (200, "")
    assert remove(gateway, olga, "dataset", fresh.id)[0] == 404
    everything_old(world)
    sweep(world)
    assert world.storage.find(content_key(sha256_of(TRUTH))) is None
    with world.session() as session:
        assert all(world.storage.path(one.content) for one in session.query(Dataset))


def test_bundles_may_be_removed_once_they_are_read(world: World, gateway: RunningGateway, olga: Known) -> None:
    bundle_id = world.bundle_row(olga, content="content/aa/" + "a" * 64)
    assert remove(gateway, olga, "bundle", bundle_id)[0] == 409
    with world.session() as session:
        session.execute(update(Bundle).values(status=BundleStatus.CREATED))
    assert remove(gateway, olga, "bundle", bundle_id) == (200, "")
    assert gateway.call("GET", f"/bundles/{bundle_id}", olga.token).json()["status"] == "created"


def test_content_that_is_accepted_at_the_same_moment_is_kept(world: World, ada: Known, slug: str) -> None:
    """The sweep has found it unused, and waits for nobody; who accepts it has not committed yet."""
    with world.storage.new_file() as path:
        path.write_bytes(PREDICTIONS)
        old = world.storage.store(path, sha256_of(PREDICTIONS))
    submission_id = world.announce(ada, slug)
    world.upload(submission_id)
    swept: list[stored.Swept] = []
    with world.session() as session:
        submission = session.get_one(Submission, submission_id)
        accepted = stored.accept(
            session, world.storage, incoming_key(submission_id), sha256=submission.sha256, size=submission.size
        )
        assert accepted == old
        grow_old(world.storage.path(old.key))  # as if it had been there for long
        thread = threading.Thread(target=lambda: swept.append(sweep(world)))
        thread.start()
        thread.join(20)
        assert swept == [stored.Swept()]
        submission.content = accepted.key
    assert sweep(world) == stored.Swept()
    assert world.storage.path(old.key).read_bytes() == PREDICTIONS


def test_accepting_makes_old_content_young_so_that_its_reference_may_come_later(world: World) -> None:
    with world.storage.new_file() as path:
        path.write_bytes(b"logo")
        left = world.storage.store(path, sha256_of(b"logo"))
    grow_old(world.storage.path(left.key))
    with world.storage.new_file() as path:
        path.write_bytes(b"logo")
        stored.store(world.database, world.storage, path)
    assert sweep(world) == stored.Swept()


def test_uploads_that_nobody_completes_are_given_up(world: World, gateway: RunningGateway, olga: Known) -> None:
    file = {"filename": "b.zip", "size": 100_000_000, "sha256": "0" * 64}
    made = gateway.call("POST", "/bundles", olga.token, json=file).json()
    assert made["parts"] == {"part_bytes": 64 << 20, "count": 2, "there": [], "checksum": "sha-256"}
    dataset = gateway.call("POST", "/datasets", olga.token, json={**file, "kind": "input_data"}).json()
    bundle_id = UUID(made["bundle"]["id"])
    (part,) = gateway.call("POST", f"/uploads/{bundle_id}/parts", olga.token, json={"numbers": [2]}).json()
    assert gateway.send(part, content=b"a part").is_success
    assert len(list((world.storage.root / "incoming").rglob("*-part-*"))) == 1
    for upload_seconds, are_there in ((3600, True), (0, False)):
        stored.sweep_uploads(world.database, world.storage, upload_seconds=upload_seconds, grace=timedelta(seconds=-1))
        with world.session() as session:
            assert (session.get(Bundle, bundle_id) is not None) is are_there
            assert (session.get(Upload, UUID(dataset["id"])) is not None) is are_there
    assert list((world.storage.root / "incoming").rglob("*-part-*")) == []
    assert gateway.call("GET", "/me/storage", olga.token).json()["used"] == 0


def test_the_upkeep_goes_through_the_whole_store_in_turns(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    left = []
    for number in range(20):
        with world.storage.new_file() as path:
            data = f"left {number}".encode()
            path.write_bytes(data)
            left.append(world.storage.store(path, sha256_of(data)).key)
    unfinished = world.storage.path_of(incoming_key(uuid4()))
    unfinished.parent.mkdir()
    unfinished.write_bytes(b"never completed")
    everything_old(world)
    services = PlatformServices(world.settings, world.database, None)  # type: ignore[arg-type]
    said = upkeep.tidy_up(services)
    assert not unfinished.exists()
    assert "1 uploads removed" in said
    assert upkeep.tidy_up(services) == ""  # a moment ago
    monkeypatch.setattr(upkeep, "TIDYING_SECONDS", 0.0)
    for _ in range(len(SHARDS) // upkeep.SHARDS_AT_ONCE):
        upkeep.tidy_up(services)
    assert [key for key in left if world.storage.find(key)] == []
