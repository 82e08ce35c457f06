"""Pulling images from a real registry."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from real_registry import PASSWORD, USER, Faucet, Images, Registry, running

from podium.agents.executors.docker_engine import DockerExecutor, DockerSettings
from podium.agents.executors.image_finder import ImageFinder, PullPolicy
from podium.agents.images.pulling import ImagePuller
from podium.tasks.programs import ExecutorFault, Holder, ImageUnavailable

from .conftest import Runner

pytestmark = pytest.mark.docker


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Registry]:
    with running(Registry(tmp_path / "private", private=True)) as started:
        yield started


class Listener:
    """Hears what is said about a pull."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.holder = Holder("an-attempt", self.said.append, threading.Event())


def finder(images: Images, *, pull: PullPolicy = "missing", puller: ImagePuller | None = None) -> ImageFinder:
    return ImageFinder(images.client, aliases={}, pull=pull, puller=puller or ImagePuller(pauses=()))


def credentials(folder: Path, registry: str, password: str = PASSWORD) -> Path:
    path = folder / "credentials.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps({registry: {"username": USER, "password": password}}))
    return path


def test_missing_image_is_pulled_and_runs_by_its_digest(
    registry: Registry, images: Images, python_image: str, owner: str
) -> None:
    name = f"{registry.address}/team/python:1"
    images.client.tag(python_image, f"{registry.address}/team/python", "1")
    images.adopt(name)
    list(images.client.push(f"{registry.address}/team/python", tag="1", stream=True))
    images.client.remove_image(name)
    executor = DockerExecutor(DockerSettings(owner=owner, pull="missing"))
    try:
        image = executor.find_image(name)
        assert image.name == name
        assert image.digest.startswith(f"{registry.address}/team/python@sha256:")
        assert Runner(executor, image)("echo", "pulled").text() == "pulled\n"
    finally:
        executor.close()


def test_what_was_found_stays_the_same_when_the_tag_moves(registry: Registry, images: Images) -> None:
    name = f"{registry.address}/team/model:1"
    old = images.publish(name)
    before = finder(images).find(name)
    assert before.id == old

    new = images.publish(f"{registry.address}/team/model:2")
    images.client.pull(f"{registry.address}/team/model", tag="2")
    images.client.tag(new, f"{registry.address}/team/model", "1")
    images.client.push(f"{registry.address}/team/model", tag="1")
    after = finder(images).find(name)

    assert after.id == new
    assert after.digest != before.digest
    assert images.id_of(before.id) == images.id_of(before.digest) == old


def test_always_takes_what_the_tag_has_become_and_missing_does_not(registry: Registry, images: Images) -> None:
    name = f"{registry.address}/team/model:1"
    old = images.publish(name)
    assert finder(images).find(name).id == old
    new = images.make(f"{registry.address}/team/other:1")
    images.client.tag(new, f"{registry.address}/team/model", "1")
    images.client.push(f"{registry.address}/team/model", tag="1")
    images.client.tag(old, f"{registry.address}/team/model", "1")

    assert finder(images, pull="never").find(name).id == old
    assert finder(images).find(name).id == old
    found = finder(images, pull="always").find(name)
    assert found.id == new
    assert found.digest.startswith(f"{registry.address}/team/model@sha256:")


def test_never_pulls_nothing(registry: Registry, images: Images) -> None:
    name = f"{registry.address}/team/model:1"
    images.publish(name)
    with pytest.raises(ImageUnavailable, match="may not pull it"):
        finder(images, pull="never").find(name)


def test_what_the_registry_does_not_have_is_final_and_named(registry: Registry, images: Images) -> None:
    name = f"{registry.address}/nobody/nothing:7"
    listener = Listener()
    with pytest.raises(ImageUnavailable, match=rf"no image {name} and could not pull it: .*not found"):
        finder(images, puller=ImagePuller(pauses=(60,))).find(name, listener.holder)
    assert listener.said == [f"pulling image {name}"]


def test_progress_is_said_from_beginning_to_end(registry: Registry, images: Images) -> None:
    name = f"{registry.address}/team/model:1"
    images.publish(name)
    listener = Listener()
    found = finder(images).find(name, listener.holder)
    assert listener.said[0] == f"pulling image {name}"
    assert listener.said[-1].startswith(f"pulled image {name} in ")
    assert listener.said[-1].endswith(found.digest)


def test_credentials_open_a_private_registry_and_are_said_nowhere(
    private: Registry, images: Images, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    name = f"{private.address}/team/secret:1"
    published = images.publish(name, password=PASSWORD)
    listener = Listener()
    with caplog.at_level(logging.DEBUG):
        puller = ImagePuller(credentials=credentials(tmp_path, private.address), pauses=())
        assert finder(images, puller=puller).find(name, listener.holder).id == published
    assert PASSWORD not in caplog.text
    assert not any(PASSWORD in line for line in listener.said)


def test_wrong_password_is_final_and_told_without_it(private: Registry, images: Images, tmp_path: Path) -> None:
    name = f"{private.address}/team/secret:1"
    images.publish(name, password=PASSWORD)
    puller = ImagePuller(credentials=credentials(tmp_path, private.address, "wrong-one"), pauses=(60,))
    with pytest.raises(ImageUnavailable) as refused:
        finder(images, puller=puller).find(name)
    assert f"signed in to {private.address} with the agent's credentials" in str(refused.value)
    assert "wrong-one" not in str(refused.value)


def test_credentials_of_another_port_are_not_sent(private: Registry, images: Images, tmp_path: Path) -> None:
    name = f"{private.address}/team/secret:1"
    images.publish(name, password=PASSWORD)
    puller = ImagePuller(credentials=credentials(tmp_path, "127.0.0.1:1"), pauses=(60,))
    with pytest.raises(ImageUnavailable, match=rf"the agent has no credentials for {private.address}"):
        finder(images, puller=puller).find(name)


def test_registry_that_is_down_is_the_platforms_trouble(registry: Registry, images: Images) -> None:
    name = f"{registry.address}/team/model:1"
    images.publish(name)
    registry.kill()
    with pytest.raises(ExecutorFault, match=rf"{name} could not be pulled .* Is the registry {registry.address} up"):
        finder(images, puller=ImagePuller(pauses=(0.01, 0.01))).find(name)


def test_registry_that_comes_back_is_tried_again(registry: Registry, images: Images) -> None:
    name = f"{registry.address}/team/model:1"
    published = images.publish(name)
    registry.kill()
    said: list[str] = []

    def start_when_told(line: str) -> None:
        said.append(line)
        if "trying again" in line and said.count(line) == 1:
            registry.start()

    holder = Holder("an-attempt", start_when_told, threading.Event())
    assert finder(images, puller=ImagePuller(pauses=(0.01, 0.01))).find(name, holder).id == published
    assert sum("trying again" in line for line in said) == 1


def test_pull_that_goes_silent_is_broken_off(registry: Registry, images: Images) -> None:
    images.publish(f"{registry.address}/team/model:1", size=4_000_000)
    faucet = Faucet(registry.port, most_bytes=1_000_000)
    try:
        puller = ImagePuller(stall_seconds=3, pauses=())
        with pytest.raises(ExecutorFault, match="nothing was heard of it for 3 s"):
            finder(images, puller=puller).find(f"{faucet.address}/team/model:1")
        assert faucet.dry.is_set()
    finally:
        faucet.close()


def test_registry_killed_in_the_middle_is_given_up_in_time(registry: Registry, images: Images) -> None:
    images.publish(f"{registry.address}/team/model:1", size=4_000_000)
    faucet = Faucet(registry.port, most_bytes=1_000_000)

    def kill() -> None:
        faucet.dry.wait()
        faucet.close()
        registry.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(ExecutorFault, match="could not be pulled"):
        finder(images, puller=ImagePuller(seconds=8, pauses=())).find(f"{faucet.address}/team/model:1")
    killer.join()


def test_stop_ends_a_pull(registry: Registry, images: Images) -> None:
    images.publish(f"{registry.address}/team/model:1")
    registry.kill()
    stop = threading.Event()
    holder = Holder("an-attempt", lambda line: stop.set() if "trying again" in line else None, stop)
    with pytest.raises(ExecutorFault, match="stopped"):
        finder(images, puller=ImagePuller(pauses=(600,))).find(f"{registry.address}/team/model:1", holder)
