"""An image that is pulled while the agent makes room by removing it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

from docker.errors import ImageNotFound

from podium.agents.executors.image_finder import ImageFinder
from podium.agents.images.cache import ImageCache, Room
from podium.agents.images.pulling import ImagePuller
from podium.tasks.programs import Holder

if TYPE_CHECKING:
    from docker import APIClient

NAME, ID = "team/model:1", "sha256:model"
SECONDS = 10.0


class HaltingEngine:
    """A stand-in for the engine with one image, which takes its name first and then the image, as the real one does.

    Between the two its removal halts until somebody has asked what there is, or for a while.
    """

    def __init__(self) -> None:
        self.is_named = self.is_here = False
        self.is_nameless, self.was_listed, self.has_gone = threading.Event(), threading.Event(), threading.Event()
        self.halt = 0.0

    def inspect_image(self, name: str) -> dict[str, Any]:
        if (name == NAME and self.is_named) or (name == ID and self.is_here):
            return {"Id": ID, "Size": 100, "RepoTags": [NAME] * self.is_named, "RepoDigests": []}
        raise ImageNotFound(name)

    def remove_image(self, name: str) -> None:
        self.inspect_image(name)
        self.is_named = False
        self.is_nameless.set()
        self.was_listed.wait(self.halt)
        self.is_here = False

    def images(self, **_: object) -> list[str]:
        listed = [ID] if self.is_here else []
        if self.is_nameless.is_set():
            self.was_listed.set()
            self.has_gone.wait(self.halt)
        return listed

    def containers(self, **_: object) -> list[str]:
        return []


class Puller(ImagePuller):
    """Brings the image without a registry."""

    def __init__(self, engine: HaltingEngine) -> None:
        super().__init__()
        self._engine = engine

    def pull(self, name: str, holder: Holder) -> None:
        assert name == NAME
        self._engine.is_named = self._engine.is_here = True


def holder(key: str) -> Holder:
    return Holder(key, lambda _: None, threading.Event())


def test_it_is_still_the_agents_and_goes_when_nobody_needs_it() -> None:
    engine = HaltingEngine()
    client = cast("APIClient", engine)
    cache = ImageCache(client, room=Room(bytes=1, disk_percent=100))
    clock = iter(range(0, 1_000_000, 100))  # no answer is remembered
    find = ImageFinder(
        client, aliases={}, pull="missing", puller=Puller(engine), cache=cache, clock=lambda: next(clock)
    )
    find.find(NAME, holder("first"))
    cache.release("first")

    def tidy() -> None:
        cache.tidy()
        engine.has_gone.set()

    engine.halt = SECONDS / 10
    tidier = threading.Thread(target=tidy)
    tidier.start()
    assert engine.is_nameless.wait(SECONDS)
    find.find(NAME, holder("second"))
    tidier.join(SECONDS)
    engine.halt = 0.0
    assert engine.is_here
    cache.release("second")

    assert cache.tidy() == [NAME]
    assert not engine.is_here
