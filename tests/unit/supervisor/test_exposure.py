"""Whether Prefect can be used by strangers on the network."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from podium.platform.supervisor import exposure
from podium.platform.supervisor.exposure import exposed_prefect
from podium.platform.supervisor.prefect_server import prefect_command


class _Prefect(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        # As Prefect does, it answers for its health whoever asks.
        self.send_response(200 if self.path == "/api/health" else self.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def serve() -> Iterator[Callable[[int], int]]:
    servers: list[ThreadingHTTPServer] = []

    def start(status: int) -> int:
        handler = type("Handler", (_Prefect,), {"status": status})
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return servers[-1].server_port

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(("status", "warned"), [(200, True), (401, False), (403, False), (302, False)])
def test_one_that_answers_strangers_is_warned_of(
    serve: Callable[[int], int], monkeypatch: pytest.MonkeyPatch, *, status: int, warned: bool
) -> None:
    port = serve(status)
    monkeypatch.setattr(exposure, "own_addresses", lambda: ["127.0.0.1"])
    warnings = exposed_prefect(f"http://localhost:{port}/api")
    assert bool(warnings) is warned
    assert all(f"127.0.0.1:{port}" in warning for warning in warnings)


def test_one_on_loopback_alone_is_not(serve: Callable[[int], int]) -> None:
    assert exposed_prefect(f"http://127.0.0.1:{serve(200)}/api") == []


def test_podiums_own_listens_on_loopback() -> None:
    command = prefect_command(4200)
    assert command[command.index("--host") + 1] == "127.0.0.1"
