"""Where an agent's flows work: its executor, its gateway, its folders. The agent sets it; the tasks find it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from podium.platform.errors import PlatformFault
from podium.platform.jobs import ScoringJob
from podium.tasks.gateway import GatewayClient, Transfers
from podium.tasks.programs import Executor
from podium.tasks.result_sending import ResultSender

AGENT_LEAVES = threading.Event()
"""Set when the agent has to end: flows of the platform's own that take long end where they are, to be gone on with."""


@dataclass(slots=True)
class Workplace:
    """What an agent gives its flows.

    Attributes:
        agent: The agent's name.
        gateway: Calls with the agent's token.
        folder: The agent's own folder; `cache` and `attempts` are in it.
        stopping: Set when the agent must end soon: attempts are handed back.
        claims: Jobs that were claimed before their flow run began, by submission.
        results: What sends the results of those that are not waited for one by one.
        held: Attempts that are under way here, from before their first file until after their last.
    """

    agent: str
    gateway: GatewayClient
    transfers: Transfers
    executor: Executor
    folder: Path
    stopping: threading.Event = field(default_factory=threading.Event)
    claims: dict[UUID, ScoringJob] = field(default_factory=dict)
    results: ResultSender = field(init=False)
    held: set[str] = field(default_factory=set)
    _stops: dict[UUID, threading.Event] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.results = ResultSender(self.gateway)

    @property
    def cache(self) -> Path:
        """Datasets, unpacked, by SHA-256."""
        return self.folder / "cache"

    @property
    def attempts(self) -> Path:
        """One folder per attempt that is under way."""
        return self.folder / "attempts"

    @contextmanager
    def holding(self, attempt_id: UUID, stop: threading.Event) -> Iterator[None]:
        """Have `stop` set if the attempt, or the whole agent, must end while the block runs."""
        with self._lock:
            self._stops[attempt_id] = stop
            if self.stopping.is_set():
                stop.set()
        try:
            yield
        finally:
            with self._lock:
                del self._stops[attempt_id]

    def stop(self, attempts: Iterable[UUID]) -> None:
        """Stop these attempts, as far as they are under way here."""
        with self._lock:
            for attempt_id in attempts:
                if attempt_id in self._stops:
                    self._stops[attempt_id].set()

    def stop_attempts(self) -> None:
        """Stop everything that is under way; it is handed back."""
        with self._lock:
            self.stopping.set()
            for stop in self._stops.values():
                stop.set()


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
