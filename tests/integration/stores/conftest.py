"""The three stores, each for real: a folder behind a gateway, an S3, and Azure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from object_stores import ObjectStore, azurite, swift
from world import RunningGateway

from podium.platform.settings import ServerSettings
from podium.platform.storage import Storage, open_storage

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
