"""`podium up`, `down` and `status`, with stand-ins for the parts that are of no interest here.

PostgreSQL and Prefect are the real ones, unless they are left out. `--behave PART=HOW` makes a part do otherwise than
well: `fails` ends at once, `stubborn` ignores being asked to stop, `troubled` says that it can't work.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path

from podium.platform.errors import PodiumError
from podium.platform.supervisor import podium_parts
from podium.platform.supervisor.commands import down, status, up
from podium.platform.supervisor.options import Plan, UpOptions
from podium.platform.supervisor.parts import Part
from podium.platform.supervisor.podium_parts import plan_podium
from podium.platform.supervisor.state_folder import StateFolder

PROGRAM = Path(__file__).with_name("stand_in.py")
STAND_INS = {"provision": "step", "gateway": "web", "agent-cpu": "agent", "agent-docker": "agent", "dashboards": "web"}
# Apart from those of any other Podium on this machine, which could take one while this one is down.
PORTS = {part: port - 1700 for part, port in podium_parts.PREFERRED_PORTS.items()}


class StandIns:
    """Plans Podium, and puts stand-ins into the plan."""

    def __init__(self, behaviour: Mapping[str, str]) -> None:
        self.behaviour = behaviour

    def __call__(
        self, options: UpOptions, folder: StateFolder, *, environment: Mapping[str, str], remembered: Mapping[str, int]
    ) -> Plan:
        plan = plan_podium(options, folder, environment=environment, remembered=remembered)
        parts = [self.stand_in(part, plan.ports.get(part.name, 0)) for part in plan.parts]
        return dataclasses.replace(plan, parts=parts)

    def stand_in(self, part: Part, port: int) -> Part:
        if part.name not in STAND_INS:
            return part
        how = self.behaviour.get(part.name, "well")
        command = (sys.executable, "-S", str(PROGRAM), STAND_INS[part.name], how, str(port))
        return dataclasses.replace(part, command=command, grace=3)


def main() -> int:
    podium_parts.PREFERRED_PORTS = PORTS
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["up", "down", "status"])
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--gateway-port", type=int)
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--detach", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--behave", action="append", default=[])
    asked = parser.parse_args()
    if asked.command == "down":
        return down(asked.state)
    if asked.command == "status":
        return status(asked.state, as_json=asked.json)
    options = UpOptions(
        state=asked.state, gateway_port=asked.gateway_port, without=tuple(asked.without), detach=asked.detach
    )
    try:
        return up(options, planner=StandIns(dict(entry.split("=") for entry in asked.behave)))
    except PodiumError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
