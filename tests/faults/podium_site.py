"""A whole Podium for the harness to break: each part real, on a network and on disks that nobody else has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
from private_engine import PrivateEngine

from podium.platform.client import Client
from podium.platform.supervisor.environment import agent_environment
from podium.platform.supervisor.health import health_from_data
from podium.platform.supervisor.live_state import LivePart, LiveState, read_live_state
from podium.platform.supervisor.postgres import PostgresCluster

from .agent_process import AgentProcess
from .disks import Disk
from .namespaces import PLATFORM, Network

LEASE_SECONDS = 3.0
HEARTBEAT_SECONDS = 0.5
PODIUM = Path(sys.executable).with_name("podium")


class Site:
    """Podium, up. Its calls to the gateway are good in the platform's network only (`network.platform.call`)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.state.mkdir(mode=0o711)
        self.network = Network(folder)
        self.disks = {
            "agent": Disk(folder / "agent", megabytes=512),
            "gateway": Disk(folder / "store", megabytes=1024),
            "postgres": Disk(self.state / "postgres", megabytes=3072),
            "dockerd": Disk(folder / "engine" / "data", megabytes=1024),
        }
        self.engine = PrivateEngine(folder / "engine")
        # Nothing here goes through a proxy of the machine's.
        plain = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        self._environment = {
            **plain,
            "PODIUM_LEASE_SECONDS": str(LEASE_SECONDS),
            "PODIUM_HEARTBEAT_SECONDS": str(HEARTBEAT_SECONDS),
            "PODIUM_STORAGE_URL": f"file://{folder / 'store' / 'files'}",
        }

    def up(self, image: str) -> None:
        """Start everything; the engine is given an image of the host's."""
        self.engine.start()
        self.engine.load(image)
        self.network.platform.call(self._podium_up)
        ports = self.live.ports
        self.gateway = f"http://{PLATFORM}:{ports['gateway']}"
        self.network.show_to_agent(ports["prefect"])
        environment = {
            **agent_environment(self._environment),
            "DOCKER_HOST": self.engine.address,
            "PODIUM_GATEWAY": self.gateway,
            "PODIUM_AGENT_TOKEN_FILE": str(self.state / "agent-docker-token"),
            "PODIUM_AGENT_EXECUTOR": "docker",
            "PODIUM_AGENT_PULL": "never",
            "PREFECT_API_URL": f"http://{PLATFORM}:{ports['prefect']}/api",
            "PREFECT_HOME": str(self.folder / "agent" / "prefect"),
        }
        self.agent = AgentProcess(self.network.agent, self.folder / "agent", environment, log=self.folder / "agent.log")
        self.agent.start()

    def down(self) -> None:
        """Stop everything in good order."""
        self.agent.stop()
        self._podium("down")
        self.engine.stop()
        self.network.close()

    def _podium_up(self) -> None:
        left_out = ("--without", "agent-docker", "--without", "dashboards")
        self._podium("up", "--detach", "--host", PLATFORM, *left_out)

    def _podium(self, command: str, *options: str) -> None:
        done = subprocess.run(
            [PODIUM, command, "--state", self.state, *options],
            env=self._environment,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    @property
    def live(self) -> LiveState:
        return read_live_state(self.state / "up.json")

    def part(self, name: str) -> LivePart:
        return next(part for part in self.live.parts if part.name == name)

    def pid(self, target: str) -> int | None:
        """The first process of a part, while it has one."""
        if target == "agent":
            return self.agent.pid
        if target == "dockerd":
            return self.engine.pid
        process = self.part(target).process
        return process.pid if process else None

    def is_well(self) -> bool:
        """Whether every part runs, answers, and complains of nothing."""
        watched = [part for part in self.live.parts if part.name in ("postgres", "prefect", "gateway")]
        return all(part.process and health_from_data(part.health).check().up for part in watched) and (
            self.engine.runs and self.agent.is_ready()
        )

    def logs(self) -> dict[str, Path]:
        """The logs, by whose they are."""
        own = {"agent": self.folder / "agent.log", "dockerd": self.folder / "engine" / "log"}
        return own | {file.stem: file for file in sorted(self.state.glob("logs/*.log"))}

    def last_words(self, lines: int = 25) -> str:
        """How the log of each part ends."""
        tails = [(name, file.read_text(errors="replace").splitlines()[-lines:]) for name, file in self.logs().items()]
        return "\n".join(f"--- {name}\n" + "\n".join(f"  {line[:300]}" for line in tail) for name, tail in tails)

    def client(self, token: str) -> Client:
        return Client(self.gateway, token)

    @property
    def admin_token(self) -> str:
        return (self.state / "admin-token").read_text().strip()

    def database(self) -> psycopg.Connection:
        """Postgres, by its own socket: it is reached even where its network is cut."""
        cluster = PostgresCluster(self.state / "postgres", port=self.live.ports["postgres"])
        return psycopg.connect(
            cluster.url(driver=""), host=str(cluster.folder / "socket"), autocommit=True, connect_timeout=5
        )
