"""Which image a name means."""

from __future__ import annotations

from typing import Any

import pytest
from docker.errors import ImageNotFound

from podium.agents.executors.image_finder import ImageFinder, PullPolicy
from podium.agents.images.names import INPUTS_LABEL, LISTED_CHARACTERS, alias_of, further_names, listed
from podium.tasks.programs import ImageUnavailable


class FakeEngine:
    """Images by name, and how often it was asked."""

    def __init__(self, *names: str, **labelled: str) -> None:
        self.images: dict[str, dict[str, Any]] = {name: {"Id": f"sha256:{name}"} for name in names}
        self.asked: list[str] = []

    def inspect_image(self, name: str) -> dict[str, Any]:
        self.asked.append(name)
        if name not in self.images:
            raise ImageNotFound(name)
        return self.images[name]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def finder(
    engine: FakeEngine, *, pull: PullPolicy = "never", clock: Clock | None = None, **aliases: str
) -> ImageFinder:
    return ImageFinder(engine, aliases=aliases, pull=pull, clock=clock or Clock())  # type: ignore[arg-type] -- a fake


def test_operators_alias_holds_even_where_the_image_is_there() -> None:
    found = finder(FakeEngine("python", "mine:1"), python="mine:1").find("python")
    assert (found.asked, found.name, found.digest) == ("python", "mine:1", "sha256:mine:1")


def test_podiums_alias_holds_only_where_the_image_is_not_there() -> None:
    legacy = "codalab/codalab-legacy:py39"
    scientific = "podium/scientific:latest"
    assert finder(FakeEngine(legacy, scientific)).find(legacy).name == legacy
    assert finder(FakeEngine(scientific)).find(legacy).name == scientific


def test_alias_to_an_image_that_is_not_there_names_both() -> None:
    with pytest.raises(ImageUnavailable, match=r"no image mine:1 \(which stands in for python\)"):
        finder(FakeEngine(), python="mine:1").find("python")


def test_digest_of_a_registry_is_preferred_and_of_the_right_repository() -> None:
    engine = FakeEngine("here/python:3")
    engine.images["here/python:3"]["RepoDigests"] = ["other@sha256:1", "here/python@sha256:2"]
    assert finder(engine).find("here/python:3").digest == "here/python@sha256:2"


def test_answers_are_remembered_for_seconds_and_can_be_forgotten() -> None:
    engine, clock = FakeEngine("python"), Clock()
    found = finder(engine, clock=clock)
    image = found.find("python")
    found.find("python")
    assert len(engine.asked) == 1
    clock.now = 11
    found.find("python")
    assert len(engine.asked) == 2
    found.forget(image)
    found.find("python")
    assert len(engine.asked) == 3


def test_images_made_on_this_host_are_never_pulled() -> None:
    engine = FakeEngine("podium/python:latest")
    engine.images["podium/python:latest"]["Config"] = {"Labels": {INPUTS_LABEL: "x"}}
    assert finder(engine, pull="always").find("podium/python:latest").digest == "sha256:podium/python:latest"


def test_exact_alias_comes_before_patterns_and_the_first_pattern_wins() -> None:
    aliases = {"a/*": "pattern", "a/b*": "later", "a/bc": "exact"}
    assert alias_of("a/bc", aliases) == "exact"
    assert alias_of("a/bd", aliases) == "pattern"
    assert alias_of("b", aliases) is None


def test_what_a_participant_brought_can_not_be_asked_for_by_a_bundle() -> None:
    engine = FakeEngine("podium-submission:abc")
    with pytest.raises(ImageUnavailable, match="is not an image name"):
        finder(engine).find("podium-submission:abc")


def test_volumes_of_an_image_are_known() -> None:
    engine = FakeEngine("python")
    engine.images["python"]["Config"] = {"Volumes": {"/data": {}, "/cache": {}}}
    assert finder(engine).find("python").volumes == ("/cache", "/data")


def test_a_host_says_what_else_its_images_may_be_called() -> None:
    names = {"podium/scientific:latest", "own:1"}
    aliases = {"their/*": "own:1", "other/*": "gone:1", "short": "podium/scientific"}
    found = further_names(names, {"own@sha256:1"}, aliases)
    assert found == {"their/*", "short", "codalab/codalab-legacy", "codalab/codalab-legacy:*", "own@sha256:1"}


def test_a_list_that_is_too_long_says_that_there_is_more() -> None:
    assert listed({"b:1", "a:1"}) == "a:1,b:1"
    long = listed({f"image-{number:05d}:latest" for number in range(2000)})
    assert len(long) <= LISTED_CHARACTERS
    assert long.endswith(":latest,")
