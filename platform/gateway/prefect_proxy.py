"""Prefect's API for agents that may not have it: the calls of `podium.platform.prefect_calls`, made for them."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any
from uuid import UUID

import httpx

from podium.platform.errors import PlatformFault
from podium.platform.prefect_calls import Call, Kind, answer_body, not_there, request_body, request_path

SECONDS = 10.0
"""How long Prefect may take for a call."""
_REMEMBERED = 20_000
"""Flow runs of which the pool is remembered."""
NO_CSRF_TOKEN = httpx.codes.UNPROCESSABLE_ENTITY
"""What Prefect answers where its clients need no such token."""


class PrefectProxy:
    """Makes calls of agents.

    Args:
        api_url: Such as `http://127.0.0.1:4200/api`.
    """

    def __init__(self, api_url: str) -> None:
        self._address = api_url.rstrip("/")
        self._client: httpx.AsyncClient | None = None
        self._pools: OrderedDict[UUID, str] = OrderedDict()

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def call(self, call: Call, body: bytes, *, pool: str) -> tuple[int, Any]:
        """Make a call for an agent of a pool; return the status and what the agent is to see.

        Raises:
            NotFound: It is about a flow run of another pool, or Prefect does not know what it is about.
            InvalidInput: The body is not what a worker sends.
            PlatformFault: Prefect can't be reached, or is in trouble.
        """
        if call.kind is Kind.CSRF_TOKEN:
            return NO_CSRF_TOKEN, {"detail": "CSRF protection is disabled."}
        content = request_body(call, body)
        if call.flow_run is not None and await self._pool_of(call.flow_run) != pool:
            raise not_there()
        answer = await self._ask("GET" if content is None else "POST", request_path(call, pool=pool), content)
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise not_there()
        # Whatever else it says of an error may be about what the agent is not to see.
        if answer.is_client_error:
            return answer.status_code, {"detail": "Prefect does not take this."}
        if not answer.is_success:
            raise PlatformFault(f"Prefect answered {answer.status_code} to this call.")
        found = answer.json() if answer.content else None
        return answer.status_code, None if found is None else answer_body(call, found, pool=pool)

    async def _pool_of(self, flow_run: UUID) -> str:
        """The pool of a flow run, which stays the same for good; empty for one that Prefect does not know."""
        if flow_run in self._pools:
            self._pools.move_to_end(flow_run)
            return self._pools[flow_run]
        answer = await self._ask("GET", f"/flow_runs/{flow_run}", None)
        if not answer.is_success:
            return ""
        pool = str(answer.json().get("work_pool_name") or "")
        self._pools[flow_run] = pool
        if len(self._pools) > _REMEMBERED:
            self._pools.popitem(last=False)
        return pool

    async def _ask(self, method: str, path: str, content: dict[str, Any] | None) -> httpx.Response:
        if self._client is None:
            # Made where it is used: it belongs to the loop that serves.
            self._client = httpx.AsyncClient(base_url=self._address, timeout=SECONDS, follow_redirects=False)
        try:
            return await self._client.request(method, path, json=content)
        except httpx.HTTPError as error:
            raise PlatformFault(
                f"Prefect can't be reached ({type(error).__name__}).", remedy="Agents go on without it."
            ) from error
