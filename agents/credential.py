"""The agent's token: read again when its file has changed, so that it can be rotated while the agent works."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator

import httpx

from podium.agents.settings import AgentSettings
from podium.platform.errors import InvalidInput

logger = logging.getLogger("podium.agents")


class Credential(httpx.Auth):
    """The token that counts now; as `httpx.Auth`, it goes with every request of a client that outlives a rotation."""

    def __init__(self, settings: AgentSettings) -> None:
        self._settings = settings
        self._secret = settings.secret()
        self._listeners: list[Callable[[str], None]] = []

    @property
    def secret(self) -> str:
        """The token."""
        return self._secret

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Have a function called with each new token."""
        self._listeners.append(listener)

    def reread(self) -> bool:
        """Read the token file again; tell whether there is another token now."""
        try:
            secret = self._settings.secret()
        except InvalidInput as error:  # it is being replaced at this moment, or gone: the old one may still be good
            logger.warning("%s", error)
            return False
        if not secret or secret == self._secret:
            return False
        logger.info("there is another token in the token file, which is used from now on")
        self._secret = secret
        for listener in self._listeners:
            listener(secret)
        return True

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Put the token onto a request."""
        request.headers["Authorization"] = f"Bearer {self._secret}"
        yield request
