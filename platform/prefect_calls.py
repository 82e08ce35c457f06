"""What an agent may say to Prefect: the calls of a worker, about its own pool, and nothing else. Pure functions.

Prefect's API knows one password for everything. So an agent elsewhere never has it: the gateway makes these calls for
it. Each is made anew from what was understood of the agent's, and of Prefect's answers only what stands here is
passed on: no other pool, no other flow run, no settings, no blocks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from podium.platform.errors import InvalidInput, NotFound

BODY_BYTES = 64 * 1024
"""Largest body of such a call."""


class Kind(StrEnum):
    """The calls that a worker makes."""

    VERSION = "version"  # of the API, when it starts
    CSRF_TOKEN = "csrf-token"  # noqa: S105  # the name of a call; there is none, and the client then does without
    POOL = "pool"  # with each synchronization
    HEARTBEAT = "heartbeat"  # likewise
    SCHEDULED = "scheduled"  # now and then: runs that somebody started in Prefect itself
    SET_STATE = "set-state"  # of a flow run, as it begins and ends


_CALLS = (
    (Kind.VERSION, "GET", re.compile(r"admin/version")),
    (Kind.CSRF_TOKEN, "GET", re.compile(r"csrf-token")),
    (Kind.POOL, "GET", re.compile(r"work_pools/(?P<pool>[^/]{1,100})")),
    (Kind.HEARTBEAT, "POST", re.compile(r"work_pools/(?P<pool>[^/]{1,100})/workers/heartbeat")),
    (Kind.SCHEDULED, "POST", re.compile(r"work_pools/(?P<pool>[^/]{1,100})/get_scheduled_flow_runs")),
    (Kind.SET_STATE, "POST", re.compile(r"flow_runs/(?P<flow_run>[0-9a-f-]{36})/set_state")),
)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was understood.

    Attributes:
        flow_run: Whose pool is to be looked up before the call is made; `None` where it is about no flow run.
    """

    kind: Kind
    flow_run: UUID | None = None


class _Asked(BaseModel):
    """Base of the bodies: what is not known is left out, and never sent on."""

    model_config = ConfigDict(extra="ignore")


class _Heartbeat(_Asked):
    name: str = Field(min_length=1, max_length=100)
    heartbeat_interval_seconds: float | None = Field(default=None, gt=0, le=3600)
    return_id: bool = False


class _Scheduled(_Asked):
    work_queue_names: list[str] | None = Field(default=None, max_length=20)
    scheduled_before: datetime | None = None
    scheduled_after: datetime | None = None
    limit: int | None = Field(default=None, ge=1)


class _State(_Asked):
    type: Literal["PENDING", "RUNNING", "COMPLETED", "FAILED", "CRASHED", "CANCELLED"]
    name: str | None = Field(default=None, max_length=100)
    message: str | None = None
    timestamp: datetime | None = None


class _SetState(_Asked):
    state: _State
    force: bool = False


MAX_SCHEDULED = 50
_MESSAGE = 2000
_TEMPLATE = {"job_configuration": {}, "variables": {"type": "object", "properties": {}}}
"""Stands for a pool's job template: an agent of Podium's is configured by nothing in Prefect."""
_OF_POOL = ("id", "created", "updated", "name", "type", "is_paused", "concurrency_limit", "status", "default_queue_id")
_OF_STATE = ("id", "type", "name", "timestamp", "message")
_OF_FLOW_RUN = (
    *("id", "created", "updated", "name", "flow_id", "deployment_id", "parameters", "tags", "run_count"),
    *("work_pool_id", "work_pool_name", "work_queue_id", "work_queue_name", "state_id", "state_type", "state_name"),
    *("expected_start_time", "next_scheduled_start_time", "auto_scheduled"),
)


def read_call(method: str, path: str, *, pool: str) -> Call:
    """Which call this is, if an agent of the pool may make it.

    Args:
        path: Below the API's address, without a slash in front.

    Raises:
        NotFound: It is none of those that a worker makes, or about another pool.
    """
    for kind, allowed, pattern in _CALLS:
        found = pattern.fullmatch(path)
        if found is None or method != allowed:
            continue
        parts = found.groupdict()
        if parts.get("pool", pool) != pool:
            break
        flow_run = parts.get("flow_run")
        try:
            return Call(kind, UUID(flow_run) if flow_run else None)
        except ValueError:
            break
    raise not_there()


def not_there() -> NotFound:
    """The error for whatever an agent may not reach: whether it exists can't be told from it."""
    return NotFound("An agent can't ask Prefect for this, or there is no such thing.")


def request_path(call: Call, *, pool: str) -> str:
    """The path that Prefect is asked for. Pools' names are safe in it: `podium.platform.pools` sees to that."""
    return {
        Kind.VERSION: "/admin/version",
        Kind.POOL: f"/work_pools/{pool}",
        Kind.HEARTBEAT: f"/work_pools/{pool}/workers/heartbeat",
        Kind.SCHEDULED: f"/work_pools/{pool}/get_scheduled_flow_runs",
        Kind.SET_STATE: f"/flow_runs/{call.flow_run}/set_state",
    }[call.kind]


def request_body(call: Call, body: bytes) -> dict[str, Any] | None:
    """The body that Prefect is sent, made of what was understood of the agent's; `None` for a call without one.

    Raises:
        InvalidInput: It is not what a worker sends.
    """
    try:
        match call.kind:
            case Kind.HEARTBEAT:
                return _Heartbeat.model_validate_json(body).model_dump(mode="json")
            case Kind.SCHEDULED:
                asked = _Scheduled.model_validate_json(body)
                asked.limit = min(asked.limit or MAX_SCHEDULED, MAX_SCHEDULED)
                return asked.model_dump(mode="json", exclude_none=True)
            case Kind.SET_STATE:
                told = _SetState.model_validate_json(body)
                told.state.message = told.state.message[:_MESSAGE] if told.state.message else None
                return told.model_dump(mode="json", exclude_none=True)
    except ValidationError as error:
        raise InvalidInput(f"This is not what a worker sends: {error.errors()[0]['msg']}.") from None
    return None


def answer_body(call: Call, answer: Any, *, pool: str) -> Any:  # noqa: ANN401  # JSON
    """Of Prefect's answer to a call, what the agent is to see."""
    match call.kind:
        case Kind.VERSION:
            return str(answer)[:40]
        case Kind.POOL:
            return {**_only(answer, _OF_POOL), "base_job_template": _TEMPLATE, "storage_configuration": {}}
        case Kind.HEARTBEAT:
            return answer if isinstance(answer, str) else None
        case Kind.SCHEDULED:
            return [
                {
                    **_only(one, ("work_pool_id", "work_queue_id")),
                    "flow_run": {
                        **_only(one["flow_run"], _OF_FLOW_RUN),
                        "state": _only(one["flow_run"].get("state") or {}, _OF_STATE),
                    },
                }
                for one in answer
                if one["flow_run"].get("work_pool_name") in (None, pool)
            ]
        case Kind.SET_STATE:
            details = _only(answer.get("details") or {}, ("type", "reason"))
            state = _only(answer.get("state") or {}, _OF_STATE)
            return {"state": state or None, "status": answer.get("status"), "details": details}
    return None


def _only(found: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: found[name] for name in names if name in found}
