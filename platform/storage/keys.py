"""Names of stored objects: two folders and a name, none of which leads elsewhere."""

from __future__ import annotations

import re
from uuid import UUID

from podium.platform.errors import NotFound

KEY = re.compile(r"(?:incoming|content)(?:/[A-Za-z0-9_-]+){2}")
SHARDS = tuple(f"{number:02x}" for number in range(256))
"""The folders that content is spread over."""


def content_key(sha256: str) -> str:
    """Where content of that SHA-256 lies; spread over folders, which file systems like."""
    return f"content/{sha256[:2]}/{sha256}"


def incoming_key(upload_id: UUID, name: str = "file") -> str:
    """Where an upload lies until it is checked."""
    return f"incoming/{upload_id}/{name}"


def require_key(key: str) -> str:
    """The key, if it is one; keys are Podium's own, and this holds should one ever not be.

    Raises:
        NotFound: It is none.
    """
    if not KEY.fullmatch(key):
        raise NotFound("There is nothing stored under this address.")
    return key
