"""What images declare as volumes. The engine would make each a place on the host's disk, writable and of any size.

A volume of ours has the content that the image has there and is read-only, as all else of the image is. It belongs to
one container, and a sweep removes it by its labels when that has gone.
"""

from __future__ import annotations

import logging
import posixpath
from typing import Any

from docker import APIClient
from docker.errors import APIError
from docker.types import Mount as EngineMount

from podium.tasks.programs import Program

log = logging.getLogger(__name__)


def image_volumes(program: Program, *, labels: dict[str, str]) -> list[EngineMount]:
    """Mounts for the volumes that the program's image declares, but for those where the program has another."""
    taken = {mount.target for mount in program.mounts} | {"/tmp"}  # noqa: S108 -- the program's own /tmp
    declared = dict.fromkeys(posixpath.normpath(path) for path in program.image.volumes)
    return [
        EngineMount(path, f"{program.name}-volume-{number}", type="volume", read_only=True, labels=labels)
        for number, path in enumerate(declared)
        if path not in taken
    ]


def for_container(mount: dict[str, Any], name: str) -> dict[str, Any]:
    """The same volume mount for another container, which has a volume of its own."""
    return {**mount, "Source": f"{name}-volume-{mount['Source'].rpartition('-')[2]}"}


def remove_loose_volumes(client: APIClient, *, labels: dict[str, str]) -> None:
    """Remove the volumes with these labels that no container has."""
    filters = {"dangling": True, "label": [f"{name}={value}" for name, value in labels.items()]}
    for volume in client.volumes(filters=filters).get("Volumes") or ():
        try:
            client.remove_volume(volume["Name"])
        except APIError as error:
            log.warning("A volume was left behind: %s: %s", volume["Name"], error)
