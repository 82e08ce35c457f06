"""The three stores, each for real: a folder behind a gateway, an S3, and Azure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import pytest
from object_stores import ObjectStore, azurite, swift
from world import RunningGateway, World

from podium.platform import dispatch
from podium.platform.database import Database
from podium.platform.settings import ServerSettings
from podium.platform.storage import FileStorage, Storage, open_storage
from podium.platform.supervisor.ports import free_port

KINDS = ("file", "s3", "abfs")
SERVERS = {"s3": swift, "abfs": azurite}


@pytest.fixture(scope="session")
def object_stores() -> Iterator[dict[str, ObjectStore]]:
    """Those that were asked for; each is started once."""
    with ExitStack() as stack:

        class Started(dict[str, ObjectStore]):
            def __missing__(self, kind: str) -> ObjectStore:
                self[kind] = stack.enter_context(SERVERS[kind]())
                return self[kind]

        yield Started()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Which store a test is about: each of them, one after another."""
    name: str = request.param
    return name


@pytest.fixture
def store_settings(kind: str, settings: ServerSettings, object_stores: dict[str, ObjectStore]) -> ServerSettings:
    """An operator's settings for that store."""
    if kind == "file":
        return settings
    given = {"part_bytes": 5 << 20, **object_stores[kind].settings}
    return ServerSettings.model_validate({**settings.model_dump(), **given})


@pytest.fixture
def store(kind: str, store_settings: ServerSettings, request: pytest.FixtureRequest) -> Storage:
    """The store itself; the folder's gateway runs."""
    if kind == "file":
        gateway: RunningGateway = request.getfixturevalue("session_gateway")
        assert gateway.services.storage.kind == "file"
    return open_storage(store_settings)


@pytest.fixture(scope="session")
def store_gateways(
    settings: ServerSettings, object_stores: dict[str, ObjectStore], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, RunningGateway]]:
    """A gateway for each store that takes small parts."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch, "TICK_SECONDS", 3600.0)

        class Started(dict[str, RunningGateway]):
            def __missing__(self, kind: str) -> RunningGateway:
                folder = {"storage_url": tmp_path_factory.mktemp("store").as_uri()}
                given = folder if kind == "file" else object_stores[kind].settings
                address = {"public_url": f"http://127.0.0.1:{free_port()}", "part_bytes": 5 << 20}
                made = ServerSettings.model_validate({**settings.model_dump(), **address, **given})
                self[kind] = stack.enter_context(RunningGateway(made))
                return self[kind]

        yield Started()


@pytest.fixture
def site(kind: str, store_gateways: dict[str, RunningGateway], database: Database, prefect: object) -> RunningGateway:
    """A gateway with that store, and an empty database."""
    return store_gateways[kind]


@pytest.fixture
def site_world(site: RunningGateway, database: Database, tmp_path: Path) -> World:
    """Makes people and competitions on that gateway."""
    return World(site.services.settings, database, cast("FileStorage", site.services.storage), tmp_path)
