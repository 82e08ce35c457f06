"""A stand-in for the Prefect server: it knows the calls that create flow runs, and notes them."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from uuid import UUID, uuid4, uuid5

NAMESPACE = UUID(int=7)


class StandInPrefect:
    """Serves on a free port. It can be stopped, as a server that is down, and started again at the same address.

    Attributes:
        runs: The flow runs that exist, by their idempotency key: the body that created each, with its id.
        calls: How often it was asked to create one.
    """

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.calls = 0
        self._port = 0
        self._server: ThreadingHTTPServer | None = None
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def address(self) -> str:
        """What `PODIUM_PREFECT_API_URL` is set to."""
        return f"http://127.0.0.1:{self._port}/api"

    def start(self) -> None:
        """Serve from now on."""
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/api/health":
                    self._answer(200, "ok")
                elif found := re.fullmatch(r"/api/deployments/name/([^/]+/[^/]+)", self.path):
                    self._answer(200, {"id": str(uuid5(NAMESPACE, found[1]))})
                else:
                    self._answer(404, {"detail": "Not Found"})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                found = re.fullmatch(r"/api/deployments/([0-9a-f-]+)/create_flow_run", self.path)
                if found is None:
                    self._answer(404, {"detail": "Not Found"})
                    return
                stand_in.calls += 1
                new = {**body, "id": str(uuid4()), "deployment": found[1]}
                self._answer(201, stand_in.runs.setdefault(body["idempotency_key"], new))

            def _answer(self, status: int, content: object) -> None:
                data = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name of the base class
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Be down: connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def reset(self) -> None:
        """Serve, and know of no flow run."""
        if self._server is None:
            self.start()
        self.runs, self.calls = {}, 0

    def runs_of(self, subject: UUID) -> list[dict[str, Any]]:
        """The flow runs of a submission or bundle, in the order of their creation."""
        return [run for run in self.runs.values() if str(subject) in run["parameters"].values()]

    @staticmethod
    def deployment(flow: str, pool: str) -> str:
        """The id that it gives to a deployment."""
        return str(uuid5(NAMESPACE, f"{flow}/{pool}"))
