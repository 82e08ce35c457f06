"""A stand-in for the Prefect server: it creates flow runs, notes them, and knows in what state each is."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from uuid import UUID, uuid4, uuid5

NAMESPACE = UUID(int=7)


class StandInPrefect:
    """Serves on a free port. It can be stopped, as a server that is down, and started again at the same address.

    Attributes:
        runs: The flow runs that exist, by their idempotency key: the body that created each, with its id.
        calls: How often it was asked to create one.
        states: What was said of the state of a flow run, by its id, the latest last.
        registered: Whether it has the deployments of `prefect.yaml`; making one gives it all of them.
        deployments: Those that were made, as `flow/pool`.
    """

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.calls = 0
        self.states: dict[str, list[dict[str, Any]]] = {}
        self.registered = True
        self.deployments: set[str] = set()
        self._flows: dict[str, str] = {}
        self._flow_ids: dict[str, str] = {}
        self._lock = threading.Lock()
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
                elif self.path.startswith("/api/work_pools/"):
                    self._answer(200, {})
                elif stand_in.registered and (found := re.fullmatch(r"/api/deployments/name/(.+/.+)", self.path)):
                    self._answer(200, {"id": stand_in._deployment(found[1])})
                else:
                    self._answer(404, {"detail": "Not Found"})

            def do_POST(self) -> None:
                self._answer(*stand_in._post(self.path.removeprefix("/api"), self._body()))

            def do_PATCH(self) -> None:
                self._body()
                self._answer(200, {})

            def _body(self) -> Any:  # noqa: ANN401  # JSON
                return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

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
        self.runs, self.calls, self.states, self.registered = {}, 0, {}, True
        self.deployments.clear()

    def lose(self) -> None:
        """Be without anything, as one whose database was lost."""
        self.runs, self.states, self.registered = {}, {}, False
        self.deployments.clear()

    def runs_of(self, subject: UUID) -> list[dict[str, Any]]:
        """The flow runs of a submission, batch, bundle or what else they are about, in the order of their creation."""
        return [run for run in self.runs.values() if str(subject) in run["parameters"].values()]

    def runs_of_flow(self, flow: str) -> list[dict[str, Any]]:
        """The runs of a flow, in the order of their creation."""
        return [run for run in self.runs.values() if self._flows.get(run["deployment"]) == flow]

    def told(self, flow_run_id: UUID | str) -> list[tuple[str, str]]:
        """What was said of a flow run: types of state with their messages."""
        return [(state["type"], state.get("message", "")) for state in self.states.get(str(flow_run_id), [])]

    def set_state(self, flow_run_id: UUID | str, state: str, *, at: datetime | None = None) -> None:
        """Put a flow run into a state, as an operator or an agent would."""
        moment = at or datetime.now(UTC)
        known = self.states.setdefault(str(flow_run_id), [])
        known.append({"type": state, "timestamp": moment.isoformat()})

    @staticmethod
    def deployment(flow: str, pool: str) -> str:
        """The id that it gives to a deployment."""
        return str(uuid5(NAMESPACE, f"{flow}/{pool}"))

    def _deployment(self, name: str) -> str:
        made = str(uuid5(NAMESPACE, name))
        self._flows[made] = name.partition("/")[0]
        return made

    def _post(self, path: str, body: dict[str, Any]) -> tuple[int, object]:
        if found := re.fullmatch(r"/deployments/([0-9a-f-]+)/create_flow_run", path):
            return self._create(found[1], body) if self.registered else (404, {"detail": "Not Found"})
        if found := re.fullmatch(r"/flow_runs/([0-9a-f-]+)/set_state", path):
            if all(run["id"] != found[1] for run in self.runs.values()):
                return 404, {"detail": "Not Found"}
            state = {**body["state"], "timestamp": datetime.now(UTC).isoformat()}
            self.states.setdefault(found[1], []).append(state)
            return 201, {"status": "ACCEPT"}
        if path == "/flow_runs/filter":
            return 200, self._found(body)
        if path == "/deployments/filter":
            return 200, self._found_deployments(body["flows"]["name"]["any_"])
        return self._make(path, body)

    def _found_deployments(self, flows: list[str]) -> list[dict[str, str]]:
        found = [one.split("/") for one in sorted(self.deployments)]
        return [{"name": pool, "work_pool_name": pool} for flow, pool in found if flow in flows]

    def _make(self, path: str, body: dict[str, Any]) -> tuple[int, object]:
        if path == "/flows/":
            self._flow_ids[str(uuid5(NAMESPACE, body["name"]))] = body["name"]
        if path == "/deployments/":
            self.deployments.add(f"{self._flow_ids[body['flow_id']]}/{body['work_pool_name']}")
        if path.endswith("/get_scheduled_flow_runs"):
            return 200, []
        if path in {"/flows/", "/deployments/", "/work_pools/"}:
            self.registered = self.registered or path == "/deployments/"
            return 201, {"id": str(uuid5(NAMESPACE, body["name"]))}
        return 404, {"detail": "Not Found"}

    def _create(self, deployment: str, body: dict[str, Any]) -> tuple[int, object]:
        with self._lock:
            self.calls += 1
            new = {**body, "id": str(uuid4()), "deployment": deployment, "created": datetime.now(UTC).isoformat()}
            return 201, self.runs.setdefault(body["idempotency_key"], new)

    def _found(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The flow runs of a filter: by their ids, by the names of their flows, without some types of state."""
        of_runs = body.get("flow_runs", {})
        ids = of_runs.get("id", {}).get("any_")
        flows = body.get("flows", {}).get("name", {}).get("any_")
        unwanted = of_runs.get("state", {}).get("type", {}).get("not_any_", [])
        rows = [
            row
            for row in map(self._row, list(self.runs.values()))
            if (ids is None or row["id"] in ids)
            and (flows is None or row["flow"] in flows)
            and row["state_type"] not in unwanted
        ]
        start = body.get("offset", 0)
        return sorted(rows, key=lambda row: row["id"], reverse=True)[start : start + body.get("limit", 200)]

    def _row(self, run: Mapping[str, Any]) -> dict[str, Any]:
        first = {"type": run["state"]["type"], "timestamp": run["created"]}
        state = self.states.get(run["id"], [first])[-1]
        return {
            "id": run["id"],
            "name": run["name"],
            "flow": self._flows.get(run["deployment"], ""),
            "state_type": state["type"],
            "state": state,
            "created": run["created"],
            "parameters": run["parameters"],
        }
