"""Control groups that nobody answers for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from podium.agents.executors.forgotten_groups import kill_forgotten, remove_empty_groups


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_only_empty_groups_are_removed(tmp_path: Path) -> None:
    (tmp_path / "memory/podium/me/empty").mkdir(parents=True)
    (tmp_path / "memory/podium/me/engine-died/container").mkdir(parents=True)
    write(
        tmp_path, {"memory/podium/me/busy/container/cgroup.procs": "1"}
    )  # as a folder with a process can't be removed
    remove_empty_groups("podium/me", version=1, root=tmp_path)
    assert [path.name for path in (tmp_path / "memory/podium/me").iterdir()] == ["busy"]


def test_groups_that_are_held_stay_with_what_is_around_them(tmp_path: Path) -> None:
    for name in ("held", "forgotten"):
        (tmp_path / "memory/podium/me" / name).mkdir(parents=True)
    remove_empty_groups("podium/me", version=1, keep={"held"}, root=tmp_path)
    assert [path.name for path in (tmp_path / "memory/podium/me").iterdir()] == ["held"]
    (tmp_path / "memory/podium/me/held").rmdir()
    remove_empty_groups("podium/me", version=1, keep={"held"}, root=tmp_path)
    assert (tmp_path / "memory/podium/me").is_dir()


def test_what_still_runs_in_forgotten_groups_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as forgotten, subprocess.Popen(["sleep", "60"]) as held:
        for name, process in (("forgotten/container", forgotten), ("held/container", held)):
            # The agent sees processes of other namespaces as 0, and 0 would be itself.
            write(tmp_path, {f"memory/podium/me/{name}/cgroup.procs": f"0\n{process.pid}\n"})
        assert kill_forgotten("podium/me", version=1, held={"held"}, root=tmp_path) == 1
        assert forgotten.wait(10) == -9
        assert held.poll() is None
        held.kill()
    assert os.getpid()  # and this one lives


def test_nothing_is_killed_where_there_are_no_groups(tmp_path: Path) -> None:
    assert kill_forgotten("podium/me", version=2, held=(), root=tmp_path) == 0
