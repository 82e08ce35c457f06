"""Datasets that are uploaded by themselves, over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select
from world import HTTP, Known, RunningGateway, World, problem_of, sha256_of, zip_of

from podium.platform.models import Dataset, DatasetUpload

PROGRAM = zip_of({"metadata.yaml": "command: python3 $program/score.py", "score.py": "print('scored again')"})
TRUTH = zip_of({"truth.csv": "4,5,6"})
KINDS = ("scoring_program", "ingestion_program", "input_data", "reference_data")


def announce(gateway: RunningGateway, person: Known, data: bytes, **fields: Any) -> httpx.Response:  # noqa: ANN401
    body = {"kind": "reference_data", "filename": "truth.zip", "size": len(data), "sha256": sha256_of(data), **fields}
    return gateway.call("POST", "/datasets", person.token, json=body)


def upload(gateway: RunningGateway, person: Known, data: bytes, **fields: Any) -> str:  # noqa: ANN401
    """Announce a dataset and put its file there; return the id of the upload."""
    answer = announce(gateway, person, data, **fields)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    assert gateway.send(made["upload"], content=data).status_code == 201
    return str(made["id"])


def complete(gateway: RunningGateway, person: Known, upload_id: str) -> httpx.Response:
    return gateway.call("POST", f"/datasets/{upload_id}/complete", person.token)


def stored(world: World) -> list[Dataset]:
    """Those that were uploaded by themselves, or with a bundle."""
    with world.session() as session:
        return list(session.scalars(select(Dataset).order_by(Dataset.created)))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_kept_as_it_was_uploaded(world: World, gateway: RunningGateway, olga: Known, kind: str) -> None:
    data = PROGRAM if kind.endswith("program") else TRUTH
    record = complete(gateway, olga, upload(gateway, olga, data, kind=kind, filename="../folder/new.zip")).json()
    (dataset,) = stored(world)
    assert record == {
        "id": str(dataset.id),
        "kind": kind,
        "name": "new.zip",
        "size": len(data),
        "sha256": sha256_of(data),
    }
    assert dataset.owner_id == olga.id
    with world.storage.open(dataset.content) as file:
        assert file.read() == data
    assert not list((world.storage.root / "incoming").rglob("*"))


def test_saying_twice_that_it_is_there_changes_nothing(world: World, gateway: RunningGateway, olga: Known) -> None:
    upload_id = upload(gateway, olga, TRUTH)
    answers = [complete(gateway, olga, upload_id) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert len(stored(world)) == 1


def test_the_same_content_again_is_the_same_dataset(world: World, gateway: RunningGateway, olga: Known) -> None:
    otto = world.person("otto", organizer=True)
    ids = [complete(gateway, olga, upload(gateway, olga, TRUTH, filename=name)).json()["id"] for name in ("a", "b")]
    assert ids[0] == ids[1]
    # As another kind, or another's, it is another.
    other_kind = complete(gateway, olga, upload(gateway, olga, TRUTH, kind="input_data")).json()["id"]
    others = complete(gateway, otto, upload(gateway, otto, TRUTH)).json()["id"]
    assert len({*ids, other_kind, others}) == len(stored(world)) == 3


@pytest.mark.parametrize(
    ("data", "kind", "said"),
    [
        (b"no zip at all", "reference_data", "not a zip"),
        (zip_of({"../evil": "x"}), "reference_data", "evil"),
        (zip_of({"score.py": "print(1)"}), "scoring_program", "no metadata.yaml"),
        (zip_of({"metadata.yaml": "description: none"}), "scoring_program", "no `command`"),
        (zip_of({"metadata.yaml": "command: ''"}), "ingestion_program", "no `command`"),
        (zip_of({"program/metadata.yaml": "command: x"}), "ingestion_program", "no metadata.yaml"),
        (zip_of({"metadata.yaml": "command: [unclosed"}), "scoring_program", "metadata.yaml"),
    ],
)
def test_what_could_not_be_run_is_refused_with_what_is_wrong(
    world: World, gateway: RunningGateway, olga: Known, data: bytes, kind: str, said: str
) -> None:
    answer = complete(gateway, olga, upload(gateway, olga, data, kind=kind))
    assert answer.status_code in {400, 409, 422}, answer.text
    problem = problem_of(answer)
    assert said in f"{problem['detail']} {problem['problems']}"
    assert stored(world) == []
    with world.session() as session:
        assert session.scalars(select(DatasetUpload.dataset_id)).all() == [None]


def test_what_arrived_must_be_what_was_announced(world: World, gateway: RunningGateway, olga: Known) -> None:
    other = zip_of({"truth.csv": "7,8,9"})
    assert len(other) == len(TRUTH)
    upload_id = upload(gateway, olga, other, sha256=sha256_of(TRUTH))
    assert "its SHA-256 differs" in problem_of(complete(gateway, olga, upload_id))["detail"]
    assert problem_of(complete(gateway, olga, upload_id))["type"] == "not-found"
    assert stored(world) == []
    nothing = announce(gateway, olga, TRUTH).json()["id"]
    assert problem_of(complete(gateway, olga, nothing))["detail"] == "Nothing has been uploaded yet."


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "submission"},
        {"kind": "public_data"},
        {"size": 0},
        {"sha256": "x"},
        {"filename": ""},
        {"owner": "ada"},
    ],
)
def test_what_is_no_dataset_is_not_announced(
    world: World, gateway: RunningGateway, olga: Known, fields: dict[str, Any]
) -> None:
    assert problem_of(announce(gateway, olga, TRUTH, **fields))["type"] == "invalid-input"
    with world.session() as session:
        assert session.scalar(select(func.count()).select_from(DatasetUpload)) == 0


def test_one_that_is_too_large_is_refused_before_it_is_sent(world: World, gateway: RunningGateway, olga: Known) -> None:
    most = world.settings.bundle_bytes
    assert announce(gateway, olga, TRUTH, size=most).status_code == 201
    answer = announce(gateway, olga, TRUTH, size=most + 1)
    assert (answer.status_code, problem_of(answer)["type"]) == (413, "too-large")
    small = announce(gateway, olga, TRUTH).json()
    assert gateway.send(small["upload"], content=TRUTH + b"more").status_code == 413


def test_an_upload_is_its_owners_alone(world: World, gateway: RunningGateway, olga: Known) -> None:
    others = [world.person("otto", organizer=True), world.person("root", administrator=True)]
    upload_id = upload(gateway, olga, TRUTH)
    for other in others:
        answer = complete(gateway, other, upload_id)
        assert problem_of(answer) == problem_of(complete(gateway, other, str(uuid4())))
        assert answer.status_code == 404
    assert stored(world) == []
    assert UUID(complete(gateway, olga, upload_id).json()["id"]) == stored(world)[0].id


def test_only_organizers_upload_datasets(world: World, gateway: RunningGateway, olga: Known) -> None:
    ada, root = world.person("ada"), world.person("root", administrator=True)
    upload_id = announce(gateway, olga, TRUTH).json()["id"]
    for call in (lambda: announce(gateway, ada, TRUTH), lambda: complete(gateway, ada, upload_id)):
        assert (call().status_code, problem_of(call())["type"]) == (403, "not-allowed")
    assert gateway.call("POST", "/datasets", json={}).status_code == 401
    assert announce(gateway, root, TRUTH).status_code == 201


def test_the_address_to_upload_to_is_good_for_nothing_else(gateway: RunningGateway, olga: Known) -> None:
    request = announce(gateway, olga, TRUTH).json()["upload"]
    assert request["method"] == "PUT"
    assert HTTP.get(request["url"]).status_code in {403, 404, 405}
