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

from own_podium import write_files
from pydantic import SecretStr
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from podium.platform.bundles.reader import read_bundle
from podium.platform.database import Database
from podium.platform.identity import add_person
from podium.platform.leaderboard import ranked_boards
from podium.platform.leaderboard.entries import place_on_leaderboards
from podium.platform.leaderboard.live_boards import LiveBoard
from podium.platform.leaderboard.ranked_boards import ranked_board, ranks_at
from podium.platform.leaderboard.reading import Reader, read_leaderboard
from podium.platform.leaderboard.rules import board_rules
from podium.platform.models import Bundle, Competition, Leaderboard, Participant, Person, PhaseBoard, Submission, now
from podium.platform.provision import ensure_pools
from podium.platform.settings import ServerSettings
from podium.platform.storage.opening import open_storage
from podium.platform.supervisor.postgres import PostgresCluster
from podium.tasks.competitions import store_files, write_competition

PARTICIPANTS = 10_000
SIZES = (10_000, 1_000_000)
_ROUNDS = 15
_FILL = """
INSERT INTO people (id, created, username, email, name, is_administrator, may_organize)
  SELECT gen_random_uuid(), now(), 'participant-' || n, n || '@example.org', '', false, false
  FROM generate_series(1, :participants) n;
INSERT INTO participants (competition_id, person_id, created, status)
  SELECT c.id, p.id, now(), 'approved' FROM competitions c, people p WHERE p.username LIKE 'participant-%';
INSERT INTO submissions (id, created, competition_id, phase_id, person_id, number, filename, size, sha256, message,
    fact_sheet, status, status_message, version, counts, on_leaderboard, is_baseline, excluded, queue,
    dispatches, ended)
  SELECT gen_random_uuid(), moment, phase.competition_id, phase.id, person.id, n, 'f.zip', 1, repeat('a', 64), '', '{}',
    'finished', '', 1, true, false, false, false, 'default', 1, moment
  FROM generate_series(1, :size) n
  CROSS JOIN LATERAL (SELECT now() - interval '30 days' * (1 - n / CAST(:size AS float)) AS moment) times
  JOIN (SELECT id, row_number() OVER () AS at FROM people WHERE username LIKE 'participant-%') person
    ON person.at = 1 + n % :participants
  CROSS JOIN phases phase;
INSERT INTO evaluations (id, submission_id, task_id, task_version, position, status, message, programs, timings)
  SELECT s.id, s.id, t.id, 1, 0, 'succeeded', '', '[]', '{}' FROM submissions s, tasks t;
INSERT INTO scores (evaluation_id, key, value) SELECT id, 'accuracy', random() FROM evaluations;
INSERT INTO leaderboard_entries (phase_id, submission_id, person_id, entrant_id, scores, sort_key, submitted, number,
    is_baseline, is_withdrawn, since, until)
  SELECT phase_id, id, person_id, person_id, ARRAY[value], ARRAY[-value], created, number, false, false, ended,
    lead(ended) OVER (PARTITION BY person_id ORDER BY created)
  FROM (SELECT s.*, c.value, max(c.value) OVER (PARTITION BY person_id ORDER BY created
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS best
    FROM submissions s JOIN scores c ON c.evaluation_id = s.id) scored
  WHERE best IS NULL OR value > best;
UPDATE submissions SET on_leaderboard = true
  FROM leaderboard_entries e WHERE e.submission_id = submissions.id AND e.until IS NULL;
INSERT INTO phase_boards (phase_id, version, moment, changed, rows)
  SELECT phase_id, 1, max(since), max(since), count(*) FILTER (WHERE until IS NULL) FROM leaderboard_entries GROUP BY 1
"""
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
                _fill(database, folder / f"files-{size}", size)
                found[size] = _measure(database)
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


def _fill(database: Database, folder: Path, size: int) -> None:
    started = time.monotonic()
    database.migrate()
    _make_competition(database, folder)
    with database.session() as session:
        session.execute(update(Leaderboard).values(submission_rule="Force_Best"))
        for statement in _FILL.split(";"):
            session.execute(text(statement), {"participants": PARTICIPANTS, "size": size})
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    print(f"{size:,} submissions made in {time.monotonic() - started:.0f} s")


def _make_competition(database: Database, folder: Path) -> None:
    folder.mkdir()
    settings = ServerSettings(
        database_url=SecretStr(database.url.render_as_string(hide_password=False)),
        storage_url=(folder / "store").as_uri(),
        secret_key=SecretStr("a key that only this benchmark knows"),
        state=folder,
    )
    with database.session() as session:
        ensure_pools(session)
        owner = add_person(session, username="olga", email="olga@example.org", may_organize=True)
        bundle = Bundle(owner_id=owner.id, filename="bundle.zip", size=1, sha256="0" * 64, status="reading")
        session.add(bundle)
        session.flush()
    with read_bundle(write_files(folder).bundle) as reading:
        content = reading.accepted()
        assert reading.files is not None
        stored = store_files.fn(database, open_storage(settings), reading.files, content)
        write_competition.fn(
            database,
            bundle.id,
            content,
            stored,
            reading.problems,
            now(),
            settings.limit_maxima,
            settings.storage_quota_bytes,
        )


def _measure(database: Database) -> dict[str, float]:
    with database.session() as session:
        competition = session.scalars(select(Competition)).one()
        phase, rules = competition.phases[0], board_rules(competition.leaderboards[0])
        person_id = session.scalars(select(Person.id).where(Person.username == "participant-5000")).one()
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

        version = state.version
        found = {
            "page: first": _median(lambda: live.page(50, 0)),
            "page: middle": _median(lambda: live.page(50, PARTICIPANTS // 2)),
            "page: last": _median(lambda: live.page(50, PARTICIPANTS - 50)),
            "own row": _median(lambda: live.of_entrants([person_id])),
            "search by name (11 of them)": _median(page(search="participant-500")),
            "ranks as of a date, first reader": _median(
                uncached(lambda: ranks_at(session, phase.id, rules, version=version, moment=then, by_submission=False))
            ),
            "board as of a date, first reader": _median(
                uncached(lambda: ranked_board(session, phase.id, rules, version=version, moment=then))
            ),
            "answer with own row and changes, the first": _median(uncached(page())),
            "answer with own row and changes, the others": _median(page()),
            "answer as of a date, the others": _median(page(as_of=then)),
            "naive: all scores ranked": _median(lambda: session.execute(text(_NAIVE), {"phase": phase.id}).all(), 3),
        }
    found["update by a result"] = _updates(database)
    return found


def _median(call: Callable[[], object], rounds: int = _ROUNDS) -> float:
    call()
    return statistics.median(_milliseconds(call) for _ in range(rounds))


def _milliseconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def _updates(database: Database) -> float:
    """A new result of somebody, half of them better than what stands: placed and committed."""
    times = []
    for at in range(2 * _ROUNDS):
        with database.session() as session:
            new_id = _new_submission(session, at, 1 + at / 100 if at % 2 else 0.0)
        started = time.perf_counter()
        with database.session() as session:
            submission = session.get_one(Submission, new_id)
            submission.competition.leaderboards[0].columns  # noqa: B018  # read beforehand, as with the result
            begun = time.perf_counter()
            place_on_leaderboards(session, [submission])
        times.append((time.perf_counter() - begun) * 1000)
        assert begun >= started
    return statistics.median(times)


def _new_submission(session: Session, at: int, value: float) -> UUID:
    person_id = session.scalars(select(Participant.person_id).order_by(Participant.person_id).offset(at * 300)).first()
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
