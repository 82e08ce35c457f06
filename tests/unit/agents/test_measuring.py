"""Reading control groups of both versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from podium.agents.executors.engine import EngineFacts
from podium.agents.executors.measuring import (
    Measured,
    NoMeter,
    ParentMeter,
    SamplingMeter,
    meter_for,
    owned_groups,
)


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_version_1_reads_a_folder_for_each_controller(tmp_path: Path) -> None:
    files = {
        "memory/podium/x/memory.max_usage_in_bytes": "52000000\n",
        "cpuacct/podium/x/cpuacct.usage": "1170000000\n",
        "pids/podium/x/pids.peak": "7\n",
    }
    write(tmp_path, files)
    measured = ParentMeter("podium/x", version=1, root=tmp_path).measured()
    assert measured == Measured(cpu_seconds=1.17, peak_memory_bytes=52_000_000, peak_processes=7)


V2 = {
    "memory.peak": "52000000\n",
    "cpu.stat": "usage_usec 1170000\nuser_usec 1000000\n",
    "pids.peak": "7\n",
    "memory.events": "low 0\noom 2\noom_kill 1\n",
    "pids.events": "max 3\n",
}


def test_version_2_reads_one_folder(tmp_path: Path) -> None:
    write(tmp_path, {f"podium/x/{name}": text for name, text in V2.items()})
    measured = ParentMeter("podium/x", version=2, root=tmp_path).measured()
    assert measured == Measured(
        cpu_seconds=1.17,
        peak_memory_bytes=52_000_000,
        peak_processes=7,
        oom_kills=1,
        host_oom_kills=0,
        forks_refused=3,
    )


def test_version_2_tells_kills_at_the_limit_from_those_for_want_of_memory_of_the_host(tmp_path: Path) -> None:
    write(tmp_path, {"podium/x/memory.events": "low 0\noom 0\noom_kill 2\n"})
    measured = ParentMeter("podium/x", version=2, root=tmp_path).measured()
    assert (measured.oom_kills, measured.host_oom_kills) == (0, 2)


def test_version_1_keeps_what_only_the_containers_own_group_counted(tmp_path: Path) -> None:
    own = {
        "memory/podium/x/abc/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
        "pids/podium/x/abc/pids.events": "max 4\n",
        "memory/podium/x/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n",
        "memory/podium/x/abc/cgroup.procs": "12\n13\n",
    }
    write(tmp_path, own)
    meter = ParentMeter("podium/x", version=1, root=tmp_path)
    meter.look("abc")
    assert meter.processes() == [12, 13]
    for name in own:
        (tmp_path / name).unlink()
    meter.look("abc")
    measured = meter.measured()
    assert (measured.oom_kills, measured.forks_refused, measured.host_oom_kills) == (1, 4, None)
    assert meter.processes() == []


@pytest.mark.parametrize("version", [1, 2])
def test_what_is_not_there_is_not_measured(tmp_path: Path, version: int) -> None:
    assert ParentMeter("podium/x", version=version, root=tmp_path).measured() == Measured()


def test_sampling_keeps_the_last_reading_of_a_group_that_went(tmp_path: Path) -> None:
    group = "system.slice/docker-abc.scope"
    write(tmp_path, {f"{group}/{name}": text for name, text in V2.items()})
    meter = SamplingMeter(version=2, root=tmp_path)
    meter.look("abc")
    for name in V2:
        (tmp_path / group / name).unlink()
    meter.look("abc")
    assert meter.measured().peak_memory_bytes == 52_000_000


def facts(driver: str, version: int) -> EngineFacts:
    return EngineFacts("1", "host", 2, 1, cgroup_driver=driver, cgroup_version=version, init=True)


def test_meter_is_chosen_by_who_makes_the_groups(tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    assert isinstance(meter_for("podium/x", facts("cgroupfs", 1), root=tmp_path), ParentMeter)
    assert isinstance(meter_for("podium/x", facts("cgroupfs", 2), root=tmp_path), ParentMeter)
    assert isinstance(meter_for("podium/x", facts("systemd", 2), root=tmp_path), SamplingMeter)
    assert isinstance(meter_for("podium/x", facts("cgroupfs", 2), root=tmp_path / "nowhere"), NoMeter)
    assert isinstance(meter_for("podium/x", facts("none", 2), root=tmp_path), NoMeter)


@pytest.mark.parametrize("owner", ["a/b", "../..", "x y", "host.example.org"])
def test_group_of_an_owner_is_one_folder_below_ours(owner: str) -> None:
    first, second = owned_groups(owner).split("/")
    assert first == "podium"
    assert "." not in second
