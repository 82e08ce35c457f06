"""Programs as processes: the bubblewrap sandbox, and plain processes for those that are trusted."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podium.agents.executors.process import ProcessExecutor, ProcessSettings
from podium.agents.executors.program_output import CUT_MARK
from podium.platform.bundles.content import Relaxations
from podium.platform.jobs import MIB
from podium.tasks.programs import ExecutorFault, Mount

from .conftest import SMALL, Runner


def test_check_proves_the_sandbox(sandbox: Runner) -> None:
    assert "no network, proven" in sandbox.executor.check()


def test_exit_status_and_both_streams_come_back(sandbox: Runner) -> None:
    ran = sandbox.python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert (ran.end.exit_status, ran.text(), ran.text("stderr")) == (3, "out\n", "err\n")


def test_signals_are_reported_as_shells_do(sandbox: Runner) -> None:
    assert sandbox("sh", "-c", "kill -SEGV $$").end.exit_status == 139


def test_mounts_are_where_containers_have_them(sandbox: Runner, open_folder: Path) -> None:
    given, output = open_folder / "given", open_folder / "output"
    given.mkdir()
    (given / "score.py").write_text("open('/app/output/scores.txt', 'w').write('a: 1')\nopen('/app/program/x', 'w')")
    sandbox.executor.writable_folder(output)
    mounts = (Mount(given, "/app/program", read_only=True), Mount(output, "/app/output", read_only=False))
    ran = sandbox("python3", "score.py", mounts=mounts, working_folder="/app/program")
    assert (output / "scores.txt").read_text() == "a: 1"
    assert "Read-only file system" in ran.text("stderr")


def test_folder_that_can_not_be_reached_says_what_to_do(sandbox: Runner, tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("an agent that is not root runs programs under its own uid")
    tmp_path.chmod(0o700)
    closed = tmp_path / "closed"
    closed.mkdir()
    with pytest.raises(ExecutorFault, match="must let others through"):
        sandbox("true", mounts=(Mount(closed, "/app/program", read_only=True),))


def test_nothing_of_the_host_is_there_but_its_programs(sandbox: Runner) -> None:
    ran = sandbox("sh", "-c", "ls /; ls /etc; ls -A /tmp; ls -A /home /root /var 2>&1; ls /proc | grep -c '^[0-9]'")
    lines = ran.text().split("\n")
    assert "home" not in lines
    assert "shadow" not in lines
    assert int(lines[-2]) < 6


def test_root_is_read_only_and_rights_are_none(sandbox: Runner) -> None:
    ran = sandbox(
        "sh", "-c", "touch /x; touch /usr/x; touch /etc/x; id -u; grep -E '^(Cap...|NoNewPrivs):' /proc/self/status"
    )
    assert ran.text("stderr").count("Read-only file system") == 3
    uid, *lines = ran.text().strip().split("\n")
    status = dict(line.split(":\t") for line in lines)
    assert uid == "65534"
    assert status.pop("NoNewPrivs") == "1"
    assert {int(value, 16) for value in status.values()} == {0}


def test_system_calls_go_through_a_filter(sandbox: Runner) -> None:
    code = """
import ctypes, re
libc = ctypes.CDLL(None, use_errno=True)
print(re.search("Seccomp:\\t(.)", open("/proc/self/status").read())[1])
for number, arguments in ((250, (0, -3, 0)), (425, (8, 0)), (321, (0, 0, 0)), (101, (16, 1, 0, 0)), (41, (40, 1, 0))):
    print(number, libc.syscall(number, *arguments) < 0, ctypes.get_errno() != 38)
"""
    if platform.machine() != "x86_64":
        pytest.skip("these are the numbers of another processor")
    assert sandbox.python(code).text().splitlines() == ["2", *(f"{n} True True" for n in (250, 425, 321, 101, 41))]


def test_environment_is_the_programs_own(sandbox: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODIUM_AGENT_TOKEN", "secret")
    ran = sandbox("sh", "-c", "env; cat /proc/*/environ")
    assert "PATH=" in ran.text()
    assert "secret" not in ran.text()
    assert "PODIUM" not in ran.text()


def test_every_namespace_is_its_own(sandbox: Runner) -> None:
    names = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")
    code = f"import os; print(*(os.readlink('/proc/self/ns/' + name) for name in {names}), sep='\\n')"
    inside = sandbox.python(code).text().split()
    assert len(inside) == len(names)
    assert not set(inside) & {str(Path(f"/proc/self/ns/{name}").readlink()) for name in names}


@pytest.mark.parametrize(
    "asked",
    [
        {"relaxations": Relaxations(network=("data.example:443",))},
        {"relaxations": Relaxations(root=True)},
        {"runtime": "runsc"},
        {"limits": SMALL.model_copy(update={"gpus": 1})},
    ],
)
def test_what_only_containers_have_is_not_offered_and_not_left_out(sandbox: Runner, asked: dict[str, Any]) -> None:
    labels = sandbox.executor.labels()
    assert (labels["relaxations"], labels["runtimes"], labels["gpus"]) == ("", "", "0")
    with pytest.raises(ExecutorFault, match="runs processes and no containers"):
        sandbox("true", **asked)


def test_no_more_user_namespaces_can_be_made(sandbox: Runner) -> None:
    assert sandbox("unshare", "-U", "true").end.exit_status != 0


def test_there_is_no_network(sandbox: Runner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        ran = sandbox.python(f"import socket; socket.create_connection(('127.0.0.1', {port}), 1)")
    assert "refused" in ran.text("stderr")


def test_wall_clock_kills_the_program_and_its_children(sandbox: Runner) -> None:
    ran = sandbox("sh", "-c", "setsid sleep 4242 & trap '' TERM; sleep 4242", seconds=1)
    assert ran.end.timed_out
    assert ran.seconds < 2
    assert not running("sleep 4242")


def test_children_do_not_outlive_the_program(sandbox: Runner) -> None:
    ran = sandbox("sh", "-c", "setsid sleep 4343 & echo bye")
    assert ran.text() == "bye\n"
    assert ran.seconds < 2
    assert not running("sleep 4343")


def test_stop_kills_at_once(sandbox: Runner) -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    ran = sandbox("sleep", "60", stop=stop)
    assert ran.end.stopped
    assert ran.seconds < 1


def test_limits_hold(sandbox: Runner) -> None:
    ran = sandbox.python("x = bytearray(b'1' * (500 << 20))")
    assert ran.end.exit_status != 0
    ran = sandbox("sh", "-c", "ulimit -n; ulimit -c", limits=SMALL.model_copy(update={"open_files": 77}))
    assert ran.text() == "77\n0\n"
    ran = sandbox("dd", "if=/dev/zero", "of=/tmp/x", "bs=1M", limits=SMALL.model_copy(update={"file_bytes": MIB}))
    assert ran.end.exit_status == 153
    ran = sandbox.python("import subprocess\nfor _ in range(200): subprocess.Popen(['sleep', '5'])")
    assert "temporarily unavailable" in ran.text("stderr")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes control groups here")
def test_control_groups_tell_out_of_memory_and_measure(sandbox: Runner, owner: str) -> None:
    ran = sandbox.python("x = bytearray(b'1' * (500 << 20))")
    assert (ran.end.oom_killed, ran.end.exit_status) == (True, 137)
    ran = sandbox.python("x = bytearray(b'1' * (100 << 20))")
    assert not ran.end.oom_killed
    assert ran.end.peak_memory_bytes is not None
    assert 100 * MIB < ran.end.peak_memory_bytes < 230 * MIB
    assert ran.end.cpu_seconds
    sandbox.executor.close()  # type: ignore[attr-defined] -- of this executor
    assert list(Path("/sys/fs/cgroup").glob(f"*/podium/{owner}*")) == []


def test_large_output_is_cut(sandbox: Runner) -> None:
    ran = sandbox("head", "-c", str(100 * MIB), "/dev/zero", limits=SMALL.model_copy(update={"log_bytes": 1000}))
    assert ran.end.truncated == {"stdout"}
    assert ran.text() == "\0" * 1000 + CUT_MARK.decode()


@pytest.mark.parametrize(("command", "status"), [("no-such-command", 127), ("/etc/passwd", 126)])
def test_command_that_can_not_be_started(sandbox: Runner, command: str, status: int) -> None:
    ran = sandbox(command)
    assert ran.end.exit_status == status
    assert command in ran.end.start_error


def test_programs_can_not_pretend_that_the_sandbox_failed(sandbox: Runner) -> None:
    ran = sandbox("sh", "-c", "echo 'bwrap: setting up failed' >&2; exit 1")
    assert ran.end.exit_status == 1


@pytest.fixture
def plain(owner: str) -> Iterator[Runner]:
    executor = ProcessExecutor(ProcessSettings(owner=owner, bwrap="", trust_plain_processes=True))
    yield Runner(executor, executor.find_image("anything"))
    executor.close()


def test_plain_processes_are_for_trusted_programs_alone(plain: Runner) -> None:
    assert plain("true", trusted=True).end.exit_status == 0
    with pytest.raises(ExecutorFault, match="has no sandbox for programs: bubblewrap is not installed"):
        plain("true", trusted=False)


def test_plain_processes_must_be_asked_for(owner: str) -> None:
    executor = ProcessExecutor(ProcessSettings(owner=owner, bwrap=""))
    run = Runner(executor, executor.find_image("anything"))
    try:
        with pytest.raises(ExecutorFault, match="Start a Docker engine"):
            executor.check()
        with pytest.raises(ExecutorFault, match="no sandbox"):
            run("true", trusted=True)
    finally:
        executor.close()


def test_plain_process_finds_its_mounts_by_the_paths_of_containers(plain: Runner, open_folder: Path) -> None:
    given, output = open_folder / "given", open_folder / "output"
    given.mkdir()
    (given / "score.py").write_text("import sys; open(sys.argv[1] + '/scores.txt', 'w').write('a: 1')")
    plain.executor.writable_folder(output)
    mounts = (Mount(given, "/app/program", read_only=True), Mount(output, "/app/output", read_only=False))
    ran = plain(
        "python3", "/app/program/score.py", "/app/output", mounts=mounts, working_folder="/app/program", trusted=True
    )
    assert ran.end.exit_status == 0, ran.text("stderr")
    assert (output / "scores.txt").read_text() == "a: 1"


def test_plain_process_is_killed_with_its_children(plain: Runner) -> None:
    ran = plain("sh", "-c", "sleep 4444 & sleep 4444", seconds=1, trusted=True)
    assert ran.end.timed_out
    assert not running("sleep 4444")


def running(command: str) -> bool:
    return subprocess.run(["pgrep", "-xf", command], check=False, capture_output=True).returncode == 0
