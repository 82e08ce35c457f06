"""Room for images on a real engine: what goes, what stays, and that nothing is taken from those who need it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from real_registry import Images, Registry

from podium.agents.executors.image_finder import ImageFinder, PullPolicy
from podium.agents.images.cache import ImageCache, Room
from podium.agents.images.pulling import ImagePuller
from podium.tasks.programs import Holder

pytestmark = pytest.mark.docker

SIZE = 100_000


def holder(key: str) -> Holder:
    return Holder(key, lambda _: None, threading.Event())


def room_for(count: float, images: Images, folder: Path) -> ImageCache:
    return ImageCache(images.client, file=folder / "images.json", room=Room(bytes=int(count * SIZE), disk_percent=100))


def finder(images: Images, cache: ImageCache, *, pull: PullPolicy = "missing") -> ImageFinder:
    clock = iter(range(0, 10_000_000, 100))  # no answer is remembered
    return ImageFinder(
        images.client, aliases={}, pull=pull, puller=ImagePuller(pauses=()), cache=cache, clock=lambda: next(clock)
    )


def test_images_that_were_pulled_go_oldest_first_and_the_hosts_own_stay(
    registry: Registry, images: Images, tmp_path: Path
) -> None:
    own = images.make("podium-test-own:1", size=SIZE)
    names = [f"{registry.address}/team/{letter}:1" for letter in "abc"]
    ids = [images.publish(name, size=SIZE) for name in names]
    cache = room_for(2.5, images, tmp_path)
    find = finder(images, cache)
    for name in ("podium-test-own:1", *names):
        find.find(name, holder(name))
        cache.release(name)
    find.find(names[0], holder("again"))
    cache.release("again")

    assert cache.tidy() == [names[1]]
    assert [images.id_of(one) for one in (own, *ids)] == [own, ids[0], None, ids[2]]
    assert find.find(names[1], holder("later")).id == ids[1]


def test_image_that_was_here_before_is_not_the_agents_though_it_pulled_it(
    registry: Registry, images: Images, tmp_path: Path
) -> None:
    name = f"{registry.address}/team/model:1"
    published = images.publish(name, size=SIZE)
    images.client.pull(f"{registry.address}/team/model", tag="1")
    cache = room_for(0.1, images, tmp_path)
    assert finder(images, cache, pull="always").find(name).id == published
    assert cache.tidy() == []
    assert images.id_of(name) == published


def test_image_with_a_container_or_an_attempt_stays(registry: Registry, images: Images, tmp_path: Path) -> None:
    names = [f"{registry.address}/team/{letter}:1" for letter in "ab"]
    ids = [images.publish(name, size=SIZE) for name in names]
    cache = room_for(0.1, images, tmp_path)
    find = finder(images, cache)
    find.find(names[0], holder("an-attempt"))
    find.find(names[1])
    container = images.client.create_container(names[1], ["x"])["Id"]
    try:
        assert cache.tidy() == []
    finally:
        images.client.remove_container(container)
    assert cache.tidy() == [names[1]]
    assert images.id_of(ids[0]) == ids[0]


def test_content_whose_tag_has_moved_on_goes_by_its_digest(registry: Registry, images: Images, tmp_path: Path) -> None:
    name = f"{registry.address}/team/model:1"
    old = images.publish(name, size=SIZE)
    cache = room_for(1.5, images, tmp_path)
    find = finder(images, cache, pull="always")
    assert find.find(name).id == old
    new = images.make(f"{registry.address}/team/next:1", size=SIZE)
    images.client.tag(new, f"{registry.address}/team/model", "1")
    images.client.push(f"{registry.address}/team/model", tag="1")
    images.client.remove_image(name)
    images.client.remove_image(f"{registry.address}/team/next:1")
    assert find.find(name).id == new
    cache.tidy()
    assert images.id_of(old) is None
    assert images.id_of(name) == new


def test_making_room_takes_no_image_from_an_attempt_that_comes_for_it(
    registry: Registry, images: Images, tmp_path: Path
) -> None:
    names = [f"{registry.address}/team/{letter}:1" for letter in "abc"]
    ids = {name: images.publish(name, size=SIZE) for name in names}
    cache = room_for(0.1, images, tmp_path)
    find = finder(images, cache)
    over, faults = threading.Event(), []

    def tidy() -> None:
        while not over.is_set():
            cache.tidy()

    def work(number: int) -> None:
        for turn in range(5):
            name, key = names[(number + turn) % len(names)], f"attempt-{number}-{turn}"
            found = find.find(name, holder(key))
            if found.id != ids[name] or images.id_of(found.id) is None:
                faults.append(key)
            cache.release(key)

    tidier = threading.Thread(target=tidy)
    workers = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in (tidier, *workers):
        thread.start()
    for worker in workers:
        worker.join()
    over.set()
    tidier.join()
    assert faults == []
    cache.tidy()
    assert [images.id_of(one) for one in ids.values()] == [None, None, None]
