"""What a crowd that looks at a public leaderboard costs the gateway: requests per second, p50 and p99.

A gateway of its own in a process of its own, over a private PostgreSQL with a board of so many rows, on loopback. A
bounded number of requests is made over kept-alive connections from this process, in turns: the page whole (200, gzip,
as browsers ask), the page that is known (304), the same of the JSON, and the floor, `/api/v1/health`, which says
nothing but that the gateway is there.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
from board_rows import fill

from podium.platform.database import Database
from podium.platform.supervisor.ports import free_port
from podium.platform.supervisor.postgres import PostgresCluster


@contextmanager
def gateway(folder: Path, rows: int) -> Iterator[str]:
    """A gateway with a public board of so many rows; its address."""
    with PostgresCluster(folder / "postgres", databases=()) as cluster:
        url = cluster.create_database("crowd")
        database = Database(url, pool_size=2)
        database.migrate()
        fill(database, rows)
        database.close()
        port = free_port()
        environment = {
            **os.environ,
            "PODIUM_DATABASE_URL": url,
            "PODIUM_STORAGE_URL": (folder / "store").as_uri(),
            "PODIUM_SECRET_KEY": uuid4().hex,
            "PODIUM_PORT": str(port),
            "PODIUM_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "PODIUM_STATE": str(folder),
            "PODIUM_RATE_LIMITS": '{"boards": null, "reads": null}',  # one address is the whole crowd here
        }
        with (folder / "gateway.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "podium.platform.gateway"], env=environment, stdout=log, stderr=subprocess.STDOUT
            )
            try:
                address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 60
                while True:
                    try:
                        httpx.get(f"{address}/api/v1/health", timeout=5).raise_for_status()
                        break
                    except httpx.HTTPError:
                        if process.poll() is not None or time.monotonic() > deadline:
                            sys.exit((folder / "gateway.log").read_text()[-3000:])
                        time.sleep(0.1)
                yield address
            finally:
                process.terminate()
                process.wait(30)


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
    request = f"GET /api/v1{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode()
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
    try:
        with gateway(folder, chosen.rows) as address:
            port = int(address.rpartition(":")[2])
            gzip = "Accept-Encoding: gzip\r\n"
            kinds: dict[str, tuple[str, str, int]] = {"floor: /health": ("/health", "", 200)}
            for form in ("html", "json"):
                path = f"/competitions/crowd/leaderboard.{form}"
                tag = httpx.get(f"{address}/api/v1{path}", headers={"Accept-Encoding": "gzip"}).headers["etag"]
                kinds[f"{form}, 200"] = (path, gzip, 200)
                kinds[f"{form}, 304"] = (path, f"{gzip}If-None-Match: {tag}\r\n", 304)
            found: dict[str, list[tuple[float, ...]]] = {name: [] for name in kinds}
            for _ in range(chosen.rounds):
                for name, (path, headers, status) in kinds.items():
                    said = crowd(port, path, headers, visitors=chosen.visitors, requests=chosen.requests, status=status)
                    found[name].append(asyncio.run(said))
            medians = {
                name: [statistics.median(part) for part in zip(*all_of, strict=True)] for name, all_of in found.items()
            }
            floor = medians["floor: /health"]
            print(f"{chosen.rows} rows, {chosen.visitors} connections, load {os.getloadavg()[0]:.1f}")
            print("| | requests/s | x floor | p50, ms | p99, ms | kB |\n| --- | --- | --- | --- | --- | --- |")
            for name, (rate, middle, worst, size) in medians.items():
                print(
                    f"| {name} | {rate:.0f} | {rate / floor[0]:.2f} | {middle * 1000:.1f} | {worst * 1000:.1f} "
                    f"| {size / 1000:.1f} |"
                )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
