"""The steps of an evaluation, as far as they need no container."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from podium.platform.bundles.content import Protocol
from podium.tasks.containers import RESULT_METADATA, predict
from podium.tasks.metadata import read_metadata
from podium.tasks.programs import Image
from podium.tasks.views import StagedEvaluation

IMAGE = Image(asked="any", name="any", digest="any")


@pytest.fixture
def submission(tmp_path: Path) -> Path:
    folder = tmp_path / "submission"
    folder.mkdir()
    (folder / "guess.txt").write_text("1 0 1")
    return folder


def test_each_task_has_its_own_copy_of_a_result_submission(tmp_path: Path, submission: Path) -> None:
    attempt = SimpleNamespace(job=SimpleNamespace(only_result_submissions=True))
    job = SimpleNamespace(ingestion_only_during_scoring=False, protocol=Protocol.V2)
    predictions = []
    for task in ("first", "second"):
        folder = tmp_path / task
        folder.mkdir()
        staged = StagedEvaluation(
            folder=folder,
            submission=submission,
            metadata=read_metadata(submission),
            scoring_program=tmp_path,
            ingestion_program=None,
            input_data=None,
            reference_data=None,
        )
        outcome = predict(attempt, job, staged, IMAGE)  # type: ignore[arg-type]  # as much of them as this needs
        assert outcome.predictions is not None
        predictions.append(outcome.predictions)

    # What one task is told about its run must not be there when the next one looks at what was submitted.
    assert [path.name for path in submission.iterdir()] == ["guess.txt"]
    assert len(set(predictions)) == 2
    for folder in predictions:
        assert sorted(path.name for path in folder.iterdir()) == ["guess.txt", RESULT_METADATA]
