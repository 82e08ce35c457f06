"""Processes are known by more than their number."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from podium.platform.supervisor import processes
from podium.platform.supervisor.launch import Account, dying_with_parent
from podium.platform.supervisor.processes import (
    ProcessIdentity,
    group_members,
    kill_group,
    processes_in,
    tree_memory,
)


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"], cwd=tmp_path, start_new_session=True)
    yield process
    process.kill()
    process.wait()


def test_a_process_lives_until_it_ends(sleeper: subprocess.Popen[bytes]) -> None:
    identity = ProcessIdentity.of(sleeper.pid)
    assert identity is not None
    assert identity.alive()
    assert not identity.wait(0.05)
    identity.send(signal.SIGTERM)
    # A zombie has ended, also before its parent looks.
    assert identity.wait(5)
    sleeper.wait()
    assert ProcessIdentity.of(sleeper.pid) is None
    identity.send(signal.SIGTERM)


def test_the_same_number_at_another_time_is_another_process(sleeper: subprocess.Popen[bytes]) -> None:
    stranger = ProcessIdentity(sleeper.pid, "some-boot:12345")
    assert not stranger.alive()
    stranger.send(signal.SIGKILL)
    time.sleep(0.05)
    assert sleeper.poll() is None


def test_a_process_is_found_by_its_group_and_by_its_folder(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    identity = ProcessIdentity.of(sleeper.pid)
    assert identity is not None
    assert group_members(sleeper.pid) == [identity]
    assert processes_in(tmp_path.resolve()) == [identity]
    kill_group(sleeper.pid, signal.SIGKILL)
    assert identity.wait(5)
    kill_group(sleeper.pid, signal.SIGKILL)


def test_memory_counts_descendants() -> None:
    grandchild = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    process = subprocess.Popen([sys.executable, "-c", grandchild], stdin=subprocess.PIPE)
    try:
        time.sleep(0.3)
        whole = tree_memory(process.pid)
    finally:
        process.communicate(b"\n")
    assert 4_000_000 < whole < 200_000_000


def test_a_program_dies_with_its_parent(tmp_path: Path) -> None:
    """The parent is killed without a chance to clean up; its child is told by the kernel."""
    note = tmp_path / "pid"
    parent = (
        "import subprocess, sys, time\n"
        "from podium.platform.supervisor.launch import Account, dying_with_parent\n"
        "child = subprocess.Popen(dying_with_parent(['sleep', '60']))\n"
        f"open({str(note)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", parent])
    deadline = time.monotonic() + 120
    child = None
    while child is None or (child := ProcessIdentity.of(child.pid)) is None or not _sleeps(child.pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)
        if child is None and note.exists() and note.read_text():
            child = ProcessIdentity.of(int(note.read_text()))
    process.kill()
    process.wait()
    assert child.wait(5)


def _sleeps(pid: int) -> bool:
    return Path("/proc", str(pid), "comm").read_text().strip() == "sleep"


def test_a_program_whose_parent_is_gone_already_does_not_start() -> None:
    line = dying_with_parent(["echo", "started"])
    line[line.index("--parent") + 1] = "1"
    answer = subprocess.run(line, capture_output=True, text=True, check=False)
    assert answer.returncode != 0
    assert answer.stdout == ""


def test_a_program_that_is_not_there_is_named() -> None:
    answer = subprocess.run(dying_with_parent(["no-such-program"]), capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "cannot run no-such-program" in answer.stderr


def test_the_command_line_is_passed_on_as_it_is() -> None:
    line = dying_with_parent([sys.executable, "-c", "import sys; print(sys.argv[1:])", "--", "--signal", "a b"])
    answer = subprocess.run(line, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "['--', '--signal', 'a b']"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_privileges_are_dropped_for_good() -> None:
    account = Account.named("nobody")
    assert account is not None
    answer = subprocess.run(
        dying_with_parent(["id"], account=account), capture_output=True, text=True, check=True, cwd="/"
    )
    assert answer.stdout.startswith(f"uid={account.uid}(nobody)")
    assert "root" not in answer.stdout
    assert Account.named("no-such-user") is None


def test_a_process_that_ends_has_let_go_of_its_folder_before_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = ProcessIdentity.of(os.getpid())
    assert me is not None
    assert not processes.has_let_go(me)
    monkeypatch.setattr(processes, "_PROC", tmp_path)  # as it is while a process is torn down: no folder, no end
    (tmp_path / str(me.pid)).mkdir()
    assert processes.has_let_go(me)
