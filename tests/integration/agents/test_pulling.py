"""Pulling images from a real registry."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import docker
import docker.errors
import pytest

from podium.agents.executors.docker_engine import DockerExecutor, DockerSettings
from podium.tasks.programs import ImageUnavailable

from .conftest import Runner

pytestmark = pytest.mark.docker


@pytest.fixture
def published(registry: str, python_image: str) -> Iterator[str]:
    """The name of an image that the registry has and the host has not."""
    name = f"{registry}/team/python"
    client = docker.APIClient()
    client.tag(python_image, name, "1")
    for line in client.push(name, tag="1", stream=True, decode=True):
        assert "error" not in line, line
    client.remove_image(f"{name}:1")
    yield f"{name}:1"
    with contextlib.suppress(docker.errors.ImageNotFound):
        client.remove_image(f"{name}:1")
    client.close()


def test_missing_image_is_pulled_and_runs_by_its_digest(published: str, owner: str) -> None:
    executor = DockerExecutor(DockerSettings(owner=owner, pull="missing"))
    try:
        image = executor.find_image(published)
        assert image.name == published
        assert image.digest.startswith(published.removesuffix(":1") + "@sha256:")
        assert Runner(executor, image)("echo", "pulled").text() == "pulled\n"
    finally:
        executor.close()


def test_always_pulls_again_and_fails_when_the_registry_has_it_no_more(published: str, owner: str) -> None:
    executor = DockerExecutor(DockerSettings(owner=owner, pull="always"))
    try:
        assert "@sha256:" in executor.find_image(published).digest
        with pytest.raises(ImageUnavailable, match=r"could not pull it: .*not found"):
            executor.find_image(published.replace("team", "nobody"))
    finally:
        executor.close()


def test_never_pulls_nothing(published: str, owner: str) -> None:
    executor = DockerExecutor(DockerSettings(owner=owner, pull="never"))
    try:
        with pytest.raises(ImageUnavailable, match="may not pull it"):
            executor.find_image(published)
    finally:
        executor.close()
