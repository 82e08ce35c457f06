"""What each program of an evaluation sees, by its task's protocol: mounts, working folder, environment. Pure.

Codabench, which Podium's own bundles follow (`Protocol.V2`); every program starts in `/app/program`:

| in the container        | submission | ingestion | scoring | ingestion during scoring |
| `/app/program`          | submission | ingestion program | scoring program | ingestion program |
| `/app/ingested_program` |            | submission | | submission |
| `/app/input_data`       | if any     | if any | | if any |
| `/app/input/ref`        |            | | reference data | reference data |
| `/app/input/res`        |            | | prediction output | prediction output |
| `/app/output`           | shared, writable | | shared, writable | |
| `/app/shared`           |            | | writable | writable |

CodaLab (`Protocol.V1_5`), where `/app` stands for the worker's `run` folder; every program starts there, so that
`program/evaluate.py` and `input` mean what they did:

| in the container          | submission | ingestion | scoring | ingestion during scoring |
| `/app/program`            | submission | submission | scoring program | scoring program |
| `/app/ingestion_program`  |            | ingestion program | | ingestion program |
| `/app/ingested_program`   |            | submission | | submission |
| `/app/input`              | input data | input data | | |
| `/app/input_data`         | input data | input data | | if any |
| `/app/input/ref`          |            | | reference data | reference data |
| `/app/input/res`          |            | | prediction output | prediction output |
| `/app/hidden`             |            | reference data, if its command says `$hidden` | | |
| `/app/output`             | shared, writable | | shared, writable | |
| `/app/temp`, `/app/shared`| shared, writable | | shared, writable | |

A submitted image (only by the first protocol) starts where it says itself, and sees `/app/input_data` and
`/app/output` also as `/input` and `/output`.

CodaLab's ingestion program has the submission on its `PYTHONPATH`, and imports participants' code; so it sees the
reference data only where it asks for them. Everything but `output`, `temp` and `shared` is read-only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from podium.platform.bundles.content import Protocol
from podium.platform.jobs import EvaluationJob
from podium.tasks.metadata import (
    APP,
    HIDDEN,
    INGESTED_PROGRAM,
    INGESTION_PROGRAM,
    INPUT,
    INPUT_DATA,
    OUTPUT,
    PREDICTIONS,
    PROGRAM,
    REFERENCE,
    SHARED,
    TEMPORARY,
    Metadata,
)
from podium.tasks.programs import Image, Mount

OTHER_INPUT, OTHER_OUTPUT = "/input", "/output"


@dataclass(frozen=True, slots=True)
class StagedEvaluation:
    """The folders of an evaluation, all on the host.

    Attributes:
        folder: Its own; the others are shared with further evaluations, and nothing writes to them.
        metadata: The submission's; `None` for one that has none.
        container: The image that was submitted, where submissions are images.
    """

    folder: Path
    submission: Path
    metadata: Metadata | None
    scoring_program: Path
    ingestion_program: Path | None
    input_data: Path | None
    reference_data: Path | None
    container: Image | None = None

    @property
    def runs_submission(self) -> bool:
        """Whether the submission has a command of its own."""
        return self.container is not None or (self.metadata is not None and bool(self.metadata.commands))

    def prediction_ingestion(self, job: EvaluationJob) -> Path | None:
        """The ingestion program, if the prediction step runs it. For CodaLab, what has no metadata is results."""
        is_results = job.protocol is Protocol.V1_5 and self.metadata is None
        return None if job.ingestion_only_during_scoring or is_results else self.ingestion_program


@dataclass(frozen=True, slots=True)
class View:
    """What a program sees."""

    mounts: tuple[Mount, ...]
    working_folder: str = PROGRAM
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepFolders:
    """Folders that the programs of a step write to, and one that has nothing in it.

    Attributes:
        shared: `None` where the protocol has none in this step; likewise `temporary` and `empty`.
    """

    output: Path
    shared: Path | None = None
    temporary: Path | None = None
    empty: Path | None = None

    def mounts(self) -> tuple[Mount, ...]:
        """The folders, as the step's programs see them."""
        found = [Mount(self.output, OUTPUT, read_only=False, own=True)]
        found += [Mount(self.shared, SHARED, read_only=False, own=True)] if self.shared else []
        found += [Mount(self.temporary, TEMPORARY, read_only=False, own=True)] if self.temporary else []
        return tuple(found)


def submission_view(job: EvaluationJob, staged: StagedEvaluation, folders: StepFolders, *, alone: bool) -> View:
    """What a submission's own program sees; `alone` when no other task is shown the submission."""
    program = Mount(staged.submission, PROGRAM, read_only=True, own=alone)
    if job.protocol is Protocol.V1_5:
        return _started_in_app(program, *_old_input(staged, folders), *folders.mounts())
    return View((program, *_input_data(staged), *folders.mounts()))


def container_view(staged: StagedEvaluation, folders: StepFolders) -> View:
    """What a submitted image sees: the data and the output, each by the name that other platforms have for it too."""
    data = staged.input_data
    also = [Mount(data, OTHER_INPUT, read_only=True)] if data else []
    return View(
        (*_input_data(staged), *also, *folders.mounts(), Mount(folders.output, OTHER_OUTPUT, read_only=False)),
        working_folder="",
    )


def ingestion_view(
    job: EvaluationJob, staged: StagedEvaluation, folders: StepFolders, *, alone: bool, asks_for_hidden: bool
) -> View:
    """What the ingestion program sees beside a submission's program.

    Args:
        asks_for_hidden: Its command names the reference data.
    """
    assert staged.ingestion_program is not None
    if job.protocol is Protocol.V2:
        program = Mount(staged.ingestion_program, PROGRAM, read_only=True)
        submission = Mount(staged.submission, INGESTED_PROGRAM, read_only=True, own=alone)
        return View((program, submission, *_input_data(staged), *folders.mounts()))
    hidden = staged.reference_data if asks_for_hidden else None
    return _started_in_app(
        Mount(staged.ingestion_program, INGESTION_PROGRAM, read_only=True),
        # Seen twice, so nothing else could take its place in only one of them.
        Mount(staged.submission, PROGRAM, read_only=True),
        Mount(staged.submission, INGESTED_PROGRAM, read_only=True),
        *_old_input(staged, folders),
        *([Mount(hidden, HIDDEN, read_only=True)] if hidden else []),
        *folders.mounts(),
        python_path=PROGRAM,
    )


def scoring_view(job: EvaluationJob, staged: StagedEvaluation, predictions: Path, folders: StepFolders) -> View:
    """What the scoring program sees."""
    program = Mount(staged.scoring_program, PROGRAM, read_only=True)
    seen = _scoring_input(staged, predictions, folders)
    return _started_in_app(program, *seen) if job.protocol is Protocol.V1_5 else View((program, *seen))


def ingestion_beside_scoring_view(
    job: EvaluationJob, staged: StagedEvaluation, predictions: Path, folders: StepFolders
) -> View:
    """What the ingestion program sees beside the scoring program."""
    assert staged.ingestion_program is not None
    submission = Mount(staged.submission, INGESTED_PROGRAM, read_only=True)
    seen = (submission, *_input_data(staged), *_scoring_input(staged, predictions, folders))
    if job.protocol is Protocol.V2:
        return View((Mount(staged.ingestion_program, PROGRAM, read_only=True), *seen))
    return _started_in_app(
        Mount(staged.ingestion_program, INGESTION_PROGRAM, read_only=True),
        Mount(staged.scoring_program, PROGRAM, read_only=True),
        *seen,
        python_path=INGESTED_PROGRAM,
    )


def _input_data(staged: StagedEvaluation) -> tuple[Mount, ...]:
    return (Mount(staged.input_data, INPUT_DATA, read_only=True),) if staged.input_data else ()


def _old_input(staged: StagedEvaluation, folders: StepFolders) -> tuple[Mount, ...]:
    """CodaLab's `input`, which is there also when it is empty."""
    found = staged.input_data or folders.empty
    own = found is folders.empty
    return (*_input_data(staged), *((Mount(found, INPUT, read_only=True, own=own),) if found else ()))


def _scoring_input(staged: StagedEvaluation, predictions: Path, folders: StepFolders) -> tuple[Mount, ...]:
    reference = staged.reference_data
    return (
        Mount(predictions, PREDICTIONS, read_only=True, own=True),
        *folders.mounts(),
        *([Mount(reference, REFERENCE, read_only=True)] if reference else []),
    )


def _started_in_app(*mounts: Mount, python_path: str = "") -> View:
    return View(mounts, APP, {"PYTHONPATH": python_path} if python_path else {})
