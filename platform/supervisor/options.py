"""What can be asked of `podium up`, and what it is asked to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from podium.platform.supervisor.parts import Part
from podium.platform.supervisor.ports import LOOPBACK
from podium.platform.supervisor.state_folder import StateFolder


@dataclass(frozen=True)
class UpOptions:
    """The options of `podium up`.

    Attributes:
        state: The state folder; None for the default one.
        host: The address that the gateway and the dashboards listen on.
        gateway_port: The gateway's port; None for last time's, or the first free one from 8400 on.
        dashboards_port: The same for the dashboards, from 8401 on.
        prefect_port: The same for Prefect's server, from 4200 on.
        detach: Return when everything is up, and leave it running.
        without: Parts to leave out.
    """

    state: Path | None = None
    host: str = LOOPBACK
    gateway_port: int | None = None
    dashboards_port: int | None = None
    prefect_port: int | None = None
    detach: bool = False
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What a supervisor will run.

    Attributes:
        parts: The parts; a dependency comes before its dependents.
        ports: The port of each part that has one.
        addresses: What stands in the summary.
        notes: What the operator should know beforehand.
    """

    parts: Sequence[Part]
    ports: Mapping[str, int] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()


class Planner(Protocol):
    """Makes the plan: Podium's own is `podium.platform.supervisor.podium_parts.plan_podium`; tests have others."""

    def __call__(
        self, options: UpOptions, folder: StateFolder, *, environment: Mapping[str, str], remembered: Mapping[str, int]
    ) -> Plan:
        """Make the plan.

        Args:
            options: What was asked for.
            folder: The state folder, locked.
            environment: Of whoever runs `podium up`.
            remembered: The ports of the last start.
        """
        ...
