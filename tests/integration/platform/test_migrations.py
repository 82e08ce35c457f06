"""The tables, made by the migrations."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

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
