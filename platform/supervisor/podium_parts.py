"""The parts of Podium: what each runs, what it knows, what it waits for.

Who knows what is the point of this page. The gateway, the step `provision` and the agent of the pool `cpu`, which runs
the platform's own flows, get the server's settings: database, storage, secret key. The agent of the pool `docker`,
which runs what participants send, gets the gateway's address and a token, and nothing else.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from podium.platform.errors import InvalidInput
from podium.platform.supervisor.databases import Databases, named_databases, private_databases
from podium.platform.supervisor.environment import agent_environment, server_environment, system_environment
from podium.platform.supervisor.health import FileHealth, HttpHealth, PostgresHealth
from podium.platform.supervisor.options import Plan, UpOptions
from podium.platform.supervisor.parts import Part, without
from podium.platform.supervisor.ports import LOOPBACK, choose_port
from podium.platform.supervisor.prefect_server import prefect_api_url, prefect_command, prefect_environment
from podium.platform.supervisor.state_folder import StateFolder

PREFERRED_PORTS: Mapping[str, int] = {"gateway": 8400, "dashboards": 8401, "prefect": 4200, "postgres": 15432}
PLATFORM_SLOTS = 8
"""Of the platform's own flows: most of them wait for others, and none must keep another from its turn."""
_OF_DASHBOARDS = frozenset({"PODIUM_DASHBOARDS_UPLOAD_MEGABYTES"})
_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  named, not bound


def plan_podium(
    options: UpOptions, folder: StateFolder, *, environment: Mapping[str, str], remembered: Mapping[str, int]
) -> Plan:
    """Plan all of Podium.

    Args:
        options: What was asked for.
        folder: The state folder, locked.
        environment: Of whoever runs `podium up`.
        remembered: The ports of the last start.

    Raises:
        PodiumError: A port is taken, there is no database, or a part that was named doesn't exist.
    """
    databases = named_databases(environment)
    ports = _ports(options, remembered, own_postgres=databases is None)
    if databases is None:
        if "postgres" in options.without:
            raise InvalidInput("Without its own PostgreSQL, Podium needs another.", remedy="Set PODIUM_DATABASE_URL.")
        databases = private_databases(environment, folder, ports["postgres"])
    podium = _Podium(options, folder, environment, ports, databases)
    # What isn't there because it runs elsewhere may still be named.
    left_out = [name for name in options.without if name != "postgres" or databases.cluster is not None]
    parts = without(podium.parts(), left_out)
    notes = [databases.note] if databases.note else []
    return Plan(parts, ports, podium.addresses({part.name for part in parts}), notes)


def _ports(options: UpOptions, remembered: Mapping[str, int], *, own_postgres: bool) -> dict[str, int]:
    asked = {"gateway": options.gateway_port, "dashboards": options.dashboards_port, "prefect": options.prefect_port}
    ports: dict[str, int] = {}
    # Those that were asked for choose first: no other part may sit down in their place.
    names = sorted(PREFERRED_PORTS, key=lambda name: asked.get(name) is None)
    for name in names:
        if name in options.without or (name == "postgres" and not own_postgres):
            continue
        ports[name] = choose_port(
            name,
            asked=asked.get(name),
            remembered=remembered.get(name),
            preferred=PREFERRED_PORTS[name],
            host=options.host if name in {"gateway", "dashboards"} else LOOPBACK,
            taken=set(ports.values()),
        )
    return ports


@dataclass(frozen=True)
class _Podium:
    options: UpOptions
    folder: StateFolder
    environment: Mapping[str, str]
    ports: Mapping[str, int]
    databases: Databases

    def parts(self) -> list[Part]:
        return [
            *self._postgres(),
            self._prefect(),
            self._provision(),
            self._gateway(),
            # It runs the platform's own flows and no programs.
            self._agent(
                "cpu", slots=PLATFORM_SLOTS, environment={**self._server_settings(), "PODIUM_AGENT_EXECUTOR": "none"}
            ),
            self._agent(
                "docker", slots=os.cpu_count() or 1, environment=agent_environment(self.environment, docker=True)
            ),
            self._dashboards(),
        ]

    def addresses(self, present: set[str]) -> dict[str, str]:
        found = {}
        if "dashboards" in present:
            found["Leaderboards"] = self._pages_url()
        if "gateway" in present:
            found["API"] = f"{self._public_url()}/api/v1"
            found["API docs"] = f"{self._public_url()}/api/docs"
        if "prefect" in present:
            found["Prefect UI"] = f"http://{LOOPBACK}:{self.ports['prefect']}"
        if "provision" in present:
            found["Administrator's token"] = str(self.folder.path / "admin-token")
        return {**found, "State and logs": str(self.folder.path)}

    def _postgres(self) -> list[Part]:
        cluster = self.databases.cluster
        if cluster is None:
            return []
        return [
            Part(
                "postgres",
                command=(cluster.programs.program("postgres"), "-D", str(cluster.data)),
                environment=system_environment(self.environment),
                folder=cluster.folder.parent,
                health=PostgresHealth(str(cluster.folder), cluster.port),
                address=f"{LOOPBACK}:{cluster.port}",
                account=cluster.programs.account(),
                # SIGTERM would wait for every client to leave; SIGQUIT stops at once and recovers at the next start.
                stop_signal=signal.SIGINT,
                kill_signal=signal.SIGQUIT,
                grace=30,
                before_start=cluster.prepare,
                once_healthy=cluster.create_databases,
            )
        ]

    def _prefect(self) -> Part:
        port = self.ports.get("prefect", PREFERRED_PORTS["prefect"])
        folder = self.folder.path / "prefect"
        own = prefect_environment(folder=folder, port=port, database_url=self.databases.prefect)
        return Part(
            "prefect",
            command=tuple(prefect_command(port)),
            environment={**system_environment(self.environment), **own},
            folder=folder,
            health=HttpHealth(f"{prefect_api_url(port)}/health"),
            depends_on=("postgres",),
            address=f"http://{LOOPBACK}:{port}",
            # The first start makes a hundred changes to an empty database; on a slow machine that takes its time.
            patience=180,
            before_start=self.databases.ready_for_prefect,
        )

    def _provision(self) -> Part:
        return Part(
            "provision",
            command=_module("podium.platform.provision"),
            environment=self._server_settings(),
            folder=self.folder.path / "gateway",
            depends_on=("postgres", "prefect"),
            once=True,
            patience=300,
        )

    def _gateway(self) -> Part:
        return Part(
            "gateway",
            command=_module("podium.platform.gateway"),
            environment=self._server_settings(),
            folder=self.folder.path / "gateway",
            health=HttpHealth(f"{self._local('gateway')}/api/v1/health"),
            depends_on=("postgres", "prefect", "provision"),
            address=self._reachable("gateway"),
        )

    def _agent(self, pool: str, *, slots: int, environment: Mapping[str, str]) -> Part:
        name = f"agent-{pool}"
        folder = self.folder.path / name
        own = {
            "PODIUM_GATEWAY": self._local("gateway"),
            "PODIUM_AGENT_TOKEN_FILE": str(self.folder.path / f"{name}-token"),
            "PODIUM_AGENT_FOLDER": str(folder),
            "PREFECT_API_URL": self._prefect_api(),
            "PREFECT_HOME": str(folder / "prefect"),
        }
        arguments = ("--pool", pool, "--name", f"{socket.gethostname()}-{pool}", "--slots", str(slots))
        return Part(
            name,
            command=_module("podium.agents", *arguments),
            environment={**environment, **own},
            folder=folder,
            health=FileHealth(str(folder / "health")),
            depends_on=("prefect", "provision", "gateway"),
            grace=30,
        )

    def _dashboards(self) -> Part:
        given = {name: value for name, value in self.environment.items() if name in _OF_DASHBOARDS}
        own = {
            **given,
            "PODIUM_GATEWAY": self._local("gateway"),
            "PODIUM_PUBLIC_URL": self._public_url(),
            "PODIUM_PAGES_URL": self._pages_url(),
            "PODIUM_DASHBOARDS_HOST": self.options.host,
            "PODIUM_DASHBOARDS_PORT": str(self._port("dashboards")),
        }
        return Part(
            "dashboards",
            command=_module("podium.dashboards"),
            environment={**system_environment(self.environment), **own},
            folder=self.folder.path / "dashboards",
            health=HttpHealth(f"{self._local('dashboards')}/_stcore/health"),
            depends_on=("gateway",),
            address=self._reachable("dashboards"),
        )

    def _server_settings(self) -> dict[str, str]:
        own = {
            "PODIUM_DATABASE_URL": self.databases.podium,
            "PODIUM_PREFECT_API_URL": self._prefect_api(),
            "PODIUM_SECRET_KEY": self.environment.get("PODIUM_SECRET_KEY") or self.folder.secret_key(),
            "PODIUM_STORAGE_URL": self._storage_url(),
            "PODIUM_STATE": str(self.folder.path),
            "PODIUM_HOST": self.options.host,
            "PODIUM_PORT": str(self._port("gateway")),
            "PODIUM_PUBLIC_URL": self._public_url(),
            "PODIUM_PAGES_URL": self._pages_url(),
            "PREFECT_API_URL": self._prefect_api(),
            # No profile of whoever runs this may send flow runs to another Prefect.
            "PREFECT_HOME": str(self.folder.path / "gateway" / "prefect"),
        }
        return {**server_environment(self.environment), **own}

    def _storage_url(self) -> str:
        if named := self.environment.get("PODIUM_STORAGE_URL"):
            return named
        return f"file://{self.folder.private('storage')}"

    def _prefect_api(self) -> str:
        if "prefect" in self.ports:
            return prefect_api_url(self.ports["prefect"])
        return self.environment.get("PODIUM_PREFECT_API_URL") or prefect_api_url(PREFERRED_PORTS["prefect"])

    def _public_url(self) -> str:
        return (self.environment.get("PODIUM_PUBLIC_URL") or self._reachable("gateway")).rstrip("/")

    def _pages_url(self) -> str:
        return (self.environment.get("PODIUM_PAGES_URL") or self._reachable("dashboards")).rstrip("/")

    def _local(self, part: str) -> str:
        host = LOOPBACK if self.options.host in _EVERYWHERE else self.options.host
        return f"http://{_bracketed(host)}:{self._port(part)}"

    def _reachable(self, part: str) -> str:
        host = _machine_address() if self.options.host in _EVERYWHERE else self.options.host
        return f"http://{_bracketed(host)}:{self._port(part)}"

    def _port(self, part: str) -> int:
        return self.ports.get(part, PREFERRED_PORTS[part])


def _module(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name, *arguments)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _machine_address() -> str:
    """Return the address of this machine that others most likely reach. Nothing is sent: a route is looked up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return LOOPBACK
        return str(probe.getsockname()[0])
