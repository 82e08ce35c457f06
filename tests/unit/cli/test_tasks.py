"""Tasks and their versions."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Gateway, Podium, Samples

NOW = "2026-01-02T03:04:05+00:00"
VERSIONS = "/competitions/iris/tasks/0/versions"


def dataset(kind: str, **changes: object) -> dict[str, object]:
    return {
        "id": "00000000-0000-0000-0000-00000000000a",
        "kind": kind,
        "name": f"{kind}.zip",
        "size": 9,
        "sha256": "ab" * 32,
    } | changes


def version(number: int, **changes: object) -> dict[str, object]:
    return {
        "task": "Main task",
        "index": "0",
        "number": number,
        "is_current": number == 2,
        "scoring_program": dataset("scoring_program"),
        "ingestion_program": None,
        "input_data": None,
        "reference_data": dataset("reference_data", sha256=f"{number}" * 64),
        "reason": "A label was wrong." if number == 2 else "",
        "actor": "person:grace" if number == 2 else "bundle:7",
        "created": NOW,
        "submissions": 10 * number,
    } | changes


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    (tmp_path / "labels.csv").write_text("1,2\n", encoding="utf-8")
    return tmp_path


def test_a_task_is_changed(podium: Podium, gateway: Gateway, samples: type[Samples], reference: Path):
    gateway.on(f"GET {VERSIONS}", [version(1)])
    gateway.on("POST /datasets", {"id": samples.ID, "upload": samples.signed(f"{gateway.url}/store", "PUT")})
    gateway.on("PUT /store", {})
    gateway.on(f"POST /datasets/{samples.ID}/complete", dataset("reference_data", id=samples.OTHER_ID))
    gateway.on(f"POST {VERSIONS}", version(2))
    options = ("--reason", "A label was wrong.", "--reference-data", str(reference))
    ran = podium("task", "update", "iris", "0", *options)
    assert ran.code == 0
    assert ran.out == "2\n"
    assert f"Uploading {reference.name}.zip" in ran.err
    assert "Task Main task of iris is now version 2: what is scored from now on is scored by it." in ran.err
    assert "podium rerun start iris --phase PHASE --reason TEXT" in ran.err
    announced = gateway.called("POST /datasets")[0].json
    assert isinstance(announced, dict)
    assert (announced["kind"], announced["filename"]) == ("reference_data", f"{reference.name}.zip")
    assert gateway.calls[-1].json == {"reason": "A label was wrong.", "reference_data": samples.OTHER_ID}
    assert json.loads(podium("task", "update", "iris", "0", *options, "--json").out)["number"] == 2
    gateway.on(f"POST {VERSIONS}", (409, "conflict", "It would be the same."))
    ran = podium("task", "update", "iris", "0", *options)
    assert ran.code == 6
    assert "It would be the same." in ran.err


def test_nothing_is_uploaded_for_a_task_that_there_is_not(podium: Podium, gateway: Gateway, reference: Path):
    gateway.on("GET /competitions/iris/tasks/7/versions", (404, "not-found", "'iris' has no task '7'."))
    ran = podium("task", "update", "iris", "7", "--reason", "x", "--input-data", str(reference))
    assert ran.code == 5
    assert "'iris' has no task '7'." in ran.err
    assert len(gateway.calls) == 1


def test_what_is_new_must_be_said(podium: Podium, gateway: Gateway, reference: Path):
    ran = podium("task", "update", "iris", "0", "--reason", "x")
    assert ran.code == 2
    assert "--scoring-program, --ingestion-program, --input-data or --reference-data" in ran.err
    assert podium("task", "update", "iris", "0", "--input-data", str(reference)).code == 2
    assert gateway.calls == []
    gateway.on(f"GET {VERSIONS}", [version(1)])
    ran = podium("task", "update", "iris", "0", "--reason", "x", "--input-data", str(reference / "nothing"))
    assert ran.code == 2
    assert "no file or folder" in ran.err


def test_versions_are_listed(podium: Podium, gateway: Gateway):
    gateway.on(f"GET {VERSIONS}", [version(2), version(1)])
    out = podium("task", "versions", "iris", "0").out
    assert "reference_data.zip (22222222)" in out
    assert "reference_data.zip (11111111)" in out
    rows = list(csv.DictReader(io.StringIO(podium("task", "versions", "iris", "0", "--csv").out)))
    assert [(row["version"], row["current"], row["results"], row["by"]) for row in rows] == [
        ("2", "true", "20", "grace"),
        ("1", "false", "10", "bundle"),
    ]
    assert json.loads(podium("task", "versions", "iris", "0", "--json").out)[0]["is_current"] is True


def test_tasks_are_listed_with_their_indexes(podium: Podium, gateway: Gateway, samples: type[Samples]):
    (phase,) = samples.competition()["phases"]
    tasks = [{"index": "0", "name": "Main task", "description": "All of it."}]
    gateway.on("GET /competitions/iris", samples.competition(phases=[phase | {"tasks": tasks}]))
    assert "All of it." in podium("task", "list", "iris").out
    (row,) = json.loads(podium("task", "list", "iris", "--json").out)
    assert row == {"index": "0", "name": "Main task", "phase": "Final", "description": "All of it."}
    gateway.on("GET /competitions/iris", samples.competition())
    assert podium("task", "list", "iris").out == "It has no tasks.\n"
