"""How a part shows that it is well, and how anyone may ask: the supervisor, and `podium status` from outside.

Each kind of check is data, so that it can be written into the state file and asked again by another process.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol
from urllib.parse import urlsplit

from podium.platform.supervisor.postgres import PostgresCluster

_HTTP_TIMEOUT = 3.0


@dataclass(frozen=True)
class Health:
    """What a check found.

    Attributes:
        up: The part runs and answers.
        trouble: Why it can't do its work nevertheless, or why it is not up; empty when it is well.
    """

    up: bool
    trouble: str = ""

    @property
    def well(self) -> bool:
        """Whether there is nothing to complain about."""
        return self.up and not self.trouble


class HealthCheck(Protocol):
    """One way to see how a part is. Checks block, for a few seconds at most, and never raise."""

    kind: ClassVar[str]

    def check(self) -> Health:
        """See how the part is now."""
        ...

    def forget(self) -> None:
        """Remove what an earlier run of the part has left that could be taken for a sign of life."""
        ...


@dataclass(frozen=True)
class HttpHealth:
    """The part answers 200 at an address.

    Attributes:
        url: Asked with GET, never through a proxy.
    """

    kind: ClassVar[str] = "http"
    url: str

    def check(self) -> Health:
        """Ask."""
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port or 80, timeout=_HTTP_TIMEOUT)
        try:
            connection.request("GET", address.path)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return Health(up=False, trouble=f"{self.url} does not answer ({str(error) or type(error).__name__})")
        finally:
            connection.close()
        return Health(up=True) if status == http.client.OK else Health(up=False, trouble=f"{self.url} answers {status}")

    def forget(self) -> None:
        """Nothing is left behind."""


@dataclass(frozen=True)
class FileHealth:
    """The part writes a file every few seconds: `{"state": "ready" | "trouble", "detail": "..."}`.

    Attributes:
        file: The file's path.
        fresh: Seconds after which its silence means trouble.
    """

    kind: ClassVar[str] = "file"
    file: str
    fresh: float = 20.0

    def check(self) -> Health:
        """Read the file."""
        try:
            age = time.time() - Path(self.file).stat().st_mtime
            said = json.loads(Path(self.file).read_text())
        except (OSError, ValueError):
            return Health(up=False, trouble="it has not said yet how it is")
        if age > self.fresh:
            return Health(up=False, trouble=f"it was last heard of {age:.0f} s ago")
        if not isinstance(said, dict) or said.get("state") != "ready":
            detail = str(said.get("detail") or "it gives no reason") if isinstance(said, dict) else "it says nonsense"
            return Health(up=True, trouble=detail)
        return Health(up=True)

    def forget(self) -> None:
        """Remove the file, which may be fresh after a quick restart."""
        Path(self.file).unlink(missing_ok=True)


@dataclass(frozen=True)
class PostgresHealth:
    """The cluster in a folder answers queries.

    Attributes:
        folder: The cluster's folder.
        port: Its port.
    """

    kind: ClassVar[str] = "postgres"
    folder: str
    port: int

    def check(self) -> Health:
        """Run a query."""
        if PostgresCluster(Path(self.folder), port=self.port).is_ready():
            return Health(up=True)
        return Health(up=False, trouble=f"port {self.port} does not answer queries")

    def forget(self) -> None:
        """The cluster itself clears its lock file."""


@dataclass(frozen=True)
class AliveHealth:
    """The part runs; nothing more can be known about it."""

    kind: ClassVar[str] = "alive"

    def check(self) -> Health:
        """The supervisor knows when it ends."""
        return Health(up=True)

    def forget(self) -> None:
        """Nothing is left behind."""


_KINDS: tuple[type[HttpHealth | FileHealth | PostgresHealth | AliveHealth], ...] = (
    HttpHealth,
    FileHealth,
    PostgresHealth,
    AliveHealth,
)


def health_as_data(check: HealthCheck) -> dict[str, Any]:
    """Return a check as JSON data."""
    for kind in _KINDS:
        if isinstance(check, kind):
            return {"kind": kind.kind, **asdict(check)}
    return {"kind": AliveHealth.kind}


def health_from_data(data: dict[str, Any]) -> HealthCheck:
    """Return the check that `health_as_data` wrote down; one that can't be read is a check that asks nothing."""
    options = {name: value for name, value in data.items() if name != "kind"}
    for kind in _KINDS:
        if kind.kind == data.get("kind"):
            with contextlib.suppress(TypeError):
                return kind(**options)
    return AliveHealth()
