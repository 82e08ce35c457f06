"""The nine rules for sandboxes, each held against a real engine. The cases try to break them one by one.

1. Nothing on the host follows a path that a program could have made.
2. What leaves is regular files, of allowed names, number and size.
3. No container has privileges, the engine's socket or a configuration that somebody else wrote; scoring is another one.
4. There is no network.
5. A container holds no secret, and the agent's token for an attempt is good for that attempt alone.
6. No capabilities, no new privileges, no root; a read-only root, and limits on all there is.
7. Time is kept from outside, and the program is dead when it is over.
8. The host's trouble is no verdict: it is tried again, and never a score.
9. A pool may have its containers in another runtime, by name.
"""

from __future__ import annotations

import itertools
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker
import pytest
from case import GUESSED, PREDICT, SCORER, SMALL, Case
from proving_ground import Ended, ProvingGround, command_lines, containers_with
from test_submissions import CASES
from world import eventually

from podium.platform.errors import NotAllowed, PodiumError
from podium.platform.jobs import Claim
from podium.platform.lifecycle import EvaluationStatus, SubmissionStatus, Verdict
from podium.tasks.gateway import GatewayClient
from podium.tasks.output_copies import copy_tree
from podium.tasks.output_rules import OutputLimits, OutputRefused
from podium.tasks.programs import Mount, Program

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("rules")]
SLOW = "import time\nprint('ready', flush=True)\ntime.sleep(2)\n"
WATCHED = Case(
    "watched",
    "runs slowly enough to be looked at",
    program=SLOW + PREDICT,
    scorer=SLOW + SCORER,
    limits={"open_files": 127},  # as no other case: no container is made ahead for it yet
)


@pytest.fixture(scope="module")
def ground(grounds: Callable[[str], ProvingGround]) -> ProvingGround:
    return grounds("docker")


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.APIClient]:
    client = docker.APIClient()
    yield client
    client.close()


class Watched:
    """A submission, and what the engine said about its containers while they ran, and of one made ahead, by step."""

    def __init__(self, ground: ProvingGround, engine: docker.APIClient) -> None:
        self.containers: dict[str, dict[str, Any]] = {}
        self._ground, self._engine = ground, engine
        for steps in ({"prediction", "scoring"}, {"prediction", "scoring", "prepared"}):
            submission = ground.submit(WATCHED)
            with ThreadPoolExecutor(1) as threads:
                future = threads.submit(ground.attempt, submission, WATCHED)
                eventually(lambda steps=steps: steps <= self._look())  # type: ignore[misc]
                self.ended = future.result()

    def _look(self) -> set[str]:
        for one in self._engine.containers(filters={"label": f"podium.owner={self._ground.owner}"}):
            step = one["Labels"].get("podium.step")
            if step not in self.containers:
                found = self._engine.inspect_container(one["Id"])
                if found["Config"]["Cmd"] and f"nofile={WATCHED.limits['open_files']}" in _ulimits(found):
                    self.containers[step] = found
        return set(self.containers)

    @property
    def host_configs(self) -> list[dict[str, Any]]:
        return [one["HostConfig"] for one in self.containers.values()]


def _ulimits(container: dict[str, Any]) -> set[str]:
    return {f"{one['Name']}={one['Hard']}" for one in container["HostConfig"]["Ulimits"]}


@pytest.fixture(scope="module")
def watched(ground: ProvingGround, engine: docker.APIClient) -> Watched:
    return Watched(ground, engine)


FLIPS = """
import os
os.chdir('/app/output')
print('ready', flush=True)
while True:
    for make in (lambda: os.symlink('SECRET', 'new'), lambda: open('new', 'w').write('mine')):
        make()
        os.replace('new', 'predictions.txt')
"""


def test_rule_1_a_path_that_changes_while_it_is_read_is_not_followed(ground: ProvingGround, tmp_path: Path) -> None:
    output = ground.folder / "flipping"
    ground.executor.writable_folder(output)
    ready, stop = threading.Event(), threading.Event()
    program = Program(
        name=f"podium-flips-{time.monotonic_ns()}",
        image=ground.executor.find_image(ground.image),
        command=("python3", "-c", FLIPS.replace("SECRET", str(ground.canaries / "readable"))),
        mounts=(Mount(output, "/app/output", read_only=False),),
        limits=SMALL,
        working_folder="/tmp",
        trusted=False,
    )
    seen: set[str] = set()
    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(
            ground.executor.run,
            program,
            deadline=time.monotonic() + 60,
            stop=stop,
            on_output=lambda *_: ready.set(),
        )
        assert ready.wait(30)
        # Both are to be met: a busy machine may stand at one of them for hundreds of rounds.
        rounds, deadline = itertools.count(), time.monotonic() + 60
        while (number := next(rounds)) < 500 or (
            time.monotonic() < deadline and not ("it is a symbolic link" in seen and seen & {"mine", ""})
        ):
            copy = tmp_path / str(number)
            try:
                copy_tree(output, copy, OutputLimits())
            except OutputRefused as refused:
                seen.add(str(refused).split(": ")[1].split(".")[0])
            else:
                seen |= {path.read_text() for path in copy.iterdir()}
        stop.set()
        future.result()
    shutil.rmtree(output)
    assert "it is a symbolic link" in seen
    assert seen & {"mine", ""}
    assert ground.host_secret not in seen


KINDS = {
    "symlink-to-a-secret": "predictions.txt",
    "hard-link": "second",
    "named-pipe": "predictions.txt",
    "socket": "socket",
    "newline-in-a-name": "a\nb: 1",
    "too-many-files": "499",
}


@pytest.mark.parametrize("name", KINDS)
def test_rule_2_nothing_but_regular_files_leaves(name: str, ground: ProvingGround) -> None:
    ended = ground.run(next(case for case in CASES if case.name == name))
    assert ended.evaluation.verdict in {Verdict.BAD_SUBMISSION, Verdict.OUTPUT_LIMIT}
    left = ended.outputs.get("prediction_output")
    assert left is None or KINDS[name] not in left.namelist()


def test_rule_3_no_privileges_and_a_container_for_each_program(watched: Watched) -> None:
    prediction, scoring = watched.containers["prediction"], watched.containers["scoring"]
    assert prediction["Id"] != scoring["Id"]
    for config in watched.host_configs:
        assert not config["Privileged"]
        assert not config["CapAdd"]
        assert not config["Devices"]
        assert not config["Binds"]
        assert (config["PidMode"], config["UTSMode"], config["UsernsMode"], config["IpcMode"]) == (
            "",
            "",
            "",
            "private",
        )
    for container in watched.containers.values():
        assert container["Config"]["Entrypoint"] in (None, [])
        assert not any("docker.sock" in mount["Source"] for mount in container["Mounts"])
        writable = {mount["Destination"] for mount in container["Mounts"] if mount["RW"]}
        assert writable == {"/app/output"}
    assert "/app/input/ref" not in {mount["Destination"] for mount in prediction["Mounts"]}


def test_rule_4_there_is_no_network(watched: Watched) -> None:
    for container in watched.containers.values():
        assert container["Config"].get("NetworkDisabled") or container["HostConfig"]["NetworkMode"] == "none"
        assert not container["NetworkSettings"]["IPAddress"]
        assert not any(network["IPAddress"] for network in container["NetworkSettings"]["Networks"].values())
        assert not container["HostConfig"]["PortBindings"]


def test_rule_5_a_container_holds_no_secret(watched: Watched, ground: ProvingGround) -> None:
    job = watched.ended.job
    said = repr(watched.containers)
    for one in (job.attempt_token, ground.agent_token, ground.gateway.address, "Signature", "PODIUM_", "canary-env"):
        assert one not in said
    claim = Claim(submission_id=job.submission_id, flow_run_id=job.attempt_id)
    with GatewayClient(ground.gateway.address, job.attempt_token) as attempt, pytest.raises(NotAllowed):
        attempt.claim(claim, agent="somebody")


def test_rule_6_every_right_is_dropped_and_everything_is_limited(watched: Watched) -> None:
    for container in watched.containers.values():
        config = container["HostConfig"]
        assert config["CapDrop"] == ["ALL"]
        assert config["SecurityOpt"] == ["no-new-privileges=true"]  # and so the engine's own filter of system calls
        assert config["ReadonlyRootfs"]
        assert container["Config"]["User"].split(":")[0] not in ("", "0", "root")
        assert config["Memory"] == config["MemorySwap"] == SMALL.memory_bytes
        assert config["PidsLimit"] == SMALL.processes
        assert config["NanoCpus"] == SMALL.cpus * 10**9
        limits = WATCHED.whole_limits
        assert _ulimits(container) == {f"nofile={limits.open_files}", f"fsize={limits.file_bytes}", "core=0"}
        assert f"size={SMALL.temporary_bytes}" in config["Tmpfs"]["/tmp"]
        assert config["ShmSize"] <= SMALL.memory_bytes
        assert config["LogConfig"]["Type"] == "none"
        assert config["OomScoreAdj"] > 0


def test_rule_7_time_is_kept_from_outside(ground: ProvingGround) -> None:
    case = next(case for case in CASES if case.name == "ignores-every-signal")
    ended = ground.run(case)
    # No waiting here: the program is dead when the attempt has its result.
    assert not [line for line in command_lines().values() if ground.marker in line and "read -r _" not in line]
    (submission,) = (one for one in ended.evaluation.programs if one["program"] == "submission")
    assert submission["limit"] == "wall_seconds"
    assert 1 < submission["wall_seconds"] < 20


FAILS_ONCE = Case("killed", "is killed by the host", program=SLOW + PREDICT, limits={"open_files": 126})


def test_rule_8_trouble_of_the_host_is_no_verdict_and_is_tried_again(
    ground: ProvingGround, engine: docker.APIClient
) -> None:
    submission = ground.submit(FAILS_ONCE)
    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(ground.attempt, submission, FAILS_ONCE)
        eventually(lambda: "ready" in "".join(ground.logs_of(submission).values()))
        (running,) = [
            one["Id"]
            for one in engine.containers(filters={"label": f"podium.owner={ground.owner}"})
            if one["Labels"].get("podium.step") == "prediction"
        ]
        engine.kill(running)
        ended = future.result()
    assert ended.submission.status is SubmissionStatus.QUEUED
    assert ended.evaluation.status is EvaluationStatus.WAITING
    assert ended.evaluation.verdict is None
    assert not ended.evaluation.scores
    again = ground.attempt(submission, FAILS_ONCE)
    assert again.job.attempt_number == 2
    assert again.submission.status is SubmissionStatus.FINISHED
    assert {score.key: score.value for score in again.evaluation.scores} == GUESSED


def test_rule_9_a_runtime_is_taken_by_name(ground: ProvingGround, engine: docker.APIClient) -> None:
    submission = ground.submit(WATCHED)
    with pytest.raises(PodiumError, match="no-such-runtime"):
        ground.attempt(submission, WATCHED, runtime="no-such-runtime")
    runtimes: set[str] = set()

    def look() -> bool:
        for one in engine.containers(filters={"label": f"podium.owner={ground.owner}"}):
            if one["Labels"].get("podium.step") == "prediction":
                runtimes.add(engine.inspect_container(one["Id"])["HostConfig"]["Runtime"])
        return bool(runtimes)

    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(ground.attempt, submission, WATCHED, runtime="runc")
        eventually(lambda: future.done() or look())
        ended: Ended = future.result()
    assert runtimes == {"runc"}
    assert ended.submission.status is SubmissionStatus.FINISHED
    # It is removed in the background.
    eventually(lambda: containers_with(f"podium.attempt={ended.job.attempt_id}") == [])
