"""Where an agent's flows work: its executor, its gateway, its folders. The agent sets it; the tasks find it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from podium.platform.errors import PlatformFault
from podium.tasks.gateway import GatewayClient, Transfers
from podium.tasks.programs import Executor


@dataclass(frozen=True, slots=True)
class Workplace:
    """What an agent gives its flows.

    Attributes:
        agent: The agent's name.
        gateway: Calls with the agent's token.
        folder: The agent's own folder; `cache` and `attempts` are in it.
        parallel_evaluations: Tasks of one submission that are scored at the same time.
        stopping: Set when the agent must end soon: attempts are handed back.
    """

    agent: str
    gateway: GatewayClient
    transfers: Transfers
    executor: Executor
    folder: Path
    parallel_evaluations: int = 2
    stopping: threading.Event = field(default_factory=threading.Event)
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def cache(self) -> Path:
        """Datasets, unpacked, by SHA-256."""
        return self.folder / "cache"

    @property
    def attempts(self) -> Path:
        """One folder per attempt that is under way."""
        return self.folder / "attempts"


_current: ContextVar[Workplace] = ContextVar("podium-workplace")


def current_workplace() -> Workplace:
    """The workplace of the agent that runs this flow.

    Raises:
        PlatformFault: The flow is not run by an agent.
    """
    try:
        return _current.get()
    except LookupError:
        raise PlatformFault(
            "Submissions are scored by agents.", remedy="Start one with `podium agent start`."
        ) from None


@contextmanager
def working_at(workplace: Workplace) -> Iterator[None]:
    """Make `current_workplace` answer with this one."""
    token = _current.set(workplace)
    try:
        yield
    finally:
        _current.reset(token)
