"""Which of the agent's images go, and which never do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from docker.errors import ImageNotFound

from podium.agents.images.cache import ImageCache, Kept, Room, removable

GIB = 1 << 30


class FakeEngine:
    """Images by id with their names, and containers by image."""

    def __init__(self) -> None:
        self.images: dict[str, list[str]] = {}
        self.used: set[str] = set()

    def inspect_image(self, name: str) -> dict[str, Any]:
        for image_id, names in self.images.items():
            if name == image_id or name in names:
                return {"Id": image_id, "RepoTags": list(names), "RepoDigests": []}
        raise ImageNotFound(name)

    def remove_image(self, name: str) -> None:
        image_id = self.inspect_image(name)["Id"]
        self.images[image_id] = [one for one in self.images[image_id] if one != name]
        if not self.images[image_id]:
            del self.images[image_id]

    def containers(self, *, filters: dict[str, str], **_: object) -> list[str]:
        return ["a container"] if filters["ancestor"] in self.used else []


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


def cache_of(engine: FakeEngine, file: Path | None = None, **how: Any) -> ImageCache:  # noqa: ANN401 -- its own
    return ImageCache(engine, file=file, room=Room(bytes=10 * GIB), clock=Clock(), **how)  # type: ignore[arg-type] -- a fake


def bring(engine: FakeEngine, cache: ImageCache, name: str, *, gib: int = 4, holder: str = "", **how: Any) -> str:  # noqa: ANN401
    image_id = f"sha256:{name}"
    engine.images[image_id] = [name]
    cache.arrived(image_id, name, gib * GIB, holder, **how)
    return image_id


def test_order_in_which_images_go() -> None:
    old, new = Kept("old", ("old",), 1, used=1), Kept("new", ("new",), 1, used=2)
    spared, held = Kept("spared", ("other", "mine:1"), 1, used=0), Kept("held", ("held",), 1, used=0)
    submitted = Kept("submitted", ("submitted",), 1, used=3, submitted=True)
    everything = [new, spared, submitted, held, old]
    assert removable(everything, {"held"}, {"mine:1"}) == [submitted, old, new]


def test_nothing_goes_while_there_is_room(engine: FakeEngine) -> None:
    cache = cache_of(engine)
    bring(engine, cache, "a")
    bring(engine, cache, "b")
    assert cache.tidy() == []


def test_what_was_not_used_for_longest_goes_first_and_no_more_than_is_needed(engine: FakeEngine) -> None:
    cache = cache_of(engine)
    first, second = bring(engine, cache, "a"), bring(engine, cache, "b")
    bring(engine, cache, "c")
    cache.hold(first, "an-attempt")
    cache.release("an-attempt")
    assert cache.tidy() == ["b"]
    assert second not in engine.images
    assert not cache.hold(second, "another")


def test_what_is_held_or_has_a_container_or_another_name_stays(engine: FakeEngine) -> None:
    cache = cache_of(engine, spared=["d"])
    bring(engine, cache, "a", holder="an-attempt")
    engine.used.add(bring(engine, cache, "b"))
    engine.images[bring(engine, cache, "c")].append("named-by-the-operator")
    bring(engine, cache, "d")
    assert cache.tidy() == []
    assert len(engine.images) == 4
    cache.release("an-attempt")
    assert cache.tidy() == ["a"]


def test_images_that_the_agent_did_not_bring_are_never_looked_at(engine: FakeEngine) -> None:
    engine.images["sha256:host"] = ["host"]
    cache = cache_of(engine)
    assert cache.hold("sha256:host", "an-attempt")
    cache.release("an-attempt")
    bring(engine, cache, "a", gib=20)
    assert cache.tidy() == ["a"]
    assert list(engine.images) == ["sha256:host"]


def test_submitted_image_goes_with_its_last_holder(engine: FakeEngine) -> None:
    cache = cache_of(engine)
    image_id = bring(engine, cache, "theirs", gib=1, holder="one", submitted=True)
    assert cache.hold(image_id, "two")
    cache.release("one")
    assert image_id in engine.images
    cache.release("two")
    assert image_id not in engine.images


def test_list_is_remembered_and_what_a_crash_left_goes(engine: FakeEngine, tmp_path: Path) -> None:
    before = cache_of(engine, tmp_path / "images.json")
    bring(engine, before, "theirs", gib=1, holder="one", submitted=True)
    bring(engine, before, "a", gib=6)
    bring(engine, before, "b", gib=6)
    after = cache_of(engine, tmp_path / "images.json")
    assert after.tidy() == ["theirs", "a"]
    assert cache_of(engine, tmp_path / "images.json").knows("sha256:b")


@pytest.mark.parametrize("content", ["", "{", '[{"id": 1}]', '{"a": 1}'])
def test_damaged_list_removes_nothing(engine: FakeEngine, tmp_path: Path, content: str) -> None:
    (tmp_path / "images.json").write_text(content)
    engine.images["sha256:a"] = ["a"]
    assert cache_of(engine, tmp_path / "images.json").tidy() == []
    assert engine.images


def test_full_disk_counts_too(engine: FakeEngine, tmp_path: Path) -> None:
    full = ImageCache(engine, room=Room(disk_percent=0.0001), data=tmp_path, clock=Clock())  # type: ignore[arg-type] -- a fake
    bring(engine, full, "a", gib=1)
    assert full.tidy() == ["a"]


def test_image_that_somebody_brought_back_can_be_held_again(engine: FakeEngine) -> None:
    cache = cache_of(engine)
    image_id = bring(engine, cache, "a", gib=20)
    cache.tidy()
    assert not cache.hold(image_id, "an-attempt")
    engine.images[image_id] = ["a"]
    assert cache.hold(image_id, "an-attempt")
    assert cache.tidy() == []
    assert image_id in engine.images


def test_list_that_can_not_be_written_stops_nobody(engine: FakeEngine, tmp_path: Path) -> None:
    cache = cache_of(engine, tmp_path / "gone" / "images.json")
    assert cache.hold(bring(engine, cache, "a"), "an-attempt")
