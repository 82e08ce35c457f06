"""Podium from a notebook or a script: submit what you have, follow it, look at the leaderboard.

    from podium.client import Competition

    flowers = Competition("meadow-flowers")
    submission = flowers.submit(predictions, message="more trees").wait()
    submission.scores

Who you are and where is said by `podium login`, or by `PODIUM_URL` and `PODIUM_TOKEN`. Importing this loads no HTTP
library, opens no connection and reads no file; NumPy and pandas are used only where what you give is theirs. Nothing
prompts, and everything that waits has a timeout. Every error is a `PodiumError`.

`podium.platform.client.Client` has every other call of the API.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from podium.client.boards import Leaderboard
    from podium.client.competition import Competition
    from podium.client.submission import Output, Submission
    from podium.platform.client.api import Client
    from podium.platform.client.conversion import AnotherVersion
    from podium.platform.client.format_checks import FormatMismatch
    from podium.platform.client.waiting import WaitedTooLong
    from podium.platform.errors import (
        Conflict,
        InvalidInput,
        NotAllowed,
        NotAuthenticated,
        NotFound,
        PlatformFault,
        PodiumError,
        QuotaExceeded,
        StorageFull,
        TooLarge,
        TooManyRequests,
    )

_HOMES = {
    "AnotherVersion": "podium.platform.client.conversion",
    "Client": "podium.platform.client.api",
    "Competition": "podium.client.competition",
    "Conflict": "podium.platform.errors",
    "FormatMismatch": "podium.platform.client.format_checks",
    "InvalidInput": "podium.platform.errors",
    "Leaderboard": "podium.client.boards",
    "NotAllowed": "podium.platform.errors",
    "NotAuthenticated": "podium.platform.errors",
    "NotFound": "podium.platform.errors",
    "Output": "podium.client.submission",
    "PlatformFault": "podium.platform.errors",
    "PodiumError": "podium.platform.errors",
    "QuotaExceeded": "podium.platform.errors",
    "StorageFull": "podium.platform.errors",
    "Submission": "podium.client.submission",
    "TooLarge": "podium.platform.errors",
    "TooManyRequests": "podium.platform.errors",
    "WaitedTooLong": "podium.platform.client.waiting",
}

__all__ = [
    "AnotherVersion",
    "Client",
    "Competition",
    "Conflict",
    "FormatMismatch",
    "InvalidInput",
    "Leaderboard",
    "NotAllowed",
    "NotAuthenticated",
    "NotFound",
    "Output",
    "PlatformFault",
    "PodiumError",
    "QuotaExceeded",
    "StorageFull",
    "Submission",
    "TooLarge",
    "TooManyRequests",
    "WaitedTooLong",
]


def __getattr__(name: str) -> object:
    """Load a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """All public names, loaded or not."""
    return sorted({*globals(), *__all__})
