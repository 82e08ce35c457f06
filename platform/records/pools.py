"""What the API answers of pools and agents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class AgentRun:
    """A submission that an agent has at the moment."""

    competition: str
    number: int
    submission_id: UUID
    attempt: int
    stage: str
    started: datetime


@dataclass(frozen=True, slots=True)
class AgentRecord:
    """An agent as it last said it was.

    Attributes:
        trouble: Why it takes no work; empty when it takes some.
        alive: Whether it was heard of in the last minute.
        cordoned: Since when it takes nothing new, because somebody said so; also of the whole pool.
        runs: What it has at the moment, the oldest first.
        notice: What its operator should do, such as to upgrade; may be empty.
        token: How the token begins that it last said hello with.
    """

    name: str
    pool: str
    version: str
    slots: int
    executor: str
    labels: dict[str, str]
    trouble: str
    last_seen: datetime
    alive: bool
    cordoned: datetime | None = None
    runs: tuple[AgentRun, ...] = ()
    notice: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class PoolRecord:
    """A pool of agents.

    Attributes:
        runtime: The engine's runtime that its containers run with; empty for each host's default.
        agents: Those that are alive.
        queued: Submissions that wait in it.
        owner: Whose hosts they are; `None` for the platform's own.
        public: Any organizer may use it.
        cordoned: Since when its agents take nothing new, because somebody said so.
        sees_agents: Whether the caller sees its agents, and what they run.
        is_yours: Whether the caller runs it: issues tokens, cordons, shares.
    """

    name: str
    runtime: str
    agents: int
    queued: int
    owner: str | None = None
    public: bool = False
    cordoned: datetime | None = None
    sees_agents: bool = False
    is_yours: bool = False


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """What an agent of a pool did, or does.

    Attributes:
        agent: Its name; empty for one that was removed.
        status: An `AttemptStatus`.
        seconds: How long it took; `None` while it goes on.
    """

    competition: str
    number: int
    submission_id: UUID
    attempt: int
    agent: str
    status: str
    message: str
    started: datetime
    seconds: float | None


@dataclass(frozen=True, slots=True)
class PoolView:
    """A pool with its agents and what they did lately.

    Attributes:
        users: Organizers with whom it is shared.
        competitions: Those that are scored in it.
        oldest_seconds: How long the first in its queue waits.
        outcomes: Attempts that ended in the last 24 hours, by status.
        median_seconds: How long those of them took that ended well; `None` without any.
        attempts: The latest, the newest first.
    """

    pool: PoolRecord
    users: tuple[str, ...]
    competitions: tuple[str, ...]
    agents: tuple[AgentRecord, ...]
    oldest_seconds: float | None
    outcomes: dict[str, int]
    median_seconds: float | None
    attempts: tuple[PastAttempt, ...]
