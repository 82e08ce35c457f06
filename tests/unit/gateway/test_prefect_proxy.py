"""Calls of agents to Prefect, made by the gateway: about their own pool's flow runs alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import anyio
import httpx
import pytest

from podium.platform.errors import NotFound, PlatformFault, PodiumError
from podium.platform.gateway.prefect_proxy import PrefectProxy
from podium.platform.prefect_calls import read_call

OWN, OTHER, GONE = (UUID(int=number) for number in (1, 2, 3))
STATE = json.dumps({"state": {"type": "COMPLETED"}, "force": True}).encode()


class Prefect:
    """Knows two flow runs, and notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status = 200

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api")
        self.asked.append(f"{request.method} {path}")
        if self.status == 0:
            raise httpx.ConnectError("refused")
        if path.endswith("/set_state"):
            return httpx.Response(self.status, json={"status": "ACCEPT", "state": {"type": "COMPLETED"}, "details": {}})
        if path.startswith("/flow_runs/"):
            pools = {f"/flow_runs/{OWN}": "annas", f"/flow_runs/{OTHER}": "bens"}
            found = pools.get(path)
            return httpx.Response(200, json={"work_pool_name": found}) if found else httpx.Response(404, json={})
        return httpx.Response(self.status, json={"name": "annas", "description": "secret"})


@pytest.fixture
def prefect() -> Prefect:
    return Prefect()


Call = Callable[..., tuple[int, Any]]


@pytest.fixture
def call(prefect: Prefect) -> Call:
    proxy = PrefectProxy("http://prefect/api/")
    proxy._client = httpx.AsyncClient(base_url="http://prefect/api", transport=httpx.MockTransport(prefect.answer))

    def make(method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
        async def work() -> tuple[int, Any]:
            return await proxy.call(read_call(method, path, pool="annas"), body, pool="annas")

        return anyio.run(work)

    return make


def test_a_flow_run_of_the_own_pool_is_told_of_and_looked_up_once(call: Call, prefect: Prefect) -> None:
    for _ in range(2):
        status, seen = call("POST", f"flow_runs/{OWN}/set_state", STATE)
        assert (status, seen["status"]) == (200, "ACCEPT")
    assert prefect.asked == [f"GET /flow_runs/{OWN}", *[f"POST /flow_runs/{OWN}/set_state"] * 2]


@pytest.mark.parametrize("flow_run", [OTHER, GONE])
def test_of_another_nothing_is_told_whether_it_is_there_or_not(call: Call, prefect: Prefect, flow_run: UUID) -> None:
    with pytest.raises(NotFound) as refused:
        call("POST", f"flow_runs/{flow_run}/set_state", STATE)
    assert str(refused.value) == "An agent can't ask Prefect for this, or there is no such thing."
    assert prefect.asked == [f"GET /flow_runs/{flow_run}"]


def test_there_is_no_csrf_token_and_prefect_is_not_asked(call: Call, prefect: Prefect) -> None:
    assert call("GET", "csrf-token")[0] == 422
    assert prefect.asked == []


def test_a_pool_is_seen_without_what_was_set_in_prefect(call: Call) -> None:
    status, seen = call("GET", "work_pools/annas")
    assert (status, seen["name"]) == (200, "annas")
    assert "description" not in seen


@pytest.mark.parametrize(("status", "error"), [(0, PlatformFault), (404, NotFound), (500, PlatformFault)])
def test_a_prefect_in_trouble_is_a_fault_of_the_platforms(
    call: Call, prefect: Prefect, status: int, error: type[PodiumError]
) -> None:
    prefect.status = status
    with pytest.raises(error):
        call("GET", "work_pools/annas")


def test_what_prefect_does_not_take_is_passed_on_without_its_words(call: Call, prefect: Prefect) -> None:
    prefect.status = 422
    assert call("GET", "work_pools/annas") == (422, {"detail": "Prefect does not take this."})
