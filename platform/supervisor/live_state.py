"""What a supervisor writes down about itself while it runs, for `podium status`, `podium down` and the next start."""

from __future__ import annotations

import json
import signal
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from podium.platform.errors import NotAllowed
from podium.platform.supervisor.parts import PartState
from podium.platform.supervisor.processes import ProcessIdentity
from podium.platform.supervisor.secret_files import write_secret


@dataclass
class LivePart:
    """One part as it is now.

    Attributes:
        name: The part's name.
        state: How it is.
        detail: Why it is so, when that needs saying.
        process: Its process, while it has one.
        since: When that process started, in seconds since 1970.
        restart_at: When it will be started again, in seconds since 1970, while it is `restarting`.
        restarts: How often it was started again.
        address: Where people find it.
        grace: Seconds that it may take to stop.
        stop_signal: The number of the signal that stops it.
        health: How to ask it, as data.
    """

    name: str
    state: PartState = PartState.WAITING
    detail: str = ""
    process: ProcessIdentity | None = None
    since: float = 0.0
    restart_at: float = 0.0
    restarts: int = 0
    address: str = ""
    grace: float = 10.0
    stop_signal: int = signal.SIGTERM
    health: dict[str, Any] = field(default_factory=dict)


@dataclass
class LiveState:
    """A supervisor and its parts.

    Attributes:
        supervisor: Its process; None when it has stopped in order.
        since: When it started, in seconds since 1970.
        ports: The port of each part that has one; kept for the next start.
        addresses: What people look for, by its name on the summary.
        parts: Its parts, in the order in which they start.
    """

    supervisor: ProcessIdentity | None = None
    since: float = 0.0
    ports: dict[str, int] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    parts: list[LivePart] = field(default_factory=list)

    def running(self) -> bool:
        """Whether that supervisor still lives."""
        return self.supervisor is not None and self.supervisor.alive()

    def write(self, file: Path) -> None:
        """Write it down, whole or not at all."""
        write_secret(file, json.dumps(asdict(self), indent=2) + "\n")


def read_live_state(file: Path) -> LiveState:
    """Read what a supervisor wrote; nothing, or nonsense, is the state of one that never ran.

    Raises:
        NotAllowed: It belongs to another user.
    """
    try:
        data = json.loads(file.read_text())
        parts = [LivePart(**{**part, **_part_types(part)}) for part in data.pop("parts")]
        return LiveState(**{**data, "supervisor": _identity(data["supervisor"]), "parts": parts})
    except PermissionError:
        raise NotAllowed(
            f"The state of Podium in {file.parent} belongs to another user.",
            remedy="Ask as the user who started it, or as root.",
        ) from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return LiveState()


def _part_types(part: dict[str, Any]) -> dict[str, Any]:
    return {"state": PartState(part["state"]), "process": _identity(part["process"])}


def _identity(data: dict[str, Any] | None) -> ProcessIdentity | None:
    return None if data is None else ProcessIdentity(**data)
