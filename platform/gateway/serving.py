"""The gateway as a server: it is served until it is stopped, and those who wait for news then go first."""

from __future__ import annotations

import socket
from typing import Any

import uvicorn
from fastapi import FastAPI

from podium.platform.gateway.services import Services

GRACE_SECONDS = 5
"""How long a stop waits for requests that are being answered."""


class GatewayServer(uvicorn.Server):
    """Serves a gateway.

    Args:
        app: From `create_app`.
        options: Those of `uvicorn.Config`.
    """

    def __init__(self, app: FastAPI, **options: Any) -> None:  # noqa: ANN401  uvicorn's own
        super().__init__(uvicorn.Config(app, **{"timeout_graceful_shutdown": GRACE_SECONDS, **options}))
        self._services: Services = app.state.services

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer the watchers, who would hold their connections for up to half a minute, then end what is left."""
        self._services.notices.dismiss()
        await super().shutdown(sockets)
