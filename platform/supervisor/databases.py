"""Which databases Podium uses: those an operator names, or a private cluster, or one for trying out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import psycopg
from psycopg import sql
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from podium.platform.errors import InvalidInput, PlatformFault
from podium.platform.supervisor.postgres import PREFECT_DATABASE, PostgresCluster
from podium.platform.supervisor.state_folder import StateFolder

_TRYING_OUT = (
    "This machine has no PostgreSQL with pg_trgm: results go into the one that comes as a Python wheel, and "
    "Prefect keeps its own in SQLite. That is for trying Podium out; for more: apt-get install postgresql."
)


def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Databases:
    """Where results and Prefect's records are kept.

    Attributes:
        podium: Address of the database of results; holds a password.
        prefect: Address of Prefect's database, with its driver; holds a password.
        cluster: The private cluster, when it is one.
        note: What the operator should know about this choice, or an empty string.
        ready_for_prefect: Called before Prefect starts.
    """

    podium: str = field(repr=False)
    prefect: str = field(repr=False)
    cluster: PostgresCluster | None = None
    note: str = ""
    ready_for_prefect: Callable[[], None] = _nothing


def named_databases(environment: Mapping[str, str]) -> Databases | None:
    """Return the databases that PODIUM_DATABASE_URL and PODIUM_PREFECT_DATABASE_URL name; None without the first.

    Raises:
        InvalidInput: One of them is no address of a PostgreSQL database.
    """
    podium = environment.get("PODIUM_DATABASE_URL")
    if not podium:
        return None
    if prefect := environment.get("PODIUM_PREFECT_DATABASE_URL"):
        return Databases(podium, for_prefect(prefect))
    beside = for_prefect(podium, database=PREFECT_DATABASE)
    return Databases(podium, beside, ready_for_prefect=lambda: _create_beside(podium))


def private_databases(environment: Mapping[str, str], folder: StateFolder, port: int) -> Databases:
    """Return the databases of a private cluster in the state folder.

    Args:
        environment: Of whoever starts Podium; PODIUM_PREFECT_DATABASE_URL is honoured.
        folder: The state folder.
        port: The cluster's port.

    Raises:
        PlatformFault: There is no PostgreSQL at all.
    """
    cluster = PostgresCluster(folder.path / "postgres", port=port)
    podium = cluster.url(driver="")
    if prefect := environment.get("PODIUM_PREFECT_DATABASE_URL"):
        return Databases(podium, for_prefect(prefect), cluster)
    if cluster.has_trigrams:
        return Databases(podium, cluster.url(PREFECT_DATABASE, driver="asyncpg"), cluster)
    file = folder.private("prefect") / "prefect.db"
    return Databases(podium, f"sqlite+aiosqlite:///{file}", cluster, _TRYING_OUT)


def for_prefect(url: str, *, database: str | None = None) -> str:
    """Return a database's address as Prefect wants it.

    Args:
        url: `postgresql://...` with any driver, or `sqlite...`, which stays as it is.
        database: Another database of the same server.

    Raises:
        InvalidInput: It is no such address.
    """
    if url.startswith("sqlite"):
        return url
    try:
        address = make_url(url)
    except ArgumentError:
        raise InvalidInput(
            "The address of the database can't be read.", remedy="Write postgresql://user:password@host:port/name."
        ) from None
    if not address.drivername.startswith("postgres"):
        raise InvalidInput(
            f"Podium keeps its results in PostgreSQL, not in {address.get_backend_name()}.",
            remedy="Write postgresql://user:password@host:port/name.",
        )
    # asyncpg has another name for what libpq calls sslmode.
    query = {("ssl" if name == "sslmode" else name): value for name, value in address.query.items()}
    moved = address.set(drivername="postgresql+asyncpg", database=database or address.database, query=query)
    return moved.render_as_string(hide_password=False)


def _create_beside(podium: str) -> None:
    """Create Prefect's database on the server of Podium's, unless it is there."""
    address = make_url(podium).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with psycopg.connect(address, autocommit=True, connect_timeout=10) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [PREFECT_DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(PREFECT_DATABASE)))
    except psycopg.Error as error:
        raise PlatformFault(
            f"There is no database {PREFECT_DATABASE} beside Podium's, and it can't be created: {str(error).strip()}.",
            remedy="Create it with the extension pg_trgm, or set PODIUM_PREFECT_DATABASE_URL.",
        ) from None
