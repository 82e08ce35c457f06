"""A gateway and its database for the session, and a proving ground for each executor that runs hostile programs."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# Test modules are imported by their path, so what they share is found by folder.
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "integration" / "support"))

from proving_ground import ProvingGround, containers_with, groups_of
from stand_in_prefect import StandInPrefect
from world import RunningGateway, World

from podium.agents.executors.choice import _owner, choose_executor
from podium.agents.images.build import build_images
from podium.agents.settings import AgentSettings
from podium.platform import dispatch
from podium.platform.database import Database
from podium.platform.provision import ensure_pools
from podium.platform.settings import ServerSettings
from podium.platform.storage import FileStorage, open_storage
from podium.platform.supervisor.ports import free_port
from podium.platform.supervisor.postgres import PostgresCluster
from podium.tasks.programs import Executor


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder that programs of other users can pass through, unlike those of pytest."""
    made = Path(tempfile.mkdtemp(prefix="podium-hostile-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="session")
def settings(folder: Path) -> Iterator[ServerSettings]:
    """An operator's settings, with a database and a Prefect of the session's own."""
    with PostgresCluster(folder / "postgres", databases=()) as cluster, StandInPrefect() as prefect:
        yield ServerSettings(
            database_url=cluster.create_database("hostile"),
            storage_url=(folder / "store").as_uri(),
            secret_key="a key that only the tests know, of 32 characters and more",
            public_url=f"http://127.0.0.1:{free_port()}",
            prefect_api_url=prefect.address,
            state=folder,
            lease_seconds=120,
            heartbeat_seconds=0.5,
        )


@pytest.fixture(scope="session")
def world(settings: ServerSettings, folder: Path) -> Iterator[World]:
    """People, competitions and submissions."""
    database = Database(settings.database_url.get_secret_value(), pool_size=5)
    database.migrate()
    with database.session() as session:
        ensure_pools(session)
    storage = open_storage(settings)
    assert isinstance(storage, FileStorage)
    yield World(settings, database, storage, folder)
    database.close()


@pytest.fixture(scope="session")
def gateway(settings: ServerSettings, world: World) -> Iterator[RunningGateway]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch, "TICK_SECONDS", 3600.0)
        with RunningGateway(settings) as running:
            yield running


@pytest.fixture(scope="session")
def image() -> str:
    """The Python image, made if it is not there."""
    return build_images(lambda _: None)[0].name


@pytest.fixture(scope="session")
def grounds(
    gateway: RunningGateway, world: World, folder: Path, image: str
) -> Iterator[Callable[[str], ProvingGround]]:
    """The proving ground of an executor, by its name; each is made once."""
    made: dict[str, ProvingGround] = {}

    def ground(name: str) -> ProvingGround:
        if name not in made:
            place = folder / name
            place.mkdir(mode=0o711)
            executor, owner = _executor(name, place)
            made[name] = ProvingGround(world, gateway, executor, owner, place, image)
        return made[name]

    with pytest.MonkeyPatch.context() as patch:
        # An agent has such secrets in its environment, from which nothing may reach a program.
        for number, variable in enumerate(("PODIUM_AGENT_TOKEN", "AWS_SECRET_ACCESS_KEY", "PODIUM_GATEWAY")):
            patch.setenv(variable, f"canary-environment-{number}")
        yield ground
        for one in made.values():
            one.close()
            assert containers_with(f"podium.owner={one.owner}") == []
            assert groups_of(one.owner) == []


def _executor(name: str, folder: Path) -> tuple[Executor, str]:
    """An agent's executor, chosen and set up as the agent does it; and whose programs it runs."""
    settings = AgentSettings(
        name=f"hostile-{name}-{os.getpid()}",
        folder=folder / "agent",
        executor="docker" if name == "docker" else "process",
        pull="never",
        slots=1,
    )
    executor = choose_executor(settings)
    # No engine, or no bubblewrap, is a failure and not a skip.
    assert "no network, proven" in executor.check()
    return executor, _owner(settings)
