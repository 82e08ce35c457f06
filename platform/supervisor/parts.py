"""What a supervisor runs: parts, written down as data."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from podium.platform.errors import PlatformFault
from podium.platform.supervisor.health import AliveHealth, HealthCheck
from podium.platform.supervisor.launch import Account


class PartState(StrEnum):
    """How a part is."""

    WAITING = "waiting"
    STARTING = "starting"
    HEALTHY = "healthy"
    TROUBLE = "trouble"
    RESTARTING = "restarting"
    STOPPED = "stopped"
    FAILED = "failed"
    DONE = "done"


class PartFailed(PlatformFault):
    """A part could not be started, so nothing was; the message holds the part's last words."""

    type = "part-failed"
    title = "A part of Podium did not start"


def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Part:
    """One program under the supervisor.

    Attributes:
        name: What it is called on the console, in `podium status` and by its log.
        command: The program and its arguments; no secret stands here, as everyone can read it in `ps`.
        environment: Its whole environment: nothing is inherited.
        folder: Its working directory; made when missing.
        health: How it shows that it is well.
        depends_on: The parts that must be healthy before it starts, and that stop only after it.
        address: Where people find it; shown in the summary and by `podium status`.
        account: The user to run it as; None for the present one.
        stop_signal: What it gets to stop, from the supervisor, or from the kernel when the supervisor dies.
        kill_signal: What it gets when it doesn't stop, or when there is no time.
        grace: Seconds between the two.
        patience: Seconds that it may take to become healthy.
        once: It is a step that ends by itself, and its dependents wait for that.
        before_start: Called before each start, in a thread.
        once_healthy: Called after each start, in a thread, before dependents start.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    folder: Path
    health: HealthCheck = field(default_factory=AliveHealth)
    depends_on: tuple[str, ...] = ()
    address: str = ""
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    kill_signal: signal.Signals = signal.SIGKILL
    grace: float = 10.0
    patience: float = 90.0
    once: bool = False
    before_start: Callable[[], None] = _nothing
    once_healthy: Callable[[], None] = _nothing


def without(parts: Iterable[Part], names: Iterable[str]) -> list[Part]:
    """Return the parts but for the named ones; nobody waits for those any more.

    Raises:
        PartFailed: There is no part of such a name.
    """
    everything = list(parts)
    left_out = set(names)
    if unknown := left_out - {part.name for part in everything}:
        known = ", ".join(part.name for part in everything)
        raise PartFailed(f"There is no part named {', '.join(sorted(unknown))}.", remedy=f"The parts are: {known}.")
    return [part for part in everything if part.name not in left_out]
