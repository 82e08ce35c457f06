"""Podium's agent as the content of an image: its locked dependencies, and the packages that run here."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import distribution
from pathlib import Path

from podium.agents.images import scientific

LOCK = Path(__file__).with_name("agent.lock")
"""Exact versions with hashes: what `podium[agent]` is installed from; `make lock` makes it."""
PACKAGES = ("platform", "tasks", "flows", "agents")


def install(target: Path, *, minor: str) -> None:
    """Install the agent with what it needs into the folder `target`, compiled for where the image has it.

    Raises:
        PodiumError: The Python packages can't be had.
    """
    scientific.install(target, minor=minor, lock=LOCK)
    for package, source in _sources():
        shutil.copytree(source, target / "podium" / package, ignore=shutil.ignore_patterns("__pycache__"))
    # By this a program knows which version it is.
    known = distribution("podium")
    metadata = target / f"podium-{known.version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: podium\nVersion: {known.version}\n")
    scientific.compile_for_image(target / "podium", f"{scientific.site_packages(minor)}/podium")


def digest() -> str:
    """What all of it is made from, as a digest."""
    found = hashlib.sha256(LOCK.read_bytes())
    for package, source in _sources():
        for path in sorted(source.rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                found.update(f"{package}/{path.relative_to(source)}".encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def _sources() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        yield package, Path(next(iter(import_module(f"podium.{package}").__path__)))
