"""What the machine must have besides Python: a Docker engine, PostgreSQL; for the tests a browser, stores and an agent.

    python scripts/machine.py

makes sure of all that the tests need. `make demo` needs less, and makes do with what can be had.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import docker
from docker.errors import DockerException

from podium.agents.images.debian import PACKAGES as IMAGE_PACKAGES
from podium.platform.supervisor.state_folder import default_state_folder

APT = Path(__file__).with_name("apt.sh")
ENGINE = ("docker.io", "python3", *IMAGE_PACKAGES)
"""A Docker engine, and what images are made from."""
SANDBOX = ("bubblewrap",)
DATABASE = ("postgresql",)
TESTING = (
    "bubblewrap",
    "chromium-headless-shell",
    "docker-registry",
    "fonts-dejavu-core",
    "iproute2",
    "nginx-light",
    "postfix",
    "procps",
)
NODE = ("npm",)
ROOT = Path(__file__).resolve().parents[1]
STORES = ROOT / ".stores"
WANTED_STORES = ROOT / "tests" / "integration" / "stores"
SLIM = ROOT / ".venv-agent"
"""What an organizer's host has for `podium[agent]`; the tests put Podium's wheel into it."""
_SYSTEMD = Path("/run/systemd/system")
_ENGINE_SECONDS = 45.0


class Steps:
    """Says what is done, a line for each step, with the seconds that have passed."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """Write a line, or several that belong together."""
        first, *others = text.splitlines()
        print(f"{time.monotonic() - self._began:5.0f} s  {first}", flush=True)
        for line in others:
            print(f"         {line}", flush=True)


def install(steps: Steps, packages: tuple[str, ...], purpose: str) -> bool:
    """Install what is missing of some Debian packages; say so where that can't be done."""
    if _installed(packages):
        return True
    steps.say(f"Installing {purpose} ...")
    done = subprocess.run([str(APT), *packages], check=False, capture_output=True, text=True)
    if done.returncode:
        steps.say(f"Could not install {purpose}.\n{done.stderr.strip()}")
    return done.returncode == 0


def _installed(packages: tuple[str, ...]) -> bool:
    try:
        answer = subprocess.run(
            ["dpkg-query", "--show", "--showformat=${db:Status-Status}\n", *packages],
            check=False,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        return False
    return answer.stdout.split() == ["installed"] * len(packages)


def engine_trouble() -> str:
    """Why no Docker engine answers; empty where one does."""
    try:
        client = docker.from_env(timeout=10)
        try:
            client.ping()
        finally:
            client.close()
    except (DockerException, OSError) as error:
        return "this user may not reach it" if "ermission denied" in str(error) else "none answers"
    return ""


def ensure_engine(steps: Steps) -> bool:
    """Make sure of a Docker engine: one that answers, else Debian's, installed and started here."""
    is_root = os.geteuid() == 0
    answers = not engine_trouble()
    if is_root or answers:
        # Also where an engine answers: images are made from these packages.
        wanted = tuple(name for name in ENGINE if not (answers and name == "docker.io"))
        complete = install(steps, wanted, "what images are made from" if answers else "a Docker engine")
        answers = answers or (complete and _start_engine(steps))
    if answers:
        steps.say(f"Docker engine {docker.from_env().version()['Version']} answers")
    return answers


def _start_engine(steps: Steps) -> bool:
    """Start the engine, in the background and for good."""
    if not engine_trouble():
        return True
    program = shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        return False
    steps.say("Starting the Docker engine ...")
    if _SYSTEMD.is_dir():
        subprocess.run(["systemctl", "start", "docker"], check=False, capture_output=True)
        return _engine_comes(None)
    log = default_state_folder(os.environ) / "logs" / "dockerd.log"
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with log.open("ab") as output:
        engine = subprocess.Popen(
            [program], stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    if _engine_comes(engine):
        steps.say(f"It stays when this ends: process {engine.pid}, log {log}")
        return True
    last = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
    steps.say(f"It did not start; the end of {log}:\n{last}")
    return False


def _engine_comes(engine: subprocess.Popen[bytes] | None) -> bool:
    deadline = time.monotonic() + _ENGINE_SECONDS
    while time.monotonic() < deadline and (engine is None or engine.poll() is None):
        if not engine_trouble():
            return True
        time.sleep(0.3)
    return False


def main() -> int:
    """Make sure of what the tests need."""
    steps = Steps()
    wanted = (*DATABASE, *TESTING)
    if not install(steps, wanted, "what the tests need") or not ensure_engine(steps):
        print("The tests need all of it; they have no way around.", file=sys.stderr)
        return 1
    return 0 if ensure_stores(steps) and ensure_slim_environment(steps) else 1


def ensure_stores(steps: Steps) -> bool:
    """Make sure of the object stores of the tests, in `.stores/`: Swift as an S3, and Azurite as Azure.

    Each has an environment of its own: what they need does not fit with what Podium needs.
    """
    if shutil.which("npm") is None and not install(steps, NODE, "npm"):
        return False
    done = _ensure(steps, "swift", STORES / "swift", WANTED_STORES / "swift.lock", _install_swift)
    lock = WANTED_STORES / "package-lock.json"
    return done and _ensure(steps, "azurite", STORES / "azurite", lock, _install_azurite)


def ensure_slim_environment(steps: Steps) -> bool:
    """Make sure of an environment with what an agent needs and nothing of the server's, in `.venv-agent/`."""
    lock = ROOT / "requirements-agent.lock"
    return _ensure(steps, "what an agent needs", SLIM, lock, lambda folder: _install_locked(folder, lock))


def _ensure(steps: Steps, name: str, folder: Path, lock: Path, make: Callable[[Path], list[list[str]]]) -> bool:
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    mark = folder / ".locked"
    if mark.is_file() and mark.read_text() == wanted:
        return True
    steps.say(f"Installing {name} ...")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for command in make(folder):
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)
        if done.returncode:
            steps.say(f"Could not install {name}.\n{(done.stderr or done.stdout).strip()[-2000:]}")
            return False
    mark.write_text(wanted)
    return True


def _install_swift(folder: Path) -> list[list[str]]:
    return _install_locked(folder, WANTED_STORES / "swift.lock")


def _install_locked(folder: Path, lock: Path) -> list[list[str]]:
    uv = str(Path(sys.executable).with_name("uv"))
    python = str(folder / "bin" / "python")
    return [
        [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder)],
        [
            uv,
            "pip",
            "install",
            "--quiet",
            "--python",
            python,
            "--require-hashes",
            "--compile-bytecode",
            "-r",
            str(lock),
        ],
    ]


def _install_azurite(folder: Path) -> list[list[str]]:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(WANTED_STORES / name, folder)
    # What takes the place of six sevenths of its files, which are never used.
    shutil.copytree(WANTED_STORES / "nothing", folder / "nothing")
    return [["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]]


if __name__ == "__main__":
    sys.exit(main())
