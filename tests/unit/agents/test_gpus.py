"""GPUs are handed out one holder at a time, and asked of the engine by id."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from podium.agents.executors import gpus as module
from podium.agents.executors.engine import EngineFacts
from podium.agents.executors.gpus import Gpus, gpu_ids
from podium.platform.errors import InvalidInput
from podium.platform.jobs import Limits
from podium.tasks.programs import ExecutorFault, Image, Program


def program(count: int, *, name: str = "p", attempt: str = "7") -> Program:
    return Program(name, Image("i", "i", "i"), ("true",), (), Limits(gpus=count), labels={"attempt": attempt})


def test_each_gpu_is_one_holders() -> None:
    gpus = Gpus(["0", "1", "2"])
    assert gpus.take("a", 2)
    assert gpus.of("a") == ("0", "1")
    assert not gpus.take("b", 2)
    assert gpus.take("b", 1)
    assert (gpus.free, gpus.count, gpus.of("b")) == (0, 3, ("2",))
    gpus.give_back("a")
    gpus.give_back("a")
    assert gpus.free == 2
    assert gpus.take("c", 2)
    assert gpus.of("c") == ("0", "1")


def test_none_are_taken_by_who_wants_none() -> None:
    gpus = Gpus()
    assert gpus.take("a", 0)
    assert gpus.of("a") == ()
    gpus.give_back("a")
    assert gpus.free == 0


def test_no_gpu_is_handed_out_twice_whoever_asks_at_the_same_time() -> None:
    gpus = Gpus([str(number) for number in range(8)])
    with ThreadPoolExecutor(16) as threads:
        got = [holder for holder, taken in threads.map(lambda n: (n, gpus.take(str(n), 1)), range(64)) if taken]
    assert len(got) == 8
    assert sorted(gpus.of(str(holder))[0] for holder in got) == [str(number) for number in range(8)]


def test_programs_of_an_attempt_share_what_it_has() -> None:
    gpus = Gpus(["0", "1"])
    assert gpus.take("run", 1)
    gpus.pass_on("run", "7")
    with gpus.for_program(program(1)) as first, gpus.for_program(program(1, name="q")) as second:
        assert first == second == ("0",)
    assert gpus.of("7") == ("0",)


def test_a_program_without_an_attempt_has_its_own_for_its_time() -> None:
    gpus = Gpus(["0"])
    with gpus.for_program(program(1)) as first:
        assert first == ("0",)
        with (
            pytest.raises(ExecutorFault, match="needs 1 GPU, and 0 of this agent's 1 are free"),
            gpus.for_program(program(1, name="q", attempt="8")),
        ):
            pass
    assert gpus.free == 1


def test_a_program_that_asks_for_none_gets_none() -> None:
    with Gpus(["0"]).for_program(program(0)) as got:
        assert got == ()


# As engines said it: 26.1.5 and 28.5.2 of Debian, with devices by CDI and without; the GPU is a real one.
CDI_DIRS = ["/etc/cdi", "/var/run/cdi"]
OF_26_WITHOUT = {"Runtimes": {"io.containerd.runc.v2": {}, "runc": {}}, "CDISpecDirs": []}
OF_26_WITH_CDI = {**OF_26_WITHOUT, "CDISpecDirs": CDI_DIRS}
OF_28_WITHOUT = {**OF_26_WITH_CDI, "DiscoveredDevices": None}
ONE = "GPU-9c4b38b4-1098-64b3-7bb0-ddfc363d2af0"
OF_28_WITH_CDI = {
    **OF_26_WITH_CDI,
    "DiscoveredDevices": [{"Source": "cdi", "ID": f"nvidia.com/gpu={name}"} for name in ("0", ONE, "all")],
}


@pytest.mark.parametrize(
    ("info", "by_runtime", "by_name"),
    [
        ({}, False, ()),
        (OF_26_WITHOUT, False, ()),
        (OF_26_WITH_CDI, False, ()),  # it has the devices, and does not say so
        (OF_28_WITHOUT, False, ()),
        (OF_28_WITH_CDI, False, ("nvidia.com/gpu=0", f"nvidia.com/gpu={ONE}", "nvidia.com/gpu=all")),
        ({"Runtimes": {"runc": {}, "nvidia": {}}}, True, ()),
        ({"DiscoveredDevices": [{"Source": "cdi", "ID": "vendor.com/net=0"}, {"Source": "x"}]}, False, ()),
    ],
)
def test_an_engine_says_how_it_can_give_gpus(
    info: dict[str, object], by_name: tuple[str, ...], *, by_runtime: bool
) -> None:
    facts = EngineFacts.of(info)
    assert (facts.gpus_by_runtime, facts.gpus_by_name) == (by_runtime, by_name)


@pytest.mark.parametrize("setting", ["auto", "all"])
@pytest.mark.parametrize("by_runtime", [False, True])
@pytest.mark.parametrize(
    ("listed", "ids"),
    [
        (("0", ONE, "all"), (ONE,)),  # one card under three names is one
        (("0", "1", "all"), ("0", "1")),  # as the toolkit named them before it knew their ids
        (("gpu0", "gpu1", "all"), ("gpu0", "gpu1")),
        (("0:0", "0:1", "MIG-1", "MIG-2", "1", "GPU-2", "all"), ("GPU-2", "MIG-1", "MIG-2")),
        (("0:0", "0:1", "10", "9", "all"), ("0:0", "0:1", "9", "10")),
    ],
)
def test_each_gpu_that_the_engine_lists_is_handed_out_by_one_of_its_names(
    monkeypatch: pytest.MonkeyPatch, setting: str, listed: tuple[str, ...], ids: tuple[str, ...], *, by_runtime: bool
) -> None:
    monkeypatch.setenv("PATH", "")
    names = tuple(f"nvidia.com/gpu={name}" for name in listed)
    found = gpu_ids(setting, by_runtime=by_runtime, by_name=names)
    assert set(found) == {f"nvidia.com/gpu={name}" for name in ids}
    assert len(found) == len(ids)


def test_gpus_that_are_named_go_by_what_the_engine_calls_them() -> None:
    names = ("nvidia.com/gpu=0", f"nvidia.com/gpu={ONE}")
    setting = f"{ONE}, 0, GPU-2, nvidia.com/gpu=7"
    assert gpu_ids(setting, by_runtime=False, by_name=names) == (names[1], names[0], "GPU-2", "nvidia.com/gpu=7")


def test_a_list_of_nothing_but_all_of_them_says_not_which_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "0000:01:00.0").mkdir()
    monkeypatch.setattr(module, "_DRIVER", tmp_path)
    monkeypatch.setenv("PATH", "")
    assert gpu_ids("auto", by_runtime=False, by_name=("nvidia.com/gpu=all",)) == ()
    assert gpu_ids("auto", by_runtime=True, by_name=("nvidia.com/gpu=all",)) == ("0",)


@pytest.mark.parametrize(
    ("setting", "by_runtime", "ids"),
    [
        ("", True, ()),
        ("0, GPU-1", False, ("0", "GPU-1")),
        ("all", False, ("0", "1")),
        ("auto", False, ()),
        ("auto", True, ("0", "1")),
    ],
)
def test_gpus_are_named_or_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, ids: tuple[str, ...], *, by_runtime: bool
) -> None:
    for name in ("0000:01:00.0", "0000:02:00.0"):
        (tmp_path / "gpus" / name).mkdir(parents=True)
    monkeypatch.setattr(module, "_DRIVER", tmp_path / "gpus")
    monkeypatch.setenv("PATH", "")
    assert gpu_ids(setting, by_runtime=by_runtime) == ids


def test_the_drivers_own_names_are_taken_where_it_says_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho GPU-aaaa\necho GPU-bbbb\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpu_ids("all", by_runtime=False) == ("GPU-aaaa", "GPU-bbbb")


def test_all_of_nothing_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DRIVER", tmp_path)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InvalidInput, match="no GPU is to be seen"):
        gpu_ids("all", by_runtime=True)
