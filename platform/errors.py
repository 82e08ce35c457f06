"""Podium's errors: one small tree, and every message is written for the person who will read it.

PodiumError
├── InvalidInput           what was sent can't be used as it is
│   ├── BundleRefused      a bundle has problems; all of them are in `problems`
│   └── ContentRefused     a change of a competition has problems; the same
├── NotAuthenticated       no token, or one that is unknown, expired or revoked
├── NotAllowed             a known caller who may not do this
├── NotFound               no such thing, or none that this caller may see
├── Conflict               the thing exists already, or is not in the state that this needs
├── QuotaExceeded          a limit of the phase is used up
├── TooManyRequests        calls came faster than the platform takes them
├── TooLarge               a file or request over its size limit
│   └── StorageFull        a person's files take all the room that they may
└── PlatformFault          Podium's own failure, never the caller's

Each class carries the HTTP status and the problem type that the gateway answers with (RFC 9457), so that
the same error reads the same in the API, the client and the command line.
"""

from __future__ import annotations

import os
from typing import ClassVar


class PodiumError(Exception):
    """Base of every error that Podium raises on purpose.

    Attributes:
        detail: One or two sentences for a person: what was wrong.
        remedy: What to do about it, or an empty string.
    """

    status: ClassVar[int] = 500
    type: ClassVar[str] = "podium-error"
    title: ClassVar[str] = "Podium could not do this"

    def __init__(self, detail: str, *, remedy: str = "") -> None:
        super().__init__(detail if not remedy else f"{detail} {remedy}")
        self.detail = detail
        self.remedy = remedy

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows instead of a traceback: what is wrong and what to do, since it is about no code.

        Raises:
            NotImplementedError: `PODIUM_DEBUG` is set, so the traceback is wanted.
        """
        if os.environ.get("PODIUM_DEBUG"):
            raise NotImplementedError
        return [f"{type(self).__name__}: {self}"]


class InvalidInput(PodiumError):
    """What was sent can't be used as it is."""

    status = 422
    type = "invalid-input"
    title = "The input is not valid"


class NotAuthenticated(PodiumError):
    """No token, or one that is unknown, expired or revoked."""

    status = 401
    type = "not-authenticated"
    title = "You are not signed in"


class NotAllowed(PodiumError):
    """A known caller who may not do this."""

    status = 403
    type = "not-allowed"
    title = "You may not do this"


class NotFound(PodiumError):
    """No such thing, or none that this caller may see."""

    status = 404
    type = "not-found"
    title = "There is no such thing"


class Conflict(PodiumError):
    """The thing exists already, or is not in the state that this needs."""

    status = 409
    type = "conflict"
    title = "This does not fit the present state"


class QuotaExceeded(PodiumError):
    """A limit of the phase is used up."""

    status = 429
    type = "quota-exceeded"
    title = "The limit of this phase is used up"


class TooLarge(PodiumError):
    """A file or request over its size limit."""

    status = 413
    type = "too-large"
    title = "Too large"


class TooManyRequests(PodiumError):
    """Calls came faster than the platform takes them; `retry_after` says in how many seconds it takes the next."""

    status = 429
    type = "too-many-requests"
    title = "Too many requests"

    def __init__(self, detail: str, *, remedy: str = "", retry_after: int = 0) -> None:
        super().__init__(detail, remedy=remedy)
        self.retry_after = retry_after


class StorageFull(TooLarge):
    """A person's files take all the room that they may."""

    type = "storage-full"
    title = "There is no room left"


class PlatformFault(PodiumError):
    """Podium's own failure: a dependency is down, or a promise was broken. Never the caller's fault."""

    status = 503
    type = "platform-fault"
    title = "Podium is having trouble"
