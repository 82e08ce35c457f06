"""States of agents that scaling starts, and which follows which: pure, and the only place that knows them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class ScaledAgentStatus(StrEnum):
    """Where an agent that scaling asked for is on its way."""

    REQUESTED = "requested"  # decided; its provider has not answered yet
    STARTED = "started"  # its provider has started it
    LEAVING = "leaving"  # it holds nothing, takes nothing, and its provider is told to stop it
    ENDED = "ended"  # its provider does not have it any more; its token is revoked


NEXT: Mapping[ScaledAgentStatus, frozenset[ScaledAgentStatus]] = MappingProxyType(
    {
        ScaledAgentStatus.REQUESTED: frozenset(
            {ScaledAgentStatus.STARTED, ScaledAgentStatus.LEAVING, ScaledAgentStatus.ENDED}
        ),
        ScaledAgentStatus.STARTED: frozenset({ScaledAgentStatus.LEAVING, ScaledAgentStatus.ENDED}),
        ScaledAgentStatus.LEAVING: frozenset({ScaledAgentStatus.ENDED}),
        ScaledAgentStatus.ENDED: frozenset(),
    }
)
"""What may follow what."""


def may_become(status: ScaledAgentStatus) -> tuple[ScaledAgentStatus, ...]:
    """The statuses from which `status` may follow."""
    return tuple(before for before, after in NEXT.items() if status in after)


class ScalingAction(StrEnum):
    """What a decision comes to."""

    NONE = "none"
    UP = "up"
    DOWN = "down"
    REPLACE = "replace"
