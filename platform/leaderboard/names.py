"""The names on an anonymous leaderboard: pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
from uuid import UUID

_LETTERS = 8


def pseudonym(key: UUID, entrant: UUID) -> str:
    """What an entrant is called on one board: always the same, and nothing to be found out without the board's key.

    It has a space in it, which usernames have not: nobody can take another's pseudonym for a name.
    """
    digest = hmac.digest(key.bytes, entrant.bytes, hashlib.sha256)
    return f"Participant {base64.b32encode(digest).decode('ascii')[:_LETTERS].lower()}"
