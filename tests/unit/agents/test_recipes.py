"""Which runs of a program could take each other's containers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from docker import APIClient

from podium.agents.executors.container_config import Confinement, container_config, ready_config
from podium.agents.executors.recipes import Recipe, recipe_of
from podium.platform.bundles.content import Relaxations
from podium.platform.jobs import MIB, Limits
from podium.tasks.programs import Image, Mount, Program


class Folders:
    """Folders of two attempts, and what they share."""

    def __init__(self, root: Path) -> None:
        self.program = root / "program"
        self.program.mkdir()
        self.root = root

    def run(self, attempt: str, **changes: object) -> Recipe | None:
        output = self.root / attempt / "output"
        output.mkdir(parents=True, exist_ok=True)
        parts: dict[str, Any] = {
            "name": f"podium-{attempt}",
            "image": Image("asked", "name:1", "sha256:1"),
            "command": ("python3", "x.py"),
            "mounts": (
                Mount(self.program, "/app/program", read_only=True),
                Mount(output, "/app/output", read_only=False, own=True),
            ),
            "limits": Limits(),
            "labels": {"attempt": attempt},
            "preparable": True,
            **changes,
        }
        program = Program(**parts)
        # The client connects to nothing until it is asked something.
        config = container_config(
            APIClient(version="1.41"), program, Confinement(), owner="me", cgroup_parent=f"/podium/me/{attempt}"
        )
        return recipe_of(program, config)

    def key(self, attempt: str, **changes: object) -> str:
        found = self.run(attempt, **changes)
        assert found
        return found.key


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


def test_attempts_at_the_same_have_one_recipe(folders: Folders) -> None:
    assert folders.key("one") == folders.key("two")


@pytest.mark.parametrize(
    "changes",
    [
        {"image": Image("asked", "name:1", "sha256:2")},
        {"command": ("python3", "y.py")},
        {"limits": Limits(memory_bytes=MIB * 7)},
        {"environment": {"A": "1"}},
        {"working_folder": "/app"},
        {"runtime": "runc"},
    ],
)
def test_whatever_the_container_is_made_from_counts(folders: Folders, changes: dict[str, object]) -> None:
    assert folders.key("one") != folders.key("two", **changes)


def test_folder_that_was_removed_and_made_again_is_another(folders: Folders) -> None:
    before = folders.key("one")
    folders.program.rename(folders.root / "old")
    folders.program.mkdir()
    assert folders.key("one") != before


@pytest.mark.parametrize(
    "changes",
    [
        {"preparable": False},
        {"relaxations": Relaxations(root=True)},
        {"limits": Limits(gpus=1)},
        {"command": ()},
        {"runtime": "runsc"},
    ],
)
def test_what_is_never_made_ahead(folders: Folders, changes: dict[str, object]) -> None:
    assert folders.run("one", **changes) is None


def test_folder_that_is_shown_twice_can_not_be_replaced(folders: Folders) -> None:
    twice = folders.root / "twice"
    twice.mkdir()
    mounts = (Mount(twice, "/a", read_only=True, own=True), Mount(twice, "/b", read_only=True))
    assert folders.run("one", mounts=mounts) is None


def test_container_made_ahead_is_as_confined_as_any(folders: Folders) -> None:
    recipe = folders.run("one")
    assert recipe
    other = Path("/ready/0")
    made = ready_config(
        recipe.config, name="ready", gate=("sh", "-c", "gate"), sources={"/app/output": other}, cgroup_parent="/p/ready"
    )
    host, theirs = made["host_config"], recipe.config["host_config"]
    assert {name for name in host if host[name] != theirs[name]} == {"Mounts", "CgroupParent"}
    assert [mount["Source"] for mount in host["Mounts"]] == [str(folders.program), str(other)]
    assert {name for name in made if made[name] != recipe.config[name]} == {
        "name",
        "command",
        "labels",
        "stdin_open",
        "host_config",
    }
    assert made["command"] == ["sh", "-c", "gate", "python3", "x.py"]
    assert made["labels"] == {"podium": "1", "podium.owner": "me", "podium.step": "prepared"}


def test_volumes_of_the_image_are_the_containers_own(folders: Folders) -> None:
    image = Image("asked", "name:1", "sha256:1", volumes=("/data", "/app/output/", "/tmp"))
    assert folders.key("one", image=image) == folders.key("two", image=image)
    recipe = folders.run("one", image=image)
    assert recipe
    made = ready_config(recipe.config, name="ready", gate=("sh",), sources={}, cgroup_parent=None)
    volumes = [mount for mount in made["host_config"]["Mounts"] if mount["Type"] == "volume"]
    assert [(one["Target"], one["Source"], one["ReadOnly"]) for one in volumes] == [("/data", "ready-volume-0", True)]
