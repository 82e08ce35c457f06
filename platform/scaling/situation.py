"""What scaling decides by: the rules of a pool, and how the pool is at a moment. Plain values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

UNKNOWN_SECONDS = 60.0
"""How long a submission is taken to run where no history says so."""


class Condition(StrEnum):
    """How an agent is."""

    STARTING = "starting"  # asked for, and has not said hello yet
    READY = "ready"
    SILENT = "silent"  # was heard, and is not any more
    TROUBLED = "in trouble"  # says that it can take no work
    OUTDATED = "outdated"  # of another version than the platform
    HELD = "held"  # cordoned by a person, who alone lets it go


UNWELL = frozenset({Condition.SILENT, Condition.TROUBLED})
"""Conditions that may pass; an agent is replaced once one has lasted."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What an administrator asks of a pool's scaling. All times are in seconds.

    Attributes:
        minimum: Agents that there are always, of those that scaling starts.
        maximum: Agents that there are at most, those that end included.
        target_wait: For how long a submission should wait at most.
        cool_down_up: The least time between two starts, but for the first agent and the minimum.
        cool_down_down: For how long fewer agents must have been enough before any is taken.
        slots: Submissions that a new agent runs at the same time.
        patience: For how long an agent may be silent, in trouble or starting before it is replaced.
    """

    minimum: int = 0
    maximum: int = 1
    target_wait: float = 120.0
    cool_down_up: float = 60.0
    cool_down_down: float = 600.0
    slots: int = 1
    patience: float = 300.0


@dataclass(frozen=True, slots=True)
class AgentState:
    """An agent of the pool.

    Attributes:
        slots: Submissions at the same time.
        running: Attempts that it holds.
        own: Scaling has started it, and may take it.
        draining: Scaling has told it to take nothing new.
        seconds: For how long it has been in this condition.
        detail: What it says of its trouble, or its version.
    """

    name: str
    condition: Condition = Condition.READY
    slots: int = 1
    running: int = 0
    own: bool = True
    draining: bool = False
    seconds: float = 0.0
    detail: str = ""

    @property
    def counts(self) -> bool:
        """Whether its slots are or will soon be there for what waits."""
        return not self.draining and self.condition in {Condition.READY, Condition.STARTING}


@dataclass(frozen=True, slots=True)
class Waiting:
    """Submissions of one phase that wait.

    Attributes:
        what: The phase, for people.
        oldest: For how long the first has waited, in seconds.
        seconds: How long one takes, by history.
        lacks: Why no agent that scaling starts can run them, as the end of a sentence; empty where they can.
    """

    what: str
    count: int
    oldest: float = 0.0
    seconds: float = UNKNOWN_SECONDS
    lacks: str = ""


@dataclass(frozen=True, slots=True)
class Demand:
    """How many slots were wanted at a moment."""

    moment: datetime
    slots: int


@dataclass(frozen=True, slots=True)
class Situation:
    """How a pool is at a moment.

    Attributes:
        running_seconds: How long one of those that run takes, by history.
        demands: What was wanted at the decisions before this one, for as long as `Rules.cool_down_down`.
        last_up: When an agent was last started or taken back.
        last_down: When one was last taken, or told to take nothing new.
        last_busy: When something last waited or ran; `None` if never.
        put_off_until: Until when nothing is asked of the provider, after it failed.
    """

    moment: datetime
    agents: tuple[AgentState, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    running_seconds: float = UNKNOWN_SECONDS
    demands: tuple[Demand, ...] = ()
    last_up: datetime | None = None
    last_down: datetime | None = None
    last_busy: datetime | None = None
    put_off_until: datetime | None = None
