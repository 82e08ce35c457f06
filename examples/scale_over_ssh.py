#!/usr/bin/env python3
"""A command for Podium's scaling: agents as systemd user services on hosts that are reached by SSH.

Copy it and change what it runs: a cloud's command line goes in the same three places. Podium calls it once for each
thing to do, with JSON on standard input, and reads JSON from standard output; a status other than 0 is a failure, and
what stands on standard error is shown to administrators.

    SCALE_HOSTS="scorer@one.example.org scorer@two.example.org"

On each host: `podium[agent]` on the PATH, Docker, and `loginctl enable-linger`.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from typing import Any

SECONDS = 20


def main() -> int:
    """Do what is asked for."""
    asked = json.load(sys.stdin)
    try:
        answer = {"start": start, "stop": stop, "list": list_all}[asked["do"]](asked)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = error.stderr or ""
        print(f"{error}. {said if isinstance(said, str) else said.decode(errors='replace')}", file=sys.stderr)
        return 1
    json.dump(answer, sys.stdout)
    return 0


def start(asked: dict[str, Any]) -> dict[str, Any]:
    """Start an agent on the host that has the fewest, unless it runs already."""
    agent = asked["agent"]
    running = {host: names(host, asked) for host in hosts()}
    if any(agent["name"] in found for found in running.values()):
        return {}
    host = min(running, key=lambda one: len(running[one]))
    settings = {
        "PODIUM_GATEWAY": agent["gateway"],
        "PREFECT_API_URL": agent["prefect"],
        "PODIUM_AGENT_TOKEN": agent["token"],
        "PODIUM_AGENT_POOL": asked["pool"],
        "PODIUM_AGENT_NAME": agent["name"],
        "PODIUM_AGENT_SLOTS": agent["slots"],
        **agent["environment"],
    }
    # The token goes through a file of this user's alone: other users of the host see command lines.
    folder = f'"$HOME"/podium-agents/{shlex.quote(agent["name"])}'
    service = (
        f"umask 077; mkdir -p {folder} && cat > {folder}/settings && "
        f"systemd-run --user --quiet --unit={shlex.quote(unit(asked, agent['name']))} "
        f"--property=EnvironmentFile={folder}/settings --property=WorkingDirectory={folder} podium agent start"
    )
    ssh(host, service, "".join(f"{name}={value}\n" for name, value in settings.items()))
    return {}


def stop(asked: dict[str, Any]) -> dict[str, Any]:
    """Stop an agent, wherever it is."""
    name = asked["agent"]["name"]
    for host in hosts():
        ssh(
            host,
            f"systemctl --user stop {shlex.quote(unit(asked, name))} 2>/dev/null; "
            f'rm -rf "$HOME"/podium-agents/{shlex.quote(name)}',
        )
    return {}


def list_all(asked: dict[str, Any]) -> dict[str, Any]:
    """The names of all agents that run. A host that can't be asked is a failure: its agents must not count as gone."""
    return {"agents": [name for host in hosts() for name in names(host, asked)]}


def names(host: str, asked: dict[str, Any]) -> list[str]:
    """The names of a host's agents, by their services."""
    prefix = unit(asked, "")
    pattern = shlex.quote(f"{prefix}*")
    units = ssh(host, f"systemctl --user list-units --plain --no-legend --state=active,activating {pattern}")
    services = [line.split()[0] for line in units.splitlines() if line.strip()]
    return [service.removeprefix(prefix).removesuffix(".service") for service in services]


def unit(asked: dict[str, Any], name: str) -> str:
    """The service of an agent: by Podium's site and the pool, so that nobody else's is touched."""
    return f"podium-{asked['site']}-{asked['pool']}-{name}"


def hosts() -> list[str]:
    """Where agents may run."""
    return os.environ["SCALE_HOSTS"].split()


def ssh(host: str, command: str, given: str = "") -> str:
    """Run a command on a host."""
    done = subprocess.run(
        ["ssh", "-o", "BatchMode=yes", host, command],
        input=given,
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
