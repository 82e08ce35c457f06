"""Every limit met for real, in containers: what is measured, what ends a program, and what the verdict says of it."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from podium.agents.executors.docker_engine import DockerExecutor
from podium.platform.jobs import MIB, Limits
from podium.platform.lifecycle import AttemptOutcome, Verdict
from podium.tasks.programs import Mount, ProgramEnd
from podium.tasks.verdicts import Ground, Judgement, Ran, judge, note_of

from .conftest import SMALL, Runner

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk, and sees what others opened")


def limits_with(**changes: object) -> Limits:
    return SMALL.model_copy(update=changes)


def judged(end: ProgramEnd, limits: Limits = SMALL, *, in_doubt: bool = False) -> Judgement:
    ground = Ground(limits, may_quote=frozenset({"prediction"}), in_doubt=in_doubt)
    scoring = Ran("scoring", "scoring", ProgramEnd(exit_status=1))
    return judge([Ran("prediction", "submission", end), scoring], None, ground)


@pytest.fixture
def output(docker_executor: DockerExecutor, tmp_path: Path) -> Path:
    folder = tmp_path / "output"
    docker_executor.writable_folder(folder)
    return folder


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 32 MiB."""
    where = tmp_path / "disk"
    where.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m,mode=0711", "none", str(where)], check=True)
    yield where
    subprocess.run(["umount", "-l", str(where)], check=True)


def writable(folder: Path) -> tuple[Mount, ...]:
    return (Mount(folder, "/app/output", read_only=False),)


BOMB = "x = bytearray(b'1' * (500 << 20))"


def test_memory_of_the_program_itself(run: Runner) -> None:
    found = judged(run.python(BOMB).end)
    assert found.verdict is Verdict.MEMORY_LIMIT
    assert "needed more memory than its limit of 256 MiB" in found.message


def test_memory_of_a_child_whose_parent_fails_for_it(run: Runner) -> None:
    code = f"import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', {BOMB!r}]).returncode and 5)"
    end = run.python(code).end
    assert end.exit_status == 5
    assert judged(end).verdict is Verdict.MEMORY_LIMIT


def test_memory_of_a_child_whose_parent_ends_well_is_a_note(run: Runner) -> None:
    end = run.python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BOMB!r}])").end
    assert judge([Ran("scoring", "scoring", end)], None, Ground(SMALL)).outcome is AttemptOutcome.SUCCEEDED
    assert "killed at the memory limit of 256 MiB" in note_of(end, Ground(SMALL))


def test_cpu_time_of_all_processes_together(run: Runner) -> None:
    limits = limits_with(cpu_seconds=1.5)
    ran = run("sh", "-c", "while :; do :; done & while :; do :; done", limits=limits, seconds=300)
    assert ran.end.cpu_exceeded
    assert not ran.end.timed_out
    assert ran.end.cpu_seconds is not None
    assert ran.end.cpu_seconds > 1.5
    found = judged(ran.end, limits)
    assert (found.verdict, found.message) == (
        Verdict.TIME_LIMIT,
        "Your program used more CPU time than its limit of 1.5 s (prediction step).",
    )


def test_sleeping_takes_no_cpu_time(run: Runner) -> None:
    end = run("sleep", "1.5", limits=limits_with(cpu_seconds=1)).end
    assert end.exit_status == 0
    assert not end.cpu_exceeded


def test_wall_clock_of_a_program_that_ignores_term(run: Runner) -> None:
    limits = limits_with(wall_seconds=1)
    end = run("sh", "-c", "trap '' TERM INT HUP; while :; do sleep 1; done", limits=limits, seconds=1).end
    found = judged(end, limits)
    assert found.verdict is Verdict.TIME_LIMIT
    assert "was stopped after 1 s, the time limit" in found.message


def test_processes(run: Runner) -> None:
    limits = limits_with(processes=20)
    fork = "import subprocess\nfor _ in range(200): subprocess.Popen(['sleep', '5'])"
    found = judged(run.python(fork, limits=limits).end, limits)
    assert found.verdict is Verdict.PROCESS_LIMIT
    assert "more processes and threads at once than its limit of 20" in found.message


def test_a_program_that_fails_below_the_limit_of_processes_is_not_taken_for_it(run: Runner) -> None:
    fork = "import subprocess, sys\nfor _ in range(5): subprocess.Popen(['sleep', '1'])\nsys.exit(4)"
    assert judged(run.python(fork, limits=limits_with(processes=20)).end).verdict is Verdict.EXIT_STATUS


@pytest.mark.parametrize(
    "command",
    [
        ("dd", "if=/dev/zero", "of=/app/output/x", "bs=1M"),
        ("python3", "-c", "open('/app/output/x', 'wb').write(b'1' * (2 << 20))"),  # Python ignores the signal
    ],
)
def test_size_of_a_file(run: Runner, output: Path, command: tuple[str, ...]) -> None:
    limits = limits_with(file_bytes=MIB)
    found = judged(run(*command, mounts=writable(output), limits=limits).end, limits)
    assert found.verdict is Verdict.OUTPUT_LIMIT
    assert "its size limit of 1 MiB" in found.message


FILL = "import time\nfor n in range(100):\n f = open(f'/app/output/{n}', 'wb'); f.write(b'1' * (1 << 20)); f.flush()\n"


@pytest.mark.parametrize(
    "afterwards", ["time.sleep(600)", "import os; [os.remove(f'/app/output/{n}') for n in range(50)]; time.sleep(600)"]
)
def test_disk(run: Runner, output: Path, afterwards: str) -> None:
    limits = limits_with(disk_bytes=20 * MIB)
    ran = run.python(FILL + afterwards, mounts=writable(output), limits=limits, seconds=300)
    found = judged(ran.end, limits)
    assert found.verdict is Verdict.DISK_LIMIT
    assert "more disk than the limit of 20 MiB" in found.message


@needs_root
def test_disk_of_files_that_have_no_name_any_more(run: Runner, output: Path) -> None:
    limits = limits_with(disk_bytes=20 * MIB)
    code = (
        "import os, time\nf = open('/app/output/x', 'wb'); os.remove('/app/output/x')\n"
        "f.write(b'1' * (60 << 20)); f.flush(); time.sleep(600)"
    )
    assert judged(run.python(code, mounts=writable(output), limits=limits).end, limits).verdict is Verdict.DISK_LIMIT


def test_disk_below_the_limit_is_left_alone(run: Runner, output: Path) -> None:
    code = "import time; open('/app/output/x', 'wb').write(b'1' * (10 << 20)); time.sleep(2)"
    end = run.python(code, mounts=writable(output), limits=limits_with(disk_bytes=20 * MIB)).end
    assert (end.exit_status, end.disk_exceeded) == (0, False)


@needs_root
def test_a_full_disk_of_the_host_is_not_the_programs_doing(run: Runner, small_disk: Path) -> None:
    output = small_disk / "output"
    run.executor.writable_folder(output)
    (small_disk / "others").write_bytes(b"1" * (28 << 20))
    ran = run.python("open('/app/output/x', 'wb').write(b'1' * (20 << 20))", mounts=writable(output))
    assert "No space left on device" in ran.text("stderr")
    found = judged(ran.end)
    assert (found.outcome, found.verdict) == (AttemptOutcome.PLATFORM_ERROR, None)
    assert "the host's disk is full" in found.message


def running(name: str, seconds: float = 120) -> docker.models.containers.Container:
    client = docker.from_env()
    began = time.monotonic()
    while time.monotonic() < began + seconds:
        for container in client.containers.list(filters={"label": f"podium.attempt={name}"}):
            if container.status == "running":
                return container
    raise AssertionError("the program did not start")


@pytest.mark.parametrize("how", ["kill", "stop", "kill -TERM"])
def test_kill_through_the_engine_is_the_hosts_doing(run: Runner, how: str) -> None:
    def kill() -> None:
        container = running(f"victim-{how[-4:]}")
        time.sleep(0.5)  # the engine says so while its runtime is still becoming the program, and ends in its own way
        if how == "stop":
            container.stop(timeout=1)
        else:
            container.kill(how.removeprefix("kill").strip(" -") or None)

    killer = threading.Thread(target=kill)
    killer.start()
    end = run("sleep", "60", attempt=f"victim-{how[-4:]}").end
    killer.join()
    assert end.exit_status in {137, 143}
    found = judged(end)
    assert (found.outcome, found.verdict) == (AttemptOutcome.PLATFORM_ERROR, None)
    assert "killed through the host's Docker engine" in found.message


@needs_root
def test_kill_by_root_leaves_no_trace_and_is_tried_again(run: Runner) -> None:
    def kill() -> None:
        os.kill(int(running("victim").attrs["State"]["Pid"]), 9)

    killer = threading.Thread(target=kill)
    killer.start()
    end = run("sleep", "60", attempt="victim").end
    killer.join()
    assert judged(end, in_doubt=True).outcome is AttemptOutcome.PLATFORM_ERROR


def test_kill_by_itself_is_its_own_doing_once_it_comes_back(run: Runner) -> None:
    end = run("sh", "-c", "kill -KILL $$").end
    assert judged(end, in_doubt=True).outcome is AttemptOutcome.PLATFORM_ERROR
    found = judged(end)
    assert found.verdict is Verdict.EXIT_STATUS
    assert "signal SIGKILL" in found.message


@pytest.mark.parametrize(("name", "number"), [("SEGV", 139), ("ABRT", 134), ("FPE", 136)])
def test_signals_are_named(run: Runner, name: str, number: int) -> None:
    end = run("sh", "-c", f"kill -{name} $$").end
    assert end.exit_status == number
    assert f"signal SIG{name}" in judged(end).message


FOREIGN = {  # headers of programs for other processors
    "aarch64": "7f454c460201010000000000000000000200b7000100000078004000000000004000000000000000",
    "s390x": "7f454c4602020100000000000000000000020016000000010000000000400078",
    "with a bracket": "7f454c460201010000000000000a28290a0200b70001000000",
}


@pytest.mark.parametrize("header", FOREIGN.values(), ids=list(FOREIGN))
def test_exec_format_error_and_missing_command_are_told_apart(run: Runner, tmp_path: Path, header: str) -> None:
    tmp_path.chmod(0o755)
    program = tmp_path / "program"
    program.mkdir()
    (program / "foreign").write_bytes(bytes.fromhex(header) + b"\n(\x00)" * 60)
    (program / "foreign").chmod(0o755)
    (program / "script").write_text("nothing-of-this-name\n")
    (program / "script").chmod(0o755)
    mounts = (Mount(program, "/app/program", read_only=True),)
    foreign = judged(run("./foreign", mounts=mounts, working_folder="/app/program").end)
    assert foreign.verdict is Verdict.EXIT_STATUS
    assert "is not a program that this host's processor can execute" in foreign.message
    missing = judged(run("no-such-command").end)
    assert missing.verdict is Verdict.EXIT_STATUS
    assert "has no command `no-such-command`" in missing.message
    script = judged(run("/app/program/script", mounts=mounts).end)
    assert "ended with exit status 127" in script.message


def test_plain_failure_quotes_the_last_words(run: Runner) -> None:
    ran = run.python("import sys; sys.stderr.write('x' * 3_000_000 + '\\n'); raise ValueError('no labels')")
    assert "stderr" in ran.end.truncated
    found = judged(ran.end)
    assert found.message.startswith(
        'Your program ended with exit status 1 (prediction step). Its last line on stderr: "ValueError: no labels".'
    )


def test_too_many_open_files_hint_at_the_limit(run: Runner) -> None:
    limits = limits_with(open_files=50)
    end = run.python("files = [open('/dev/null') for _ in range(100)]", limits=limits).end
    assert "Too many open files" in judged(end, limits).message
    assert "The limit of `open_files` is 50." in judged(end, limits).message


def test_what_is_measured_is_what_was_used(run: Runner) -> None:
    code = """
import os, threading, time
held = bytearray(os.urandom(1 << 20)) * 120
threads = [threading.Thread(target=time.sleep, args=(1,)) for _ in range(9)]
[thread.start() for thread in threads]
while time.process_time() < 1: pass
[thread.join() for thread in threads]
"""
    end = run.python(code).end
    assert end.exit_status == 0
    assert end.peak_memory_bytes is not None
    assert 120 * MIB < end.peak_memory_bytes < 180 * MIB
    assert end.cpu_seconds is not None
    assert 1 <= end.cpu_seconds < 3
    assert end.wall_seconds >= 1
    assert end.peak_processes in {11, 12, None}  # itself, nine threads, the init process; older kernels don't count


def test_sandboxed_processes_have_the_same_limits(sandbox: Runner, open_folder: Path) -> None:
    output = open_folder / "output"
    sandbox.executor.writable_folder(output)
    limits = limits_with(cpu_seconds=1, disk_bytes=20 * MIB, file_bytes=MIB)
    busy = sandbox("sh", "-c", "while :; do :; done", limits=limits, seconds=300)
    assert judged(busy.end, limits).verdict is Verdict.TIME_LIMIT
    assert "CPU time" in judged(busy.end, limits).message
    full = sandbox.python(FILL + "time.sleep(600)", mounts=writable(output), limits=limits, seconds=300)
    assert judged(full.end, limits).verdict is Verdict.DISK_LIMIT
    large = sandbox("dd", "if=/dev/zero", "of=/tmp/x", "bs=1M", limits=limits)
    assert judged(large.end, limits).verdict is Verdict.OUTPUT_LIMIT
    assert judged(sandbox("sh", "-c", "echo oh no >&2; exit 3").end).message.count('"oh no"') == 1
