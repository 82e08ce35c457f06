"""The client library: httpx and nothing else.

    from podium.platform.client import Client

    with Client("https://podium.example.org", token) as client:
        submission = client.wait(client.submit("iris", "predictions.csv").id)

Importing it opens no connection and reads no file. Every error is one of `podium.platform.errors`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from podium.platform.client.api import Client
    from podium.platform.client.competitions import rows_of
    from podium.platform.client.conversion import AnotherVersion, record_from_json, record_to_json
    from podium.platform.client.progress import Progress, Step
    from podium.platform.client.retries import Patience
    from podium.platform.client.waiting import WaitedTooLong

# Loaded when asked for: the command line looks into its settings without loading an HTTP library.
_HOMES = {
    "AnotherVersion": "conversion",
    "Client": "api",
    "Patience": "retries",
    "Progress": "progress",
    "Step": "progress",
    "WaitedTooLong": "waiting",
    "record_from_json": "conversion",
    "record_to_json": "conversion",
    "rows_of": "competitions",
}

__all__ = [
    "AnotherVersion",
    "Client",
    "Patience",
    "Progress",
    "Step",
    "WaitedTooLong",
    "record_from_json",
    "record_to_json",
    "rows_of",
]


def __getattr__(name: str) -> object:
    """Load a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """All public names, loaded or not."""
    return sorted({*globals(), *__all__})
