"""What it costs to dispatch many queued submissions, and to hand them out: does it grow with the queue?

    .venv/bin/python benchmarks/dispatch.py [--sizes 1000 2000 5000 10000] [--json FILE]

Starts a PostgreSQL and a Prefect of its own, both real, and nothing else of Podium: so many queued submissions are
put into the table, and this process does what the gateway's dispatcher does, tick after tick, until each has a flow
run. Then, in front of the same queue, what an agent's calls come to: the head of the queue, and a claim.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import uuid4

from own_podium import Files, OwnPodium, create_competition, own_podium, write_files
from sqlalchemy import Table, select, text

from podium.platform.client import Client
from podium.platform.database import Database
from podium.platform.dispatch import Dispatcher
from podium.platform.models import Agent, Evaluation, Pool, Submission
from podium.platform.orchestration import Orchestration
from podium.platform.settings import ServerSettings
from podium.platform.storage import open_storage
from podium.platform.submissions.claiming import claim_submission
from podium.platform.submissions.fitting import offer_of_agent
from podium.platform.submissions.waiting import announced_runs

ALL_BUT_THE_STORES = ("gateway", "dashboards", "agent-cpu", "agent-docker")
CALLS = 20


@dataclass(frozen=True)
class Dispatched:
    """Milliseconds at one length of the queue.

    Attributes:
        each: To dispatch one submission: all ticks, by the number of submissions.
        each_cpu: What of it this process has computed; the rest is PostgreSQL, Prefect, and whatever else is at work.
        ticks: How many ticks it took.
        head: One look at the head of the queue, for an agent.
        claim: One claim.
    """

    submissions: int
    flow_runs: int
    ticks: int
    each: float
    each_cpu: float
    head: float
    claim: float
    load: float


def main() -> int:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 2000, 5000, 10000])
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="podium-dispatch-"))
    try:
        files, state = write_files(folder), folder / "state"
        with own_podium(state) as podium:
            _score_one(podium, files)
        with own_podium(state, without=ALL_BUT_THE_STORES) as podium:
            found = _measure(podium, state, arguments.sizes)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _report(found)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(one) for one in found], indent=2))
    return 0


def _score_one(podium: OwnPodium, files: Files) -> None:
    """The submission that the others are copies of."""
    with Client(podium.gateway, podium.administrator) as client:
        slug = create_competition(client, files)
        record = client.wait(client.submit(slug, files.submission).id)
        assert record.status == "finished", record


def _measure(podium: OwnPodium, state: Path, sizes: list[int]) -> list[Dispatched]:
    database, orchestration = Database(podium.database_url), Orchestration(podium.prefect_api)
    dispatcher = Dispatcher(database, orchestration, upload_seconds=3600)
    settings = ServerSettings.model_validate(
        {"database_url": podium.database_url, "secret_key": "x" * 40, "storage_url": f"file://{state}/storage"}
    )
    try:
        dispatcher.tick()  # warm
        found = []
        for size in sizes:
            _fill(database, size)
            ticks, seconds, computed = _dispatch(database, dispatcher)
            head, claim = _hand_out(database, settings)
            flow_runs = int(_value(database, "SELECT count(DISTINCT flow_run_id) FROM submissions WHERE ended IS NULL"))
            load = os.getloadavg()[0]
            each = (1000 * seconds / size, 1000 * computed / size)
            found.append(Dispatched(size, flow_runs, ticks, *each, head, claim, load))
            print(f"  {found[-1]}", flush=True)
        return found
    finally:
        orchestration.close()
        database.close()


def _fill(database: Database, size: int) -> None:
    """Let exactly so many submissions be queued, none of which has a flow run."""
    submission = {
        "id": "gen_random_uuid()",
        "number": "one.number + 1000 + place",
        "status": "'queued'",
        "version": "1",
        "counts": "false",
        "on_leaderboard": "false",
        "queued": "now() + place * interval '1 microsecond'",
        **dict.fromkeys(("batch_id", "flow_run_id", "started", "ended", "results_id"), "NULL"),
    }
    evaluation = {
        "id": "gen_random_uuid()",
        "submission_id": "made.id",
        "status": "'waiting'",
        "attempt_id": "NULL",
        "programs": "'[]'",
        "timings": "'{}'",
    }
    assert isinstance(Submission.__table__, Table)
    assert isinstance(Evaluation.__table__, Table)
    with database.session() as session:
        session.execute(text("DELETE FROM submissions WHERE ended IS NULL"))
        session.execute(text("DELETE FROM batches"))
        session.execute(
            text(
                f"INSERT INTO submissions ({_names(Submission.__table__)}) "
                f"SELECT {_values(Submission.__table__, submission, 'one')} "
                f"FROM (SELECT * FROM submissions LIMIT 1) AS one, generate_series(1, :size) AS place"
            ),
            {"size": size},
        )
        session.execute(
            text(
                f"INSERT INTO evaluations ({_names(Evaluation.__table__)}) "
                f"SELECT {_values(Evaluation.__table__, evaluation, 'one')} "
                f"FROM (SELECT * FROM evaluations LIMIT 1) AS one, submissions AS made WHERE made.ended IS NULL"
            )
        )
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE submissions, evaluations, batches"))


def _names(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)


def _values(table: Table, changed: dict[str, str], source: str) -> str:
    return ", ".join(changed.get(column.name, f'{source}."{column.name}"') for column in table.columns)


def _dispatch(database: Database, dispatcher: Dispatcher) -> tuple[int, float, float]:
    """Tick until every submission has a flow run; return how often, the ticks' seconds, and their CPU seconds."""
    ticks, seconds, computed = 0, 0.0, 0.0
    while _value(database, "SELECT count(*) FROM submissions WHERE ended IS NULL AND flow_run_id IS NULL"):
        began, computed_before = time.perf_counter(), time.process_time()
        dispatcher.tick()
        seconds += time.perf_counter() - began
        computed += time.process_time() - computed_before
        ticks += 1
    return ticks, seconds, computed


def _hand_out(database: Database, settings: ServerSettings) -> tuple[float, float]:
    """Milliseconds of a look at the head of the queue, and of a claim."""
    storage = open_storage(settings)
    with database.session() as session:
        pool = session.scalars(select(Pool).where(Pool.name == "docker")).one()
        agent = session.scalars(select(Agent).where(Agent.pool_id == pool.id)).one()
        offer = offer_of_agent(agent)

    def look() -> None:
        with database.session() as session:
            assert len(announced_runs(session, pool, offer, maxima={})) == 16

    def claim() -> None:
        with database.session() as session:
            first = text("SELECT id FROM submissions WHERE status = 'queued' ORDER BY queue, queued, id LIMIT 1")
            submission_id = session.execute(first).scalar_one()
        began = time.perf_counter()
        with database.session() as session:
            claim_submission(
                session,
                submission_id,
                flow_run_id=uuid4(),
                agent=session.get_one(Agent, agent.id),
                pool=session.get_one(Pool, pool.id),
                storage=storage,
                settings=settings,
            )
        claims.append(time.perf_counter() - began)

    claims: list[float] = []
    looks = [_seconds(look) for _ in range(CALLS)]
    for _ in range(CALLS):
        claim()
    return 1000 * statistics.median(looks), 1000 * statistics.median(claims)


def _seconds(call: Callable[[], None]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _value(database: Database, query: str) -> int:
    with database.session() as session:
        return int(session.execute(text(query)).scalar_one())


def _report(found: list[Dispatched]) -> None:
    print("\n  milliseconds")
    heads = f"{'dispatch each':>15}{'its CPU':>9}{'head':>8}{'claim':>8}"
    print(f"  {'submissions':>12}{'flow runs':>11}{'ticks':>7}{heads}   load")
    for one in found:
        print(
            f"  {one.submissions:>12}{one.flow_runs:>11}{one.ticks:>7}{one.each:>15.2f}{one.each_cpu:>9.2f}"
            f"{one.head:>8.2f}{one.claim:>8.2f}{one.load:>7.1f}"
        )


if __name__ == "__main__":
    sys.exit(main())
