"""What each program sees, by its task's protocol."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from podium.platform.bundles.content import Protocol
from podium.platform.jobs import EvaluationJob, SignedRequest, Source
from podium.tasks.metadata import Metadata, command_words
from podium.tasks.views import (
    StagedEvaluation,
    StepFolders,
    View,
    ingestion_beside_scoring_view,
    ingestion_view,
    scoring_view,
    submission_view,
)

ROOT = Path("/host")
STAGED = StagedEvaluation(
    folder=ROOT,
    submission=ROOT / "submission",
    metadata=Metadata("metadata", ("run",)),
    scoring_program=ROOT / "scoring",
    ingestion_program=ROOT / "ingestion",
    input_data=ROOT / "input",
    reference_data=ROOT / "reference",
)
RESULTS = ROOT / "predictions"
NEW = StepFolders(output=ROOT / "out")
OLD = StepFolders(ROOT / "out", ROOT / "shared", ROOT / "temporary", ROOT / "empty")


def job(protocol: Protocol, *, only_during_scoring: bool = False) -> EvaluationJob:
    request = SignedRequest.model_validate({"method": "GET", "url": "https://x", "expires": "2030-01-01T00:00:00Z"})
    return EvaluationJob(
        evaluation_id=UUID(int=1),
        task="task",
        scoring_program=Source(request=request, sha256="0" * 64, size=1),
        ingestion_only_during_scoring=only_during_scoring,
        protocol=protocol,
        outputs={},
    )


def seen(view: View) -> dict[str, str]:
    return {
        mount.target: f"{mount.source.name}{'' if mount.read_only else ' (writable)'}"
        for mount in sorted(view.mounts, key=lambda mount: mount.target)
    }


def test_codabench() -> None:
    new = job(Protocol.V2)
    output = {"/app/output": "out (writable)"}
    data = {"/app/input_data": "input"}
    assert seen(submission_view(new, STAGED, NEW, alone=True)) == {"/app/program": "submission"} | data | output
    assert (
        seen(ingestion_view(new, STAGED, NEW, alone=True, asks_for_hidden=True))
        == {
            "/app/program": "ingestion",
            "/app/ingested_program": "submission",
        }
        | data
        | output
    )
    scoring = {"/app/input/ref": "reference", "/app/input/res": "predictions"} | output
    assert seen(scoring_view(new, STAGED, RESULTS, NEW)) == {"/app/program": "scoring"} | scoring
    beside = StepFolders(output=ROOT / "out", shared=ROOT / "shared")
    assert (
        seen(ingestion_beside_scoring_view(new, STAGED, RESULTS, beside))
        == {
            "/app/program": "ingestion",
            "/app/ingested_program": "submission",
            "/app/shared": "shared (writable)",
        }
        | data
        | scoring
    )
    for view in (scoring_view(new, STAGED, RESULTS, NEW), submission_view(new, STAGED, NEW, alone=True)):
        assert (view.working_folder, dict(view.environment)) == ("/app/program", {})


def test_codalab() -> None:
    old = job(Protocol.V1_5)
    writable = {
        "/app/output": "out (writable)",
        "/app/shared": "shared (writable)",
        "/app/temp": "temporary (writable)",
    }
    data = {"/app/input": "input", "/app/input_data": "input"}
    assert seen(submission_view(old, STAGED, OLD, alone=True)) == {"/app/program": "submission"} | data | writable
    ingestion = {
        "/app/program": "submission",
        "/app/ingestion_program": "ingestion",
        "/app/ingested_program": "submission",
    }
    assert seen(ingestion_view(old, STAGED, OLD, alone=True, asks_for_hidden=False)) == ingestion | data | writable
    hidden = {"/app/hidden": "reference"}
    assert (
        seen(ingestion_view(old, STAGED, OLD, alone=True, asks_for_hidden=True)) == ingestion | data | writable | hidden
    )
    scoring = {"/app/input/ref": "reference", "/app/input/res": "predictions"} | writable
    assert seen(scoring_view(old, STAGED, RESULTS, OLD)) == {"/app/program": "scoring"} | scoring
    assert (
        seen(ingestion_beside_scoring_view(old, STAGED, RESULTS, OLD))
        == ingestion
        | {
            "/app/program": "scoring",
            "/app/input_data": "input",
        }
        | scoring
    )


def test_codalab_starts_in_its_run_folder_with_the_submission_to_import() -> None:
    old = job(Protocol.V1_5)
    view = ingestion_view(old, STAGED, OLD, alone=True, asks_for_hidden=False)
    assert (view.working_folder, view.environment) == ("/app", {"PYTHONPATH": "/app/program"})
    view = ingestion_beside_scoring_view(old, STAGED, RESULTS, OLD)
    assert (view.working_folder, view.environment) == ("/app", {"PYTHONPATH": "/app/ingested_program"})
    assert scoring_view(old, STAGED, RESULTS, OLD).working_folder == "/app"


def test_codalabs_input_is_there_without_data() -> None:
    bare = StagedEvaluation(ROOT, ROOT / "submission", None, ROOT / "scoring", None, None, None)
    found = seen(submission_view(job(Protocol.V1_5), bare, OLD, alone=True))
    assert found["/app/input"] == "empty"
    assert "/app/input_data" not in found


@pytest.mark.parametrize(
    ("protocol", "has_metadata", "only_during_scoring", "runs"),
    [
        (Protocol.V2, True, False, True),
        (Protocol.V2, False, False, True),
        (Protocol.V2, True, True, False),
        (Protocol.V1_5, True, False, True),
        (Protocol.V1_5, False, False, False),
        (Protocol.V1_5, True, True, False),
    ],
)
def test_when_the_ingestion_program_runs(
    protocol: Protocol,
    has_metadata: bool,  # noqa: FBT001
    only_during_scoring: bool,  # noqa: FBT001
    runs: bool,  # noqa: FBT001
) -> None:
    metadata = Metadata("metadata", ()) if has_metadata else None
    staged = StagedEvaluation(ROOT, ROOT, metadata, ROOT, ROOT / "ingestion", None, None)
    found = staged.prediction_ingestion(job(protocol, only_during_scoring=only_during_scoring))
    assert (found is not None) is runs


def old_words(command: str, *, ingestion: bool = False, scoring: bool = False) -> tuple[str, ...]:
    return command_words(command, ingestion=ingestion, scoring=scoring, protocol=Protocol.V1_5)


ALL = "$program $input $output $tmp $shared $predictions $hidden $submission_program $ingestion_program"


@pytest.mark.parametrize(
    ("ingestion", "scoring", "expected"),
    [
        (False, False, "program input output temp shared output"),
        (False, True, "program input output temp shared input/res"),
        (True, False, "ingestion_program input output temp shared output hidden program ingestion_program"),
        (
            True,
            True,
            "ingestion_program input output temp shared input/res input/ref ingested_program ingestion_program",
        ),
    ],
)
def test_codalabs_variables(ingestion: bool, scoring: bool, expected: str) -> None:  # noqa: FBT001
    words = old_words(ALL, ingestion=ingestion, scoring=scoring)
    known = tuple(f"/app/{path}" for path in expected.split())
    assert words[: len(known)] == known
    assert words[len(known) :] == tuple(ALL.split()[len(known) :])


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python program/evaluate.py input output", ("python", "program/evaluate.py", "input", "output")),
        ("  python   a.py\n", ("python", "a.py")),
        ("$program\\score.exe $input", ("/app/program/score.exe", "/app/input")),
        ("sh -c 'echo $input'", ("sh", "-c", "echo /app/input")),
        ("echo it's", ("echo", "it's")),
    ],
)
def test_codalabs_words(command: str, expected: tuple[str, ...]) -> None:
    assert old_words(command) == expected
