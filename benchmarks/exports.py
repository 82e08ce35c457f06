"""A million submissions with their scores as CSV and Parquet, beside a bare COPY of the same rows.

    .venv/bin/python benchmarks/exports.py [--size 1000000] [--rounds 3]

Starts a PostgreSQL of its own in a temporary folder and makes the submissions in SQL, with what was measured of a
program each. Then it writes, in turns and each in a process of its own, the table as the gateway sends it, to nowhere,
and what PostgreSQL's COPY gives of the rows that the table is made of: the floor. Peak memory is the process's own.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filled_board import fill
from sqlalchemy import select

from podium.platform.database import Database
from podium.platform.models import Competition
from podium.platform.records.exports import TableForm
from podium.platform.submissions.export import plan_export, read_rows
from podium.platform.submissions.tables import table_pieces
from podium.platform.supervisor.postgres import PostgresCluster

PROGRAM = {
    "program": "scoring", "step": "scoring", "image": "podium/python:3.11", "image_digest": f"sha256:{'a' * 64}",
    "exit_status": 0, "limit": None, "wall_seconds": 1.25, "cpu_seconds": 0.75, "peak_memory_bytes": 61_000_000,
    "peak_processes": 4, "note": "",
}  # fmt: skip
COPY = """
COPY (SELECT s.number, s.id, p.username, f.name, f.position, s.status, e.verdict, s.status_message, s.message,
    s.filename, s.size, s.sha256, s.created, s.started, s.ended, s.on_leaderboard, s.counts, s.fact_sheet, e.programs,
    c.value
  FROM submissions s JOIN people p ON p.id = s.person_id JOIN phases f ON f.id = s.phase_id
  LEFT JOIN evaluations e ON e.submission_id = s.id LEFT JOIN scores c ON c.evaluation_id = e.id
  WHERE s.rerun_id IS NULL ORDER BY s.number) TO STDOUT (FORMAT csv)
"""


@dataclass(frozen=True)
class Run:
    """What one table took."""

    seconds: float
    cpu_seconds: float
    peak_megabytes: float
    megabytes: float


def bare_copy(database: Database) -> Iterator[bytes]:
    """The rows as PostgreSQL copies them."""
    with database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        with driver.cursor() as cursor, cursor.copy(COPY) as copy:
            yield from copy


def table(database: Database, form: TableForm) -> Iterator[bytes]:
    """The table as the gateway sends it."""
    with database.session() as session:
        plan = plan_export(session.scalars(select(Competition)).one(), None)
    yield from table_pieces(form, plan.columns, read_rows(database, plan))


def run(url: str, what: str) -> Run:
    """Write one of them, in this process."""
    database = Database(url)
    started, began, size = time.perf_counter(), cpu_seconds(), 0
    for piece in bare_copy(database) if what == "copy" else table(database, TableForm(what)):
        size += len(piece)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Run(time.perf_counter() - started, cpu_seconds() - began, peak, size / 1e6)


def cpu_seconds() -> float:
    """What this process has used of the CPU."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="podium-exports-"))
    folder.chmod(0o711)  # PostgreSQL may run as a user of its own
    try:
        with PostgresCluster(folder / "postgres", databases=()) as cluster:
            database = Database(cluster.create_database("exports"))
            url = database.url.render_as_string(hide_password=False)
            programs = json.dumps([PROGRAM])
            fill(database, folder / "files", size=chosen.size, participants=10_000, programs=programs)
            database.close()
            report(url, chosen.rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def report(url: str, rounds: int) -> None:
    """Time all in turns, and print medians."""
    found: dict[str, list[Run]] = {"copy": [], "csv": [], "parquet": []}
    for _ in range(rounds):
        for what, runs in found.items():
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                runs.append(pool.apply(run, (url, what)))
    floor = statistics.median(one.seconds for one in found["copy"])
    print(f"{'':10}{'seconds':>10}{'x copy':>10}{'CPU s':>10}{'peak MB':>10}{'MB':>10}")
    for what, runs in found.items():
        seconds = statistics.median(one.seconds for one in runs)
        cpu = statistics.median(one.cpu_seconds for one in runs)
        peak = max(one.peak_megabytes for one in runs)
        print(f"{what:10}{seconds:10.1f}{seconds / floor:10.1f}{cpu:10.1f}{peak:10.0f}{runs[0].megabytes:10.0f}")


if __name__ == "__main__":
    main()
