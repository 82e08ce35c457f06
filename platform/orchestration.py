"""The only caller of Prefect's API: flow runs for what was queued, and the pools and deployments themselves.

A flow run's parameters are ids alone. What Prefect's database holds can be lost without losing a submission.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any
from uuid import UUID

import httpx
import yaml

from podium.platform.errors import PlatformFault

SCORE_SUBMISSION = "score-submission"
SCORE_BATCH = "score-batch"
CREATE_COMPETITION = "create-competition"
RERUN_PHASE = "rerun-phase"
MIGRATE_PHASE = "migrate-phase"
SEND_MASS_EMAIL = "send-mass-email"
DELIVER_MAIL = "deliver-mail"
IMPORT_IMAGES = "import-images"
RECONCILE = "reconcile"
TICK = "tick"
SCALE_POOL = "scale-pool"
PLATFORM_POOL = "cpu"
"""The pool of the platform's own flows: those that need the database or the storage."""
MODEL_POOL = "docker"
"""The pool that those of organizers are made after."""
WORKER_TYPE = "podium"
FAR = timedelta(days=30)
"""When a flow run is planned for that is begun by the gateway's announcement."""
SILENCE_SECONDS = 5.0
"""How long nothing is asked of a Prefect that takes calls and does not answer them."""
PAGE = 200
"""Flow runs that Prefect is asked for at once, which is the most that it answers with."""
ENDED_STATES = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})
"""Types of state in which a flow run does nothing any more."""
SCORING_FLOWS = (SCORE_SUBMISSION, SCORE_BATCH)


@dataclass(frozen=True, slots=True)
class KnownFlowRun:
    """A flow run as Prefect knows it.

    Attributes:
        flow: The name of its flow; empty where it was not asked for.
        state: The type of its state, such as `RUNNING`.
        since: When it came into that state.
        parameters: Ids alone.
    """

    id: UUID
    name: str
    flow: str
    state: str
    since: datetime
    parameters: Mapping[str, Any]

    @property
    def ended(self) -> bool:
        """Whether it does nothing any more."""
        return self.state in ENDED_STATES


class Orchestration:
    """Prefect's API, as far as the platform needs it.

    Args:
        api_url: Such as `http://127.0.0.1:4200/api`.
    """

    def __init__(self, api_url: str, *, timeout: float = 5.0) -> None:
        self._client = httpx.Client(base_url=api_url.rstrip("/"), timeout=timeout)
        self._deployments: dict[tuple[str, str], str] = {}
        self._silent_until = float("-inf")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def healthy(self) -> bool:
        """Whether Prefect answers."""
        try:
            return self._client.get("/health", timeout=2.0).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def dispatch_submission(
        self, submission_id: UUID, *, pool: str, dispatch: int, name: str, tags: Sequence[str]
    ) -> UUID:
        """Make the flow run that scores a submission; asking again for the same dispatch makes no second one.

        It is planned for a far day, so that no agent takes it from Prefect's own queue: agents hear of it from the
        gateway, when its file is complete, and begin it at once.

        Raises:
            PlatformFault: Prefect can't be reached, or the pool has no such deployment.
        """
        return self._create_flow_run(
            SCORE_SUBMISSION,
            pool,
            parameters={"submission_id": str(submission_id)},
            name=name,
            tags=tags,
            idempotency_key=f"{submission_id}/{dispatch}",
            state=_announced(),
        )

    def dispatch_batch(self, batch_id: UUID, *, pool: str, queue: str, name: str, tags: Sequence[str]) -> UUID:
        """Make the flow run that stands for many submissions; asking again makes no second one.

        Raises:
            PlatformFault: Prefect can't be reached, or the pool has no such deployment.
        """
        return self._create_flow_run(
            SCORE_BATCH,
            pool,
            parameters={"batch_id": str(batch_id)},
            name=name,
            tags=tags,
            idempotency_key=str(batch_id),
            state=_announced(),
            queue=queue,
        )

    def dispatch_flow(
        self, flow: str, parameters: Mapping[str, UUID], *, key: str, name: str, tags: Sequence[str], queue: str
    ) -> UUID:
        """Make a run of one of the platform's own flows; asking again with the same key makes no second one.

        Raises:
            PlatformFault: Prefect can't be reached, or the deployment is missing.
        """
        return self._create_flow_run(
            flow,
            PLATFORM_POOL,
            parameters={name: str(one) for name, one in parameters.items()},
            name=name,
            tags=tags,
            idempotency_key=key,
            state={"type": "SCHEDULED"},
            queue=queue,
        )

    def flow_runs(self, ids: Sequence[UUID]) -> dict[UUID, KnownFlowRun]:
        """What Prefect knows of flow runs, by their ids; those that it does not know are left out.

        Raises:
            PlatformFault: Prefect can't be reached.
        """
        found: dict[UUID, KnownFlowRun] = {}
        for start in range(0, len(ids), PAGE):
            page = [str(one) for one in ids[start : start + PAGE]]
            found |= {run.id: run for run in self._find({"flow_runs": {"id": {"any_": page}}})}
        return found

    def open_flow_runs(self, flows: Sequence[str]) -> list[KnownFlowRun]:
        """All runs of these flows that have not ended, as far as Prefect knows.

        Raises:
            PlatformFault: Prefect can't be reached.
        """
        found: list[KnownFlowRun] = []
        for flow in flows:
            where = {
                "flows": {"name": {"any_": [flow]}},
                "flow_runs": {"state": {"type": {"not_any_": sorted(ENDED_STATES)}}},
            }
            offset = 0
            while page := self._find({**where, "offset": offset}):
                found += [replace(run, flow=flow) for run in page]
                offset += len(page)
                if len(page) < PAGE:
                    break
        return found

    def _find(self, where: dict[str, Any]) -> list[KnownFlowRun]:
        rows = self._rows("/flow_runs/filter", {"limit": PAGE, "sort": "ID_DESC", **where})
        return [
            KnownFlowRun(
                id=UUID(run["id"]),
                name=run["name"],
                flow="",
                state=run["state_type"] or "",
                since=datetime.fromisoformat((run.get("state") or run)["timestamp" if run.get("state") else "created"]),
                parameters=run.get("parameters") or {},
            )
            for run in rows
        ]

    def set_state(self, flow_run_id: UUID, state: str, *, name: str, message: str = "") -> None:
        """Say in what state a flow run is, whatever it was in; one that Prefect does not know is passed over.

        Raises:
            PlatformFault: Prefect can't be reached.
        """
        body = {"state": {"type": state, "name": name, "message": message[:2000]}, "force": True}
        answer = self._post(f"/flow_runs/{flow_run_id}/set_state", body)
        if answer.status_code != httpx.codes.NOT_FOUND:
            self._answer(answer)

    def is_registered(self) -> bool:
        """Whether Prefect has the deployments; one whose database was lost has none.

        Raises:
            PlatformFault: Prefect can't be reached.
        """
        answer = self._get(f"/deployments/name/{RECONCILE}/{PLATFORM_POOL}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            self._deployments.clear()
            return False
        self._answer(answer)
        return True

    def cancel_flow_run(self, flow_run_id: UUID) -> None:
        """Mark a flow run as cancelled.

        Raises:
            PlatformFault: Prefect can't be reached.
        """
        self.set_state(flow_run_id, "CANCELLED", name="Cancelled")

    def _create_flow_run(
        self,
        flow: str,
        pool: str,
        *,
        parameters: dict[str, str],
        name: str,
        tags: Sequence[str],
        idempotency_key: str,
        state: dict[str, Any],
        queue: str | None = None,
    ) -> UUID:
        body: dict[str, Any] = {
            "parameters": parameters,
            "name": name,
            "tags": list(tags),
            "idempotency_key": idempotency_key,
            "state": state,
        }
        if queue is not None:
            body["work_queue_name"] = queue
        answer = self._post(f"/deployments/{self._deployment_id(flow, pool)}/create_flow_run", body)
        if answer.status_code == httpx.codes.NOT_FOUND:
            # The deployment was made anew since: look its id up again.
            self._deployments.clear()
            answer = self._post(f"/deployments/{self._deployment_id(flow, pool)}/create_flow_run", body)
        return UUID(self._answer(answer)["id"])

    def _deployment_id(self, flow: str, pool: str) -> str:
        known = self._deployments.get((flow, pool))
        if known is None:
            known = self._answer(self._get(f"/deployments/name/{flow}/{pool}"))["id"]
            self._deployments[flow, pool] = known
        return known

    def register(self) -> list[str]:
        """Make the pools, queues and deployments of `prefect.yaml` exist as it says; return a line for each.

        Raises:
            PlatformFault: Prefect can't be reached or refuses.
        """
        return self._ensure(_plan())

    def register_scoring_pool(self, name: str) -> list[str]:
        """Make a pool, its queues and the deployments that score in it exist; return a line for each.

        Raises:
            PlatformFault: Prefect can't be reached or refuses.
        """
        return self._ensure(scoring_plan(name))

    def scoring_pools(self) -> set[str]:
        """The pools that have every deployment that scores.

        Raises:
            PlatformFault: Prefect can't be reached.
        """
        found: list[set[str]] = []
        for flow in SCORING_FLOWS:
            where = {"flows": {"name": {"any_": [flow]}}, "sort": "NAME_ASC", "limit": PAGE}
            names: set[str] = set()
            offset = 0
            while page := self._rows("/deployments/filter", {**where, "offset": offset}):
                names |= {one["name"] for one in page if one.get("work_pool_name") == one["name"]}
                offset += len(page)
                if len(page) < PAGE:
                    break
            found.append(names)
        return set.intersection(*found)

    def _rows(self, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        answer = self._post(path, body)
        if answer.is_error:
            self._answer(answer)
        rows: list[dict[str, Any]] = answer.json()
        return rows

    def _ensure(self, plan: Mapping[str, Any]) -> list[str]:
        lines = []
        for pool in plan["work_pools"]:
            self._ensure_pool(pool)
            lines.append(f"pool {pool['name']}")
        for deployment in plan["deployments"]:
            self._ensure_deployment(deployment)
            lines.append(f"deployment {deployment['entrypoint'].split(':')[1]}/{deployment['name']}")
        return lines

    def _ensure_pool(self, pool: dict[str, Any]) -> None:
        found = self._get(f"/work_pools/{pool['name']}")
        if found.status_code == httpx.codes.NOT_FOUND:
            self._answer(
                self._post(
                    "/work_pools/",
                    {"name": pool["name"], "type": WORKER_TYPE, "description": pool.get("description", "")},
                )
            )
        for queue in pool.get("queues", []):
            path = f"/work_pools/{pool['name']}/queues"
            if self._get(f"{path}/{queue['name']}").status_code == httpx.codes.NOT_FOUND:
                self._answer(self._post(path, queue))
            else:
                self._answer(self._request("PATCH", f"{path}/{queue['name']}", {"priority": queue["priority"]}))

    def _ensure_deployment(self, deployment: dict[str, Any]) -> None:
        flow_name = deployment["flow_name"]
        flow_id = self._answer(self._post("/flows/", {"name": flow_name}))["id"]
        pool = deployment["work_pool"]
        self._answer(
            self._post(
                "/deployments/",
                {
                    "name": deployment["name"],
                    "flow_id": flow_id,
                    "entrypoint": deployment["entrypoint"],
                    "description": deployment.get("description", ""),
                    "tags": deployment.get("tags", []),
                    "work_pool_name": pool["name"],
                    "work_queue_name": pool.get("work_queue_name", "default"),
                    "schedules": [_schedule(one) for one in deployment.get("schedules", [])],
                    "enforce_parameter_schema": False,
                    "parameter_openapi_schema": deployment.get("parameters_schema", {"type": "object"}),
                },
            )
        )

    def _get(self, path: str) -> httpx.Response:
        return self._request("GET", path, None)

    def _post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return self._request("POST", path, body)

    def _request(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        if time.monotonic() < self._silent_until:
            raise PlatformFault("Prefect did not answer a moment ago.", remedy="Operators see `podium status`.")
        try:
            return self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            if isinstance(error, httpx.TimeoutException):
                # Whoever comes next must not wait for it too: a server that hangs would hang the gateway.
                self._silent_until = time.monotonic() + SILENCE_SECONDS
            raise PlatformFault(
                f"Prefect can't be reached ({type(error).__name__}).", remedy="Operators see `podium status`."
            ) from error

    @staticmethod
    def _answer(response: httpx.Response) -> dict[str, Any]:
        if response.is_error:
            raise PlatformFault(
                f"Prefect answered {response.status_code} to {response.request.url.path}: {response.text[:300]}"
            )
        answer: dict[str, Any] = response.json() if response.content else {}
        return answer


def _plan() -> dict[str, Any]:
    """What `prefect.yaml` says."""
    plan: dict[str, Any] = yaml.safe_load(resources.files("podium.flows").joinpath("prefect.yaml").read_text())
    return plan


def scoring_plan(name: str) -> dict[str, Any]:
    """Pool, queues and deployments of a pool that an organizer made: those of `MODEL_POOL`, under its name."""
    plan = _plan()
    pool = next(one for one in plan["work_pools"] if one["name"] == MODEL_POOL)
    deployments = [one for one in plan["deployments"] if one["name"] == MODEL_POOL]
    return {
        "work_pools": [{**pool, "name": name, "description": "Scoring on hosts of an organizer"}],
        "deployments": [{**one, "name": name, "work_pool": {**one["work_pool"], "name": name}} for one in deployments],
    }


def _announced() -> dict[str, Any]:
    """The first state of what is begun by an agent that heard of it from the gateway."""
    return {
        "type": "SCHEDULED",
        "name": "Announced",
        "state_details": {"scheduled_time": (datetime.now(UTC) + FAR).isoformat()},
    }


def _schedule(written: dict[str, Any]) -> dict[str, Any]:
    """A schedule of `prefect.yaml`, as Prefect's API wants it."""
    return {"active": True, "schedule": {"interval": written["interval"], "timezone": "UTC"}}
