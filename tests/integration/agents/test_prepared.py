"""Containers made ahead: the program can't tell, none is used twice, and what goes wrong with one is made good."""

from __future__ import annotations

import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import docker
import pytest

from podium.agents.executors import prepared
from podium.agents.executors.docker_engine import DockerExecutor, DockerSettings
from podium.agents.executors.prepared import Ready
from podium.agents.executors.program_output import raw_socket
from podium.agents.executors.recipes import Recipe
from podium.platform.jobs import Limits
from podium.tasks.programs import Image, Mount, Program, ProgramEnd

from .conftest import SMALL

pytestmark = pytest.mark.docker


@dataclass
class Ran:
    end: ProgramEnd
    stdout: str
    stderr: str
    output: Path
    ahead: bool


class Bench:
    """Runs programs that have folders of their own, as the steps of an evaluation do."""

    def __init__(self, executor: DockerExecutor, image: Image, folder: Path) -> None:
        self.executor = executor
        self.image = image
        self.folder = folder
        self.program = folder / "scoring-program"
        self.program.mkdir()
        self.taken = 0
        take = executor._prepared.take

        def counted(recipe: Recipe) -> Ready | None:
            ready = take(recipe)
            self.taken += ready is not None
            return ready

        executor._prepared.take = counted  # type: ignore[method-assign] -- to know which way a program went

    def run(
        self,
        *command: str,
        limits: Limits = SMALL,
        predictions: dict[str, str] | None = None,
        seconds: float = 60,
        stop: threading.Event | None = None,
        image: Image | None = None,
    ) -> Ran:
        attempt = self.folder / uuid.uuid4().hex
        attempt.mkdir()
        given, output = attempt / "predictions", attempt / "output"
        given.mkdir(mode=0o755)
        for name, text in (predictions or {}).items():
            (given / name).write_text(text)
        self.executor.writable_folder(output)
        program = Program(
            name=f"podium-test-{attempt.name[:12]}",
            image=image or self.image,
            command=command,
            mounts=(
                Mount(self.program, "/app/program", read_only=True),
                Mount(given, "/app/input/res", read_only=True, own=True),
                Mount(output, "/app/output", read_only=False, own=True),
            ),
            limits=limits,
            labels={"attempt": attempt.name},
            preparable=True,
        )
        pieces: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
        taken = self.taken
        end = self.executor.run(
            program,
            deadline=time.monotonic() + seconds,
            stop=stop or threading.Event(),
            on_output=lambda stream, piece: pieces[stream].append(piece),
        )
        out, err = (b"".join(pieces[stream]).decode() for stream in ("stdout", "stderr"))
        assert (given.is_dir(), output.is_dir()) == (True, True)
        return Ran(end, out, err, output, ahead=self.taken > taken)

    def ahead(self, *command: str, **how: object) -> Ran:
        """Run it by a container that was made ahead."""
        for _ in range(20):
            ran = self.run(*command, **how)  # type: ignore[arg-type] -- passed on as they are
            if ran.ahead:
                return ran
            time.sleep(0.3)
        raise AssertionError("no container was made ahead")

    def waits(self) -> bool:
        return self.executor.waiting > 0


def wait_until(holds: Callable[[], bool], seconds: float = 20) -> bool:
    give_up = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def bench(python_image: str, owner: str, open_folder: Path) -> Iterator[Bench]:
    executor = DockerExecutor(
        DockerSettings(owner=owner, pull="never", prepared=2, prepared_folder=open_folder / "prepared")
    )
    assert "up to 2 containers made ahead" in executor.check()
    yield Bench(executor, executor.find_image(python_image), open_folder)
    executor.close()
    client = docker.APIClient()
    assert client.containers(all=True, filters={"label": f"podium.owner={owner}"}) == []
    client.close()
    assert list(Path("/sys/fs/cgroup").glob(f"*/podium/{owner}")) == []
    assert list((open_folder / "prepared").iterdir()) == []


SHOW = "cat /app/input/res/guess; echo written > /app/output/scores; id -u; pwd; ls -A /app/output /tmp"


def test_program_finds_its_folders_and_they_are_the_attempts(bench: Bench) -> None:
    runs = [bench.run("sh", "-c", SHOW, predictions={"guess": f"{number}\n"}) for number in range(2)]
    ahead = bench.ahead("sh", "-c", SHOW, predictions={"guess": "ahead\n"})
    assert not any(ran.ahead for ran in runs)
    assert ahead.stdout == runs[0].stdout.replace("0\n", "ahead\n", 1)
    assert (ahead.output / "scores").read_text() == "written\n"
    assert set(ahead.end.timings) == {"create", "start", "run", "remove"}
    assert 0 < ahead.end.wall_seconds < 5
    assert ahead.end.peak_memory_bytes


SELF = """
import json, os
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
print(json.dumps({
    "argv": open("/proc/self/cmdline").read(), "environment": dict(os.environ), "cwd": os.getcwd(),
    "descriptors": {fd: os.path.exists(f"/proc/self/fd/{fd}") for fd in "0123456789"},
    "stdin": os.readlink("/proc/self/fd/0"), "read": os.read(0, 10).decode(),
    "rights": [status[name] for name in ("Uid", "Gid", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp", "SigIgn")],
    "limits": open("/proc/self/limits").read(), "interfaces": os.listdir("/sys/class/net"),
    "mounts": sorted(line.split()[4:6] for line in open("/proc/self/mountinfo")), "umask": os.umask(0),
    "processes": sorted(name for name in os.listdir("/proc") if name.isdigit()),
}))
"""


def test_program_can_not_tell(bench: Bench) -> None:
    made_for_it, ahead = (
        json.loads(ran.stdout) for ran in (bench.run("python3", "-c", SELF), bench.ahead("python3", "-c", SELF))
    )
    for saw in (made_for_it, ahead):
        saw.pop("processes")  # numbers of processes that have gone are the image's business
        saw["stdin"] = saw["stdin"].replace("pipe:", "/dev/null").split("[")[0]
    assert ahead == made_for_it


def test_each_container_is_used_once_and_its_temporary_files_are_its_own(bench: Bench) -> None:
    leave = "ls -A /tmp /dev/shm; touch /tmp/left /dev/shm/left"
    seen = {bench.ahead("sh", "-c", leave).stdout for _ in range(3)}
    assert seen == {"/dev/shm:\n\n/tmp:\n"}


def test_limits_and_ends_are_the_same(bench: Bench) -> None:
    assert bench.ahead("sh", "-c", "exit 3").end.exit_status == 3
    killed = bench.ahead("python3", "-c", "x = bytearray(b'1' * (500 << 20))").end
    assert (killed.oom_killed, killed.exit_status) == (True, 137)
    late = bench.ahead("sh", "-c", "trap '' TERM; echo on; sleep 3; sleep 60", seconds=1)
    assert (late.end.timed_out, late.stdout) == (True, "on\n")
    assert bench.ahead("sh", "-c", "ulimit -n", limits=SMALL.model_copy(update={"open_files": 77})).stdout == "77\n"


@pytest.mark.parametrize(
    ("command", "status", "says"),
    [
        ("no-such-command", 127, "has no command `no-such-command`"),
        ("/etc/passwd", 126, "permission denied"),
        ("/app", 126, "permission denied"),
    ],
)
def test_command_that_can_not_be_started_reads_the_same(bench: Bench, command: str, status: int, says: str) -> None:
    first, ahead = bench.run(command).end, bench.ahead(command).end
    assert (ahead.exit_status, ahead.start_error) == (first.exit_status, first.start_error)
    assert ahead.exit_status == status
    assert says in ahead.start_error


def test_other_limits_are_another_recipe(bench: Bench) -> None:
    for _ in range(2):
        bench.run("true")
    assert wait_until(bench.waits)
    assert not bench.run("true", limits=SMALL.model_copy(update={"processes": 63})).ahead
    assert not bench.run("true", "but another").ahead
    assert bench.run("true").ahead


def test_program_that_was_fetched_anew_is_another(bench: Bench) -> None:
    for _ in range(2):
        bench.run("ls", "/app/program")
    assert wait_until(bench.waits)
    bench.program.rename(bench.folder / "replaced")
    bench.program.mkdir()
    (bench.program / "new").touch()
    ran = bench.run("ls", "/app/program")
    assert not ran.ahead
    assert ran.stdout == "new\n"


def test_container_that_died_while_it_waited_is_made_good(bench: Bench, owner: str) -> None:
    for _ in range(2):
        bench.run("echo", "here")
    assert wait_until(bench.waits)
    client = docker.APIClient()
    for one in client.containers(filters={"label": [f"podium.owner={owner}", "podium.step=prepared"]}):
        client.kill(one["Id"])
        client.wait(one["Id"])
    client.close()
    ran = bench.run("echo", "here")
    assert (ran.end.exit_status, ran.stdout) == (0, "here\n")
    assert ran.end.timings["start"] > 0


def test_container_that_was_removed_while_it_waited_is_made_good(bench: Bench, owner: str) -> None:
    for _ in range(2):
        bench.run("echo", "here")
    assert wait_until(bench.waits)
    client = docker.APIClient()
    for one in client.containers(filters={"label": [f"podium.owner={owner}", "podium.step=prepared"]}):
        client.remove_container(one["Id"], force=True)
    client.close()
    assert bench.run("echo", "here").stdout == "here\n"


def test_image_without_a_shell_is_not_waited_for(bench: Bench) -> None:
    client = docker.APIClient()
    no_shell = "import os, shutil\nwhile shell := shutil.which('sh'): os.remove(shell)"
    made = client.create_container(bench.image.digest, ["python3", "-c", no_shell])["Id"]
    client.start(made)
    assert client.wait(made)["StatusCode"] == 0
    shell_less = client.commit(made, repository="podium-test/no-shell", tag=uuid.uuid4().hex[:8])["Id"]
    client.remove_container(made)
    image = replace(bench.image, digest=shell_less, id=shell_less)
    try:
        for _ in range(4):
            assert bench.run("python3", "-c", "print('ran')", image=image).stdout == "ran\n"
            wait_until(bench.waits, 3)
        assert not bench.waits()
    finally:
        bench.executor.sweep(set())
        client.remove_image(shell_less, force=True)
        client.close()


def test_stop_before_the_start_starts_nothing(bench: Bench) -> None:
    for _ in range(2):
        bench.run("touch", "/app/output/x")
    assert wait_until(bench.waits)
    stop = threading.Event()
    stop.set()
    ran = bench.run("touch", "/app/output/x", stop=stop)
    assert ran.end.stopped
    assert list(ran.output.iterdir()) == []


def test_sweep_keeps_what_waits_and_removes_what_an_earlier_life_left(bench: Bench, owner: str) -> None:
    for _ in range(2):
        bench.run("true")
    assert wait_until(bench.waits)
    left = bench.folder / "prepared" / "podium-ready-of-old"
    left.mkdir()
    assert bench.executor.sweep(set()) == 0
    assert not left.exists()
    assert bench.run("true").ahead


def test_what_nobody_asks_for_goes(bench: Bench, owner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        bench.run("true")
    assert wait_until(bench.waits)
    monkeypatch.setattr(prepared, "_IDLE_SECONDS", 0.0)
    bench.executor.sweep(set())
    assert not bench.waits()
    client = docker.APIClient()
    assert wait_until(lambda: client.containers(all=True, filters={"label": f"podium.owner={owner}"}) == [])
    client.close()


def test_container_ends_by_itself_when_its_agent_does(bench: Bench) -> None:
    for _ in range(2):
        bench.run("touch", "/app/output/ran")
    assert wait_until(bench.waits)
    (waiting,) = (ready for many in bench.executor._prepared._ready.values() for ready in many)
    raw_socket(waiting.attached).shutdown(socket.SHUT_RDWR)  # as happens to those of a process that is killed
    client = docker.APIClient()
    assert client.wait(waiting.container, timeout=20)["StatusCode"] == 1
    client.close()
    assert list(waiting.folders["/app/output"].iterdir()) == []


def test_none_are_made_where_that_is_switched_off(python_image: str, owner: str, tmp_path: Path) -> None:
    executor = DockerExecutor(DockerSettings(owner=owner, pull="never", prepared=0, prepared_folder=tmp_path / "p"))
    assert "ahead" not in executor.check()
    bench = Bench(executor, executor.find_image(python_image), tmp_path)
    try:
        for _ in range(3):
            bench.run("true")
        assert not wait_until(bench.waits, 1)
    finally:
        executor.close()
