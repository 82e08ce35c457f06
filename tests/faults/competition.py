"""The competition that is broken again and again: short programs, and scores that are known beforehand."""

from __future__ import annotations

import os
from pathlib import Path

SLUG = "faults"
PER_DAY, TOTAL = 2, 3
QUESTIONS = 100
_SCORER = """\
import json, pathlib, time
truth = pathlib.Path("/app/input/ref/truth.txt").read_text()
guess = pathlib.Path("/app/input/res/guess.txt").read_text()
time.sleep(0.4)
right = sum(a == b for a, b in zip(truth, guess, strict=True))
print("right:", right, flush=True)
pathlib.Path("/app/output/scores.json").write_text(json.dumps({"accuracy": right / len(truth)}))
"""
_MODEL = """\
import pathlib, time
for second in range(10):
    print("at work", second, flush=True)
    time.sleep(0.1)
guess = pathlib.Path(__file__).with_name("answers.txt").read_text()
pathlib.Path("/app/output/guess.txt").write_text(guess)
"""
_COMPETITION = f"""\
version: 2
title: Faults
image: logo.png
terms: terms.md
docker_image: podium/python:IMAGE_TAG
registration_auto_approve: true
pages: [{{title: Overview, file: terms.md}}]
tasks: [{{index: 0, name: One, scoring_program: scoring_program, reference_data: reference_data}}]
phases:
  - index: 0
    name: Only
    start: 2020-01-01
    tasks: [0]
    max_submissions_per_day: {PER_DAY}
    max_submissions: {TOTAL}
    execution_time_limit: 30
leaderboards:
  - title: Results
    key: main
    submission_rule: Force_Best
    columns: [{{title: Accuracy, key: accuracy, index: 0, sorting: desc}}]
"""


def write_bundle(folder: Path, image: str) -> Path:
    """The competition's bundle, whose programs run in an image of that name."""
    for name, text in {
        "competition.yaml": _COMPETITION.replace("podium/python:IMAGE_TAG", image),
        "terms.md": "Be fair.\n",
        "scoring_program/score.py": _SCORER,
        "scoring_program/metadata.yaml": "command: python3 score.py\n",
        "reference_data/truth.txt": "1" * QUESTIONS,
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


def write_results(folder: Path, right: int) -> Path:
    """A submission of results, of which so many are right."""
    _write(folder, "guess.txt", right)
    return folder


def write_code(folder: Path, right: int) -> Path:
    """A submission of code that works for a second and predicts so many rightly."""
    _write(folder, "answers.txt", right)
    (folder / "model.py").write_text(_MODEL)
    (folder / "metadata.yaml").write_text("command: python3 model.py\n")
    return folder


def _write(folder: Path, name: str, right: int) -> None:
    folder.mkdir(parents=True)
    (folder / name).write_text("1" * right + "0" * (QUESTIONS - right))
    # So that the upload, and unpacking it, take a moment.
    (folder / "ballast.bin").write_bytes(os.urandom(256 * 1024))
