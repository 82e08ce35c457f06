"""Podium's wheel, built from a clean copy of the checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
# What was built before must not find its way in, and what has no place in a wheel need not be copied.
_LEFT_OUT = (
    ".git",
    ".venv*",
    ".stores",
    "build",
    "dist",
    "tests",
    "benchmarks",
    "*.egg-info",
    "__pycache__",
    ".*_cache",
)


def build_wheel(folder: Path) -> Path:
    """Build it in an empty folder."""
    copy = folder / "podium"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*_LEFT_OUT, ".hypothesis", ".podium"), symlinks=True)
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return next((copy / "dist").glob("*.whl"))
