"""The tables, made by the migrations."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import text

from podium.platform.database import Database
from podium.platform.models import Base

MIGRATE = "import sys; from podium.platform.database import Database; Database(sys.argv[1], pool_size=1).migrate()"
TYPES = (
    "SELECT typname FROM pg_type JOIN pg_namespace n ON n.oid = typnamespace WHERE typtype = 'e' AND nspname = 'public'"
)
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"


@pytest.fixture
def empty(make_database_url: Callable[..., str]) -> Iterator[Database]:
    database = Database(make_database_url(empty=True), pool_size=1)
    yield database
    database.close()


def names(database: Database, query: str) -> set[str]:
    with database.session() as session:
        return set(session.scalars(text(query)))


def test_the_migrations_make_what_the_models_say(empty: Database) -> None:
    empty.migrate()
    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_every_status_has_the_members_that_the_models_have(empty: Database) -> None:
    empty.migrate()
    query = text("SELECT enumlabel FROM pg_enum WHERE enumtypid = CAST(:name AS regtype) ORDER BY enumsortorder")
    types = {
        column.type.name: column.type.enums
        for table in Base.metadata.tables.values()
        for column in table.columns
        if hasattr(column.type, "enums")
    }
    with empty.session() as session:
        found = {name: list(session.scalars(query, {"name": name})) for name in types}
    assert found == types
    assert names(empty, TYPES) == set(types)


def test_migrating_again_changes_nothing(empty: Database) -> None:
    empty.migrate()
    before = names(empty, TABLES)
    empty.migrate()
    assert names(empty, TABLES) == before == {*Base.metadata.tables, "alembic_version"}


def test_going_back_leaves_nothing(empty: Database) -> None:
    empty.migrate()
    config = Config()
    config.set_main_option("script_location", "podium.platform:migrations")
    with empty.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert names(empty, TABLES) == {"alembic_version"}
    assert names(empty, TYPES) == set()
    empty.migrate()
    assert names(empty, TABLES) == {*Base.metadata.tables, "alembic_version"}


def test_two_that_migrate_at_once(make_database_url: Callable[..., str]) -> None:
    url = make_database_url(empty=True)
    processes = [
        subprocess.Popen([sys.executable, "-c", MIGRATE, url], stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    assert [process.communicate(timeout=60)[1] for process in processes] == ["", ""]
    assert [process.returncode for process in processes] == [0, 0]
    database = Database(url, pool_size=1)
    assert names(database, TABLES) == {*Base.metadata.tables, "alembic_version"}
    database.close()


OLD = """
INSERT INTO people (id, created, username, email, name, is_administrator, may_organize)
  VALUES (:id, now(), 'olga', 'olga@example.org', '', false, true);
INSERT INTO pools (id, created, name, runtime) VALUES (:id, now(), 'docker', '');
INSERT INTO datasets (id, created, owner_id, kind, name, content, sha256, size)
  VALUES (:id, now(), :id, 'scoring_program', 'program.zip', 'content/aa/aa', repeat('a', 64), 1);
INSERT INTO tasks (id, created, owner_id, name, description, scoring_program_id,
    ingestion_only_during_scoring, protocol)
  VALUES (:id, now(), :id, 'Task', '', :id, false, 'v2');
INSERT INTO competitions (id, created, slug, organizer_id, pool_id, published, title, description, image_name, terms,
    terms_is_html, terms_sha256, registration_auto_approve, docker_image, relaxations, enable_detailed_results,
    show_detailed_results_in_submission_panel, show_detailed_results_in_leaderboard, auto_run_submissions,
    can_participants_make_submissions_public, make_programs_available, make_input_data_available, competition_type,
    forum_enabled, fact_sheet, next_submission_number)
  VALUES (:id, now(), 'iris', :id, :id, true, 'Iris', '', '', '', false, repeat('a', 64), true, 'image', '{}', true,
    true, true, true, true, true, true, 'competition', true, '[]', 2);
INSERT INTO submissions (id, created, competition_id, phase_id, person_id, number, filename, size, sha256, message,
    fact_sheet, status, status_message, version, counts, on_leaderboard)
  SELECT phase.id, now(), :id, phase.id, :id, phase.position, 'f.zip', 1, repeat('a', 64), '', '{}', 'queued', '', 1,
    true, false FROM phases phase WHERE phase.position = 1;
INSERT INTO evaluations (id, submission_id, task_id, position, status, message, programs, timings)
  SELECT id, id, :id, 0, 'waiting', '', '[]', '{}' FROM submissions;
"""
PHASE = """
INSERT INTO phases (id, competition_id, position, name, description, starts, ends, execution_time_limit,
    auto_migrate_to_this_phase, hide_output, hide_prediction_output, hide_score_output,
    accepts_only_result_submissions, accepts_container_submissions, limits)
  VALUES (gen_random_uuid(), :id, :position, 'Phase', '', now() + CAST(:starts AS interval),
    now() + CAST(:ends AS interval), 600, true, false, false, false, false, false, '{}')
"""


def test_what_the_version_before_has_stays_and_nothing_of_it_is_migrated_late(empty: Database) -> None:
    config = Config()
    config.set_main_option("script_location", "podium.platform:migrations")
    with empty.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
    values = {"id": uuid4()}
    with empty.session() as session:
        first, *statements = [one for one in OLD.split(";") if one.strip()]
        for statement in (first, *statements[:4]):
            session.execute(text(statement), values)
        windows = (("-3 days", "-2 days"), ("-1 day", "1 day"), ("2 days", "3 days"))
        for position, (starts, ends) in enumerate(windows):
            session.execute(text(PHASE), {**values, "position": position, "starts": starts, "ends": ends})
        for statement in statements[4:]:
            session.execute(text(statement), values)
    empty.migrate()
    with empty.session() as session:
        phases = session.execute(text("SELECT announced FROM phases ORDER BY position")).scalars().all()
        assert phases == ["over", "open", "upcoming"]
        migrations = "SELECT p.position, m.status FROM phase_migrations m JOIN phases p ON p.id = m.phase_id ORDER BY 1"
        assert session.execute(text(migrations)).all() == [(0, "finished"), (1, "finished")]
        assert session.execute(text("SELECT number FROM task_versions")).scalars().all() == [1]
        assert session.execute(text("SELECT task_version FROM evaluations")).scalars().all() == [1]
        row = session.execute(text("SELECT queue, dispatches, number FROM submissions")).one()
        # Prefect knows the flow runs of the version before by their numbers, from 1: these come after them.
        assert (row.queue, row.number) == ("default", 1)
        assert row.dispatches > 3
