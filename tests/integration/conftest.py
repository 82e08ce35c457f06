"""A PostgreSQL cluster, a store and a gateway for the session; each test finds them empty."""

from __future__ import annotations

import itertools
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psycopg import sql

# Test modules are imported by their path, so what they share has a folder of its own.
sys.path.insert(0, str(Path(__file__).parent / "support"))

from stand_in_prefect import StandInPrefect
from world import RunningGateway, World

from podium.platform import dispatch
from podium.platform.client import Client
from podium.platform.database import Database
from podium.platform.models import Base
from podium.platform.provision import POOLS, ensure_pools
from podium.platform.settings import ServerSettings
from podium.platform.storage import FileStorage, open_storage
from podium.platform.supervisor.ports import free_port
from podium.platform.supervisor.postgres import PostgresCluster

TEMPLATE = "podium_template"
_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresCluster]:
    """A cluster of the machine's own PostgreSQL, with a migrated database to make copies of."""
    # Not in pytest's folder: PostgreSQL runs as a user of its own, and pytest's folders are closed to it.
    folder = Path(tempfile.mkdtemp(prefix="podium-test-"))
    folder.chmod(0o711)
    try:
        with PostgresCluster(folder / "postgres", databases=()) as cluster:
            with cluster._administrate() as connection:
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
            template = Database(cluster.create_database(TEMPLATE), pool_size=1)
            template.migrate()
            with template.session() as session:
                ensure_pools(session)
            template.close()
            yield cluster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def make_database_url(postgres: PostgresCluster) -> Iterator[Callable[..., str]]:
    """Makes databases that are gone after the test: a copy of the migrated one, or an empty one."""
    made: list[str] = []

    def make(*, empty: bool = False) -> str:
        made.append(f"test_{next(_numbers)}")
        return postgres.create_database(made[-1], template="template1" if empty else TEMPLATE)

    yield make
    for name in made:
        postgres.drop_database(name)


@pytest.fixture(scope="session")
def session_prefect() -> Iterator[StandInPrefect]:
    with StandInPrefect() as stand_in:
        yield stand_in


@pytest.fixture
def prefect(session_prefect: StandInPrefect) -> Iterator[StandInPrefect]:
    """A stand-in for the Prefect server, which notes the flow runs that it is asked to create."""
    yield session_prefect
    session_prefect.reset()


@pytest.fixture(scope="session")
def settings(
    postgres: PostgresCluster, session_prefect: StandInPrefect, tmp_path_factory: pytest.TempPathFactory
) -> ServerSettings:
    """An operator's settings, with a database, a store and a Prefect of the tests' own."""
    folder = tmp_path_factory.mktemp("podium")
    return ServerSettings(
        database_url=postgres.create_database("test", template=TEMPLATE),
        storage_url=(folder / "store").as_uri(),
        secret_key="a key that only the tests know, of 32 characters and more",
        public_url=f"http://127.0.0.1:{free_port()}",
        prefect_api_url=session_prefect.address,
        state=folder,
        lease_seconds=60,
        heartbeat_seconds=0.05,
    )


@pytest.fixture(scope="session")
def sweep(postgres: PostgresCluster, settings: ServerSettings) -> Iterator[Callable[[], None]]:
    """Empties the tables, but for the pools that Podium has from the start: much quicker than a new database."""
    names = [table.name for table in Base.metadata.tables.values() if table.name != "pools"]
    statements = [sql.SQL("DELETE FROM {}").format(sql.Identifier(name)) for name in names]
    pools = sql.SQL("DELETE FROM pools WHERE name NOT IN ({})").format(sql.SQL(", ").join(map(sql.Literal, POOLS)))
    as_made = sql.SQL("UPDATE pools SET runtime = '', cordoned = NULL WHERE runtime <> '' OR cordoned IS NOT NULL")
    with postgres._administrate("test") as connection:
        # Nothing is left that a foreign key could miss.
        connection.execute("SET session_replication_role = replica")

        def empty() -> None:
            connection.execute(sql.SQL("; ").join([*statements, pools, as_made]))

        yield empty


@pytest.fixture(scope="session")
def session_database(settings: ServerSettings) -> Iterator[Database]:
    made = Database(settings.database_url.get_secret_value(), pool_size=5)
    yield made
    made.close()


@pytest.fixture
def database(session_database: Database, sweep: Callable[[], None]) -> Iterator[Database]:
    """A migrated database with the pools, and nothing else in it."""
    yield session_database
    sweep()


@pytest.fixture
def storage(settings: ServerSettings) -> Iterator[FileStorage]:
    """An empty store."""
    made = open_storage(settings)
    assert isinstance(made, FileStorage)
    yield made
    shutil.rmtree(made.root)
    open_storage(settings)


@pytest.fixture
def world(settings: ServerSettings, database: Database, storage: FileStorage, tmp_path: Path) -> World:
    """Makes people, competitions and submissions the way that Podium makes them."""
    return World(settings, database, storage, tmp_path)


@pytest.fixture(scope="session")
def session_gateway(settings: ServerSettings) -> Iterator[RunningGateway]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch, "TICK_SECONDS", 3600.0)
        with RunningGateway(settings) as running:
            yield running


@pytest.fixture
def gateway(session_gateway: RunningGateway, world: World, prefect: StandInPrefect) -> RunningGateway:
    """A gateway that serves the world over HTTP. Its dispatcher ticks when the test says so."""
    # Competitions of other tests have the same names.
    session_gateway.services.boards.forget_all()
    return session_gateway


@pytest.fixture
def connect(gateway: RunningGateway) -> Iterator[Callable[[str | None], Client]]:
    """Podium's own client, with a token."""
    clients: list[Client] = []

    def make(token: str | None) -> Client:
        clients.append(Client(gateway.address, token))
        return clients[-1]

    yield make
    for client in clients:
        client.close()
