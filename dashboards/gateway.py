"""The gateway, as the pages call it."""

from __future__ import annotations

from podium.dashboards.settings import read_settings
from podium.platform.client.api import Client
from podium.platform.client.retries import Patience

_SECONDS = 5.0  # a page that waits longer than this for its data should say so instead


def open_gateway(token: str | None, *, seconds: float = _SECONDS) -> Client:
    """The gateway of this process as one caller sees it: a visitor, or a person with a token."""
    # A page never waits for a second try: it comes back by itself, and says meanwhile what it knows.
    return Client(read_settings().gateway, token, timeout=seconds, patience=Patience(tries=1))
