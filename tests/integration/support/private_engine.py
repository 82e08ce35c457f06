"""A Docker engine of a test's own, which may be killed: the host's own serves others too."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import docker
import requests
from docker.errors import DockerException


class PrivateEngine:
    """A dockerd with its containerd, in a folder and a network of its own.

    The host's network it must not see: an engine that is told to have no bridge removes the one that is there.
    """

    def __init__(self, folder: Path | None = None) -> None:
        # Paths of sockets are short, and pytest's are long.
        self.folder = folder or Path(tempfile.mkdtemp(prefix="podium-engine-"))
        self.address = f"unix://{self.folder}/docker.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, again or for the first time, and wait until it answers."""
        options = {
            "data-root": self.folder / "data",
            "exec-root": self.folder / "exec",
            "pidfile": self.folder / "pid",
            "host": self.address,
            "bridge": "none",
            "iptables": "false",
            "ip6tables": "false",
            "log-level": "warn",
        }
        # What was killed left its process numbers; where nobody reaps, they seem to live on.
        for pid in (self.folder / "pid", self.folder / "exec/containerd/containerd.pid"):
            pid.unlink(missing_ok=True)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["unshare", "--net", "dockerd", *(f"--{name}={value}" for name, value in options.items())],
                stdout=log,
                stderr=log,
            )
        give_up = time.monotonic() + 60
        while not self._answers():
            assert time.monotonic() < give_up, (self.folder / "log").read_text()
            assert self._process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.1)

    def load(self, image: str) -> None:
        """Take an image over from the host's own engine."""
        theirs, mine = docker.APIClient(), self.client()
        mine.load_image(theirs.get_image(image))
        for client in (theirs, mine):
            client.close()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def client(self) -> docker.APIClient:
        return docker.APIClient(base_url=self.address, timeout=60)

    def kill(self) -> None:
        """Kill dockerd, and nothing else: containers go on running until it is back."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def stop(self) -> None:
        if self._process is not None and self.runs:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)

    def remove(self) -> None:
        """Stop it and remove all that it had."""
        self.stop()
        # An engine that was killed once does not undo what it mounted in its first life.
        mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        for path in reversed([path for path in mounted if path.startswith(f"{self.folder}/")]):
            subprocess.run(["umount", path], check=True)
        shutil.rmtree(self.folder)

    def _answers(self) -> bool:
        try:
            client = self.client()
        except (DockerException, requests.RequestException):
            return False
        client.close()
        return True
