"""Which databases are used when an operator names them."""

from __future__ import annotations

import pytest

from podium.platform.errors import InvalidInput
from podium.platform.supervisor.databases import for_prefect, named_databases

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
