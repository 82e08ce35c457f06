"""Which databases are used when an operator names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from podium.platform.errors import InvalidInput
from podium.platform.supervisor import postgres
from podium.platform.supervisor.databases import for_prefect, named_databases, private_databases
from podium.platform.supervisor.postgres_programs import PostgresPrograms
from podium.platform.supervisor.state_folder import StateFolder

PODIUM = "postgresql://podium:p%40ss@db.example:5433/podium?sslmode=require"


def test_prefects_database_is_beside_podiums() -> None:
    databases = named_databases({"PODIUM_DATABASE_URL": PODIUM})
    assert databases is not None
    assert databases.podium == PODIUM
    assert databases.prefect == "postgresql+asyncpg://podium:p%40ss@db.example:5433/prefect?ssl=require"
    assert databases.cluster is None


def test_prefects_database_may_be_elsewhere() -> None:
    databases = named_databases(
        {"PODIUM_DATABASE_URL": PODIUM, "PODIUM_PREFECT_DATABASE_URL": "postgresql+psycopg://p:q@other/prefect"}
    )
    assert databases is not None
    assert databases.prefect == "postgresql+asyncpg://p:q@other/prefect"


def test_without_a_name_there_is_none() -> None:
    assert named_databases({"PODIUM_PREFECT_DATABASE_URL": "sqlite:///x"}) is None


def test_sqlite_is_left_as_it_is() -> None:
    assert for_prefect("sqlite+aiosqlite:////x/prefect.db") == "sqlite+aiosqlite:////x/prefect.db"


@pytest.mark.parametrize("url", ["mysql://u:hidden@h/podium", "not an address, hidden", "hidden"])
def test_other_databases_are_refused_without_showing_their_passwords(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        named_databases({"PODIUM_DATABASE_URL": url})
    assert "hidden" not in str(refused.value)


def test_passwords_do_not_show_when_it_is_printed() -> None:
    assert "p%40ss" not in repr(named_databases({"PODIUM_DATABASE_URL": PODIUM}))


def test_without_postgresql_prefect_keeps_its_own_in_sqlite_and_it_is_said(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = PostgresPrograms(open_folder, 18, bundled=True)
    monkeypatch.setattr(postgres, "find_programs", lambda _: wheel)
    databases = private_databases({}, StateFolder(open_folder / "state"), 54321)
    assert databases.podium.endswith("@127.0.0.1:54321/podium")
    assert databases.prefect == f"sqlite+aiosqlite:///{open_folder}/state/prefect/prefect.db"
    assert "trying Podium out" in databases.note


def test_with_postgresql_prefect_has_a_database_in_the_same_cluster(open_folder: Path) -> None:
    databases = private_databases({}, StateFolder(open_folder / "state"), 54321)
    assert databases.prefect.startswith("postgresql+asyncpg://podium:")
    assert databases.prefect.endswith("@127.0.0.1:54321/prefect")
    assert databases.note == ""
