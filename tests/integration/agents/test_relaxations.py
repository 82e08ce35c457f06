"""What a competition may do without where its agent's operator allows it: an allow-list, root, another runtime."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest
import requests
from docker.errors import APIError, NotFound
from private_site import private_address, serving_site

from podium.agents.executors.docker_engine import DockerExecutor, DockerSettings
from podium.agents.executors.network_door import listen_inside
from podium.agents.executors.relaxing import RelaxationsOffered
from podium.platform.bundles.content import Relaxations
from podium.tasks.programs import ExecutorFault, Mount, OnOutput, Program, ProgramEnd
from podium.tasks.tree_removal import remove_tree

from .conftest import SMALL, Runner

EVERYTHING = frozenset({"network", "private_network", "root"})

ASK = """
import sys, urllib.error, urllib.request
for url in sys.argv[1:]:
    try:
        print(urllib.request.urlopen(url, timeout=20).read().decode())
    except urllib.error.HTTPError as error:
        print(error.code, error.read().decode().strip())
    except OSError as error:
        print(error)
"""


@pytest.fixture
def engine() -> Iterator[docker.APIClient]:
    client = docker.APIClient()
    yield client
    client.close()


@pytest.fixture
def host_address() -> Iterator[str]:
    """A private address of this host, for the time of a test."""
    with private_address(231) as address:
        yield address


@pytest.fixture
def site(host_address: str) -> Iterator[str]:
    """`host:port` of a server on this host, outside of all containers."""
    with serving_site(host_address) as served:
        yield served


@pytest.fixture
def relaxed(python_image: str, owner: str) -> Iterator[Runner]:
    """Runs programs on an agent whose operator allows everything that may be relaxed."""
    executor = DockerExecutor(DockerSettings(owner=owner, pull="never", relaxations=EVERYTHING))
    executor.check()
    yield Runner(executor, executor.find_image(python_image))
    executor.close()


def containers(engine: docker.APIClient, owner: str) -> list[str]:
    """Names of all the containers of an agent."""
    return [one["Names"][0] for one in engine.containers(all=True, filters={"label": [f"podium.owner={owner}"]})]


def to(*destinations: str) -> Relaxations:
    return Relaxations(network=destinations)


def test_an_agent_offers_what_it_is_allowed_and_can_do(relaxed: Runner, python_image: str, owner: str) -> None:
    assert relaxed.executor.labels()["relaxations"] == "network,private_network,root"
    assert "may relax network, private_network, root" in relaxed.executor.check()
    plain = DockerExecutor(DockerSettings(owner=owner, pull="never"))
    try:
        plain.check()
        assert plain.labels()["relaxations"] == ""
    finally:
        plain.close()


def test_nothing_is_offered_that_this_host_can_not_do(engine: docker.APIClient) -> None:
    offered = RelaxationsOffered(
        engine,
        EVERYTHING,
        user=65534,
        is_remapped=True,
        starts=nullcontext(),
        hold=lambda _: None,
        remove=lambda _: None,
    )
    assert offered.names == frozenset()  # root is another user's, and nothing has shown that the network works
    assert "can't relax network: no image with Python" in offered.in_words()
    assert "can't relax root: the agent is not root on its engine's host" in offered.in_words()


def test_what_failed_is_tried_again_with_another_image(relaxed: Runner, engine: docker.APIClient) -> None:
    offered = RelaxationsOffered(
        engine,
        EVERYTHING,
        user=65534,
        is_remapped=False,
        starts=nullcontext(),
        hold=lambda _: None,
        remove=lambda _: None,
    )
    asked: list[str] = []

    def run(program: Program, deadline: float, on_output: OnOutput) -> ProgramEnd:
        asked.append(program.image.digest)
        if program.image.digest == "bad":
            raise ExecutorFault("The engine failed.")
        return relaxed.executor.run(program, deadline=deadline, stop=threading.Event(), on_output=on_output)

    for _ in range(2):
        offered.prove(replace(relaxed.image, digest="bad"), run)
        assert offered.names == {"root"}
        assert "can't relax network: The engine failed" in offered.in_words()
    for _ in range(2):
        offered.prove(relaxed.image, run)
        assert offered.names == EVERYTHING
    assert asked == ["bad", relaxed.image.digest]


@pytest.mark.parametrize("asked", [to("data.example:443"), to("10.0.0.1:80"), Relaxations(root=True)])
def test_no_program_is_run_with_less_than_it_asks_for(
    run: Runner, engine: docker.APIClient, owner: str, asked: Relaxations
) -> None:
    with pytest.raises(ExecutorFault, match="does not offer the relaxation"):
        run("true", relaxations=asked)
    assert not [name for name in containers(engine, owner) if "proof" not in name]


def test_what_is_on_the_list_is_reached_and_nothing_else(relaxed: Runner, site: str, host_address: str) -> None:
    with socket.create_server((host_address, 0)) as other:
        neighbour = f"{host_address}:{other.getsockname()[1]}"
        urls = [f"http://{place}/" for place in (site, neighbour, "169.254.169.254", "10.0.0.1", "example.org")]
        ran = relaxed("python3", "-c", ASK, *urls, relaxations=to(site))
        other.settimeout(0)
        with pytest.raises(BlockingIOError):
            other.accept()
    lines = ran.text().splitlines()
    assert lines[0] == "the site"
    assert all(line.startswith("403 podium: ") and " is refused: " in line for line in lines[1:5]), lines
    (note,) = ran.end.notes
    assert note.startswith(
        f"network: 1 connection to {site}, 1 refused to {neighbour}, 1 refused to 169.254.169.254:80"
    )


def test_there_is_no_way_around_the_proxy(relaxed: Runner, site: str) -> None:
    host, port = site.split(":")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        code = f"""
import socket
print(sorted(line.split(":")[0].strip() for line in open("/proc/net/dev").read().splitlines()[2:]))
for kind, address in (("STREAM", ("{host}", {port})), ("STREAM", ("127.0.0.1", {listener.getsockname()[1]})),
                      ("DGRAM", ("8.8.8.8", 53))):
    try:
        socket.socket(socket.AF_INET, getattr(socket, f"SOCK_{{kind}}")).connect(address)
        print("reached", address)
    except OSError as error:
        print(error.strerror)
try:
    print(socket.getaddrinfo("example.org", 80))
except OSError as error:
    print("no names")
"""
        ran = relaxed.python(code, relaxations=to(site))
    assert ran.text().splitlines() == [
        "['lo']",
        "Network is unreachable",
        "Connection refused",
        "Network is unreachable",
        "no names",
    ]


def test_a_private_address_needs_the_operators_word(
    python_image: str, owner: str, site: str, engine: docker.APIClient
) -> None:
    executor = DockerExecutor(DockerSettings(owner=owner, pull="never", relaxations=frozenset({"network"})))
    try:
        executor.check()
        run = Runner(executor, executor.find_image(python_image))
        assert executor.labels()["relaxations"] == "network"
        with pytest.raises(ExecutorFault, match="does not offer the relaxation private_network"):
            run("true", relaxations=to(site))
        assert run("true", relaxations=to("data.example:443")).end.exit_status == 0
    finally:
        executor.close()


def test_only_a_program_with_a_list_is_told_of_a_proxy(relaxed: Runner) -> None:
    assert "proxy" not in relaxed("env").text().lower()
    assert "http_proxy=http://127.0.0.1:3128" in relaxed("env", relaxations=to("data.example:443")).text()


@pytest.mark.parametrize("times", [1, 2])
def test_a_network_whose_holder_died_before_its_start_is_made_once_more(
    relaxed: Runner, site: str, engine: docker.APIClient, owner: str, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    start, refused = docker.APIClient.start, []

    def dies(client: docker.APIClient, container: str) -> None:
        # No real engine does it when asked to; these are the words of one that did.
        if len(refused) < times:
            refused.append(container)
            response = requests.Response()
            response.status_code = 500
            words = "cannot start a stopped process: unknown"
            raise APIError(words, response=response, explanation=words)
        start(client, container)

    relaxed("true")  # what proves the network is not what is looked at
    monkeypatch.setattr(docker.APIClient, "start", dies)
    if times == 1:
        assert relaxed("true", relaxations=to(site)).end.exit_status == 0
    else:
        with pytest.raises(ExecutorFault, match="stopped process"):
            relaxed("true", relaxations=to(site))
    relaxed.executor.close()
    assert containers(engine, owner) == []
    assert len(refused) == times


def test_each_program_has_a_network_of_its_own(relaxed: Runner, site: str) -> None:
    meet = """
import os, socket, time
server = socket.create_server(("127.0.0.1", 5555))
print(os.readlink("/proc/self/ns/net"))
time.sleep(1)
"""
    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(lambda _: relaxed.python(meet, relaxations=to(site)), range(2)))
    assert [ran.end.exit_status for ran in both] == [0, 0], [ran.text("stderr") for ran in both]
    assert both[0].text() != both[1].text()


def test_nothing_is_left_of_a_program_with_a_network(
    relaxed: Runner, site: str, engine: docker.APIClient, owner: str
) -> None:
    ran = relaxed("sleep", "60", relaxations=to(site), seconds=2)
    assert ran.end.timed_out
    relaxed.executor.close()
    assert containers(engine, owner) == []
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("podium-allow")]


def test_a_holder_that_a_dead_agent_left_is_swept(
    relaxed: Runner, site: str, engine: docker.APIClient, owner: str, python_image: str
) -> None:
    with ThreadPoolExecutor(1) as threads:
        stop = threading.Event()
        going = threads.submit(relaxed, "sleep", "60", relaxations=to(site), stop=stop)
        while not any(name.endswith("-network") for name in containers(engine, owner)):
            assert not going.done()
        successor = DockerExecutor(DockerSettings(owner=owner, pull="never"))
        try:
            relaxed.executor.sweep(set())  # it holds them itself
            successor.sweep({"an-attempt"})
            assert any(name.endswith("-network") for name in containers(engine, owner))
            assert successor.sweep(set()) >= 1
            assert not any(name.endswith("-network") for name in containers(engine, owner))
        finally:
            stop.set()
            successor.close()
        assert going.exception() is not None or going.result().end.exit_status != 0


def test_the_agents_own_network_is_never_opened() -> None:
    with pytest.raises(ExecutorFault, match="it is the agent's own network"):
        listen_inside(os.getpid())
    with pytest.raises(ExecutorFault, match="No such file"):
        listen_inside(2**22)


def test_root_of_a_container_has_no_rights_and_leaves_what_can_be_removed(relaxed: Runner, tmp_path: Path) -> None:
    output, secret = tmp_path / "output", tmp_path / "secret"
    relaxed.executor.writable_folder(output, root=True)
    secret.mkdir()
    (secret / "key").write_text("secret")
    (secret / "key").chmod(0)
    mounts = (Mount(output, "/app/output", read_only=False), Mount(secret, "/app/secret", read_only=True))
    ran = relaxed(
        "sh",
        "-c",
        "id -u; grep -E '^(CapEff|CapBnd|CapPrm|NoNewPrivs|Seccomp):' /proc/self/status;"
        "mkdir -p /app/output/deep; echo 1 > /app/output/deep/scores; chmod 000 /app/output/deep;"
        "touch /x; cat /app/secret/key; chown 1 /app/output; mount -t tmpfs none /tmp; echo b > /proc/sysrq-trigger;"
        "hostname other; mknod /app/output/disk b 8 0",
        mounts=mounts,
        relaxations=Relaxations(root=True),
    )
    uid, *lines = ran.text().split("\n")
    status = dict(line.split(":\t") for line in lines if line)
    assert uid == "0"
    assert {int(status[name], 16) for name in ("CapEff", "CapBnd", "CapPrm")} == {0}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    errors = ran.text("stderr")
    for command in ("touch", "chown", "mount", "sysrq-trigger", "hostname", "mknod"):
        assert command in errors, errors
    assert "secret" not in ran.text()
    assert (output / "deep" / "scores").read_text() == "1\n"
    assert (output / "deep" / "scores").stat().st_uid == 0
    remove_tree(output)
    assert not output.exists()


def test_root_is_had_by_those_alone_who_ask_for_it(relaxed: Runner) -> None:
    assert relaxed("id", "-u").text() == "65534\n"


def test_a_pools_runtime_is_what_runs_the_program(relaxed: Runner, engine: docker.APIClient, owner: str) -> None:
    assert "runc" in relaxed.executor.labels()["runtimes"].split(",")
    with ThreadPoolExecutor(1) as threads:
        stop = threading.Event()
        going = threads.submit(relaxed, "sleep", "60", runtime="runc", stop=stop)
        found: dict[str, Any] = {}
        while not found:
            for name in containers(engine, owner):
                with suppress(NotFound):  # what was listed may be gone
                    one = engine.inspect_container(name)
                    found = one if one["Config"]["Cmd"][-1] == "60" and one["State"]["Running"] else found
        assert found["HostConfig"]["Runtime"] == "runc"
        assert found["HostConfig"]["NetworkMode"] == "none"
        stop.set()
        assert going.result().end.stopped


def test_a_runtime_that_is_not_there_is_never_replaced_by_another(
    run: Runner, engine: docker.APIClient, owner: str
) -> None:
    with pytest.raises(ExecutorFault, match=r"has no runtime `runsc`; it has .*runc"):
        run("true", runtime="runsc")
    assert not [name for name in containers(engine, owner) if "proof" not in name]


def test_a_gpu_is_not_had_where_there_is_none(run: Runner) -> None:
    with pytest.raises(ExecutorFault, match="needs 1 GPU, and 0 of this agent's 0 are free"):
        run("true", limits=SMALL.model_copy(update={"gpus": 1}))
