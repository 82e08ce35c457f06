"""A competition that takes containers: an image is submitted, run and scored, and nothing of it stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import pytest
from saved_images import SavedImage, file_entry, python_with, tar_of

if TYPE_CHECKING:
    from conftest import NewUser, Podium, User, Variant

PREDICT = """
import csv
rows = list(csv.DictReader(open("/input/flowers.csv")))
assert rows == list(csv.DictReader(open("/app/input_data/flowers.csv")))
with open("/output/predictions.csv", "w") as file:
    file.write("species\\n" + "field_scabious\\n" * len(rows))
print("predicted", len(rows))
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, podium: Podium) -> Path:
    path = tmp_path_factory.mktemp("base") / "python.tar"
    client = docker.APIClient(timeout=300)
    with path.open("wb") as file:
        for piece in client.get_image("podium/python:latest"):
            file.write(piece)
    client.close()
    return path


FORMAT = """    submission_format: &predictions
      file: predictions.csv
      columns: [{name: species, values: [cornflower, field_scabious, oxeye_daisy]}]
      rows: 120
"""


@pytest.fixture(scope="module")
def slug(podium: Podium, variant: Variant) -> str:
    bundle = variant(
        {
            "    ingestion_program: ingestion_program/\n": "",
            FORMAT: "",
            "    submission_format: *predictions\n": "",
            "max_submissions: 500": "max_submissions: 500\n    accepts_container_submissions: true",
        }
    )
    podium.admin.good("competition", "create", str(bundle), "--slug", "containers", "--start", "now")
    return "containers"


@pytest.fixture
def ada(new_user: NewUser, slug: str) -> User:
    return new_user(slug)


def images() -> set[str]:
    client = docker.APIClient()
    try:
        return {one["Id"] for one in client.images()}
    finally:
        client.close()


def test_an_image_is_submitted_and_scored(ada: User, slug: str, base: Path, tmp_path: Path, podium: Podium) -> None:
    shown = ada.good("competition", "show", slug, "--json").json
    assert [phase["container_submissions"] for phase in shown["phases"]] == [True, False]
    before = images()
    saved = python_with(base, PREDICT)
    saved.tags = ["podium/python:latest"]
    path = saved.write(tmp_path / "image.tar.gz", packed=True)

    ran = ada.submit(path, slug)
    assert ran.code == 0, ran.out + ran.err
    record = ran.json
    (evaluation,) = record["evaluations"]
    assert record["status"] == "finished"
    assert 0 < next(score["value"] for score in evaluation["scores"] if score["key"] == "accuracy") < 1
    digests = {program["program"]: program["image_digest"] for program in evaluation["programs"]}
    assert digests["submission"] == f"sha256:{saved.id}"
    assert digests["scoring"] != digests["submission"]
    log = ada.good("logs", record["id"]).out
    assert "[podium: loading the submitted image, " in log
    assert "predicted" in log
    assert f"image    {record_name(saved)} (sha256:{saved.id})" in ada.good("submission", "show", record["id"]).out
    client = docker.APIClient()
    assert client.inspect_image("podium/python:latest")["Id"] in before
    client.close()
    podium_left(podium, f"sha256:{saved.id}")


def record_name(saved: SavedImage) -> str:
    """What the image is called while it is on the host, whatever its participant called it."""
    return f"podium-submission:{saved.id[:24]}"


def podium_left(podium: Podium, image_id: str) -> None:
    """Nothing of the image stays: it goes with its last container, or when the agent next makes room."""
    assert not any(image_id in name for name in podium.containers())
    agent = next(podium.state.glob("**/images.json"))
    kept = {one["id"] for one in json.loads(agent.read_text())}
    assert image_id not in images() or image_id in kept


def test_what_is_wrong_with_an_image_is_told_before_it_is_sent(ada: User, slug: str, tmp_path: Path) -> None:
    path = SavedImage(os="windows", command={}).write(tmp_path / "image.tar")
    refused = ada("submit", slug, "-f", str(path))
    assert refused.code == 2
    assert "made for windows/amd64" in refused.err
    assert "neither ENTRYPOINT nor CMD" in refused.err
    assert ada.good("submissions", slug, "--json").json == []


def test_kinds_of_files_are_not_mixed_up(ada: User, slug: str, tmp_path: Path, competition: str) -> None:
    (tmp_path / "predictions.csv").write_text("species\n")
    refused = ada("submit", slug, "-f", str(tmp_path / "predictions.csv"))
    assert refused.code == 2
    assert "takes images of containers" in refused.err
    assert "docker save" in refused.err
    ada.good("join", competition, "--accept-terms")
    refused = ada("submit", competition, "-f", str(SavedImage().write(tmp_path / "image.tar")))
    assert refused.code == 2
    assert "takes no images of containers" in refused.err


def test_what_only_the_layers_show_is_the_verdict(ada: User, slug: str, tmp_path: Path) -> None:
    saved = SavedImage(stored={0: tar_of([file_entry("one.txt", b"two")])})
    ran = ada.submit(saved.write(tmp_path / "image.tar"), slug)
    assert ran.code == 1, ran.out + ran.err
    (evaluation,) = ran.json["evaluations"]
    assert evaluation["verdict"] == "bad_submission"
    assert "layer 1 of 2: its content is not what its digest says" in evaluation["message"]


def test_a_program_that_fails_is_the_participants(ada: User, slug: str, base: Path, tmp_path: Path) -> None:
    path = python_with(base, "raise SystemExit('no model today')").write(tmp_path / "image.tar", packed=True)
    ran = ada.submit(path, slug)
    assert ran.code == 1
    assert "no model today" in ada.good("logs", ran.json["id"]).out


def test_an_ingestion_program_beside_containers_is_refused(podium: Podium, variant: Variant) -> None:
    bundle = variant({"max_submissions: 500": "max_submissions: 500\n    accepts_container_submissions: true"})
    checked = podium.admin("bundle", "check", str(bundle))
    assert checked.code == 1
    assert "takes containers, which run by themselves" in checked.out + checked.err
