"""A competition whose board has had many submissions, made in SQL: what benchmarks of the database look at.

The competition ranks under `Force_Best`. Its submissions have come one after the other for thirty days, of one
participant after another, each scored by one task; everything that has stood on its board is there too.
"""

from __future__ import annotations

import time
from pathlib import Path

from own_podium import write_files
from pydantic import SecretStr
from sqlalchemy import text, update

from podium.platform.bundles.reader import read_bundle
from podium.platform.database import Database
from podium.platform.identity import add_person
from podium.platform.models import Bundle, Leaderboard, now
from podium.platform.provision import ensure_pools
from podium.platform.settings import ServerSettings
from podium.platform.storage.opening import open_storage
from podium.tasks.competitions import store_files, write_competition

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
  SELECT s.id, s.id, t.id, 1, 0, 'succeeded', '', CAST(:programs AS jsonb), '{}' FROM submissions s, tasks t;
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


def fill(database: Database, folder: Path, *, size: int, participants: int, programs: str = "[]") -> None:
    """Migrate an empty database and put the competition into it.

    Args:
        folder: A new one, for the competition's files.
        size: How many submissions.
        participants: How many people have made them.
        programs: What was measured of the programs of each evaluation, as JSON.
    """
    started = time.monotonic()
    values = {"participants": participants, "size": size, "programs": programs}
    database.migrate()
    make_competition(database, folder)
    with database.session() as session:
        session.execute(update(Leaderboard).values(submission_rule="Force_Best"))
        for statement in _FILL.split(";"):
            session.execute(text(statement), values)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    print(f"{size:,} submissions made in {time.monotonic() - started:.0f} s")


def make_competition(database: Database, folder: Path) -> None:
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
