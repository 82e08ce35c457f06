"""The certificates that this host trusts, loaded once: loading them takes longer than many a call."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


@cache
def trusted() -> ssl.SSLContext:
    """The context that every HTTP client of an agent uses."""
    return httpx.create_ssl_context()
