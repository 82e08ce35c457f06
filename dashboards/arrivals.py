"""Who has come from the provider that people sign in at: kept in this process's memory, by a secret of their browser.

The browser's secret is a cookie that no script reads. What is kept under it, the token of the person, never leaves this
process but for the gateway. Who signs in again gets another secret, so that one that somebody else knew is worth
nothing.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

BEGUN_SECONDS = 600.0
_MOST = 50_000

KeptT = TypeVar("KeptT")


@dataclass(frozen=True, slots=True)
class Begun:
    """A way to the provider that a browser is on.

    Attributes:
        competition: Where its person was, to go on there; empty for nowhere.
        token: Of the person whose account the identity is to be linked to; empty for a sign-in.
    """

    competition: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody who is signed in in a browser.

    Attributes:
        is_kept: Whether other tabs of the browser, and this one after a reload, are signed in too; else it is for the
            next session alone.
    """

    token: str
    is_kept: bool


@dataclass(frozen=True, slots=True)
class Words:
    """What there is to say, once, to whoever comes back."""

    text: str
    is_refusal: bool = False


class Kept(Generic[KeptT]):
    """Things by secrets, each for a while; the one that was put there longest ago goes where there are too many."""

    def __init__(self) -> None:
        self._things: OrderedDict[bytes, tuple[float, KeptT]] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, secret: str, thing: KeptT, *, seconds: float) -> None:
        """Keep a thing."""
        with self._lock:
            self._things[_digest(secret)] = (time.monotonic() + seconds, thing)
            self._things.move_to_end(_digest(secret))
            while len(self._things) > _MOST:
                self._things.popitem(last=False)

    def find(self, secret: str) -> KeptT | None:
        """What is kept under a secret."""
        with self._lock:
            until, thing = self._things.get(_digest(secret), (0.0, None))
            return thing if time.monotonic() < until else None

    def take(self, secret: str) -> KeptT | None:
        """The same, and it is kept no more."""
        with self._lock:
            until, thing = self._things.pop(_digest(secret), (0.0, None))
            return thing if time.monotonic() < until else None


def new_secret() -> str:
    """A secret for a browser."""
    return secrets.token_urlsafe(32)


def binding_of(secret: str) -> str:
    """What binds a sign-in to a browser, made from the secret: the gateway hears of this and not of the secret."""
    return sha256(f"podium binding: {secret}")


def sha256(text: str) -> str:
    """The SHA-256 in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


begun: Kept[Begun] = Kept()
arrivals: Kept[Arrival] = Kept()
words: Kept[Words] = Kept()
