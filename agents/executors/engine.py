"""The connection to the Docker engine, and what the engine says about its host."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from docker import APIClient
from docker.utils import kwargs_from_env

from podium.agents.executors.engine_errors import engine_call
from podium.agents.executors.gpus import has_runtime, listed_names
from podium.platform.image_archives import architecture_of

CALL_SECONDS = 60
"""How long one call may take before the engine counts as hung; creating and starting take well under a second."""

_CONNECTIONS = 128  # each running program holds two: its output and the wait for its end


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What the engine says about its host.

    Attributes:
        cgroup_version: 1 or 2.
        init: An init program is there, for `--init`.
        architecture: What its programs are compiled for, as images have it: `amd64`, `arm64`.
        data: The folder with the engine's data, on the engine's host.
        runtimes: Names of what it can run containers with.
        is_remapped: Root in a container is another user on the host.
        gpus_by_runtime: It has NVIDIA's runtime, which gives containers GPUs by the driver's ids.
        gpus_by_name: Names under which it lists GPUs as devices by CDI; one GPU may have several.
    """

    version: str
    name: str
    cpus: int
    memory_bytes: int
    cgroup_driver: str
    cgroup_version: int
    init: bool
    architecture: str = ""
    data: Path | None = None
    runtimes: tuple[str, ...] = ()
    is_remapped: bool = False
    gpus_by_runtime: bool = False
    gpus_by_name: tuple[str, ...] = ()

    @classmethod
    def of(cls, info: dict[str, Any]) -> EngineFacts:
        """Read the engine's `info`."""
        return cls(
            version=str(info.get("ServerVersion", "")),
            name=str(info.get("Name", "")),
            cpus=int(info.get("NCPU") or os.cpu_count() or 1),
            memory_bytes=int(info.get("MemTotal") or 0),
            cgroup_driver=str(info.get("CgroupDriver", "")),
            cgroup_version=int(info.get("CgroupVersion") or 1),
            init=bool(info.get("InitBinary")),
            architecture=architecture_of(str(info.get("Architecture", ""))),
            data=Path(info["DockerRootDir"]) if info.get("DockerRootDir") else None,
            runtimes=tuple(sorted(info.get("Runtimes") or ())),
            is_remapped=any(
                "userns" in str(one) or "rootless" in str(one) for one in info.get("SecurityOptions") or ()
            ),
            gpus_by_runtime=has_runtime(info),
            gpus_by_name=listed_names(info),
        )


def connect(base_url: str = "", *, call_seconds: int = CALL_SECONDS) -> APIClient:
    """Connect to the engine at `base_url`, else at DOCKER_HOST, else at its usual socket.

    Raises:
        ExecutorFault: No engine answers there.
    """
    with engine_call("while the agent connected to it"):
        where = {"base_url": base_url} if base_url else kwargs_from_env()
        return APIClient(version="auto", timeout=call_seconds, max_pool_size=_CONNECTIONS, **where)


def facts(client: APIClient) -> EngineFacts:
    """Ask the engine about its host.

    Raises:
        ExecutorFault: It does not answer.
    """
    with engine_call("while the agent asked about its host"):
        return EngineFacts.of(client.info())


def inspect_image(client: APIClient, name: str) -> dict[str, Any]:
    """What the engine knows about an image.

    Raises:
        docker.errors.ImageNotFound: The host does not have it.
    """
    image = cast("Any", client).inspect_image(name)  # the one call that the library's types leave out
    return cast("dict[str, Any]", image)
