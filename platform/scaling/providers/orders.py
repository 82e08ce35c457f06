"""What every provider does: start an agent, stop one, and list its own. Each of these may be asked for again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from podium.platform.errors import PlatformFault


class ProviderFault(PlatformFault):
    """A provider could not do what it was asked for: the platform's trouble, and never a participant's."""

    type = "provider-fault"
    title = "Agents can't be started or stopped"


@dataclass(frozen=True, slots=True)
class AgentOrder:
    """An agent that is wanted.

    Attributes:
        name: Unique in its pool for all time.
        token: Its own, for its pool alone.
        gateway: The gateway's address, as the agent reaches it.
        prefect: The address of Prefect's API, likewise.
        slots: Submissions at the same time.
    """

    name: str
    pool: str
    token: str = field(repr=False)
    gateway: str
    prefect: str
    slots: int


@dataclass(frozen=True, slots=True)
class Listing:
    """A provider's own agents of a pool.

    Attributes:
        running: Their names.
        ended: Those that have ended by themselves since they were asked for, with their last words.
        unreachable: Hosts that did not answer; an agent that is missing may be on one of them.
    """

    running: frozenset[str]
    ended: Mapping[str, str] = field(default_factory=dict)
    unreachable: tuple[str, ...] = ()


class Provider(Protocol):
    """Starts and stops agents. All of it may be asked for again, and none of it waits for an agent to be ready."""

    def start(self, order: AgentOrder) -> None:
        """Start an agent, unless one of that name is there.

        Raises:
            ProviderFault: It could not be started; nothing of it is left, or `list_own` has it.
        """

    def stop(self, pool: str, name: str) -> None:
        """Stop an agent and remove what it leaves; one that is not there is fine.

        Raises:
            ProviderFault: It could not be stopped.
        """

    def list_own(self, pool: str) -> Listing:
        """The agents of a pool that this provider has for this Podium, and no other's.

        Raises:
            ProviderFault: It can't be told.
        """
