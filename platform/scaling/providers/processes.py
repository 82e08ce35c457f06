"""Agents as processes on this host, each in a folder of its own that says whose it is."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from podium.platform.errors import PlatformFault
from podium.platform.scaling.providers.orders import AgentOrder, Listing, ProviderFault
from podium.platform.scaling.providers.settings import ProcessSettings
from podium.platform.supervisor.environment import agent_environment
from podium.platform.supervisor.processes import ProcessIdentity, kill_group
from podium.platform.supervisor.secret_files import write_secret

FOLDER = "scaled"
"""Below the state folder."""
GRACE_SECONDS = 25.0
"""How long a stop waits: an agent that holds nothing leaves in a second or two."""
LAST_WORDS = 400
_DECIDED_HERE = ("PODIUM_AGENT_EXECUTOR", "PODIUM_AGENT_POOL", "PODIUM_AGENT_NAME", "PODIUM_AGENT_SLOTS")
"""Settings of the platform's own agent, in which this runs, that are not for those that score."""
_started: list[subprocess.Popen[bytes]] = []
"""Children of this process, which must be waited for when they end."""


class ProcessProvider:
    """Starts agents as processes.

    Args:
        state: Podium's state folder.
    """

    def __init__(self, settings: ProcessSettings, state: Path) -> None:
        self._settings = settings
        self._root = state.resolve() / FOLDER

    def start(self, order: AgentOrder) -> None:
        """Start an agent, unless it runs."""
        folder = self._root / order.pool / order.name
        if _processes_below(folder.parent).get(order.name):
            return
        try:
            # Programs in bubblewrap pass through these folders; they can't list them.
            for one in (self._root, folder.parent, folder):
                one.mkdir(exist_ok=True, mode=0o711)
            token = folder / "token"
            write_secret(token, f"{order.token}\n")
            with (folder / "agent.log").open("ab") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", "podium.agents"],
                    cwd=folder,
                    env=self._environment(order, folder, token),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            raise ProviderFault(f"Agent {order.name} could not be started in {folder}: {error.strerror}.") from error
        _started.append(process)

    def stop(self, pool: str, name: str) -> None:
        """Stop an agent, wait for its end and remove its folder."""
        folder = self._root / pool / name
        _end(_processes_below(folder.parent).get(name, []), GRACE_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)

    def list_own(self, pool: str) -> Listing:
        """The agents of a pool that run on this host."""
        root = self._root / pool
        running = _processes_below(root)
        known = {path.name: path for path in root.iterdir() if path.is_dir()} if root.is_dir() else {}
        ended = {name: _last_words(path / "agent.log") for name, path in known.items() if name not in running}
        return Listing(frozenset(running), ended)

    def _environment(self, order: AgentOrder, folder: Path, token: Path) -> Mapping[str, str]:
        """What an agent of `podium up` gets, and nothing that the platform's own flows have."""
        inherited = agent_environment(os.environ, docker=True)
        return {
            **{name: value for name, value in inherited.items() if name not in _DECIDED_HERE},
            **self._settings.environment,
            "PODIUM_GATEWAY": order.gateway,
            "PREFECT_API_URL": order.prefect,
            "PREFECT_HOME": str(folder / "prefect"),
            "PODIUM_AGENT_TOKEN_FILE": str(token),
            "PODIUM_AGENT_FOLDER": str(folder),
            "PODIUM_AGENT_POOL": order.pool,
            "PODIUM_AGENT_NAME": order.name,
            "PODIUM_AGENT_SLOTS": str(order.slots),
        }


def end_all(state: Path) -> int:
    """End every agent that scaling has started with this state folder; return how many there were."""
    root = state.resolve() / FOLDER
    pools = [path for path in root.iterdir() if path.is_dir()] if root.is_dir() else []
    agents = [processes for pool in pools for processes in _processes_below(pool).values()]
    for processes in agents:
        _send(processes, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    for processes in agents:
        _end(processes, max(0.0, deadline - time.monotonic()))
    return len(agents)


def _end(processes: list[ProcessIdentity], seconds: float) -> None:
    _send(processes, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    for process in processes:
        if not process.wait(max(0.0, deadline - time.monotonic())):
            # It leads a session of its own, so this reaches all that it has started.
            kill_group(process.pid, signal.SIGKILL)
            process.send(signal.SIGKILL)
            if not process.wait(5.0):
                raise PlatformFault(f"Process {process.pid} does not end.")
    _reap()


def _send(processes: list[ProcessIdentity], number: signal.Signals) -> None:
    for process in processes:
        process.send(number)


def _processes_below(root: Path) -> dict[str, list[ProcessIdentity]]:
    """Processes by the folder right below `root` that they work in."""
    _reap()
    found: dict[str, list[ProcessIdentity]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            where = (entry / "cwd").readlink()
        except OSError:  # it has ended, or is another user's
            continue
        if where.parent == root and (process := ProcessIdentity.of(int(entry.name))):
            found.setdefault(where.name, []).append(process)
    return found


def _reap() -> None:
    _started[:] = [process for process in _started if process.poll() is None]


def _last_words(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return " ".join(lines[-3:])[-LAST_WORDS:]
