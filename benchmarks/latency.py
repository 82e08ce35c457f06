"""Warm time from submit to score visible, beside the same container run bare: ratios in one run.

    .venv/bin/python benchmarks/latency.py [--rounds 15]

Starts a Podium of its own in a temporary folder, makes a competition with a trivial one-container scorer, and then
in turns, so that both see the same machine:

- *floor*: the scoring container alone through the Docker SDK, with the very flags that the agent uses (create, start,
  wait, remove), reading the same files and writing the same scores;
- *podium*: `Client.submit` of a result submission, until the client has an answer that shows it as finished.

Prints medians, the ratio, and what each step took: between the client's submit and the container's start, and
between the container's end and the score.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import docker
from docker import APIClient

from podium.agents.executors.container_config import Confinement, container_config
from podium.platform.client import Client
from podium.platform.jobs import Limits
from podium.platform.records import SubmissionRecord
from podium.tasks.programs import Image, Mount, Program

_REST_SECONDS = 1.0  # what Podium does after a submission, such as to make the next container, is over by then
IMAGE = "podium/python:3.11"
SCORER = """\
import json, pathlib
truth = pathlib.Path("/app/input/ref/truth.txt").read_text().split()
guess = pathlib.Path("/app/input/res/guess.txt").read_text().split()
right = sum(a == b for a, b in zip(truth, guess, strict=True))
pathlib.Path("/app/output/scores.json").write_text(json.dumps({"accuracy": right / len(truth)}))
"""
COMPETITION = f"""\
version: 2
title: Latency
image: logo.png
terms: terms.md
docker_image: {IMAGE}
registration_auto_approve: true
pages: [{{title: Overview, file: terms.md}}]
tasks: [{{index: 0, name: One container, scoring_program: scoring_program, reference_data: reference_data}}]
phases:
  - {{index: 0, name: Only, start: 2020-01-01, max_submissions_per_day: 0, max_submissions: 0, tasks: [0]}}
leaderboards:
  - title: Results
    key: main
    submission_rule: Force_Last
    columns: [{{title: Accuracy, key: accuracy, index: 0, sorting: desc}}]
"""


@dataclass(frozen=True)
class Round:
    """One round: seconds of the floor and of Podium, and Podium's steps."""

    floor: float
    podium: float
    steps: dict[str, float]


def main() -> int:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="podium-latency-"))
    folder.chmod(0o755)
    try:
        with_files = _write_files(folder)
        state = folder / "state"
        podium = Path(sys.executable).with_name("podium")
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        subprocess.run([podium, "up", "--state", state, "--detach"], check=True, env=environment)
        try:
            rounds = _measure(state, with_files, arguments.rounds)
        finally:
            subprocess.run([podium, "down", "--state", state], check=True, env=environment)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _report(rounds, arguments.json)
    return 0


def _write_files(folder: Path) -> Path:
    bundle = folder / "bundle"
    for name, text in {
        "competition.yaml": COMPETITION,
        "terms.md": "Be fair.\n",
        "scoring_program/score.py": SCORER,
        "scoring_program/metadata.yaml": "command: python3 score.py\n",
        "reference_data/truth.txt": "1 0 1 1\n",
        "../submission/guess.txt": "1 0 1 0\n",
    }.items():
        path = bundle / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (bundle / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


def _measure(state: Path, files: Path, rounds: int) -> list[Round]:
    addresses = json.loads((state / "up.json").read_text())["ports"]
    gateway = f"http://127.0.0.1:{addresses['gateway']}"
    engine = docker.APIClient()
    image = Image(asked=IMAGE, name=IMAGE, digest=str(docker.from_env().images.get(IMAGE).id))
    with Client(gateway, (state / "admin-token").read_text().strip()) as client:
        slug = client.create_competition(files / "bundle").competition
        assert slug
        client.join(slug, client.competition(slug).terms_sha256)
        for _ in range(3):  # warm: caches, imports, connections
            _submit(client, slug, files / "submission")
            _floor(engine, image, files)
        measured = [
            Round(_floor(engine, image, files), *_submit(client, slug, files / "submission")) for _ in range(rounds)
        ]
    engine.close()
    return measured


def _floor(engine: APIClient, image: Image, files: Path) -> float:
    """The bare container: the agent's flags, the SDK's calls, and nothing else."""
    time.sleep(_REST_SECONDS)
    output = files / f"output-{uuid4().hex[:12]}"
    output.mkdir()
    output.chmod(0o777)
    program = Program(
        name=f"podium-floor-{uuid4().hex[:12]}",
        image=image,
        command=("python3", "score.py"),
        mounts=(
            Mount(files / "bundle/scoring_program", "/app/program", read_only=True),
            Mount(files / "bundle/reference_data", "/app/input/ref", read_only=True),
            Mount(files / "submission", "/app/input/res", read_only=True),
            Mount(output, "/app/output", read_only=False),
        ),
        limits=Limits(),
    )
    flags = Confinement(network_disabled=True, host_cpus=os.cpu_count() or 1)
    config = container_config(engine, program, flags, owner="benchmark", cgroup_parent=None)
    began = time.perf_counter()
    container = engine.create_container(**config)
    engine.start(container)
    status = engine.wait(container)["StatusCode"]
    engine.remove_container(container)
    seconds = time.perf_counter() - began
    assert status == 0
    assert json.loads((output / "scores.json").read_text()) == {"accuracy": 0.75}
    return seconds


def _submit(client: Client, slug: str, folder: Path) -> tuple[float, dict[str, float]]:
    clock, began = datetime.now(UTC), time.perf_counter()
    submission = client.submit(slug, folder)
    record = client.wait(submission.id)
    seconds = time.perf_counter() - began
    assert record.status == "finished", record
    assert [score.value for score in record.scores] == [0.75]
    return seconds, _steps(record, clock, seconds)


def _steps(record: SubmissionRecord, began: datetime, seconds: float) -> dict[str, float]:
    """Seconds by step: the gateway's clock for the states, the agent's for what it did."""
    evaluation, attempt = record.evaluations[0], record.attempts[0]
    assert record.queued
    assert record.started
    assert record.ended
    timings = {**attempt.timings, **evaluation.timings}
    container = sum(timings.get(name, 0) for name in ("create", "start", "run"))
    held = (record.ended - record.started).total_seconds()
    before = sum(timings.get(name, 0) for name in ("stage", "download"))
    return {
        "submit and upload, until queued": (record.queued - began).total_seconds(),
        "queued until an agent has claimed it": (record.started - record.queued).total_seconds(),
        "staging (submission, programs, data)": before,
        "container: create": timings.get("create", 0),
        "container: start": timings.get("start", 0),
        "container: run": timings.get("run", 0),
        "outputs zipped and uploaded": timings.get("upload", 0),
        "rest: claim's answer, tasks, last log lines, result": held - before - container - timings.get("upload", 0),
        "until the watching client has the score": seconds - (record.ended - began).total_seconds(),
    }


def _report(rounds: list[Round], file: Path | None) -> None:
    floor = statistics.median(each.floor for each in rounds)
    podium = statistics.median(each.podium for each in rounds)
    names = list(rounds[0].steps)
    steps = {name: statistics.median(each.steps[name] for each in rounds) for name in names}
    container = sum(steps[name] for name in names if name.startswith("container"))
    print(f"\n{len(rounds)} rounds, medians in seconds\n")
    for name in names:
        print(f"  {name:<55} {steps[name]:6.3f}")
    print(f"\n  {'floor: the bare container':<55} {floor:6.3f}")
    print(f"  {'podium: submit to score visible':<55} {podium:6.3f}")
    print(f"  {'of which outside the container':<55} {podium - container:6.3f}")
    print(f"\n  ratio podium / floor: {podium / floor:.2f}")
    if file:
        ratios = sorted(each.podium / each.floor for each in rounds)
        summary = {"floor": floor, "podium": podium, "ratio": podium / floor, "steps": steps, "ratios": ratios}
        file.write_text(json.dumps(summary, indent=2))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main())
