"""The Python packages of the scientific image: a locked set, installed for the image's Python and compiled."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from podium.agents.images.debian import PYTHON
from podium.platform.errors import PodiumError

LOCK = Path(__file__).with_name("scientific.lock")
"""Exact versions with hashes; `make lock` makes it from `scientific.in`."""


def site_packages(minor: str) -> str:
    """Where an image's Python of version `minor` finds the packages, without a leading slash."""
    return f"usr/local/lib/python{minor}/dist-packages"


def install(target: Path, *, minor: str, lock: Path = LOCK) -> None:
    """Install a locked set into the folder `target`, without tests, compiled for where the image has it.

    Raises:
        PodiumError: The packages can't be had or don't fit.
    """
    _run([*_installer(minor), "--target", str(target), "--requirement", str(lock)], "install the image's packages")
    _trim(target)
    compile_for_image(target, site_packages(minor))


def _installer(minor: str) -> list[str]:
    # uv takes 2 s where pip takes 30; it installs for another Python just as well.
    uv = Path(sysconfig.get_path("scripts")) / "uv"
    found = str(uv) if uv.exists() else shutil.which("uv")
    if found:
        return [found, "pip", "install", "--quiet", "--python", str(PYTHON), "--require-hashes", "--only-binary=:all:"]
    wheels = ["--python-version", minor, "--implementation", "cp", "--only-binary=:all:", "--no-deps"]
    return [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", *wheels]


def _trim(target: Path) -> None:
    # Nothing outside the tests imports them; they are a fifth of the whole.
    for folder in [target / "bin", target / "share", *target.glob("**/tests")]:
        shutil.rmtree(folder, ignore_errors=True)


def compile_for_image(target: Path, inside: str) -> None:
    """Compile the packages in `target` for where an image has them, a path without a leading slash."""
    # Unchecked: the root is read-only, so a compiled file can't be stale and the source needs no look.
    how = ["--invalidation-mode", "unchecked-hash", "-j", str(os.cpu_count() or 1)]
    where = ["-s", str(target), "-p", f"/{inside}", str(target)]
    _run([str(PYTHON), "-m", "compileall", "-qq", *how, *where], "compile the image's packages")


def _run(command: list[str], what: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[-800:]
        raise PodiumError(
            f"Could not {what}: {said}", remedy="They come from the Python package index that pip and uv are set to."
        )
