"""A Prefect that hangs."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest

from podium.platform import orchestration
from podium.platform.errors import PlatformFault
from podium.platform.orchestration import Orchestration


@pytest.fixture
def hanging() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/api"


def test_only_the_first_waits_for_a_prefect_that_hangs(hanging: str, monkeypatch: pytest.MonkeyPatch) -> None:
    prefect = Orchestration(hanging, timeout=0.3)
    with pytest.raises(PlatformFault, match="can't be reached"):
        prefect.cancel_flow_run(uuid4())
    began = time.monotonic()
    for _ in range(20):
        with pytest.raises(PlatformFault, match="did not answer a moment ago"):
            prefect.cancel_flow_run(uuid4())
    assert time.monotonic() - began < 0.3
    monkeypatch.setattr(orchestration, "SILENCE_SECONDS", 0.0)
    prefect._silent_until = time.monotonic()
    with pytest.raises(PlatformFault, match="can't be reached"):
        prefect.cancel_flow_run(uuid4())
    prefect.close()


def test_one_that_is_not_there_is_asked_again_at_once() -> None:
    """That costs nobody any time, and it may just be coming back."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    prefect = Orchestration(f"http://127.0.0.1:{port}/api")
    for _ in range(2):
        with pytest.raises(PlatformFault, match="can't be reached"):
            prefect.cancel_flow_run(uuid4())
    prefect.close()
