"""The wheel, built from a clean copy of the checkout, and fresh environments outside it to install it in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from wheels import ROOT, build_wheel

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Environment:
    """A virtual environment outside the checkout."""

    folder: Path

    @property
    def site(self) -> Path:
        return next(self.folder.glob("lib/python*/site-packages"))

    def install(self, *what: str) -> None:
        done = subprocess.run(
            [BIN / "uv", "pip", "install", "-q", "--python", self.folder / "bin" / "python", *what],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def run(self, program: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, away from the checkout and from this environment's settings."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PODIUM_", "PREFECT_", "PYTHON"))
        }
        return subprocess.run(
            [self.folder / "bin" / program, *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env={**kept, **more},
            timeout=240,
        )

    def packages(self) -> set[str]:
        return {path.name.split("-")[0].lower() for path in self.site.glob("*.dist-info")}

    def megabytes(self) -> float:
        return sum(path.lstat().st_size for path in self.folder.rglob("*")) / 1e6


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("clean"))


@pytest.fixture(scope="session")
def constraints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lock's versions, for installs that would else take what came out this morning."""
    file = tmp_path_factory.mktemp("constraints") / "constraints.txt"
    found = re.findall(r"^[a-z0-9._-]+==[^ \\]+", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    file.write_text("\n".join(found))
    return file


@pytest.fixture
def environment() -> Iterator[Environment]:
    # PostgreSQL runs as a user of its own, and pytest's folders are closed to others.
    with TemporaryDirectory(prefix="podium-wheel-") as folder:
        Path(folder).chmod(0o711)
        made = Environment(Path(folder) / "venv")
        subprocess.run([BIN / "uv", "venv", "-q", "--python", sys.executable, made.folder], check=True)
        yield made
