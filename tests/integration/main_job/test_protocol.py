"""Codabench's protocol where it is easily got wrong: programs side by side, a failed prediction, the scores' files."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import NewUser, Podium

DUET = """\
version: 2
title: Duet
image: logo.png
terms: terms.md
registration_auto_approve: true
docker_image: podium/python:3.11
pages: [{title: Overview, file: terms.md}]
tasks:
  - index: 0
    name: Duet
    scoring_program: scoring
    ingestion_program: ingestion
    ingestion_only_during_scoring: true
    input_data: input
    reference_data: reference
phases: [{name: Only, start: 2026-01-01, tasks: [0], execution_time_limit: 60}]
leaderboards:
  - {title: Results, key: main, columns: [{index: 0, title: Found, key: found}]}
"""
# They talk through the shared folder, one line each.
WAIT = """\
import pathlib, time
def wait_for(path):
    until = time.monotonic() + 50
    while not pathlib.Path(path).exists():
        assert time.monotonic() < until, f"no {path}"
        time.sleep(0.05)
    return pathlib.Path(path).read_text()
def tell(path, text):
    pathlib.Path(path + ".part").write_text(text)
    pathlib.Path(path + ".part").rename(path)
"""
SCORE = f"""\
{WAIT}
import json, os
assert os.getcwd() == "/app/program"
truth = open("/app/input/ref/number.txt").read()
tell("/app/shared/question", "what is it?")
answer = wait_for("/app/shared/answer")
found = float(answer.strip() == truth.strip()) + float(os.path.exists("/app/input/res/made.txt"))
scores = {{"found": found, "all": {{"deep": [1, {{"er": None}}]}}, "words": "x"}}
open("/app/output/scores.json", "w").write(json.dumps(scores))
open("/app/output/scores.txt", "w").write("found: -1")
"""
INGEST = f"""\
{WAIT}
import os, sys
sys.path.insert(0, "/app/ingested_program")
import answering
assert sorted(os.listdir("/app/input")) == ["ref", "res"] and os.path.exists("/app/input_data/hint.txt")
assert wait_for("/app/shared/question") == "what is it?"
tell("/app/shared/answer", answering.answer(open("/app/input_data/hint.txt").read()))
"""


@pytest.fixture(scope="module")
def duet(podium: Podium, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("duet") / "bundle"
    files = {
        "competition.yaml": DUET,
        "logo.png": "picture",
        "terms.md": "Play fair.",
        "scoring/metadata.yaml": "command: [python3 score.py]",
        "scoring/score.py": SCORE,
        "ingestion/metadata": "command: python3 $program/ingest.py",
        "ingestion/ingest.py": INGEST,
        "input/hint.txt": "41",
        "reference/number.txt": "42",
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    podium.admin.good("competition", "create", str(folder), "--slug", "duet", "--start", "now")
    return "duet"


def packed(path: Path, files: Mapping[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


ANSWER = "def answer(hint): return str(int(hint) + 1)"


def test_the_ingestion_program_answers_the_scoring_program(duet: str, new_user: NewUser, tmp_path: Path) -> None:
    ran = new_user(duet).submit(packed(tmp_path / "a.zip", {"answering.py": ANSWER, "made.txt": "1"}), duet)
    assert ran.code == 0, ran.out + ran.err
    # Of both files of scores, the JSON counts; what else is in it does no harm.
    assert [(score["key"], score["value"]) for score in ran.json["scores"]] == [("found", 2.0)]
    programs = ran.json["evaluations"][0]["programs"]
    assert sorted((one["program"], one["step"], one["exit_status"]) for one in programs) == [
        ("ingestion", "scoring", 0),
        ("scoring", "scoring", 0),
    ]


def test_scoring_goes_on_after_a_prediction_that_failed(duet: str, new_user: NewUser, tmp_path: Path) -> None:
    files = {
        "answering.py": ANSWER,
        "run.py": "open('/app/output/made.txt', 'w').write('1'); raise SystemExit(7)",
        "metadata.yaml": "command:\n  - python3 run.py\n  - python3 -c 'raise SystemExit(9)'\n",
    }
    ran = new_user(duet).submit(packed(tmp_path / "b.zip", files), duet)
    assert ran.code == 0, ran.out + ran.err
    assert [(score["key"], score["value"]) for score in ran.json["scores"]] == [("found", 2.0)]
    programs = ran.json["evaluations"][0]["programs"]
    assert [(one["step"], one["exit_status"]) for one in programs if one["program"] == "submission"] == [
        ("prediction", 7)
    ]


def test_a_program_that_was_packed_with_its_folder_is_run_from_it(duet: str, new_user: NewUser, tmp_path: Path) -> None:
    files = {
        "mine/answering.py": ANSWER,
        "mine/run.py": "open('/app/output/made.txt', 'w').write('1')",
        "mine/metadata": "command: python3 $program/run.py",
    }
    user = new_user(duet)
    ran = user.submit(packed(tmp_path / "c.zip", files), duet)
    assert ran.code == 0, ran.out + ran.err
    assert [(score["key"], score["value"]) for score in ran.json["scores"]] == [("found", 2.0)]
    assert "everything was in the folder 'mine'" in user.good("logs", ran.json["id"]).out
