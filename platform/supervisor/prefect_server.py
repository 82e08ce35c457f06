"""Prefect's server: how Podium starts it, and what it asks it not to do.

Switched off or slowed down, as nobody here needs it or needs it that fast:

* analytics and promotional content: nothing leaves this machine;
* a flow run is "late" after ten minutes and not after fifteen seconds: a burst of submissions is a long queue and no
  fault, and each mark costs as much as a real change of state;
* loops over things that are rare here (paused runs, cleanup messages, proactive automations) beat more slowly;
* the scheduler plans minutes ahead and not an hour: `reconcile` runs every 30 s;
* flow runs that ended 30 days ago are removed: the record of a submission is in Podium's own database.

Automations and events stay whole: people who watch over Podium use them in Prefect's pages.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from podium.platform.errors import PlatformFault
from podium.platform.supervisor.environment import system_environment
from podium.platform.supervisor.health import HttpHealth
from podium.platform.supervisor.launch import dying_with_parent
from podium.platform.supervisor.ports import free_port

_HOST = "127.0.0.1"
_TUNING: Mapping[str, str] = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    # Agents poll more often than every five seconds, and would meet connections that are just being closed.
    "PREFECT_SERVER_API_KEEPALIVE_TIMEOUT": "60",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS": "600",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS": "30",
    "PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_LOOP_SECONDS": "60",
    "PREFECT_SERVER_SERVICES_CLEANUP_RECONCILER_LOOP_SECONDS": "30",
    "PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": "PT30S",
    "PREFECT_SERVER_SERVICES_SCHEDULER_MAX_RUNS": "20",
    "PREFECT_SERVER_SERVICES_SCHEDULER_MIN_SCHEDULED_TIME": "PT5M",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(30 * 24 * 3600),
}


def prefect_command(port: int) -> list[str]:
    """Return the command line of a Prefect server on 127.0.0.1."""
    return [sys.executable, "-m", "prefect", "server", "start", "--host", _HOST, "--port", str(port)]


def prefect_api_url(port: int) -> str:
    """Return the address of the API of the Prefect server on this port."""
    return f"http://{_HOST}:{port}/api"


def prefect_environment(*, folder: Path, port: int, database_url: str) -> dict[str, str]:
    """Return what a Prefect server has in its environment besides what every program has.

    Args:
        folder: PREFECT_HOME: its own files.
        port: Where it listens on 127.0.0.1.
        database_url: `postgresql+asyncpg://...` or `sqlite+aiosqlite:///...`.
    """
    return {
        **_TUNING,
        "PREFECT_HOME": str(folder),
        "PREFECT_API_DATABASE_CONNECTION_URL": database_url,
        # Nobody's profile may decide where this server's own flows and pages find the API.
        "PREFECT_API_URL": prefect_api_url(port),
    }


class PrefectServer:
    """A Prefect server of one's own, for tests and small programs; `podium up` runs the same command.

    Args:
        folder: PREFECT_HOME; made when missing.
        database_url: Its database: `cluster.url("prefect", driver="asyncpg")`.
        port: Where it listens on 127.0.0.1; None for any free port.
    """

    def __init__(self, folder: Path, *, database_url: str, port: int | None = None) -> None:
        self.folder = folder.absolute()
        self.port = port or free_port()
        self._database_url = database_url
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def api_url(self) -> str:
        """What PREFECT_API_URL must be to use this server."""
        return prefect_api_url(self.port)

    def start(self, *, timeout: float = 120) -> None:
        """Start the server and wait until it answers.

        Args:
            timeout: Seconds to wait at most; the first start on a new database takes longest.

        Raises:
            PlatformFault: It did not start; the message ends with its last words.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        own = prefect_environment(folder=self.folder, port=self.port, database_url=self._database_url)
        log = self.folder / "server.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                dying_with_parent(prefect_command(self.port)),
                env={**system_environment(), **own},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd=self.folder,
            )
        deadline = time.monotonic() + timeout
        while not self.is_healthy():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                last_words = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
                raise PlatformFault("Prefect's server did not start.", remedy=f"It said:\n{last_words}")
            time.sleep(0.1)

    def is_healthy(self) -> bool:
        """Whether the server answers now."""
        return HttpHealth(f"{self.api_url}/health").check().up

    def stop(self, *, timeout: float = 15) -> None:
        """Stop the server.

        Args:
            timeout: Seconds after which it is killed.
        """
        process, self._process = self._process, None
        if process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.send_signal(number)
                process.wait(timeout)
                return
