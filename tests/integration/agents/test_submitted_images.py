"""Participants' images in the real engine: loaded from what was checked, run by their own entry point, and gone."""

from __future__ import annotations

import hashlib
import json
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import docker.errors
import pytest
from saved_images import SavedImage, file_entry, python_with, tar_of

from podium.agents.executors import docker_engine
from podium.agents.executors.docker_engine import DockerExecutor, DockerSettings
from podium.platform.image_archives import ImageLimits
from podium.platform.image_layouts import ImageRefused
from podium.tasks.programs import Holder, Image

from .conftest import Runner

pytestmark = pytest.mark.docker

HOLDER = Holder("an-attempt", lambda _: None, threading.Event())


@pytest.fixture(scope="module")
def base(python_image: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python image as this engine saves it."""
    path = tmp_path_factory.mktemp("base") / "python.tar"
    client = docker.APIClient(timeout=300)
    with path.open("wb") as file:
        for piece in client.get_image(python_image):
            file.write(piece)
    client.close()
    return path


@pytest.fixture
def executor(owner: str, tmp_path: Path, python_image: str) -> Iterator[DockerExecutor]:
    made = DockerExecutor(DockerSettings(owner=owner, pull="never", images=tmp_path / "images.json"))
    made.find_image(python_image)
    yield made
    made.release_images(HOLDER)
    made.close()


def run_own(executor: DockerExecutor, image: Image) -> Any:  # noqa: ANN401 -- what Runner gives
    return Runner(executor, image)(working_folder="")


def exists(name: str) -> bool:
    client = docker.APIClient()
    try:
        client.inspect_image(name)
    except docker.errors.ImageNotFound:
        return False
    finally:
        client.close()
    return True


@pytest.mark.parametrize(("layout", "packed"), [("docker", False), ("oci", True), ("both", False)])
def test_image_runs_its_own_program_hardened_and_goes(
    executor: DockerExecutor, base: Path, tmp_path: Path, *, layout: str, packed: bool
) -> None:
    code = (
        "import os, sys\n"
        "print(sys.argv[1:], os.getcwd(), os.getuid(), os.environ['MINE'])\n"
        "try: open('/opt/x', 'w')\n"
        "except OSError as error: print(error.strerror)\n"
    )
    saved = python_with(base, code, WorkingDir="/opt", User="root", Env=["PATH=/usr/bin:/bin", "MINE=yes"])
    image = executor.load_image(saved.write(tmp_path / "image.tar", layout=layout, packed=packed), HOLDER)
    assert (image.id, image.digest, image.submitted) == (f"sha256:{saved.id}", f"sha256:{saved.id}", True)

    ran = run_own(executor, image)
    assert ran.text() == "['once'] /opt 65534 yes\nRead-only file system\n", ran.text("stderr")
    executor.release_images(HOLDER)
    executor.close()  # waits for the removal of its container
    assert not exists(image.id)


def test_hostile_name_does_not_replace_an_image_of_the_host(
    executor: DockerExecutor, base: Path, tmp_path: Path, python_image: str
) -> None:
    before = executor.find_image(python_image).id
    saved = python_with(base, "print('hostile')")
    saved.tags = [python_image, "podium/python:latest", "codalab/codalab-legacy:py37"]
    image = executor.load_image(saved.write(tmp_path / "image.tar"), HOLDER)
    client = docker.APIClient()
    assert client.inspect_image(python_image)["Id"] == before
    assert client.inspect_image("podium/python:latest")["Id"] == before
    assert client.inspect_image(image.id)["RepoTags"] == [image.name]
    client.close()
    assert not exists("codalab/codalab-legacy:py37")
    assert run_own(executor, image).text() == "hostile\n"


def test_image_of_the_host_that_is_submitted_stays_there(
    executor: DockerExecutor, base: Path, tmp_path: Path, python_image: str
) -> None:
    client = docker.APIClient()
    before = client.inspect_image(python_image)
    with tarfile.open(base) as tar:
        config = tar.extractfile(json.load(tar.extractfile("manifest.json"))[0]["Config"]).read()  # type: ignore[arg-type, union-attr] -- it is there
    assert before["Id"] == f"sha256:{hashlib.sha256(config).hexdigest()}"
    if not any(before["Config"].get(key) for key in ("Cmd", "Entrypoint")):
        with pytest.raises(ImageRefused, match="nothing to run"):
            executor.load_image(base, HOLDER)
    else:
        assert executor.load_image(base, HOLDER).id == before["Id"]
    executor.release_images(HOLDER)
    executor.tidy()
    assert client.inspect_image(python_image)["RepoTags"] == before["RepoTags"]
    client.close()


def test_two_attempts_share_an_image_until_the_last_has_gone(
    executor: DockerExecutor, base: Path, tmp_path: Path
) -> None:
    saved = python_with(base, "print('shared')")
    other = Holder("another", lambda _: None, threading.Event())
    first = executor.load_image(saved.write(tmp_path / "first.tar"), HOLDER)
    second = executor.load_image(saved.write(tmp_path / "second.tar", packed=True), other)
    assert first.id == second.id
    executor.release_images(HOLDER)
    assert exists(first.id)
    executor.release_images(other)
    assert not exists(first.id)


def test_volumes_of_an_image_keep_their_content_and_can_not_be_written_to(
    executor: DockerExecutor, base: Path, tmp_path: Path
) -> None:
    code = (
        "print(open('/srv/data.txt').read())\n"
        "try: open('/srv/more', 'w')\n"
        "except OSError as error: print(error.strerror)\n"
    )
    saved = python_with(base, code, Volumes={"/srv": {}})
    folder = tarfile.TarInfo("srv")
    folder.type, folder.mode, folder.uid = tarfile.DIRTYPE, 0o777, 65534
    saved.layers.append(tar_of([(folder, b""), file_entry("srv/data.txt", b"weights")]))
    image = executor.load_image(saved.write(tmp_path / "image.tar"), HOLDER)
    assert image.volumes == ("/srv",)
    ran = run_own(executor, image)
    assert ran.text() == "weights\nRead-only file system\n", ran.text("stderr")


def test_labels_of_an_image_do_not_hide_its_containers_from_a_sweep(
    executor: DockerExecutor, base: Path, tmp_path: Path, owner: str
) -> None:
    labels = {"podium": "0", "podium.owner": "nobody", "podium.attempt": "kept", "podium.inputs": "x"}
    saved = python_with(base, "import time; time.sleep(600)", Labels=labels)
    image = executor.load_image(saved.write(tmp_path / "image.tar"), HOLDER)
    stop = threading.Event()
    seen: list[dict[str, str]] = []
    client = docker.APIClient()

    def look() -> None:
        while not seen and not stop.wait(0.1):
            seen.extend(one["Labels"] for one in client.containers(filters={"ancestor": image.id}))
        stop.set()

    watcher = threading.Thread(target=look)
    watcher.start()
    Runner(executor, image)(working_folder="", stop=stop)
    watcher.join()
    client.close()
    assert seen[0]["podium"] == "1"
    assert seen[0]["podium.owner"] == owner
    assert seen[0]["podium.attempt"] == "an-attempt"


def test_wrong_images_are_refused_before_the_engine_sees_them(executor: DockerExecutor, tmp_path: Path) -> None:
    saved = SavedImage(architecture="s390x", command={})
    with pytest.raises(ImageRefused, match=r"made for linux/s390x, and is run on linux/.*neither ENTRYPOINT nor CMD"):
        executor.load_image(saved.write(tmp_path / "image.tar"), HOLDER)
    assert not exists(f"sha256:{saved.id}")


def test_image_that_is_too_large_is_refused(owner: str, tmp_path: Path) -> None:
    executor = DockerExecutor(DockerSettings(owner=owner, pull="never", submitted=ImageLimits(bytes=1_000_000)))
    zeros = SavedImage(
        layers=[tar_of([file_entry("zeros", bytes(5_000_000))])], architecture=executor.facts.architecture
    )
    try:
        with pytest.raises(ImageRefused, match="more than 1000000 bytes, unpacked"):
            executor.load_image(zeros.write(tmp_path / "image.tar.gz", packed=True), HOLDER)
    finally:
        executor.close()


def test_what_the_image_says_of_its_network_is_not_believed(
    executor: DockerExecutor, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A participant's image is not what the proof is made with, also where nothing was proven yet."""
    asked: list[str] = []
    monkeypatch.setattr(docker_engine, "prove_no_network", lambda image, _: asked.append(image.name))
    image = executor.load_image(python_with(base, "print(1)").write(tmp_path / "image.tar"), HOLDER)
    assert run_own(executor, image).text() == "1\n"
    assert asked == []


def test_entry_point_that_is_not_there_is_named(executor: DockerExecutor, base: Path, tmp_path: Path) -> None:
    saved = python_with(base, "", Entrypoint=["/opt/nothing", "x"])
    image = executor.load_image(saved.write(tmp_path / "image.tar"), HOLDER)
    ran = run_own(executor, image)
    assert ran.end.exit_status == 127
    assert "has no command `/opt/nothing`" in ran.end.start_error


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"Env": 5}, "the engine can't read its configuration"),
        ({"Cmd": {"a": 1}, "Entrypoint": ["x"]}, "the engine can't read its configuration"),
        ({"WorkingDir": "/one.txt"}, "the engine makes no container of it"),
    ],
)
def test_configurations_that_no_engine_takes_are_the_images_doing(
    executor: DockerExecutor, tmp_path: Path, config: dict[str, object], says: str
) -> None:
    saved = SavedImage(command={"Cmd": ["/bin/x"], **config}, architecture=executor.facts.architecture)
    with pytest.raises(ImageRefused, match=says):
        executor.load_image(saved.write(tmp_path / "image.tar"), HOLDER)
    executor.release_images(HOLDER)
    assert not exists(f"sha256:{saved.id}")
