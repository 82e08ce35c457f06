"""From uploaded files to images, by the steps of the flow; with bad files beside good ones, and with what breaks."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from importing import (
    QUOTA,
    a_dataset,
    a_volume,
    fates,
    images,
    queued,
    read,
    retry,
    send,
    uploads,
    without_processes,
)
from sqlalchemy import delete, select, update
from stand_in_prefect import StandInPrefect
from world import Known, World, sha256_of

from podium.flows import images as flow
from podium.platform import file_removal, image_imports, stored
from podium.platform.dispatch import Dispatcher
from podium.platform.driven import PAUSES
from podium.platform.errors import Conflict, InvalidInput, NotAllowed, PlatformFault, StorageFull, TooLarge
from podium.platform.images.problems import Reason
from podium.platform.images.report import ImportReport, RejectedFile
from podium.platform.lifecycle import IllegalTransition, ImportStatus
from podium.platform.models import Event, ImportSession, ImportUpload, Person, StorageCharge, now
from podium.platform.orchestration import Orchestration
from podium.platform.storage.keys import SHARDS
from podium.platform.storage_quotas import usage_of
from podium.tasks import images as steps
from podium.tasks.workplace import AGENT_LEAVES

IMPORTED, FAILED, IMPORTING = ImportStatus.IMPORTED, ImportStatus.FAILED, ImportStatus.IMPORTING
REJECTED, IMAGE = ("rejected", "not_an_image"), ("image", "")


@pytest.fixture(autouse=True)
def here(world: World, monkeypatch: pytest.MonkeyPatch, slug: str) -> None:
    without_processes(world, monkeypatch)


@pytest.fixture
def volume(tmp_path: Path) -> bytes:
    return a_volume(tmp_path)


def run(session_id: UUID) -> Any:  # noqa: ANN401  # Prefect's state
    return flow.import_images.fn(session_id)


def used(world: World, person: Known) -> int:
    with world.session() as rows:
        return usage_of(rows, person.id, default=QUOTA).by_kind.get("images", 0)


def kept(world: World) -> set[str]:
    return {found.key for shard in SHARDS for found in world.storage.content(shard)}


def test_good_files_become_images_beside_a_bad_one(world: World, olga: Known, volume: bytes) -> None:
    session_id = queued(world, olga, {"a/brain.mha": volume, "a/letter.txt": b"Dear all", ".DS_Store": b"x"})
    assert run(session_id).message == "1 image of 3 files, 1 file rejected, 1 file ignored"
    assert fates(world, session_id) == {
        "a/brain.mha": IMAGE,
        "a/letter.txt": REJECTED,
        ".DS_Store": ("ignored", ""),
    }
    (image,) = images(world)
    assert (image.width, image.height, image.depth, image.value_type) == (4, 3, 2, "int16")
    assert (image.dataset_id, image.owner_id, image.session_id) == (a_dataset(world).id, olga.id, session_id)
    file = world.storage.path(image.content).read_bytes()
    assert (sha256_of(file), len(file)) == (image.sha256, image.size)
    for picture in (image.thumbnail, image.preview):
        assert world.storage.path(picture).read_bytes().startswith(b"\xff\xd8\xff")
    with world.session() as rows:
        rows.add(image)
        assert image.sources == [{"path": "a/brain.mha", "size": len(volume), "sha256": sha256_of(volume)}]
        events = rows.scalars(select(Event.after).where(Event.subject_id == session_id).order_by(Event.id)).all()
    assert events == ["queued", "importing", "imported"]
    sent = sum(upload.size for upload in uploads(world, session_id))
    assert used(world, olga) == image.stored_bytes + sent


def test_what_participants_import_takes_their_room_and_what_organizers_do_theirs(
    world: World, olga: Known, ada: Known, slug: str, volume: bytes
) -> None:
    submission = world.submit(ada, slug)
    for who, other in ((ada, olga), (olga, ada)):
        before = used(world, other)
        run(queued(world, who, {"brain.mha": volume}, submission=submission))
        assert used(world, who) > 0
        assert used(world, other) == before
    assert {image.submission_id for image in images(world)} == {submission}


def test_what_is_in_packs_has_its_own_path(world: World, olga: Known, tmp_path: Path) -> None:
    pack = io.BytesIO()
    with zipfile.ZipFile(pack, "w") as archive:
        for number in range(2):
            archive.writestr(f"scan/{number}.mha", a_volume(tmp_path, seed=number))
    session_id = queued(world, olga, {"alone.mha": a_volume(tmp_path, seed=2)})
    with world.session() as rows:
        rows.get_one(ImportSession, session_id).status = ImportStatus.UPLOADING
    send(world, olga, session_id, {"pack-1.zip": pack.getvalue()}, is_pack=True)
    with world.session() as rows:
        image_imports.start_import(rows, rows.get_one(ImportSession, session_id), actor="tests")
    run(session_id)
    assert fates(world, session_id) == dict.fromkeys(("scan/0.mha", "scan/1.mha", "alone.mha"), IMAGE)


def test_trying_again_imports_what_failed_and_no_more(world: World, olga: Known, tmp_path: Path) -> None:
    header = b"ObjectType = Image\nNDims = 2\nDimSize = 2 2\nElementType = MET_UCHAR\nElementDataFile = x.raw\n"
    session_id = queued(world, olga, {"a.mha": a_volume(tmp_path), "x.mhd": header, "b.txt": b"no image"})
    run(session_id)
    (first,) = images(world)
    assert fates(world, session_id)["x.mhd"] == ("rejected", "missing_data_file")
    send(world, olga, session_id, {"x.raw": b"1234"})
    retry(world, session_id)
    assert run(session_id).message == "tried again: 1 image of 3 files, 1 file rejected"
    assert images(world)[0].id == first.id
    assert [image.name for image in images(world)] == ["a.mha", "x.mhd"]
    assert fates(world, session_id) == {"a.mha": IMAGE, "x.mhd": IMAGE, "x.raw": IMAGE, "b.txt": REJECTED}
    assert read(world, session_id).runs == 2


def test_a_file_takes_the_place_of_one_with_its_path(world: World, olga: Known, volume: bytes) -> None:
    session_id = queued(world, olga, {"a.mha": volume[:-5]})
    run(session_id)
    assert fates(world, session_id) == {"a.mha": ("rejected", "truncated")}
    send(world, olga, session_id, {"a.mha": volume})
    retry(world, session_id)
    run(session_id)
    assert fates(world, session_id) == {"a.mha": IMAGE}
    assert [upload.size for upload in uploads(world, session_id)] == [len(volume)]


def test_where_nothing_was_rejected_there_is_nothing_to_try_again(world: World, olga: Known, volume: bytes) -> None:
    session_id = queued(world, olga, {"a.mha": volume})
    run(session_id)
    with pytest.raises(Conflict, match="nothing to try again"):
        retry(world, session_id)


def test_accepting_lets_go_of_uploads_and_keeps_the_images(world: World, olga: Known, volume: bytes) -> None:
    session_id = queued(world, olga, {"a.mha": volume, "b.txt": b"no image"})
    run(session_id)
    sources = {upload.content for upload in uploads(world, session_id)}
    (image,) = images(world)
    everything = kept(world)
    assert sources | {image.content, image.thumbnail, image.preview} <= everything
    sweep(world)
    assert kept(world) == everything, "nothing is removed before the report is accepted"
    with world.session() as rows:
        for _ in range(2):
            image_imports.accept_import(rows, rows.get_one(ImportSession, session_id), actor="tests")
    assert used(world, olga) == image.stored_bytes
    sweep(world)
    assert kept(world) == everything - sources
    with pytest.raises(Conflict, match="was accepted"):
        retry(world, session_id)


def sweep(world: World) -> None:
    for shard in SHARDS:
        stored.sweep_content(world.database, world.storage, shard, grace=timedelta(seconds=-10))


@pytest.mark.parametrize("step", ["import_uploads", "store_images", "record_report"])
def test_killed_anywhere_it_leaves_nothing_half_done(
    world: World, olga: Known, volume: bytes, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    session_id = queued(world, olga, {"a.mha": volume})

    def dies(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as broken:
        broken.setattr(flow, step, dies)
        with pytest.raises(SystemExit):
            run(session_id)
    assert (images(world), fates(world, session_id)) == ([], {})
    assert read(world, session_id).status is IMPORTING
    assert run(session_id).message == "1 image of 1 file"
    assert len(images(world)) == 1


def test_of_two_runs_the_later_one_counts(
    world: World, olga: Known, volume: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = queued(world, olga, {"a.mha": volume})
    later = []

    def meanwhile(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  # whatever the step is given
        monkeypatch.setattr(flow, "store_images", steps.store_images.fn)
        later.append(run(session_id))
        return steps.store_images.fn(*arguments, **named)

    monkeypatch.setattr(flow, "store_images", meanwhile)
    assert run(session_id).name == "Superseded"
    assert later[0].message == "1 image of 1 file"
    assert len(images(world)) == 1
    assert run(session_id).name == "Skipped"


def storage_is_down(*_: object) -> None:
    raise PlatformFault("The store can't be reached.")


def disk_is_full(*_: object, **__: object) -> ImportReport:
    return ImportReport(rejected=(RejectedFile("a.mha", 1, Reason.NO_ROOM, "The disk is full."),))


@pytest.mark.parametrize(
    ("name", "broken", "says"),
    [
        ("podium.tasks.images.store", storage_is_down, "The store can't be reached. It is tried again."),
        ("podium.tasks.images.import_files", disk_is_full, "The platform's disk was full"),
        ("podium.tasks.images.find_spec", lambda _: None, "can't read images"),
    ],
)
def test_what_the_platform_lacks_is_no_fault_of_the_files(
    world: World,
    olga: Known,
    volume: bytes,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    broken: Callable[..., Any],
    says: str,
) -> None:
    session_id = queued(world, olga, {"a.mha": volume})
    with monkeypatch.context() as patched:
        patched.setattr(name, broken)
        with pytest.raises(PlatformFault):
            run(session_id)
    found = read(world, session_id)
    assert (found.status, fates(world, session_id)) == (IMPORTING, {})
    assert says in found.message
    run(session_id)
    assert read(world, session_id).message == "1 image of 1 file"


def test_a_bug_fails_the_import_and_loses_nothing(
    world: World, olga: Known, volume: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = queued(world, olga, {"a.mha": volume})
    with monkeypatch.context() as patched:
        patched.setattr("podium.tasks.images.import_files", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(session_id)
    found = read(world, session_id)
    assert found.status is FAILED
    assert "Something went wrong on Podium's side. Nothing that was uploaded is lost" in found.message
    retry(world, session_id)
    run(session_id)
    assert read(world, session_id).status is IMPORTED


def test_an_agent_that_has_to_end_leaves_it_to_another(world: World, olga: Known, volume: bytes) -> None:
    session_id = queued(world, olga, {"a.mha": volume})
    AGENT_LEAVES.set()
    try:
        assert run(session_id).name == "Interrupted"
    finally:
        AGENT_LEAVES.clear()
    assert run(session_id).message == "1 image of 1 file"


def test_images_without_room_are_not_kept(world: World, olga: Known, volume: bytes) -> None:
    session_id = queued(world, olga, {"a.mha": volume})
    with world.session() as rows:
        rows.get_one(Person, olga.id).storage_quota_bytes = usage_of(rows, olga.id, default=QUOTA).used
    assert run(session_id).name == "NoRoom"
    found = read(world, session_id)
    assert (found.status, images(world)) == (FAILED, [])
    assert "they may take" in found.message
    with pytest.raises(StorageFull):
        send(world, olga, session_id, {"b.mha": b"more"})
    with world.session() as rows:
        rows.get_one(Person, olga.id).storage_quota_bytes = None
    retry(world, session_id)
    run(session_id)
    assert len(images(world)) == 1


def test_what_can_not_be_sent_or_started_says_why(world: World, olga: Known, ada: Known, volume: bytes) -> None:
    session_id = queued(world, olga, {"a.mha": volume})
    sent = [image_imports.Sent("b.mha", 5, "0" * 64, is_pack=False)]

    def announce(who: Known, most: int = 10) -> list[ImportUpload]:
        with world.session() as rows:
            row = rows.get_one(ImportSession, session_id)
            return image_imports.announce_uploads(rows, row, world.caller(who), sent, max_bytes=most, quota_bytes=QUOTA)

    with pytest.raises(Conflict, match="it is queued"):
        announce(olga)
    with pytest.raises(NotAllowed, match="Only who has begun"):
        announce(ada)
    run(session_id)
    with pytest.raises(TooLarge, match="may have 4 bytes"):
        announce(olga, 4)
    assert announce(olga)[0].id == announce(olga)[0].id
    with pytest.raises(InvalidInput, match="1 of the session's 2 files have not arrived"):
        retry(world, session_id)
    with world.session() as rows:
        rows.execute(delete(ImportUpload).where(ImportUpload.content.is_(None)))
        row = rows.get_one(ImportSession, session_id)
        row.status = IMPORTING
        rows.flush()
        with pytest.raises(IllegalTransition):
            image_imports.accept_import(rows, row, actor="tests")


def test_whatever_goes_takes_its_images_and_its_room_back(world: World, olga: Known, volume: bytes) -> None:
    sessions = [queued(world, olga, {f"{number}.mha": volume}) for number in range(2)]
    for session_id in sessions:
        run(session_id)
    with world.session() as rows:
        found = [one for one in file_removal.files_of(rows, olga.id) if one.kind == "images"]
        assert {one.id for one in found} == set(sessions)
        assert sum(one.size for one in found) == used(world, olga)
        file_removal.remove_file(rows, file_removal.FileKind.IMAGES, sessions[0], olga.id, actor="tests")
    assert {image.session_id for image in images(world)} == {sessions[1]}
    with world.session() as rows:
        rows.execute(update(ImportSession).values(status=ImportStatus.QUEUED))
        with pytest.raises(Conflict, match="The session is queued"):
            file_removal.remove_file(rows, file_removal.FileKind.IMAGES, sessions[1], olga.id, actor="tests")
        rows.execute(delete(ImportSession))
    assert used(world, olga) == 0
    with world.session() as rows:
        assert rows.scalars(select(StorageCharge).where(StorageCharge.kind == "images")).first() is not None


def test_sessions_that_are_never_started_are_given_up(world: World, olga: Known, volume: bytes) -> None:
    left, done = queued(world, olga, {"a.mha": volume}), queued(world, olga, {"b.mha": volume})
    run(done)
    long_ago = now() - timedelta(days=2)
    with world.session() as rows:
        rows.get_one(ImportSession, left).status = ImportStatus.UPLOADING
        for table in (ImportSession, ImportUpload):
            rows.execute(update(table).values(created=long_ago))
    stored.sweep_uploads(world.database, world.storage, upload_seconds=3600, grace=timedelta(hours=1))
    with world.session() as rows:
        assert rows.get(ImportSession, left) is None
        assert rows.get(ImportSession, done) is not None


def test_one_import_of_each_person_runs_at_a_time_and_two_in_all(
    world: World, olga: Known, volume: bytes, prefect: StandInPrefect
) -> None:
    orchestration = Orchestration(prefect.address)
    dispatcher = Dispatcher(world.database, orchestration, upload_seconds=3600)
    others = [world.person(name, administrator=True) for name in ("root", "toor")]
    sessions = [queued(world, who, {"a.mha": volume}) for who in (olga, olga, *others)]
    dispatcher.tick()
    assert [bool(prefect.runs_of(one)) for one in sessions] == [True, False, True, False]
    run_of = prefect.runs_of(sessions[0])[0]
    assert run_of["parameters"] == {"session_id": str(sessions[0])}
    run(sessions[0])
    dispatcher.tick()
    assert [bool(prefect.runs_of(one)) for one in sessions] == [True, True, True, False]
    for _ in PAUSES:
        with world.session() as rows:
            waiting = rows.get_one(ImportSession, sessions[1])
            waiting.flow_run_id, waiting.dispatched = None, now() - PAUSES[-1]
        dispatcher.tick()
    failed = read(world, sessions[1])
    assert failed.status is FAILED
    retry(world, sessions[1])
    anew = read(world, sessions[1])
    assert (anew.status, anew.flow_run_id, anew.dispatches) == (ImportStatus.QUEUED, None, 0)
    assert f"tried {len(PAUSES)} times. It was interrupted each time." in failed.message
    orchestration.close()
