"""Containers of a real engine: how they end, what they can't do, and that nothing is left of them."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker
import pytest

from podium.agents.executors.docker_engine import DockerExecutor, DockerSettings
from podium.agents.executors.program_output import CUT_MARK
from podium.platform.jobs import MIB, Limits
from podium.tasks.programs import ExecutorFault, Image, ImageUnavailable, Mount

from .conftest import SMALL, Runner

pytestmark = pytest.mark.docker


def limits_with(**changes: float) -> Limits:
    return SMALL.model_copy(update=changes)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def containers_of(owner: str) -> list[str]:
    client = docker.APIClient()
    found = client.containers(all=True, filters={"label": f"podium.owner={owner}"})
    client.close()
    return [container["Names"][0] for container in found]


def test_exit_status_and_both_streams_come_back(run: Runner) -> None:
    ran = run.python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert ran.end.exit_status == 3
    assert ran.text() == "out\n"
    assert ran.text("stderr") == "err\n"
    assert not ran.end.start_error


def test_first_and_last_words_are_not_lost(run: Runner) -> None:
    for _ in range(5):
        ran = run("sh", "-c", "echo first; echo last")
        assert ran.text() == "first\nlast\n"


def test_output_arrives_in_order_and_while_the_program_runs(run: Runner) -> None:
    arrived: list[tuple[float, bytes]] = []
    run.python(
        "import time\nfor i in range(3): print(i); time.sleep(0.3)",
        on_output=lambda _, piece: arrived.append((time.monotonic(), piece)),
    )
    assert b"".join(piece for _, piece in arrived) == b"0\n1\n2\n"
    assert arrived[-1][0] - arrived[0][0] > 0.4


def test_program_killed_by_a_signal_says_which(run: Runner) -> None:
    assert run("sh", "-c", "kill -SEGV $$").end.exit_status == 139


def test_wall_clock_kills(run: Runner) -> None:
    ran = run("sh", "-c", "trap '' TERM; echo on; sleep 60; sleep 60", seconds=1.5)
    assert ran.end.timed_out
    assert ran.end.exit_status == 137
    assert not ran.end.oom_killed
    assert ran.seconds < 4
    assert ran.text() == "on\n"


def test_program_that_freezes_itself_is_killed_all_the_same(run: Runner) -> None:
    ran = run.python("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", seconds=1.5)
    assert ran.end.timed_out


def test_stop_kills_at_once(run: Runner) -> None:
    stop = threading.Event()
    threading.Timer(1, stop.set).start()
    ran = run("sleep", "60", stop=stop)
    assert ran.end.stopped
    assert not ran.end.timed_out
    assert ran.seconds < 2


def test_stop_before_the_start_starts_nothing(run: Runner) -> None:
    stop = threading.Event()
    stop.set()
    ran = run("true", stop=stop)
    assert ran.end.stopped
    assert ran.end.exit_status is None


def test_out_of_memory_of_the_program(run: Runner) -> None:
    ran = run.python("x = bytearray(b'1' * (500 << 20))")
    assert ran.end.oom_killed
    assert ran.end.exit_status == 137
    assert not ran.end.timed_out


def test_out_of_memory_of_a_child_whose_parent_lives_on(run: Runner) -> None:
    child = "x = bytearray(b'1' * (500 << 20))"
    ran = run.python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}]); print('alive')")
    assert ran.end.oom_killed
    assert ran.end.exit_status == 0
    assert ran.text() == "alive\n"


def test_kill_by_itself_is_not_taken_for_out_of_memory(run: Runner) -> None:
    ran = run("sh", "-c", "kill -KILL $$")
    assert ran.end.exit_status == 137
    assert not ran.end.oom_killed


def test_temporary_files_count_as_memory_and_are_bounded(run: Runner) -> None:
    ran = run.python("open('/tmp/x', 'wb').write(b'1' * (64 << 20))")
    assert ran.end.exit_status == 1
    assert "No space left on device" in ran.text("stderr")


def test_processes_are_limited_and_counted(run: Runner) -> None:
    fork = "import subprocess\nfor _ in range(200): subprocess.Popen(['sleep', '5'])"
    ran = run.python(fork, limits=limits_with(processes=20))
    assert ran.end.exit_status == 1
    assert "temporarily unavailable" in ran.text("stderr")
    assert ran.end.peak_processes in {20, None}  # older kernels don't count


def test_file_size_is_limited(run: Runner, docker_executor: DockerExecutor, tmp_path: Path) -> None:
    output = tmp_path / "output"
    docker_executor.writable_folder(output)
    mounts = (Mount(output, "/app/output", read_only=False),)
    ran = run("dd", "if=/dev/zero", "of=/app/output/x", "bs=1M", mounts=mounts, limits=limits_with(file_bytes=MIB))
    assert ran.end.exit_status == 153
    assert (output / "x").stat().st_size == MIB


def test_open_files_and_core_dumps_are_limited(run: Runner) -> None:
    ran = run("sh", "-c", "ulimit -n; ulimit -c", limits=limits_with(open_files=77))
    assert ran.text() == "77\n0\n"


def test_root_is_read_only_and_tmp_is_not(run: Runner) -> None:
    ran = run("sh", "-c", "touch /x; touch /app/x; touch /usr/x; touch /tmp/x && echo written")
    assert ran.text("stderr").count("Read-only file system") == 3
    assert ran.text() == "written\n"


def test_mounts_are_read_only_unless_said(run: Runner, docker_executor: DockerExecutor, tmp_path: Path) -> None:
    given, output = tmp_path / "given", tmp_path / "output"
    given.mkdir()
    (given / "data").write_text("data")
    docker_executor.writable_folder(output)
    mounts = (Mount(given, "/app/input", read_only=True), Mount(output, "/app/output", read_only=False))
    ran = run("sh", "-c", "cat /app/input/data; touch /app/input/x; echo 1 > /app/output/scores", mounts=mounts)
    assert ran.text() == "data"
    assert "Read-only file system" in ran.text("stderr")
    assert (output / "scores").read_text() == "1\n"


def test_identity_and_rights(run: Runner) -> None:
    ran = run("sh", "-c", "id -u; id -g; grep -E '^(CapEff|CapBnd|CapPrm|NoNewPrivs|Seccomp):' /proc/self/status")
    uid, gid, *lines = ran.text().split("\n")
    status = dict(line.split(":\t") for line in lines if line)
    assert (uid, gid) == ("65534", "65534")
    assert {int(status[name], 16) for name in ("CapEff", "CapBnd", "CapPrm")} == {0}
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


LOOK_OUT = """
import json, os, socket
def reaches(address, port):
    try:
        socket.create_connection((address, port), 1).close()
        return True
    except OSError:
        return False
print(json.dumps({
    "loopback": reaches("127.0.0.1", PORT), "bridge": reaches("172.17.0.1", PORT), "outside": reaches("1.1.1.1", 53),
    "metadata": reaches("169.254.169.254", 80), "interfaces": os.listdir("/sys/class/net"),
    "resolves": bool(reaches("localhost", PORT)),
}))
"""


@pytest.mark.parametrize("network", ["prove", "none"])
def test_there_is_no_network_either_way(python_image: str, owner: str, network: str) -> None:
    executor = DockerExecutor(DockerSettings(owner=owner, network=network))  # type: ignore[arg-type] -- parametrized
    try:
        assert "no network, proven" in executor.check()
        run = Runner(executor, executor.find_image(python_image))
        with socket.create_server(("0.0.0.0", 0)) as listener:  # a neighbour on the host
            ran = run.python(LOOK_OUT.replace("PORT", str(listener.getsockname()[1])))
    finally:
        executor.close()
    saw = json.loads(ran.text())
    assert saw.pop("interfaces") == ["lo"]
    assert not any(saw.values())


def test_two_programs_share_no_loopback(run: Runner) -> None:
    serve = "import socket, time; s = socket.create_server(('127.0.0.1', 5005)); print('up'); time.sleep(3)"
    up = threading.Event()
    server = threading.Thread(target=lambda: run.python(serve, on_output=lambda *_: up.set()))
    server.start()
    assert up.wait(20)
    ran = run.python("import socket; socket.create_connection(('127.0.0.1', 5005), 1)")
    server.join()
    assert "refused" in ran.text("stderr")


def test_large_output_is_cut_and_costs_no_memory(run: Runner) -> None:
    before = resident_bytes()
    ran = run("head", "-c", str(1024 * MIB), "/dev/zero", limits=limits_with(log_bytes=100_000))
    assert ran.end.exit_status == 0
    assert ran.end.truncated == {"stdout"}
    assert ran.text() == "\0" * 100_000 + CUT_MARK.decode()
    assert resident_bytes() - before < 30 * MIB


def test_output_of_exactly_the_cap_is_not_called_cut(run: Runner) -> None:
    ran = run("printf", "12345", limits=limits_with(log_bytes=5))
    assert ran.text() == "12345"
    assert not ran.end.truncated


def test_consumer_that_fails_ends_the_program(run: Runner, owner: str) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the log is gone")

    began = time.monotonic()
    with pytest.raises(RuntimeError, match="the log is gone"):
        run("sh", "-c", "echo x; sleep 60", on_output=fail)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("command", "status", "says"),
    [
        ("no-such-command", 127, "has no command `no-such-command`"),
        ("/etc/passwd", 126, "permission denied"),
        ("/app", 126, "permission denied"),
    ],
)
def test_command_that_can_not_be_started(run: Runner, command: str, status: int, says: str) -> None:
    ran = run(command)
    assert ran.end.exit_status == status
    assert says in ran.end.start_error


def test_status_127_of_a_program_that_did_start_is_its_own(run: Runner) -> None:
    ran = run("sh", "-c", "exit 127")
    assert ran.end.exit_status == 127
    assert not ran.end.start_error


def test_entrypoint_of_the_image_does_not_run(run: Runner, python_image: str) -> None:
    client = docker.APIClient()
    base = client.create_container(python_image, "true")["Id"]
    entrypoint = {"Entrypoint": ["echo", "entrypoint"], "Healthcheck": {"Test": ["CMD", "true"], "Interval": 10**9}}
    made = client.commit(base, repository="podium-test/entry", tag="1", conf=entrypoint)["Id"]
    client.remove_container(base)
    try:
        assert run("echo", "command", image=Image("x", "podium-test/entry:1", made)).text() == "command\n"
    finally:
        client.remove_image("podium-test/entry:1", force=True)
        client.close()


def test_image_that_went_away_is_unavailable_and_looked_up_anew(run: Runner) -> None:
    gone = Image("gone", "gone:1", "sha256:" + "0" * 64)
    with pytest.raises(ImageUnavailable, match="no such image"):
        run("true", image=gone)


def test_missing_image_may_not_be_pulled(docker_executor: DockerExecutor) -> None:
    with pytest.raises(ImageUnavailable, match="The host has no image nobody/nothing:1, and may not pull it"):
        docker_executor.find_image("nobody/nothing:1")


def test_registry_that_no_one_answers_for_is_no_ones_doing_but_the_hosts(owner: str) -> None:
    executor = DockerExecutor(DockerSettings(owner=owner, pull_seconds=3))
    try:
        with pytest.raises(ExecutorFault, match=r"127\.0\.0\.1:1/no/thing:2 could not be pulled .*connection refused"):
            executor.find_image("127.0.0.1:1/no/thing:2")
    finally:
        executor.close()


@pytest.mark.parametrize("name", ["UPPER/case", "a b", "", "x" * 300, "../containers/x", "a/../../b"])
def test_name_that_is_no_image_name(docker_executor: DockerExecutor, name: str) -> None:
    with pytest.raises(ImageUnavailable):
        docker_executor.find_image(name)


def test_well_known_names_are_mapped_and_aliases_come_first(python_image: str, owner: str) -> None:
    settings = DockerSettings(owner=owner, pull="never", image_aliases={"codalab/codalab-legacy:py3": python_image})
    executor = DockerExecutor(settings)
    try:
        assert executor.find_image("codalab/codalab-legacy:py39").name == "podium/scientific:latest"
        assert executor.find_image("codalab/codalab-legacy").name == "podium/scientific:latest"
        assert executor.find_image("codalab/codalab-legacy:py3").name == python_image
    finally:
        executor.close()


def test_digest_is_the_image_id_where_no_registry_gave_one(docker_executor: DockerExecutor, python_image: str) -> None:
    image = docker_executor.find_image(python_image)
    assert image.digest.startswith("sha256:")
    assert image.asked == image.name == python_image


def test_memory_cpu_and_wall_are_measured(run: Runner) -> None:
    busy = "import time; t = time.process_time()\nwhile time.process_time() < t + 0.5: pass"
    end = run.python(f"x = bytearray(b'1' * (100 << 20))\n{busy}").end
    assert end.peak_memory_bytes is not None
    assert 100 * MIB < end.peak_memory_bytes < 230 * MIB
    assert end.cpu_seconds is not None
    assert 0.5 < end.cpu_seconds < 1.5
    assert 0.5 < end.wall_seconds < 10
    assert set(end.timings) == {"create", "start", "run", "remove"}


def test_cpu_is_limited(run: Runner) -> None:
    code = "import time; t = time.monotonic()\nwhile time.monotonic() < t + 1: pass\nprint(time.process_time())"
    ran = run.python(code, limits=limits_with(cpus=0.25))
    assert float(ran.text()) < 0.6


def test_more_cpus_than_the_host_has_are_not_refused(run: Runner) -> None:
    assert run("true", limits=limits_with(cpus=10_000)).end.exit_status == 0


def test_six_at_once(run: Runner) -> None:
    with ThreadPoolExecutor(6) as pool:
        ran = list(pool.map(lambda number: run("sh", "-c", f"sleep 0.5; echo {number}"), range(6)))
    assert [one.text() for one in ran] == [f"{number}\n" for number in range(6)]


def test_nothing_is_left_behind(run: Runner, docker_executor: DockerExecutor, owner: str) -> None:
    run("true")
    run("no-such-command")
    run("sleep", "60", seconds=1)
    docker_executor.close()
    assert containers_of(owner) == []
    assert [str(path) for path in Path("/sys/fs/cgroup").glob(f"*/podium/{owner}*")] == []


def test_close_kills_what_still_runs(run: Runner, docker_executor: DockerExecutor, owner: str) -> None:
    up = threading.Event()
    ends: list[object] = []

    def go() -> None:
        try:
            ends.append(run("sh", "-c", "echo up; sleep 60", on_output=lambda *_: up.set()).end)
        except ExecutorFault as fault:
            ends.append(fault)

    thread = threading.Thread(target=go)
    thread.start()
    assert up.wait(20)
    docker_executor.close()
    thread.join(20)
    assert len(ends) == 1
    assert containers_of(owner) == []


def test_sweep_removes_forgotten_containers_and_keeps_to_its_own(
    docker_executor: DockerExecutor, python_image: str, owner: str
) -> None:
    client = docker.APIClient()
    made = {}
    for name, whose, attempt in (("old", owner, "1"), ("kept", owner, "2"), ("other", f"{owner}-x", "1")):
        labels = {"podium": "1", "podium.owner": whose, "podium.attempt": attempt}
        made[name] = client.create_container(python_image, ["sleep", "60"], labels=labels)["Id"]
    client.start(made["old"])
    try:
        assert docker_executor.sweep({"2"}) == 1
        assert len(containers_of(owner)) == 1
        assert len(containers_of(f"{owner}-x")) == 1
    finally:
        for name in ("kept", "other"):
            client.remove_container(made[name], force=True)
        client.close()


def test_engine_that_is_not_there() -> None:
    with pytest.raises(ExecutorFault, match=r"Is dockerd running\?"):
        DockerExecutor(DockerSettings(base_url="unix:///nowhere/docker.sock"))


@pytest.mark.timeout(60)
def test_engine_that_hangs_is_a_fault_and_not_forever(tmp_path: Path) -> None:
    address = str(tmp_path / "docker.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        with pytest.raises(ExecutorFault, match="did not answer in time"):
            DockerExecutor(DockerSettings(base_url=f"unix://{address}", call_seconds=1))


class Relay:
    """Stands between agent and engine, until it is cut."""

    def __init__(self, address: Path) -> None:
        self.address = address
        self._sockets: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(address))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        for one in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                agent, _ = self._listener.accept()
                engine = socket.socket(socket.AF_UNIX)
                engine.connect("/var/run/docker.sock")
                self._sockets += [agent, engine]
                for source, target in ((agent, engine), (engine, agent)):
                    threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


def test_engine_that_goes_away_is_a_fault_and_the_next_agent_cleans_up(
    docker_executor: DockerExecutor, python_image: str, owner: str, tmp_path: Path
) -> None:
    relay = Relay(tmp_path / "docker.sock")
    executor = DockerExecutor(DockerSettings(owner=owner, base_url=f"unix://{relay.address}"))
    run = Runner(executor, executor.find_image(python_image))
    threading.Timer(2, relay.cut).start()
    began = time.monotonic()
    with pytest.raises(ExecutorFault, match="could not be reached"):
        run("sleep", "60")
    assert time.monotonic() - began < 10
    executor.close()
    assert len(containers_of(owner)) == 1
    assert docker_executor.sweep(set()) == 1
    assert containers_of(owner) == []


def test_programs_may_not_run_as_root(owner: str) -> None:
    with pytest.raises(ExecutorFault, match="may not run as root"):
        DockerExecutor(DockerSettings(owner=owner, user=0))


def test_labels_say_what_the_host_has(docker_executor: DockerExecutor, python_image: str) -> None:
    labels = docker_executor.labels()
    assert int(labels["cpus"]) >= 1
    assert int(labels["memory_bytes"]) > MIB
    assert python_image in labels["images"].split(",")
