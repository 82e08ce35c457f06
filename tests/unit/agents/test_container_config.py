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
    assert host["SecurityOpt"] == ["no-new-privileges=true"]
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


def test_gpus_are_requested_by_their_ids_and_only_where_some_are_given(client: APIClient) -> None:
    (request,) = config(client, Confinement(gpus=("0", "GPU-1")))["host_config"]["DeviceRequests"]
    assert (request["Count"] or 0, request["DeviceIDs"]) == (0, ["0", "GPU-1"])
    assert request["Capabilities"] == [["gpu"]]
    assert not config(client)["host_config"].get("DeviceRequests")


def test_gpus_that_the_engine_lists_are_requested_by_these_names(client: APIClient) -> None:
    named = ("nvidia.com/gpu=GPU-1", "GPU-2", "nvidia.com/gpu=0")
    listed, other = config(client, Confinement(gpus=named))["host_config"]["DeviceRequests"]
    assert (listed["Driver"], listed["DeviceIDs"]) == ("cdi", ["nvidia.com/gpu=GPU-1", "nvidia.com/gpu=0"])
    assert not listed["Count"]  # the engine refuses a number beside names
    assert (other["Driver"], other["DeviceIDs"], other["Capabilities"]) == ("", ["GPU-2"], [["gpu"]])


@pytest.mark.parametrize(
    ("gpus", "visible"),
    [((), "void"), (("nvidia.com/gpu=0",), "void"), (("0", "GPU-1"), "0,GPU-1")],
)
def test_an_image_can_not_ask_the_runtime_for_gpus_itself(
    client: APIClient, gpus: tuple[str, ...], visible: str
) -> None:
    made = config(client, Confinement(gpus=gpus), environment={"NVIDIA_VISIBLE_DEVICES": "all"})
    assert made["environment"]["NVIDIA_VISIBLE_DEVICES"] == visible


def test_runtime_is_the_one_that_the_pool_asks_for(client: APIClient) -> None:
    assert config(client, runtime="runsc")["host_config"]["Runtime"] == "runsc"
    assert not config(client)["host_config"].get("Runtime")


def test_root_is_confined_as_all_others(client: APIClient) -> None:
    made = config(client, Confinement(user=0, host_cpus=2))
    assert made["user"] == "0:0"
    assert made["host_config"] == config(client)["host_config"]


def test_allow_list_is_a_holders_network_with_nothing_in_it_but_the_proxy(client: APIClient) -> None:
    made = config(client, Confinement(network_disabled=True, network_holder="h1", host_cpus=2))
    assert made["host_config"]["NetworkMode"] == "container:h1"
    assert (made["network_disabled"], made["hostname"]) == (False, None)
    assert made["environment"]["https_proxy"] == made["environment"]["HTTP_PROXY"] == "http://127.0.0.1:3128"
    other = {"NetworkMode": "none"}
    assert {**made["host_config"], **other} == config(client)["host_config"]
    assert not any("proxy" in name.lower() for name in config(client)["environment"])


def test_without_a_command_the_images_own_program_runs_where_it_says(client: APIClient) -> None:
    made = config(client, command=(), working_folder="")
    assert made["working_dir"] is None
    assert "command" not in made
    assert "entrypoint" not in made
    assert made["user"] == "65534:65534"


def test_container_is_made_by_the_images_id_where_it_is_known(client: APIClient) -> None:
    assert config(client)["image"] == "sha256:1"
    assert config(client, image=Image("asked", "name:1", "name@sha256:1", id="sha256:2"))["image"] == "sha256:2"


def test_volumes_of_the_image_are_read_only_and_never_in_place_of_a_mount(client: APIClient) -> None:
    image = Image("asked", "name:1", "sha256:1", volumes=("/app/output", "/srv/data", "/tmp"))
    mounts = {one["Target"]: one for one in config(client, image=image)["host_config"]["Mounts"]}
    assert mounts["/srv/data"]["Type"] == "volume"
    assert mounts["/srv/data"]["ReadOnly"] is True
    assert mounts["/app/output"]["Type"] == "bind"
    assert "/tmp" not in mounts
