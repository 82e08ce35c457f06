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
import shutil
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bare_container import BareContainers
from own_podium import Files, create_competition, own_podium, write_files

from podium.platform.client import Client
from podium.platform.records.submissions import SubmissionRecord

_REST_SECONDS = 1.0  # what Podium does after a submission, such as to make the next container, is over by then


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
    try:
        files = write_files(folder)
        with own_podium(folder / "state") as podium, Client(podium.gateway, podium.administrator) as client:
            rounds = _measure(client, files, arguments.rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _report(rounds, arguments.json)
    return 0


def _measure(client: Client, files: Files, rounds: int) -> list[Round]:
    slug, bare = create_competition(client, files), BareContainers(files)
    for _ in range(3):  # warm: caches, imports, connections
        _submit(client, slug, files.submission)
        _floor(bare)
    return [Round(_floor(bare), *_submit(client, slug, files.submission)) for _ in range(rounds)]


def _floor(bare: BareContainers) -> float:
    time.sleep(_REST_SECONDS)
    return bare.once()


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
