"""What the engine is told about a container: the hardening is here, and it is the default for every program."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker import APIClient
from docker.types import DeviceRequest, LogConfig, Ulimit
from docker.types import Mount as EngineMount

from podium.agents.executors.gpus import is_listed_name
from podium.agents.executors.image_volumes import for_container, image_volumes
from podium.agents.executors.network_holder import PROXY_VARIABLES
from podium.agents.executors.program_environment import program_environment
from podium.tasks.programs import Program

MARK = "podium"
"""The label that every container of ours has; the other labels start with it and a dot."""

_LEAST_MEMORY = 6 * 1024 * 1024  # the engine takes no less
_NANO = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Confinement:
    """What holds for a container besides its program's limits.

    Attributes:
        user: The uid that programs run as, and its group; root where the competition may have that.
        network_disabled: Without network by the container's own switch, which is quicker than network mode `none`.
            Only where that was proven to isolate.
        init: Run an init process before the program, that reaps its orphans.
        host_cpus: Cores of the host; the engine refuses to promise more.
        gpus: Ids of the GPUs that the program gets.
        network_holder: The container whose network it joins, where it has an allow-list and so a proxy.
    """

    user: int = 65534
    network_disabled: bool = False
    init: bool = True
    host_cpus: int = 1
    gpus: tuple[str, ...] = ()
    network_holder: str = ""


def container_config(
    client: APIClient, program: Program, confinement: Confinement, *, owner: str, cgroup_parent: str | None
) -> dict[str, Any]:
    """Arguments of the SDK's `create_container` for one program."""
    limits = program.limits
    cpus = min(limits.cpus, float(confinement.host_cpus))
    memory = max(limits.memory_bytes, _LEAST_MEMORY)
    temporary = min(limits.temporary_bytes, memory)
    host_config = client.create_host_config(
        mounts=[
            *(EngineMount(m.target, str(m.source), type="bind", read_only=m.read_only) for m in program.mounts),
            *image_volumes(program, labels=owner_labels(owner)),
        ],
        network_mode=_network_mode(confinement),
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges=true"],
        ipc_mode="private",
        mem_limit=memory,
        memswap_limit=memory,
        nano_cpus=int(cpus * _NANO),
        pids_limit=limits.processes,
        ulimits=[
            Ulimit(name="nofile", soft=limits.open_files, hard=limits.open_files),
            Ulimit(name="fsize", soft=limits.file_bytes, hard=limits.file_bytes),
            Ulimit(name="core", soft=0, hard=0),
            *_cpu_time(limits.cpu_seconds),
        ],
        tmpfs={"/tmp": f"rw,nosuid,nodev,mode=1777,size={temporary}"},  # noqa: S108 -- the program's own /tmp
        shm_size=temporary,
        log_config=LogConfig(type=LogConfig.types.NONE),
        init=confinement.init or None,
        # When the host itself runs out of memory, a program goes before the agent does.
        oom_score_adj=500,
        cgroup_parent=cgroup_parent,
        runtime=program.runtime or None,
        device_requests=_device_requests(confinement.gpus),
    )
    joins = bool(confinement.network_holder)
    return {
        "image": program.image.id or program.image.digest,
        **({"command": list(program.command), "entrypoint": []} if program.command else {}),
        "name": program.name,
        "user": f"{confinement.user}:{confinement.user}",
        "working_dir": program.working_folder or None,
        "environment": {
            **(PROXY_VARIABLES if joins else {}),
            **program_environment(program, cpus=cpus),
            **_visible_gpus(confinement.gpus),
        },
        "labels": container_labels(program, owner=owner),
        "network_disabled": confinement.network_disabled and not joins,
        "hostname": None if joins else "podium",  # the engine takes none for one that joins a network
        "healthcheck": {"test": ["NONE"]},  # the image's own would run beside the program
        "stdin_open": False,
        "tty": False,
        "host_config": host_config,
    }


def ready_config(
    config: dict[str, Any], *, name: str, gate: tuple[str, ...], sources: Mapping[str, Path], cgroup_parent: str | None
) -> dict[str, Any]:
    """The arguments for a container that waits at a gate until it becomes the one that `config` is of.

    `sources` has other folders for some of the mounts, by where the program sees them. Its labels name no attempt.
    """
    host_config = dict(config["host_config"])
    host_config["Mounts"] = [_with_other_folders(mount, name, sources) for mount in host_config["Mounts"]]
    if cgroup_parent:
        host_config["CgroupParent"] = cgroup_parent
    return {
        **config,
        "name": name,
        "command": [*gate, *config["command"]],
        "labels": {**owner_labels(config["labels"][f"{MARK}.owner"]), f"{MARK}.step": "prepared"},
        "stdin_open": True,
        "host_config": host_config,
    }


def _with_other_folders(mount: dict[str, Any], name: str, sources: Mapping[str, Path]) -> dict[str, Any]:
    if mount["Type"] == "volume":
        return for_container(mount, name)
    return {**mount, "Source": str(sources[mount["Target"]])} if mount["Target"] in sources else mount


def owner_labels(owner: str) -> dict[str, str]:
    """The labels of everything that is an owner's."""
    return {MARK: "1", f"{MARK}.owner": owner}


def container_labels(program: Program, *, owner: str) -> dict[str, str]:
    """The labels that a sweep finds the container by."""
    own = {f"{MARK}.{name}": value for name, value in program.labels.items()}
    return {**owner_labels(owner), **own}


def _cpu_time(seconds: float | None) -> list[Ulimit]:
    """Each process by itself is kept to it by the kernel; all of them together are watched by the agent."""
    if seconds is None:
        return []
    return [Ulimit(name="cpu", soft=math.ceil(seconds), hard=math.ceil(seconds) + 1)]


def _network_mode(confinement: Confinement) -> str | None:
    if confinement.network_holder:
        return f"container:{confinement.network_holder}"
    return None if confinement.network_disabled else "none"


def _device_requests(gpus: tuple[str, ...]) -> list[DeviceRequest] | None:
    # Before 29.2, no engine finds a device by CDI from what it can do; and none has the driver's ids among its names.
    listed, others = _by_kind(gpus)
    return [
        *([DeviceRequest(driver="cdi", device_ids=listed)] if listed else []),
        *([DeviceRequest(device_ids=others, capabilities=[["gpu"]])] if others else []),
    ] or None


def _visible_gpus(gpus: tuple[str, ...]) -> dict[str, str]:
    """What NVIDIA's runtime is told, where it is the one that runs the container.

    It gives a container whatever this variable names, `all` too, whoever wrote it into the image.
    """
    _, others = _by_kind(gpus)
    return {"NVIDIA_VISIBLE_DEVICES": ",".join(others) or "void"}


def _by_kind(gpus: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Those by the name of a device, and those by the driver's id."""
    return [one for one in gpus if is_listed_name(one)], [one for one in gpus if not is_listed_name(one)]
