"""Competitions of CodaLab's versions 1.5 and 1.8, from their bundles to their leaderboards, on real parts."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import NewUser, Podium, User

TIDES = """\
title: Tides
description: High or low?
image: logo.png
has_registration: false
force_submission_to_leaderboard: true
html: {overview: page.html, evaluation: page.html, terms: page.html, data: page.html}
phases:
  1:
    phasenumber: 1
    label: Practice
    start_date: 2020-01-01
    execution_time_limit: 60
    scoring_program: scoring.zip
    ingestion_program: ingestion.zip
    reference_data: reference.zip
    input_data: input.zip
leaderboard:
  leaderboards:
    Results: &RESULTS {label: Results, rank: 1}
  columns:
    accuracy: {leaderboard: *RESULTS, label: Accuracy, rank: 2}
    answers: {leaderboard: *RESULTS, label: Answers, rank: 3, sort: asc}
    average:
      leaderboard: *RESULTS
      label: Average rank
      rank: 1
      sort: asc
      computed: {operation: Avg, fields: "accuracy, answers"}
"""
# Paths are relative to CodaLab's run folder, and the scores have no space after the colon.
SCORE = """\
import os, sys
assert os.getcwd() == "/app", os.getcwd()
given, output = sys.argv[1:]
told = dict(line.split(": ") for line in open(f"{given}/res/metadata").read().splitlines())
assert float(told["elapsedTime"]) >= 0 and told["exitCode"] == told["ingestionExitCode"] == "0", told
truth = open("input/ref/truth.txt").read().split()
answers = open("input/res/predictions.txt").read().split()
right = sum(one == other for one, other in zip(truth, answers))
os.mkdir("output/private")
open("output/private/notes.txt", "w").write("for the organizers alone")
open("temp/scratch", "w").write("1")
with open(f"{output}/scores.txt", "w") as scores:
    scores.write(f"accuracy:{right / len(truth)}\\nanswers:{len(set(answers))}")
"""
INGEST = """\
import os, sys
from pathlib import Path
import model
given, output, hidden, shared, temporary, submission = map(Path, sys.argv[1:])
assert os.getcwd() == "/app" and model.__file__ == "/app/program/model.py"
assert submission.samefile("program") and (hidden / "truth.txt").exists()
assert not Path("input/ref").exists()
(shared / "note").write_text("1"), (temporary / "note").write_text("1")
hours = (given / "hours.txt").read_text().split()
(output / "predictions.txt").write_text("\\n".join(model.predict(hours)))
"""
INGEST_ARGUMENTS = "$input $output $hidden $shared $tmp $submission_program"
MODEL = """\
def predict(hours):
    low = open("program/weights/low.txt").read().split()
    return ["low" if hour in low else "high" for hour in hours]
"""
TRACKS = """\
title: Tracks
image: logo.png
has_registration: false
html: {terms: page.html, overview: page.html}
phases:
  1: {phasenumber: 1, label: Both, start_date: 2020-01-01, is_parallel_parent: true, is_scoring_only: true}
  2:
    phasenumber: 2
    parent_phasenumber: 1
    label: North
    start_date: 2020-01-01
    scoring_program: scoring.zip
    reference_data: north.zip
  3:
    phasenumber: 3
    parent_phasenumber: 1
    label: South
    start_date: 2020-01-01
    scoring_program: scoring.zip
    reference_data: south.zip
leaderboard:
  leaderboards: {Results: &RESULTS {label: Results, rank: 1}}
  columns: {accuracy: {leaderboard: *RESULTS, label: Accuracy}}
"""
RUN_SCORE = {"metadata": "command: python program/score.py input output", "score.py": SCORE}
Content = Mapping[str, str | bytes]


def zip_of(files: Content, folder: str = "") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(folder + name, content)
    return buffer.getvalue()


def write_bundle(folder: Path, text: str, zips: Mapping[str, bytes]) -> Path:
    folder.mkdir()
    (folder / "competition.yaml").write_text(text)
    (folder / "logo.png").write_bytes(b"\x89PNG")
    (folder / "page.html").write_text("<p>High or low?</p>")
    for name, content in zips.items():
        (folder / name).write_bytes(content)
    return folder


def create(podium: Podium, bundle: Path, slug: str) -> str:
    podium.admin.good("competition", "create", str(bundle), "--slug", slug, "--start", "now")
    return slug


def scored(user: User, slug: str, files: Content, path: Path, folder: str = "") -> dict[str, Any]:
    path.write_bytes(zip_of(files, folder))
    ran = user.submit(path, slug)
    assert ran.code == 0, ran.out + ran.err
    record: dict[str, Any] = ran.json
    return record


def scores_of(record: dict[str, Any]) -> dict[str, float]:
    return {score["key"]: score["value"] for score in record["scores"]}


@pytest.fixture(scope="module")
def tides(podium: Podium, tmp_path_factory: pytest.TempPathFactory) -> str:
    zips = {
        # One folder too deep, as CodaLab lets organizers pack programs too.
        "scoring.zip": zip_of(RUN_SCORE, "scoring_program/"),
        "ingestion.zip": zip_of(
            {
                "metadata": f"command: python $program/ingest.py {INGEST_ARGUMENTS}",
                "ingest.py": INGEST,
            }
        ),
        "reference.zip": zip_of({"truth.txt": "high low high low"}),
        "input.zip": zip_of({"hours.txt": "1 2 3 4"}),
    }
    return create(podium, write_bundle(tmp_path_factory.mktemp("tides") / "bundle", TIDES, zips), "tides")


@pytest.fixture(scope="module")
def tracks(podium: Podium, tmp_path_factory: pytest.TempPathFactory) -> str:
    zips = {
        "scoring.zip": zip_of(RUN_SCORE),
        "north.zip": zip_of({"truth.txt": "high low high low"}),
        "south.zip": zip_of({"truth.txt": "high high high low"}),
    }
    return create(podium, write_bundle(tmp_path_factory.mktemp("tracks") / "bundle", TRACKS, zips), "tracks")


def test_code_is_run_by_the_ingestion_program_and_results_are_scored(
    tides: str, new_user: NewUser, tmp_path: Path
) -> None:
    ada, bob = new_user(tides), new_user(tides)
    code: Content = {"metadata": "description: a model", "model.py": MODEL, "weights.zip": zip_of({"low.txt": "2 4"})}
    record = scored(ada, tides, code, tmp_path / "code.zip", folder="my model/")
    assert scores_of(record) == {"accuracy": 1.0, "answers": 2.0}
    programs = record["evaluations"][0]["programs"]
    assert [(one["program"], one["exit_status"]) for one in programs] == [("ingestion", 0), ("scoring", 0)]
    log = ada.good("logs", record["id"]).out
    assert "everything was in the folder 'my model', and is taken from there" in log
    assert "'weights.zip' was unpacked into the folder 'weights'" in log

    results = scored(bob, tides, {"predictions.txt": "high high high high"}, tmp_path / "results.zip")
    assert scores_of(results) == {"accuracy": 0.5, "answers": 1.0}
    assert [one["program"] for one in results["evaluations"][0]["programs"]] == ["scoring"]

    # Ranks 1 and 2, and 2 and 1: both average at 1.5, and the next column decides.
    board = ada.good("leaderboard", tides, "--json").json
    assert [column["key"] for column in board["columns"]] == ["average", "accuracy", "answers"]
    assert [(row["rank"], row["participant"], row["scores"]) for row in board["rows"]] == [
        (1, ada.name, [1.5, 1.0, 2.0]),
        (2, bob.name, [1.5, 0.5, 1.0]),
    ]


def test_what_is_private_stays_with_the_organizers(tides: str, new_user: NewUser, tmp_path: Path) -> None:
    user = new_user(tides)
    record = scored(user, tides, {"predictions.txt": "low"}, tmp_path / "results.zip")
    user.good("download", record["id"], "--what", "scoring_output", "-o", str(tmp_path / "output.zip"))
    with zipfile.ZipFile(tmp_path / "output.zip") as archive:
        assert archive.namelist() == ["scores.txt"]


def test_parallel_phases_score_a_submission_by_each_of_their_tasks(
    tracks: str, new_user: NewUser, tmp_path: Path
) -> None:
    user = new_user(tracks)
    code = {
        "metadata": "command:\n- python $program\\first.py $tmp\n- python program/second.py temp output\n",
        "first.py": "import sys; open(sys.argv[1] + '/draft', 'w').write('high low high low')",
        "second.py": "import shutil, sys; shutil.copy(sys.argv[1] + '/draft', sys.argv[2] + '/predictions.txt')",
    }
    record = scored(user, tracks, code, tmp_path / "code.zip")
    evaluations = {one["task"]: {s["key"]: s["value"] for s in one["scores"]} for one in record["evaluations"]}
    assert {task: found["accuracy"] for task, found in evaluations.items()} == {"North": 1.0, "South": 0.75}
    assert scores_of(record)["accuracy"] == 0.875
    shown = user.good("competition", "show", tracks, "--json").json
    assert [phase["name"] for phase in shown["phases"]] == ["Both"]
