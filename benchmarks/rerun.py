"""A phase scored again, and a burst of submissions, beside a loop of the same containers run bare: ratios in one run.

    .venv/bin/python benchmarks/rerun.py [--rounds 3] [--long] [--json FILE]

Starts a Podium of its own in a temporary folder, with a competition whose submissions are scored by one trivial
container. Then, in turns, so that all see the same machine:

- *floor*: the scoring container alone through the Docker SDK with the very flags of the agent (create, start, wait,
  remove), reading the same files and writing the same scores, 1, 2, 3 and 4 at a time back to back; the best counts.
  There are two: with the network off by the container's own switch, as the agent has it (*off*: like for like), and in
  network mode `none`, Docker's ordinary way to run a hardened container (*none*);
- *burst*: 200 submissions by eight participants as quickly as they can be sent, until all are scored. The floor of
  each is when it would have been scored had the best floor taken them one after the other from the moment that they
  were queued;
- *rerun*: the whole phase scored again, new results adopted. Its throughput is counted from the first claim to the
  last score; the whole, from the call that starts it until its results are adopted, is told too.

What each part of Podium has of the host's CPU time per submission is told beside it. With --long the phase has 2,000
submissions.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path

from bare_container import BareContainers
from cpu_time import host_seconds, seconds_by_part
from own_podium import Files, OwnPodium, create_competition, own_podium, write_files
from sqlalchemy import create_engine, text

from podium.platform.client import Client

WAYS = ("off", "none")
"""Of having no network: by the container's own switch, and by network mode `none`."""
PARALLEL = (1, 2, 3, 4)
PARTICIPANTS = 8
FLOOR_CONTAINERS = 24
LOOK_SECONDS = 1.0
REST_SECONDS = 3.0


@dataclass(frozen=True)
class Floor:
    """Containers per second, by the way of having no network and how many at a time."""

    rates: dict[str, dict[int, float]]
    load: float


@dataclass
class Work:
    """Something that was measured: when each submission was queued, started and ended, on the database's clock."""

    name: str
    moments: list[tuple[float, float, float]]
    whole_seconds: float
    cpu: dict[str, float]
    floors: list[Floor] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.moments)

    @property
    def rate(self) -> float:
        first = min(started for _, started, _ in self.moments)
        return self.count / (max(ended for _, _, ended in self.moments) - first)

    def floor(self, way: str) -> float:
        """The floor's rate about that time: of the samples before and after, at the parallelism that was best."""
        return max(statistics.mean(floor.rates[way][parallel] for floor in self.floors) for parallel in PARALLEL)

    def ratio(self, way: str) -> float:
        return self.rate / self.floor(way)

    @property
    def queue_seconds(self) -> list[float]:
        """From queued to scored."""
        return [ended - queued for queued, _, ended in self.moments]

    @property
    def floor_queue_seconds(self) -> list[float]:
        """The same, had the floor scored them in their order."""
        seconds, free = [], 0.0
        for queued in sorted(queued for queued, _, _ in self.moments):
            free = max(free, queued) + 1 / self.floor("off")
            seconds.append(free - queued)
        return seconds


def main() -> int:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="reruns of the phase")
    parser.add_argument("--submissions", type=int, default=200)
    parser.add_argument("--long", action="store_true", help="2,000 submissions, scored again once")
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    arguments = parser.parse_args()
    submissions, rounds = (2000, 1) if arguments.long else (arguments.submissions, arguments.rounds)
    folder = Path(tempfile.mkdtemp(prefix="podium-rerun-"))
    try:
        files = write_files(folder)
        with own_podium(folder / "state") as podium:
            burst, reruns = _measure(podium, files, submissions, rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _report(burst, reruns)
    if arguments.json:
        arguments.json.write_text(json.dumps(_summary(burst, reruns), indent=2))
    return 0


# --- what is measured


def _measure(podium: OwnPodium, files: Files, submissions: int, rounds: int) -> tuple[Work, list[Work]]:
    bare = {way: BareContainers(files, network_disabled=way == "off") for way in WAYS}
    for one in bare.values():
        one.many(4, parallel=2)
    with Client(podium.gateway, podium.administrator) as client:
        slug = create_competition(client, files)
        participants = _participants(client, podium, slug)
        _burst(podium, client, slug, participants, files, submissions=PARTICIPANTS)  # warm: caches, imports
        floors = [_floor(bare)]
        burst = _burst(podium, client, slug, participants, files, submissions=submissions)
        floors.append(_floor(bare))
        burst.floors = floors[-2:]
        reruns = []
        for number in range(rounds):
            reruns.append(_rerun(podium, client, slug, number))
            floors.append(_floor(bare))
            reruns[-1].floors = floors[-2:]
    return burst, reruns


def _floor(bare: dict[str, BareContainers]) -> Floor:
    time.sleep(REST_SECONDS)  # what Podium does after work, such as to make the next container, is over by then
    rates: dict[str, dict[int, float]] = {way: {} for way in WAYS}
    for parallel in PARALLEL:
        for way in WAYS:
            rates[way][parallel] = FLOOR_CONTAINERS / bare[way].many(FLOOR_CONTAINERS, parallel=parallel)
    floor = Floor(rates, os.getloadavg()[0])
    for way in WAYS:
        _say(f"floor, network {way}: {_rates(floor, way)} containers/s, load {floor.load:.1f}")
    return floor


def _participants(client: Client, podium: OwnPodium, slug: str) -> list[Client]:
    participants = []
    for number in range(PARTICIPANTS):
        name = f"participant-{number}"
        client.add_person(name, f"{name}@example.org")
        participant = Client(podium.gateway, client.issue_token(name, "benchmark").secret)
        participant.join(slug, client.competition(slug).terms_sha256)
        participants.append(participant)
    return participants


def _burst(
    podium: OwnPodium, client: Client, slug: str, participants: Sequence[Client], files: Files, *, submissions: int
) -> Work:
    before = len(list(client.each_submission(slug, everyone=True)))
    began = time.perf_counter()
    with _cpu_seconds(podium) as cpu:
        with ThreadPoolExecutor(len(participants)) as threads:
            turns = zip(range(submissions), _forever(participants), strict=False)
            list(threads.map(lambda turn: turn[1].submit(slug, files.submission), turns))
        _say(f"{submissions} were sent in {time.perf_counter() - began:.1f} s")
        while _waiting(podium):
            time.sleep(LOOK_SECONDS)
    whole = time.perf_counter() - began
    moments = _moments(podium, "SELECT * FROM submissions WHERE rerun_id IS NULL AND number > :number", number=before)
    assert len(moments) == submissions
    work = Work("burst", moments, whole, cpu)
    _say(f"burst: {work.rate:.2f} submissions/s")
    return work


def _rerun(podium: OwnPodium, client: Client, slug: str, number: int) -> Work:
    time.sleep(REST_SECONDS)
    began = time.perf_counter()
    with _cpu_seconds(podium) as cpu:
        rerun = client.start_rerun(slug, reason="benchmark", phase=1)
        while _rows(podium, "SELECT 1 FROM reruns WHERE id = :rerun AND ended IS NULL", rerun=rerun.id):
            time.sleep(LOOK_SECONDS)
        whole = time.perf_counter() - began
        ended = client.rerun(slug, rerun.number)
    assert ended.status == "adopted", ended
    assert ended.finished == ended.total, ended
    moments = _moments(podium, "SELECT * FROM submissions WHERE rerun_id = :rerun", rerun=rerun.id)
    work = Work(f"rerun {number + 1}", moments, whole, cpu)
    _say(f"{work.name}: {work.rate:.2f} submissions/s")
    return work


def _forever(participants: Sequence[Client]) -> Iterator[Client]:
    for number in count():
        yield participants[number % len(participants)]


@contextmanager
def _cpu_seconds(podium: OwnPodium) -> Iterator[dict[str, float]]:
    """CPU seconds of each part while the block ran."""
    spent: dict[str, float] = {}
    processes = podium.processes()
    before, host = seconds_by_part(processes), host_seconds()
    yield spent
    spent |= {name: seconds - before[name] for name, seconds in seconds_by_part(processes).items()}
    spent["containers, kernel, others on this host"] = host_seconds() - host - sum(spent.values())


def _waiting(podium: OwnPodium) -> int:
    """Asked of the database: to ask the gateway would be work for what is measured."""
    return len(_rows(podium, "SELECT 1 FROM submissions WHERE ended IS NULL LIMIT 1"))


def _moments(podium: OwnPodium, query: str, **values: object) -> list[tuple[float, float, float]]:
    rows = _rows(podium, f"SELECT queued, started, ended, status FROM ({query}) AS found", **values)
    assert {str(row[3]) for row in rows} == {"finished"}, rows
    return [tuple(_seconds(moment) for moment in row[:3]) for row in rows]  # type: ignore[misc]  # three of them


def _seconds(moment: object) -> float:
    assert isinstance(moment, datetime)
    return moment.timestamp()


def _rows(podium: OwnPodium, query: str, **values: object) -> list[Sequence[object]]:
    engine = create_engine(podium.database_url)
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]
    finally:
        engine.dispose()


# --- what is printed


def _say(words: str) -> None:
    print(f"  {words}", flush=True)


def _rates(floor: Floor, way: str) -> str:
    return ", ".join(f"{rate:.2f} ({parallel})" for parallel, rate in floor.rates[way].items())


def _percentile(values: Sequence[float], percent: float) -> float:
    return sorted(values)[min(len(values) - 1, round(percent / 100 * (len(values) - 1)))]


def _report(burst: Work, reruns: Sequence[Work]) -> None:
    heads = "".join(f"{'floor ' + way:>12}{'ratio':>7}" for way in WAYS)
    print(f"\n  {'':<12}{'count':>7}{'rate/s':>9}{heads}{'whole s':>9}   load")
    for work in (burst, *reruns):
        load = statistics.mean(floor.load for floor in work.floors)
        floors = "".join(f"{work.floor(way):>12.2f}{work.ratio(way):>7.2f}" for way in WAYS)
        print(f"  {work.name:<12}{work.count:>7}{work.rate:>9.2f}{floors}{work.whole_seconds:>9.1f}{load:>7.1f}")
    print()
    for way in WAYS:
        ratio = statistics.median(work.ratio(way) for work in reruns)
        print(f"  rerun / floor, network {way}: {ratio:.2f} (median of {len(reruns)})")
    print("\n  burst, queued to scored, seconds")
    for percent in (50, 95):
        own, floor = _percentile(burst.queue_seconds, percent), _percentile(burst.floor_queue_seconds, percent)
        print(f"    p{percent}: {own:.1f}, floor {floor:.1f}, ratio {own / floor:.2f}")
    print("\n  CPU seconds per submission")
    for name in reruns[0].cpu:
        spent = statistics.median(work.cpu[name] / work.count for work in reruns)
        print(f"    {name:<42}{spent:>7.4f} in a rerun{burst.cpu[name] / burst.count:>9.4f} in the burst")


def _summary(burst: Work, reruns: Sequence[Work]) -> dict[str, object]:
    def numbers(work: Work) -> dict[str, object]:
        return {
            "count": work.count,
            "rate": work.rate,
            "floor": {way: work.floor(way) for way in WAYS},
            "ratio": {way: work.ratio(way) for way in WAYS},
            "whole_seconds": work.whole_seconds,
            "cpu_per_submission": {name: seconds / work.count for name, seconds in work.cpu.items()},
            "floors": [asdict(floor) for floor in work.floors],
        }

    waits = {
        f"p{percent}": {
            "seconds": _percentile(burst.queue_seconds, percent),
            "floor": _percentile(burst.floor_queue_seconds, percent),
        }
        for percent in (50, 95)
    }
    return {
        "burst": {**numbers(burst), "queued_to_scored": waits},
        "reruns": [numbers(work) for work in reruns],
        "ratio": {way: statistics.median(work.ratio(way) for work in reruns) for way in WAYS},
    }


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main())
