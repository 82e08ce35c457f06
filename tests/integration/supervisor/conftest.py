"""What the tests of the supervisor share: a folder, and a Podium whose unfinished parts are stand-ins."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from podium.platform.supervisor.commands import down
from podium.platform.supervisor.live_state import LiveState, read_live_state
from podium.platform.supervisor.processes import ProcessIdentity

DRIVER = Path(__file__).with_name("stand_in_podium.py")


def make_open_folder() -> Path:
    """Make a folder that every user can enter: PostgreSQL runs as one of its own, and pytest's folders are closed."""
    folder = Path(tempfile.mkdtemp(prefix="podium-test-"))
    folder.chmod(0o711)
    return folder


@pytest.fixture
def open_folder() -> Iterator[Path]:
    folder = make_open_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


class StandInPodium:
    """Runs `podium up`, `down` and `status` as a person would, each as a process of its own."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.foreground: list[subprocess.Popen[str]] = []
        self.said = ""

    def command(self, name: str, *options: str) -> list[str]:
        return [sys.executable, str(DRIVER), name, "--state", str(self.state), *options]

    def run(
        self, name: str, *options: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(name, *options),
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
            env=clean_environment(environment),
        )

    def up_in_foreground(
        self, *options: str, wait_for: str = "State and logs", environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start in the foreground and return once a line with this text was said."""
        process = subprocess.Popen(
            self.command("up", *options),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=clean_environment(environment),
        )
        self.foreground.append(process)
        assert process.stdout is not None
        heard = []
        for line in process.stdout:
            heard.append(line)
            if wait_for in line:
                return process
        raise AssertionError("".join(heard))

    def live(self) -> LiveState:
        return read_live_state(self.state / "up.json")

    def process(self, part: str) -> ProcessIdentity:
        for live in self.live().parts:
            if live.name == part and live.process is not None:
                return live.process
        raise AssertionError(f"{part} has no process")

    def wait_for_state(self, part: str, state: str, *, restarts: int = 0) -> None:
        """Wait until the supervisor has written down that a part is so."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            for live in self.live().parts:
                if live.name == part and live.state == state and live.restarts >= restarts:
                    return
            time.sleep(0.05)
        raise AssertionError(self.live())

    def status(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self.run("status", "--json").stdout)
        return data

    def processes(self) -> list[str]:
        """Return the command lines of everything that still works in the state folder or was told about it."""
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit() or int(folder.name) == os.getpid():
                continue
            try:
                line = (folder / "cmdline").read_text().replace("\0", " ")
                where = str((folder / "cwd").readlink())
            except OSError:
                continue
            if line and (str(self.state) in line or where.startswith(str(self.state))):
                found.append(line)
        return found

    def end(self) -> None:
        for process in self.foreground:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(120)
            if process.stdout is not None:
                process.stdout.close()
        down(self.state)


def clean_environment(more: Mapping[str, str] | None) -> dict[str, str]:
    """Return this environment without what would change the tests, and with what a careless operator has in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PODIUM_", "PREFECT_", "PG"))}
    return {**kept, "PGPASSWORD": "callers-secret", "PODIUM_TOKEN": "callers-secret", **(more or {})}


@pytest.fixture
def podium(open_folder: Path) -> Iterator[StandInPodium]:
    """A Podium that isn't started yet."""
    made = StandInPodium(open_folder / "state")
    yield made
    made.end()
    assert made.processes() == []


@pytest.fixture(scope="module")
def whole_podium() -> Iterator[StandInPodium]:
    """Podium with its real PostgreSQL and its real Prefect server, up and detached."""
    folder = make_open_folder()
    made = StandInPodium(folder / "state")
    answer = made.run("up", "--detach")
    try:
        assert answer.returncode == 0, answer.stdout + answer.stderr
        made.said = answer.stdout
        yield made
    finally:
        made.end()
        assert made.processes() == []
        shutil.rmtree(folder)


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    def wait(true: Callable[[], bool], seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    return wait
