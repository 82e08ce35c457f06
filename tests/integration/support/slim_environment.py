"""What an organizer's host has after `pip install 'podium[agent]'`: the agent's lock, and Podium's wheel."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from wheels import ROOT, build_wheel

SLIM = ROOT / ".venv-agent"
"""Made with the agent's lock by `scripts/machine.py`."""
PODIUM = SLIM / "bin" / "podium"


def install_podium() -> None:
    """Put this checkout's Podium into the environment, in the place of what was there."""
    assert (SLIM / ".locked").is_file(), f"{SLIM} is missing: `make machine` makes it."
    uv, python = Path(sys.executable).with_name("uv"), SLIM / "bin" / "python"
    with tempfile.TemporaryDirectory(prefix="podium-wheel-") as folder:
        wheel = build_wheel(Path(folder))
        options = ("--quiet", "--no-deps", "--reinstall", "--compile-bytecode")
        done = subprocess.run(
            [uv, "pip", "install", "--python", python, *options, wheel], capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr


def packages() -> set[str]:
    """The distributions in the environment."""
    return {path.name.split("-")[0].lower() for path in SLIM.glob("lib/python*/site-packages/*.dist-info")}


def megabytes() -> float:
    """What its files take."""
    return sum(path.lstat().st_size for path in SLIM.rglob("*") if not path.is_dir()) / 1e6
