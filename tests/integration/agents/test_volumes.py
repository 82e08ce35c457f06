"""Images that declare volumes: no place of unlimited size to write to, and nothing is left on the host's disk."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from podium.agents.executors.docker_engine import DockerExecutor
from podium.tasks.programs import Image, Mount

from .conftest import Runner

pytestmark = pytest.mark.docker

VOLUMES = ["/data", "/app/output/deep", "/tmp/inner", "/dev/shm", "/opt/new/"]


@pytest.fixture
def with_volumes(docker_executor: DockerExecutor, python_image: str) -> Iterator[Image]:
    client = docker.APIClient()
    made = client.create_container(
        python_image, ["sh", "-c", "mkdir /data && echo given > /data/file && chmod 777 /data"], user="root"
    )["Id"]
    client.start(made)
    assert client.wait(made)["StatusCode"] == 0
    name = f"podium-test/volumes:{uuid.uuid4().hex[:8]}"
    repository, tag = name.split(":")
    client.commit(made, repository=repository, tag=tag, conf={"Volumes": {path: {} for path in VOLUMES}})
    client.remove_container(made)
    yield docker_executor.find_image(name)
    client.remove_image(name, force=True)
    client.close()


def volumes() -> set[str]:
    client = docker.APIClient()
    found = client.volumes()["Volumes"] or []
    client.close()
    return {one["Name"] for one in found}


def test_volumes_of_the_image_are_read_only_and_bounded(
    run: Runner, docker_executor: DockerExecutor, with_volumes: Image, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    docker_executor.writable_folder(output)
    ran = run(
        "sh",
        "-c",
        "cat /data/file; for folder in /data /opt/new /app/output/deep /app/output /tmp /dev/shm; "
        "do touch $folder/written 2>/dev/null && echo $folder; done; "
        "dd if=/dev/zero of=/tmp/inner/large bs=1M count=100 2>/dev/null || echo full",
        image=with_volumes,
        mounts=(Mount(output, "/app/output", read_only=False),),
    )
    assert ran.end.exit_status == 0, ran.text("stderr")
    said = ran.text().split("\n")
    assert said[0] == "given"
    assert set(said[1:-1]) <= {"/app/output", "/tmp", "/dev/shm", "full"}
    assert {"/app/output", "/tmp", "full"} <= set(said)
    # What is written to the output folder is there, and counted there.
    assert (output / "written").is_file()


def test_nothing_is_left_of_them(run: Runner, docker_executor: DockerExecutor, with_volumes: Image, owner: str) -> None:
    before = volumes()
    assert run("true", image=with_volumes).end.exit_status == 0
    docker_executor.close()
    assert volumes() <= before
