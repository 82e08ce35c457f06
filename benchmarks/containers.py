"""What a container costs, and what the agent adds to it: by step, with and without containers made ahead.

    .venv/bin/python benchmarks/containers.py [--rounds 15] [--burst 24] [--json FILE]

In turns, so that all see the same machine:

- *floor*: a bare container with the very flags that the agent uses, through the Docker SDK: create, start, wait,
  remove; once in network mode `none` and once with the network switched off;
- *run*: `DockerExecutor.run` with the same program;
- *evaluation*: everything that an agent does for a submission: claim, download, unpack, container, scores, outputs
  zipped and uploaded, log, result. Its gateway and its store are one process here that answers from memory, so this is
  the agent alone; what the platform adds is in `benchmarks/latency.py`. A *result* submission is scored by one
  container, a *code* submission is run by one and scored by another.

`run` and `evaluation` are measured with containers made ahead and without (PODIUM_AGENT_PREPARED_CONTAINERS=0). One
that is made ahead has been waited for: this is what a submission costs that comes to an agent at rest. The burst shows
what is left of it where submissions come faster than they can be scored.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import multiprocessing
import os
import shutil
import statistics
import tempfile
import threading
import time
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Literal
from uuid import UUID, uuid4

import docker
from docker import APIClient
from own_podium import IMAGE, SCORER, SCORES

from podium.agents.executors.container_config import Confinement, container_config
from podium.agents.executors.docker_engine import DockerExecutor, DockerSettings
from podium.platform.jobs import (
    Claim,
    EvaluationJob,
    HeartbeatAnswer,
    Limits,
    OutputKind,
    ScoringJob,
    SignedRequest,
    Source,
)
from podium.tasks.attempt import AttemptInHand
from podium.tasks.gateway import GatewayClient, Transfers
from podium.tasks.programs import Image, Mount, Program
from podium.tasks.scoring import StagedSubmission, evaluate, post_result, stage
from podium.tasks.workplace import Workplace

LIMITS = Limits()
PREDICTOR = 'open("/app/output/guess.txt", "w").write("1 0 1 0")\n'
ZIPS = {
    "scoring_program": {"score.py": SCORER, "metadata.yaml": "command: python3 score.py\n"},
    "reference_data": {"truth.txt": "1 0 1 1\n"},
    "result": {"guess.txt": "1 0 1 0\n"},
    "code": {"predict.py": PREDICTOR, "metadata.yaml": "command: python3 predict.py\n"},
}
CONTAINER_STEPS = ("create", "start", "run")
FLOORS = ("none", "off")


def main() -> int:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--burst", type=int, default=24, help="evaluations at once; 0 to leave this out")
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="podium-containers-"))
    folder.chmod(0o711)
    try:
        with _stand(folder) as stand:
            samples = _measure(stand, arguments.rounds)
            bursts = _bursts(stand, arguments.burst) if arguments.burst else {}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _report(samples, bursts, arguments.rounds, arguments.json)
    return 0


# --- the gateway and the store: one process that answers from memory


def _archive(files: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


ARCHIVES = {name: _archive(files) for name, files in ZIPS.items()}


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        self._answer(ARCHIVES[self.path.strip("/")])

    def do_PUT(self) -> None:
        self._take()
        self._answer(b"")

    def do_POST(self) -> None:
        taken = self._take()
        answer = b"{}"
        if self.path.startswith("/api/v1/agent/claims"):
            kind = "code" if Claim.model_validate_json(taken).submission_id.int % 2 else "result"
            answer = self._job(kind).model_dump_json().encode()
        elif self.path.endswith("/heartbeat"):
            answer = HeartbeatAnswer(lease_expires=datetime.now(UTC) + timedelta(minutes=1)).model_dump_json().encode()
        elif self.path.endswith("/result"):
            evaluation = json.loads(taken)["evaluations"][0]
            assert evaluation["scores"] == SCORES, evaluation
        self._answer(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _take(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _signed(self, method: Literal["GET", "PUT"], name: str) -> SignedRequest:
        url = f"http://{self.headers['Host']}/{name}"
        return SignedRequest(method=method, url=url, expires=datetime.now(UTC) + timedelta(hours=1))

    def _source(self, name: str) -> Source:
        content = ARCHIVES[name]
        return Source(request=self._signed("GET", name), sha256=hashlib.sha256(content).hexdigest(), size=len(content))

    def _job(self, kind: str) -> ScoringJob:
        evaluation = EvaluationJob(
            evaluation_id=uuid4(),
            task="One",
            scoring_program=self._source("scoring_program"),
            reference_data=self._source("reference_data"),
            outputs={output: self._signed("PUT", str(output)) for output in OutputKind},
        )
        return ScoringJob(
            attempt_id=uuid4(),
            attempt_number=1,
            attempt_token="-",
            submission_id=uuid4(),
            competition="benchmark",
            phase="Only",
            submission=self._source(kind),
            image=IMAGE,
            limits=LIMITS,
            score_keys=("accuracy",),
            evaluations=(evaluation,),
        )


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # the usual five are too few for a burst


def _serve(port: multiprocessing.Queue[int]) -> None:
    server = _Server(("127.0.0.1", 0), _Answers)
    port.put(server.server_address[1])
    server.serve_forever()


# --- what is measured


@dataclass
class Stand:
    """All that is measured, and on what.

    Attributes:
        plain: An agent's place that makes no container ahead.
        ahead: One that does.
    """

    engine: APIClient
    image: Image
    folder: Path
    plain: Workplace
    ahead: Workplace

    def executor(self, which: str) -> DockerExecutor:
        found = getattr(self, which).executor
        assert isinstance(found, DockerExecutor)
        return found


@contextmanager
def _stand(folder: Path) -> Iterator[Stand]:
    port: multiprocessing.Queue[int] = multiprocessing.Queue()
    server = multiprocessing.Process(target=_serve, args=(port,), daemon=True)
    server.start()
    address = f"http://127.0.0.1:{port.get(timeout=30)}"
    for name in ("scoring_program", "reference_data", "result"):
        (folder / name).mkdir()
        for file, text in ZIPS[name].items():
            (folder / name / file).write_text(text)
    executors = [
        DockerExecutor(
            DockerSettings(
                owner=f"benchmark-{which}-{os.getpid()}",
                pull="never",
                prepared=prepared,
                prepared_folder=folder / which,
            )
        )
        for which, prepared in (("plain", 0), ("ahead", 4))
    ]
    try:
        for executor in executors:
            print(executor.check())
        places = [
            Workplace("benchmark", GatewayClient(address, "-"), Transfers(), executor, folder / f"agent-{number}")
            for number, executor in enumerate(executors)
        ]
        for place in places:
            (place.attempts).mkdir(parents=True)
        yield Stand(docker.APIClient(), executors[0].find_image(IMAGE), folder, *places)
    finally:
        for executor in executors:
            executor.close()
        server.terminate()


def _measure(stand: Stand, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Steps of each thing by its name, round by round; the first two rounds warm up and are dropped."""
    things: dict[str, Callable[[], dict[str, float]]] = {
        "floor, mode none": lambda: _floor(stand, network_disabled=False),
        "floor, network off": lambda: _floor(stand, network_disabled=True),
        "run": lambda: _run(stand, "plain"),
        "run, made ahead": lambda: _run(stand, "ahead"),
        "result evaluation": lambda: _evaluation(stand, "plain", "result"),
        "result evaluation, made ahead": lambda: _evaluation(stand, "ahead", "result"),
        "code evaluation": lambda: _evaluation(stand, "plain", "code"),
        "code evaluation, made ahead": lambda: _evaluation(stand, "ahead", "code"),
    }
    samples: dict[str, list[dict[str, float]]] = defaultdict(list)
    for number in range(rounds + 2):
        for name, measured in things.items():
            _settle(stand)
            steps = measured()
            if number >= 2:
                samples[name].append(steps)
    return samples


def _settle(stand: Stand) -> None:
    """Wait until what ended is removed and what is wanted ahead is made: neither may disturb the next."""
    time.sleep(0.4)
    for _ in range(200):
        left = stand.engine.containers(all=True, filters={"label": "podium.owner"})
        mine = [one for one in left if one["Labels"]["podium.owner"].endswith(f"-{os.getpid()}")]
        if len(mine) == stand.executor("ahead").waiting:
            return
        time.sleep(0.05)


def _program(stand: Stand, output: Path) -> Program:
    return Program(
        name=f"podium-benchmark-{uuid4().hex[:12]}",
        image=stand.image,
        command=("python3", "score.py"),
        mounts=(
            Mount(stand.folder / "scoring_program", "/app/program", read_only=True),
            Mount(stand.folder / "reference_data", "/app/input/ref", read_only=True),
            Mount(stand.folder / "result", "/app/input/res", read_only=True),
            Mount(output, "/app/output", read_only=False, own=True),
        ),
        limits=LIMITS,
        preparable=True,
    )


def _floor(stand: Stand, *, network_disabled: bool) -> dict[str, float]:
    engine, output = stand.engine, stand.folder / f"output-{uuid4().hex[:12]}"
    output.mkdir()
    output.chmod(0o777)
    flags = Confinement(network_disabled=network_disabled, host_cpus=os.cpu_count() or 1)
    config = container_config(engine, _program(stand, output), flags, owner="benchmark", cgroup_parent=None)
    marks = [time.perf_counter()]
    container = engine.create_container(**config)
    marks.append(time.perf_counter())
    engine.start(container)
    marks.append(time.perf_counter())
    status = engine.wait(container)["StatusCode"]
    marks.append(time.perf_counter())
    engine.remove_container(container)
    marks.append(time.perf_counter())
    assert status == 0
    assert json.loads((output / "scores.json").read_text()) == SCORES
    steps = [after - before for before, after in pairwise(marks)]
    return dict(zip((*CONTAINER_STEPS, "remove"), steps, strict=True)) | {"total": marks[-1] - marks[0]}


def _run(stand: Stand, which: str) -> dict[str, float]:
    executor, output = stand.executor(which), stand.folder / f"output-{uuid4().hex[:12]}"
    executor.writable_folder(output)
    program = _program(stand, output)
    began = time.perf_counter()
    end = executor.run(program, deadline=time.monotonic() + 60, stop=threading.Event(), on_output=lambda *_: None)
    total = time.perf_counter() - began
    assert end.exit_status == 0, end
    assert json.loads((output / "scores.json").read_text()) == SCORES
    return {**end.timings, "total": total}


def _evaluation(stand: Stand, which: str, kind: str) -> dict[str, float]:
    place: Workplace = getattr(stand, which)
    number = uuid4().int | 1 if kind == "code" else uuid4().int & ~1
    began = time.perf_counter()
    job = place.gateway.claim(Claim(submission_id=UUID(int=number), flow_run_id=uuid4()), agent=place.agent)
    attempt = AttemptInHand(place, job)
    staged = stage.fn(attempt)
    assert isinstance(staged, StagedSubmission), staged
    result = evaluate.fn(attempt, job.evaluations[0], staged)
    post_result.fn(attempt, [result])
    total = time.perf_counter() - began
    attempt.close()
    assert result.scores == SCORES, result
    return {**attempt.timings, **result.timings, "total": total}


def _bursts(stand: Stand, count: int) -> dict[str, float]:
    """Result evaluations per second, two at a time, without a pause."""
    rates: dict[str, float] = {}
    for which in ("plain", "ahead", "plain", "ahead"):
        _settle(stand)
        began = time.perf_counter()
        with ThreadPoolExecutor(2) as slots:
            list(slots.map(lambda _, which=which: _evaluation(stand, which, "result"), range(count)))
        rate = count / (time.perf_counter() - began)
        rates[which] = max(rate, rates.get(which, 0.0))
    return rates


# --- what is printed


def _report(
    samples: dict[str, list[dict[str, float]]], bursts: dict[str, float], rounds: int, file: Path | None
) -> None:
    medians = {
        name: {step: statistics.median(each.get(step, 0.0) for each in steps) for step in steps[0]}
        for name, steps in samples.items()
    }
    own = {
        name: statistics.median(each["total"] - sum(each.get(step, 0.0) for step in CONTAINER_STEPS) for each in steps)
        for name, steps in samples.items()
        if not name.startswith("floor")
    }
    total = {name: steps["total"] for name, steps in medians.items()}
    none, off = total["floor, mode none"], total["floor, network off"]
    print(f"\n{rounds} rounds in turns, medians in seconds; load {os.getloadavg()[0]:.1f}\n")
    print(f"  {'':<32}{'total':>7}{'create':>8}{'start':>7}{'run':>7}{'own':>7}   x none  x off")
    for name, steps in medians.items():
        parts = "".join(
            f"{steps.get(step, 0):{width}.3f}" for step, width in zip(CONTAINER_STEPS, (8, 7, 7), strict=True)
        )
        mine = f"{own[name]:7.3f}" if name in own else f"{'':7}"
        containers = 2 if name.startswith("code") else 1
        print(
            f"  {name:<32}{steps['total']:7.3f}{parts}{mine}"
            f"{steps['total'] / none / containers:9.2f}{steps['total'] / off / containers:7.2f}"
        )
    print("\n  own: outside of the container's create, start and run. A code evaluation's ratios are to two floors.")
    for which, rate in bursts.items():
        print(f"  burst, two at a time, {which}: {rate:.2f} evaluations a second")
    if file:
        summary = {"medians": medians, "own": own, "bursts": bursts, "rounds": rounds}
        file.write_text(json.dumps(summary, indent=2))


if __name__ == "__main__":
    raise SystemExit(main())
