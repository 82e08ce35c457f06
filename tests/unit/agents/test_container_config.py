"""What the engine is told about every container."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from docker import APIClient

from podium.agents.executors.container_config import Confinement, container_config
from podium.platform.jobs import MIB, Limits
from podium.tasks.programs import Image, Mount, Program


@pytest.fixture
def client() -> APIClient:
    return APIClient(version="1.41")  # connects to nothing until it is asked something


def config(client: APIClient, confinement: Confinement | None = None, **changes: object) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "name": "a-name",
        "image": Image("asked", "name:1", "sha256:1"),
        "command": ("python3", "x.py"),
        "mounts": (
            Mount(Path("/in"), "/app/input", read_only=True),
            Mount(Path("/out"), "/app/output", read_only=False),
        ),
        "limits": Limits(),
        "labels": {"attempt": "7"},
        **changes,
    }
    program = Program(**parts)
    return container_config(client, program, confinement or Confinement(host_cpus=2), owner="me", cgroup_parent="/p/x")


def test_every_container_is_confined(client: APIClient) -> None:
    host = config(client)["host_config"]
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["IpcMode"] == "private"
    assert host["Memory"] == host["MemorySwap"] == Limits().memory_bytes
    assert host["PidsLimit"] == Limits().processes
    assert host["LogConfig"] == {"Type": "none", "Config": {}}
    assert host["Init"] is True
    assert host["CgroupParent"] == "/p/x"
    assert host["Tmpfs"] == {"/tmp": f"rw,nosuid,nodev,mode=1777,size={512 * MIB}"}
    assert {one["Name"]: one["Hard"] for one in host["Ulimits"]} == {"nofile": 4096, "fsize": 2048 * MIB, "core": 0}
    for never in ("Privileged", "CapAdd", "Devices", "Binds", "PidMode", "UsernsMode", "PortBindings", "VolumesFrom"):
        assert not host.get(never)


def test_program_runs_as_nobody_and_its_command_is_what_runs(client: APIClient) -> None:
    made = config(client)
    assert made["user"] == "65534:65534"
    assert made["entrypoint"] == []
    assert made["command"] == ["python3", "x.py"]
    assert made["image"] == "sha256:1"
    assert made["labels"] == {"podium": "1", "podium.owner": "me", "podium.attempt": "7"}


def test_mounts_are_binds_that_must_exist(client: APIClient) -> None:
    mounts = config(client)["host_config"]["Mounts"]
    assert [(one["Source"], one["Type"], one["ReadOnly"]) for one in mounts] == [
        ("/in", "bind", True),
        ("/out", "bind", False),
    ]


def test_network_switched_off_the_quick_way(client: APIClient) -> None:
    made = config(client, Confinement(network_disabled=True))
    assert made["network_disabled"] is True
    assert made["host_config"].get("NetworkMode") in {None, "default"}


def test_no_more_than_the_host_has(client: APIClient) -> None:
    made = config(client, limits=Limits(cpus=64, memory_bytes=1, temporary_bytes=512 * MIB))
    assert made["host_config"]["NanoCpus"] == 2_000_000_000
    assert made["host_config"]["Memory"] == 6 * MIB
    assert made["host_config"]["ShmSize"] == 6 * MIB
    assert made["environment"]["OMP_NUM_THREADS"] == "2"


def test_own_variables_win(client: APIClient) -> None:
    environment = config(client, environment={"HOME": "/x", "A": "1"})["environment"]
    assert (environment["HOME"], environment["A"], environment["PYTHONUNBUFFERED"]) == ("/x", "1", "1")


@pytest.mark.parametrize(("gpus", "count", "ids"), [("all", -1, []), ("0,GPU-1", 0, ["0", "GPU-1"])])
def test_gpus_are_requested_where_the_host_has_them(client: APIClient, gpus: str, count: int, ids: list[str]) -> None:
    (request,) = config(client, Confinement(gpus=gpus))["host_config"]["DeviceRequests"]
    assert (request["Count"] or 0, request["DeviceIDs"] or []) == (count, ids)
    assert request["Capabilities"] == [["gpu"]]
