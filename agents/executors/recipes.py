"""What two runs of a program have in common: everything that its container is made from, but for its own folders."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from podium.platform.bundles.content import Relaxations
from podium.tasks.programs import Program

_RUNTIMES = {"", "runc"}  # others may not see that a folder of the host was put in the place of another
_OF_ONE_RUN = frozenset({"name", "labels", "host_config"})


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a program's container is made.

    Attributes:
        key: The same for runs that could take each other's containers.
        image: The image's digest.
        config: Arguments of the SDK's `create_container` for one of the runs.
        own: Where the program sees the folders of its own.
    """

    key: str
    image: str
    config: dict[str, Any]
    own: tuple[str, ...]


def recipe_of(program: Program, config: dict[str, Any]) -> Recipe | None:
    """The recipe of a program whose container would be made from `config`; `None` where none may be made ahead.

    A folder that is shown to others counts as itself and not by its path: one that was removed and fetched again is
    another.
    """
    if (
        program.runtime not in _RUNTIMES
        or not program.preparable
        or not program.command
        or program.relaxations != Relaxations()
        or program.limits.gpus
    ):
        return None
    own = tuple(mount.target for mount in program.mounts if mount.own)
    sources = [mount.source for mount in program.mounts]
    if any(mount.own and sources.count(mount.source) > 1 for mount in program.mounts):
        return None  # what is shown in two places can't be replaced in one
    try:
        mounts = [_without_path(mount, own) for mount in config["host_config"].get("Mounts") or ()]
    except OSError:
        return None
    container = {name: value for name, value in config.items() if name not in _OF_ONE_RUN}
    host = {name: value for name, value in config["host_config"].items() if name not in {"Mounts", "CgroupParent"}}
    content = json.dumps([container, host, mounts], sort_keys=True, default=str)
    return Recipe(hashlib.sha256(content.encode()).hexdigest(), program.image.digest, config, own)


def _without_path(mount: dict[str, Any], own: tuple[str, ...]) -> dict[str, Any]:
    if mount["Target"] in own:
        return {**mount, "Source": ""}
    if mount["Type"] != "bind":
        return {**mount, "Source": ""}  # a volume is the container's own
    found = Path(mount["Source"]).stat()
    return {**mount, "Source": [mount["Source"], found.st_dev, found.st_ino]}
