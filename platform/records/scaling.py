"""What the API answers about scaling. Times are aware UTC, durations seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ScaledAgentRecord:
    """An agent that scaling has started.

    Attributes:
        status: `requested`, `started` or `leaving`.
        condition: `starting`, `ready`, `silent`, `in trouble`, `outdated` or `held`.
        running: Attempts that it holds.
        draining: It takes nothing new, and goes when it holds nothing.
    """

    name: str
    status: str
    condition: str
    slots: int
    running: int
    draining: bool
    started: datetime


@dataclass(frozen=True, slots=True)
class ScalingDecisionRecord:
    """What was decided about a pool, and what came of it.

    Attributes:
        demand: Slots that were wanted.
        slots: Those that there were.
        agents: Those that scaling had started, before the decision.
    """

    moment: datetime
    action: str
    waiting: int
    oldest_seconds: float
    running: int
    slots: int
    demand: int
    agents: int
    started: tuple[str, ...]
    taken_back: tuple[str, ...]
    drained: tuple[str, ...]
    removed: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScalingRecord:
    """How a pool is scaled, and how that goes.

    Attributes:
        failures: How often in a row the provider has failed, and `failure` with what.
        put_off_until: When it is asked again.
        looked: When the pool was last looked at, and `reasons` what was thought then.
        decisions: The latest that changed something, the newest first.
    """

    pool: str
    enabled: bool
    provider: str
    minimum: int
    maximum: int
    target_wait: float
    cool_down_up: float
    cool_down_down: float
    slots: int
    patience: float
    failures: int
    failure: str
    put_off_until: datetime | None
    looked: datetime | None
    reasons: tuple[str, ...]
    agents: tuple[ScaledAgentRecord, ...]
    decisions: tuple[ScalingDecisionRecord, ...]
