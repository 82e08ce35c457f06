"""What a crowd that looks at a public leaderboard costs the gateway: requests per second, p50 and p99.

A Podium of its own without pages, whose gateway has a board of so many rows, on loopback. A bounded number of requests
is made over kept-alive connections from this process, in turns: the page whole (200, gzip, as browsers ask), the page
that is known (304), the same of the JSON, and the floor: a static file of 5 kB by the same server.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import httpx
from own_podium import create_competition, own_podium, write_files
from sqlalchemy import select

from podium.platform.client import Client
from podium.platform.database import Database
from podium.platform.leaderboard.whole_board import board_of, scored_submissions, write_board
from podium.platform.lifecycle import EvaluationStatus, SubmissionStatus
from podium.platform.models import Competition, Evaluation, Person, Score, Submission, now

FLOOR = "floor: a static file of 5 kB"
STATIC = "/api/docs-static/favicon.png"


def fill(database: Database, slug: str, rows: int) -> None:
    """Give a competition's board so many rows, of as many people."""
    with database.session() as session:
        competition = session.scalars(select(Competition).where(Competition.slug == slug)).one()
        competition.published = True
        phase, moment = competition.phases[0], now()
        task = phase.tasks[0].task_id
        for number in range(1, rows + 1):
            name = f"participant-{number}"
            person = Person(username=name, email=f"{name}@example.org")
            submission = Submission(
                competition_id=competition.id, phase_id=phase.id, person=person, number=number, filename="a.zip",
                size=1, sha256="0" * 64, status=SubmissionStatus.FINISHED, ended=moment, queued=moment,
                created=moment - timedelta(minutes=number),
            )  # fmt: skip
            scored = Evaluation(task_id=task, position=0, status=EvaluationStatus.SUCCEEDED)
            scored.scores = [Score(key="accuracy", value=1 - number / (2 * rows))]
            submission.evaluations = [scored]
            session.add(submission)
        session.flush()
        board = competition.leaderboards[0]
        write_board(session, phase, board, board_of(board, scored_submissions(session, phase, board, {})))


async def visitor(port: int, request: bytes, requests: int, seconds: list[float], statuses: set[int]) -> int:
    """One kept-alive connection that asks so often; plain sockets, so that the asking costs little. Bytes that came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = 0
    for _ in range(requests):
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        await reader.readexactly(length)
        seconds.append(time.perf_counter() - began)
        statuses.add(int(head[9:12]))
        received += len(head) + length
    writer.close()
    return received


async def crowd(port: int, path: str, headers: str, *, visitors: int, requests: int, status: int) -> tuple[float, ...]:
    """Requests per second, p50 and p99 in seconds, bytes per answer."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode()
    seconds: list[float] = []
    statuses: set[int] = set()
    began = time.perf_counter()
    each = requests // visitors
    sizes = await asyncio.gather(*(visitor(port, request, each, seconds, statuses) for _ in range(visitors)))
    whole = time.perf_counter() - began
    assert statuses == {status}, statuses
    ordered = sorted(seconds)
    p99 = ordered[int(len(ordered) * 0.99)]
    return len(ordered) / whole, statistics.median(ordered), p99, sum(sizes) / len(ordered)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=2000, help="of each kind in each round")
    parser.add_argument("--visitors", type=int, default=50, help="connections at once")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="podium-crowd-"))
    folder.chmod(0o711)
    os.environ["PODIUM_RATE_LIMITS"] = '{"boards": null, "reads": null}'  # one address is the whole crowd here
    try:
        files = write_files(folder)
        with own_podium(folder / "state", without=["dashboards"]) as podium:
            with Client(podium.gateway, podium.administrator) as client:
                slug = create_competition(client, files)
            database = Database(podium.database_url, pool_size=2)
            fill(database, slug, chosen.rows)
            database.close()
            measure(podium.gateway, slug, chosen)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(gateway: str, slug: str, chosen: argparse.Namespace) -> None:
    """Ask in turns, and print medians."""
    port = int(gateway.rpartition(":")[2])
    gzip = "Accept-Encoding: gzip\r\n"
    kinds: dict[str, tuple[str, str, int]] = {FLOOR: (STATIC, "", 200)}
    for form in ("html", "json"):
        path = f"/api/v1/competitions/{slug}/leaderboard.{form}"
        answer = httpx.get(f"{gateway}{path}", headers={"Accept-Encoding": "gzip"}).raise_for_status()
        kinds[f"{form}, 200"] = (path, gzip, 200)
        kinds[f"{form}, 304"] = (path, f"{gzip}If-None-Match: {answer.headers['etag']}\r\n", 304)
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in kinds}
    for _ in range(chosen.rounds):
        for name, (path, headers, status) in kinds.items():
            said = crowd(port, path, headers, visitors=chosen.visitors, requests=chosen.requests, status=status)
            found[name].append(asyncio.run(said))
    print(f"{chosen.rows} rows, {chosen.visitors} connections, load {os.getloadavg()[0]:.1f}")
    print("| | requests/s | x floor | p50, ms | p99, ms | kB |\n| --- | --- | --- | --- | --- | --- |")
    floor = statistics.median(rate for rate, *_ in found[FLOOR])
    for name, rounds in found.items():
        rate, middle, worst, size = (statistics.median(part) for part in zip(*rounds, strict=True))
        print(
            f"| {name} | {rate:.0f} | {rate / floor:.2f} | {middle * 1000:.1f} | {worst * 1000:.1f} "
            f"| {size / 1000:.1f} |"
        )


if __name__ == "__main__":
    main()
