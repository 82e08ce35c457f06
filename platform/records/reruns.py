"""What the API answers about reruns and versions of tasks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from podium.platform.lifecycle import RerunStatus, SubmissionStatus
from podium.platform.records.competitions import ColumnRecord
from podium.platform.records.storage import PartsRecord, SignedRequestRecord


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A submission that a rerun would not score, and why."""

    number: int
    participant: str
    reason: str


@dataclass(frozen=True, slots=True)
class RerunPhase:
    """What a rerun would score in one phase. `typical_seconds` is by history; `None` without any."""

    phase: str
    submissions: int
    typical_seconds: float | None


@dataclass(frozen=True, slots=True)
class RerunPreview:
    """What a rerun would do; nothing was changed.

    Attributes:
        total: Submissions that would be scored.
        left_out: Those that were asked for and would not be; at most a hundred are named.
        left_out_total: How many these are.
        expected_seconds: How long it would take, by history and the slots of live agents; `None` if nobody can say.
        slots: Submissions that the pool's live agents score at the same time.
        parallel: Of how many slots it would use at most; `None` for all.
        changed_tasks: Tasks whose present version is another than what the submissions were scored by, in words.
    """

    competition: str
    total: int
    phases: tuple[RerunPhase, ...]
    left_out: tuple[LeftOut, ...]
    left_out_total: int
    expected_seconds: float | None
    slots: int
    parallel: int | None
    changed_tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RerunRecord:
    """A rerun.

    Attributes:
        number: From 1 in its competition.
        selection: What is scored again, in words.
        adoption: `automatic` or `manual`.
        status_message: Why it is where it is.
        held_back: Why the new results were not adopted by itself; empty where they were, or nobody asked for it.
        version: Grows with every change of status; ask with `seen=version` to wait for the next.
        total: Submissions that it scores; of these are `waiting`, `queued` and `under_way` now, and ended `finished`,
            `failed` (with a verdict) or `given_up` (by the platform, which keeps the old results).
        remaining_seconds: By what it has taken so far, or by history; `None` where nothing can be said.
    """

    id: UUID
    number: int
    competition: str
    reason: str
    requested_by: str
    selection: str
    adoption: str
    parallel: int | None
    status: RerunStatus
    status_message: str
    held_back: str
    version: int
    total: int
    waiting: int
    queued: int
    under_way: int
    finished: int
    failed: int
    given_up: int
    remaining_seconds: float | None
    created: datetime
    started: datetime | None
    ended: datetime | None

    @property
    def ended_ones(self) -> int:
        """Submissions that have been scored, or can't be."""
        return self.finished + self.failed + self.given_up


@dataclass(frozen=True, slots=True)
class RerunDifference:
    """One submission of a rerun: before and after.

    Attributes:
        old_scores: By the report's columns.
        new_status: `None` while it is not scored, or where the platform gave up: the old result stays.
        message: The verdict's sentence, where it fails now.
        old_rank: Of the participant's row on the phase's leaderboard; `None` for no rank.
    """

    number: int
    participant: str
    phase: str
    old_status: SubmissionStatus
    new_status: SubmissionStatus | None
    message: str
    old_scores: tuple[float | None, ...]
    new_scores: tuple[float | None, ...]
    old_rank: int | None
    new_rank: int | None

    @property
    def changed(self) -> bool:
        """Whether the new result is another."""
        if self.new_status is None:
            return False
        return (self.old_status, self.old_scores) != (self.new_status, self.new_scores)


@dataclass(frozen=True, slots=True)
class RerunReport:
    """The new results beside the old ones; the largest changes of rank first.

    Attributes:
        differences: One per submission of the rerun.
        changed: Submissions whose scores or status differ.
        moved: Submissions whose participant's rank differs.
        now_failing: Submissions that were finished and would fail.
        now_finished: Submissions that had failed and would be finished.
    """

    rerun: RerunRecord
    columns: tuple[ColumnRecord, ...]
    differences: tuple[RerunDifference, ...]
    changed: int
    moved: int
    now_failing: int
    now_finished: int


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """A dataset: a program or data, as a zip whose content never changes."""

    id: UUID
    kind: str
    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class DatasetUploadRecord:
    """A dataset that may be uploaded now."""

    id: UUID
    upload: SignedRequestRecord
    parts: PartsRecord | None = None


@dataclass(frozen=True, slots=True)
class TaskVersionRecord:
    """A version of a task: what it is made of, since when and why.

    Attributes:
        index: The task's index in the bundle.
        is_current: Whether submissions are scored by it now.
        submissions: Submissions whose results that count come from it.
    """

    task: str
    index: str
    number: int
    is_current: bool
    scoring_program: DatasetRecord
    ingestion_program: DatasetRecord | None
    input_data: DatasetRecord | None
    reference_data: DatasetRecord | None
    reason: str
    actor: str
    created: datetime
    submissions: int
