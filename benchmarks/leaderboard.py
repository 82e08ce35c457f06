"""A board of 10,000 participants with 10,000 and 1,000,000 submissions, beside the query that ranks all scores.

    .venv/bin/python benchmarks/leaderboard.py [--json FILE]

Starts a PostgreSQL of its own in a temporary folder. Rows are made in SQL: a competition under `Force_Best` whose
submissions have come one after the other, with all that has stood on its board. Then it times, through the very code
of the gateway, so with the way to the database and back: pages of 50 rows, a participant's own row, a search by name,
the ranks and the whole board as of a moment (made once for each version of a board, then shared), and the update by a
result. The naive query takes the best score of each participant with a window function over all scores.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from filled_board import fill
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from podium.platform.database import Database
from podium.platform.leaderboard import ranked_boards
from podium.platform.leaderboard.entries import place_on_leaderboards
from podium.platform.leaderboard.live_boards import LiveBoard
from podium.platform.leaderboard.ranked_boards import ranked_board, ranks_at
from podium.platform.leaderboard.reading import Reader, read_leaderboard
from podium.platform.leaderboard.rules import board_rules
from podium.platform.models import Competition, Participant, Person, PhaseBoard, Submission
from podium.platform.supervisor.postgres import PostgresCluster

PARTICIPANTS = 10_000
SIZES = (10_000, 1_000_000)
_ROUNDS = 15
_NAIVE = """
SELECT * FROM (SELECT *, rank() OVER (ORDER BY value DESC) FROM (
  SELECT s.id, s.person_id, s.created, c.value,
    row_number() OVER (PARTITION BY s.person_id ORDER BY c.value DESC, s.created) AS nth
  FROM submissions s JOIN evaluations e ON e.submission_id = s.id JOIN scores c ON c.evaluation_id = e.id
  WHERE s.phase_id = :phase AND s.status = 'finished' AND s.rerun_id IS NULL AND c.key = 'accuracy') own
  WHERE nth = 1) ranked ORDER BY value DESC, created LIMIT 50
"""


def main() -> int:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="podium-leaderboard-"))
    folder.chmod(0o711)  # PostgreSQL may run as a user of its own
    found: dict[int, dict[str, float]] = {}
    try:
        with PostgresCluster(folder / "postgres", databases=()) as cluster:
            for size in SIZES:
                database = Database(cluster.create_database(f"board_{size}"))
                fill(database, folder / f"files-{size}", size=size, participants=PARTICIPANTS)
                found[size] = measure(database, PARTICIPANTS)
                database.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    small, large = (found[size] for size in SIZES)
    print(f"\nmedians in ms, {PARTICIPANTS:,} participants")
    print(f"{'':44}{SIZES[0]:>12,}{SIZES[1]:>12,}{'growth':>10}")
    for name, value in large.items():
        print(f"{name:44}{small[name]:12.2f}{value:12.2f}{value / small[name]:9.1f}x")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2))
    return 0


def measure(database: Database, participants: int, rounds: int = _ROUNDS) -> dict[str, float]:
    """Medians in milliseconds by what was done, on a board of `fill`."""

    def median(call: Callable[[], object], times: int = rounds) -> float:
        call()
        return statistics.median(_milliseconds(call) for _ in range(times))

    with database.session() as session:
        competition = session.scalars(select(Competition)).one()
        phase, rules = competition.phases[0], board_rules(competition.leaderboards[0])
        person_id = session.scalars(
            select(Person.id).where(Person.username == f"participant-{participants // 2}")
        ).one()
        state = session.get_one(PhaseBoard, phase.id)
        live, then = LiveBoard(session, phase.id, state), session.scalar(text("SELECT now() - interval '4 days'"))
        assert then is not None

        def uncached(make: Callable[[], object]) -> Callable[[], object]:
            def call() -> object:
                ranked_boards._cache.clear()
                return make()

            return call

        def page(**options: Any) -> Callable[[], object]:
            wanted = {"limit": 50, "offset": 0, **options}
            return lambda: read_leaderboard(session, competition, phase, Reader(person_id), **wanted)

        def naive() -> object:
            return session.execute(text(_NAIVE), {"phase": phase.id}).all()

        version = state.version
        found = {
            "page: first": median(lambda: live.page(50, 0)),
            "page: middle": median(lambda: live.page(50, participants // 2)),
            "page: last": median(lambda: live.page(50, max(participants - 50, 0))),
            "own row": median(lambda: live.of_entrants([person_id])),
            "search by name (11 of them)": median(page(search="participant-500")),
            "ranks as of a date, first reader": median(
                uncached(lambda: ranks_at(session, phase.id, rules, version=version, moment=then, by_submission=False))
            ),
            "board as of a date, first reader": median(
                uncached(lambda: ranked_board(session, phase.id, rules, version=version, moment=then))
            ),
            "answer with own row and changes, the first": median(uncached(page())),
            "answer with own row and changes, the others": median(page()),
            "answer as of a date, the others": median(page(as_of=then)),
            "naive: all scores ranked": median(naive, min(rounds, 3)),
        }
    found["update by a result"] = _updates(database, participants, 2 * rounds)
    return found


def _milliseconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def _updates(database: Database, participants: int, count: int) -> float:
    """A new result of somebody, half of them better than what stands: placed and committed."""
    times = []
    for at in range(count):
        with database.session() as session:
            new_id = _new_submission(session, at, at * 300 % participants, 1 + at / 100 if at % 2 else 0.0)
        started = time.perf_counter()
        with database.session() as session:
            submission = session.get_one(Submission, new_id)
            submission.competition.leaderboards[0].columns  # noqa: B018  # read beforehand, as with the result
            begun = time.perf_counter()
            place_on_leaderboards(session, [submission])
        times.append((time.perf_counter() - begun) * 1000)
        assert begun >= started
    return statistics.median(times)


def _new_submission(session: Session, at: int, whose: int, value: float) -> UUID:
    person_id = session.scalars(select(Participant.person_id).order_by(Participant.person_id).offset(whose)).first()
    found = session.execute(
        text(
            "INSERT INTO submissions (id, created, competition_id, phase_id, person_id, number, filename, size, sha256,"
            " message, fact_sheet, status, status_message, version, counts, on_leaderboard, is_baseline, excluded,"
            " queue, dispatches, ended) SELECT gen_random_uuid(), now(), competition_id, id, :person, 2000000 + :at,"
            " 'f.zip', 1, repeat('a', 64), '', '{}', 'finished', '', 1, true, false, false, false, 'default', 1, now()"
            " FROM phases"
            " RETURNING id"
        ),
        {"person": person_id, "at": at},
    ).scalar_one()
    session.execute(
        text(
            "INSERT INTO evaluations (id, submission_id, task_id, task_version, position, status, message, programs,"
            " timings) SELECT :id, :id, id, 1, 0, 'succeeded', '', '[]', '{}' FROM tasks"
        ),
        {"id": found},
    )
    session.execute(
        text("INSERT INTO scores (evaluation_id, key, value) VALUES (:id, 'accuracy', :value)"),
        {"id": found, "value": value},
    )
    made: UUID = found
    return made


if __name__ == "__main__":
    raise SystemExit(main())
