"""Prefect's API as agents reach it: `PREFECT_API_URL` is the gateway's address with `/api/v1/agent/prefect`."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from podium.platform.errors import TooLarge
from podium.platform.gateway.routes.agents import WithCaller, WithServices
from podium.platform.prefect_calls import BODY_BYTES, read_call

router = APIRouter(tags=["agents"])


@router.get("/agent/prefect/{path:path}", response_class=Response)
async def ask_prefect(path: str, services: WithServices, caller: WithCaller) -> Response:
    """What a worker asks Prefect about its own pool."""
    return _answer(*await services.prefect_proxy.call(read_call("GET", path, pool=caller.pool), b"", pool=caller.pool))


@router.post("/agent/prefect/{path:path}", response_class=Response)
async def tell_prefect(path: str, services: WithServices, caller: WithCaller, request: Request) -> Response:
    """What a worker tells Prefect of itself and of flow runs of its pool."""
    call = read_call("POST", path, pool=caller.pool)
    return _answer(*await services.prefect_proxy.call(call, await _body(request), pool=caller.pool))


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            raise TooLarge(f"What a worker tells Prefect has at most {BODY_BYTES} bytes.")
    return bytes(body)


def _answer(status: int, content: Any) -> Response:  # noqa: ANN401  # JSON
    if content is None:
        return Response(status_code=status)
    return Response(json.dumps(content), status_code=status, media_type="application/json")
