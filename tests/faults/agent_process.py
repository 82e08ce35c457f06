"""The agent that scores, on a host of its own: where it dies it is started again, as a service would be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from .namespaces import Namespace

AGENT_NAME = "faults"
SLOTS = 2
_RESTART_SECONDS = 0.5


class AgentProcess:
    """Keeps one agent running in a namespace."""

    def __init__(self, namespace: Namespace, folder: Path, environment: Mapping[str, str], *, log: Path) -> None:
        command = (sys.executable, "-m", "podium.agents", "--pool", "docker", "--name", AGENT_NAME)
        self._command = namespace.command(*command, "--slots", str(SLOTS), "--folder", str(folder))
        self._folder, self._environment, self._log = folder, environment, log
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="keep-agent", daemon=True)

    def start(self) -> None:
        self._keeper.start()

    def stop(self) -> None:
        """Let it end in good order."""
        self._stopping.set()
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGTERM)
        self._keeper.join(40)
        assert not self._keeper.is_alive(), "the agent does not stop"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def is_ready(self) -> bool:
        """Whether the one that runs now has said that it takes work."""
        health = self._folder / "health"
        try:
            return health.stat().st_mtime >= self._started and json.loads(health.read_text())["state"] == "ready"
        except (OSError, ValueError):
            return False

    def _keep(self) -> None:
        while not self._stopping.is_set():
            self._started = time.time()
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    self._command,
                    env=dict(self._environment),
                    cwd=self._log.parent,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self._process.wait()
            self._stopping.wait(_RESTART_SECONDS)
