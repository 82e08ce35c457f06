"""What benchmarks share: a trivial competition of one container, and a Podium of one's own that has it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from podium.platform.client import Client
from podium.platform.supervisor.postgres import PostgresCluster

IMAGE = "podium/python:3.11"
SCORER = """\
import json, pathlib
truth = pathlib.Path("/app/input/ref/truth.txt").read_text().split()
guess = pathlib.Path("/app/input/res/guess.txt").read_text().split()
right = sum(a == b for a, b in zip(truth, guess, strict=True))
pathlib.Path("/app/output/scores.json").write_text(json.dumps({"accuracy": right / len(truth)}))
"""
SCORES = {"accuracy": 0.75}
_COMPETITION = f"""\
version: 2
title: Benchmark
image: logo.png
terms: terms.md
docker_image: {IMAGE}
registration_auto_approve: true
pages: [{{title: Overview, file: terms.md}}]
tasks: [{{index: 0, name: One container, scoring_program: scoring_program, reference_data: reference_data}}]
phases:
  - {{index: 0, name: Only, start: 2020-01-01, max_submissions_per_day: 0, max_submissions: 0, tasks: [0]}}
leaderboards:
  - title: Results
    key: main
    submission_rule: Force_Last
    columns: [{{title: Accuracy, key: accuracy, index: 0, sorting: desc}}]
"""


@dataclass(frozen=True)
class Files:
    """The competition's bundle and a submission to it, as folders."""

    folder: Path

    @property
    def bundle(self) -> Path:
        return self.folder / "bundle"

    @property
    def submission(self) -> Path:
        return self.folder / "submission"


def write_files(folder: Path) -> Files:
    """Write bundle and submission; containers must be able to pass through the folder."""
    folder.chmod(0o755)
    files = Files(folder)
    for name, text in {
        "competition.yaml": _COMPETITION,
        "terms.md": "Be fair.\n",
        "scoring_program/score.py": SCORER,
        "scoring_program/metadata.yaml": "command: python3 score.py\n",
        "reference_data/truth.txt": "1 0 1 1\n",
        "../submission/guess.txt": "1 0 1 0\n",
    }.items():
        path = files.bundle / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (files.bundle / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return files


@dataclass(frozen=True)
class OwnPodium:
    """A Podium that runs."""

    state: Path

    @property
    def gateway(self) -> str:
        return f"http://127.0.0.1:{self._live()['ports']['gateway']}"

    @property
    def prefect_api(self) -> str:
        return f"http://127.0.0.1:{self._live()['ports']['prefect']}/api"

    @property
    def database_url(self) -> str:
        return PostgresCluster(self.state / "postgres", port=self._live()["ports"]["postgres"]).url()

    @property
    def administrator(self) -> str:
        """The administrator's token."""
        return (self.state / "admin-token").read_text().strip()

    def processes(self) -> dict[str, int]:
        """The parts that run, and the supervisor, by name."""
        live = self._live()
        parts = {part["name"]: part["process"]["pid"] for part in live["parts"] if part["process"]}
        return {**parts, "supervisor": live["supervisor"]["pid"]}

    def _live(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.state / "up.json").read_text())
        return found


@contextmanager
def own_podium(state: Path, *, without: Sequence[str] = ()) -> Iterator[OwnPodium]:
    """`podium up` with all its parts, but for those that are to be left out, on free ports; ended with the block."""
    podium = Path(sys.executable).with_name("podium")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    left_out = [word for part in without for word in ("--without", part)]
    subprocess.run([podium, "up", "--state", state, "--detach", *left_out], check=True, env=environment)
    try:
        yield OwnPodium(state)
    finally:
        subprocess.run([podium, "down", "--state", state], check=True, env=environment)


def create_competition(client: Client, files: Files) -> str:
    """Create the trivial competition, join it, and return its slug."""
    slug = client.create_competition(files.bundle).competition
    assert slug
    client.join(slug, client.competition(slug).terms_sha256)
    return slug
