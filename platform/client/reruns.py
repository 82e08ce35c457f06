"""The calls about reruns and versions of tasks, for organizers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from uuid import UUID

from podium.platform.client.connection import segment
from podium.platform.client.packing import packed_dataset
from podium.platform.client.progress import OnProgress, silent
from podium.platform.client.transfers import fingerprint
from podium.platform.client.uploads import UploadCalls
from podium.platform.client.waiting import Wait
from podium.platform.lifecycle import RerunStatus
from podium.platform.records.reruns import (
    DatasetRecord,
    DatasetUploadRecord,
    RerunPreview,
    RerunRecord,
    RerunReport,
    TaskVersionRecord,
)

RESTS = frozenset({RerunStatus.PAUSED, RerunStatus.READY, RerunStatus.ADOPTED, RerunStatus.CANCELLED})
"""Where a rerun goes on only if somebody says so."""


def _ignore(_: RerunRecord) -> None:
    """Nobody watches."""


class RerunCalls(UploadCalls):
    """Reruns, and the versions of tasks. A `phase` is a phase's number, from 1, or its name."""

    def preview_rerun(
        self,
        slug: str,
        *,
        phase: str | int | None = None,
        submissions: Sequence[int] | None = None,
        platform_failures: bool | None = None,
        parallel: int | None = None,
    ) -> RerunPreview:
        """What a rerun would score and how long it would take; nothing is changed.

        Args:
            slug: The competition.
            phase: All that was scored in this phase; with `platform_failures`, only those that Podium failed there.
            submissions: Submissions by their numbers, instead of a phase.
            platform_failures: All that failed for a reason of Podium's own, in the phase or in every one.
            parallel: How many to score at the same time at most.

        Raises:
            InvalidInput: Nothing was selected, or twice.
        """
        body = _selection(phase, submissions, platform_failures=platform_failures, parallel=parallel)
        return self._record(RerunPreview, "POST", f"{_path(slug)}/preview", body=body, is_repeatable=True)

    def start_rerun(
        self,
        slug: str,
        *,
        reason: str,
        phase: str | int | None = None,
        submissions: Sequence[int] | None = None,
        platform_failures: bool | None = None,
        parallel: int | None = None,
        adopt: bool = True,
    ) -> RerunRecord:
        """Score submissions again; what to select is said as for `preview_rerun`.

        Args:
            slug: The competition.
            reason: Why, for all who see the results.
            phase: See `preview_rerun`.
            submissions: See `preview_rerun`.
            platform_failures: See `preview_rerun`.
            parallel: See `preview_rerun`.
            adopt: Let the new results take the place of the old ones, all at once, when all are there; else wait for
                `adopt_rerun`. Results are held back where one that was finished would now fail.

        Raises:
            Conflict: There is nothing to score, or another rerun has it.
        """
        body = {
            **_selection(phase, submissions, platform_failures=platform_failures, parallel=parallel),
            "reason": reason,
            "adoption": "automatic" if adopt else "manual",
        }
        return self._record(RerunRecord, "POST", _path(slug), body=body)

    def reruns(self, slug: str) -> tuple[RerunRecord, ...]:
        """All reruns of a competition, the latest first."""
        return self._records(RerunRecord, _path(slug))

    def rerun(self, slug: str, number: int, *, seen: int | None = None, wait: float = 0) -> RerunRecord:
        """One rerun; with `seen`, the answer is held for `wait` seconds until something has changed."""
        query = {"seen": seen, "wait": wait} if seen is not None else {}
        return self._record(RerunRecord, "GET", f"{_path(slug)}/{number}", query=query, wait=wait)

    def pause_rerun(self, slug: str, number: int) -> RerunRecord:
        """Begin nothing new; what is under way ends."""
        return self._tell(slug, number, "pause")

    def resume_rerun(self, slug: str, number: int) -> RerunRecord:
        """Go on with a rerun that is paused."""
        return self._tell(slug, number, "resume")

    def cancel_rerun(self, slug: str, number: int) -> RerunRecord:
        """Stop a rerun, or throw its results away; the old ones stay."""
        return self._tell(slug, number, "cancel")

    def adopt_rerun(self, slug: str, number: int) -> RerunRecord:
        """Let the new results of a rerun that is ready take the place of the old ones, all at once."""
        return self._tell(slug, number, "adopt")

    def rerun_report(self, slug: str, number: int) -> RerunReport:
        """The new results beside the old ones."""
        return self._record(RerunReport, "GET", f"{_path(slug)}/{number}/report")

    def rerun_report_csv(self, slug: str, number: int) -> str:
        """The same as CSV, scores in full precision."""
        return self._connection.request("GET", f"{_path(slug)}/{number}/report.csv").text

    def wait_for_rerun(
        self,
        slug: str,
        number: int,
        *,
        timeout: float | None = None,
        on_change: Callable[[RerunRecord], None] = _ignore,
    ) -> RerunRecord:
        """Follow a rerun until it goes on only if somebody says so: paused, ready, adopted or cancelled.

        Raises:
            WaitedTooLong: The time is over; the rerun goes on.
        """
        waiting = Wait(timeout, f"Rerun {number} of {slug}", patience=self._connection.patience)
        return waiting.follow(
            lambda seen, held: self.rerun(slug, number, seen=seen, wait=held),
            rests=lambda one: one.status in RESTS,
            on_change=on_change,
        )

    def _tell(self, slug: str, number: int, what: str) -> RerunRecord:
        return self._record(RerunRecord, "POST", f"{_path(slug)}/{number}/{what}", is_repeatable=True)

    def store_dataset(self, kind: str, path: str | PathLike[str], *, on_progress: OnProgress = silent) -> DatasetRecord:
        """Upload a program or data: a zip, or a folder, which is packed.

        Args:
            kind: `scoring_program`, `ingestion_program`, `input_data` or `reference_data`.
            path: The zip or folder.
            on_progress: Told how far packing and uploading are.

        Raises:
            InvalidInput: It is none, or a program without a command.
        """
        with packed_dataset(Path(path), on_progress) as parcel:
            file = fingerprint(parcel.path, parcel.name, on_progress)
            body = {"kind": kind, "filename": parcel.name, "size": file.size, "sha256": file.sha256}
            started = self._record(DatasetUploadRecord, "POST", "/datasets", body=body)
            self._send(started.id, started.upload, started.parts, parcel.path, parcel.name, on_progress)
        return self._record(DatasetRecord, "POST", f"/datasets/{segment(started.id)}/complete", is_repeatable=True)

    def change_task(self, slug: str, index: str, *, reason: str, datasets: Mapping[str, UUID]) -> TaskVersionRecord:
        """Make a new version of a task: what is scored from now on is scored by it; nothing is scored again.

        Args:
            slug: The competition.
            index: The task's index.
            reason: Why, for all who see results of it.
            datasets: Ids of `store_dataset` by kind; the kinds that are left out stay as they are.

        Raises:
            Conflict: It would be the same.
        """
        body = {"reason": reason, **{kind: str(dataset) for kind, dataset in datasets.items()}}
        return self._record(TaskVersionRecord, "POST", f"{_task(slug, index)}/versions", body=body)

    def task_versions(self, slug: str, index: str) -> tuple[TaskVersionRecord, ...]:
        """All versions of a task, the latest first."""
        return self._records(TaskVersionRecord, f"{_task(slug, index)}/versions")


def _path(slug: str) -> str:
    return f"/competitions/{segment(slug)}/reruns"


def _task(slug: str, index: str) -> str:
    return f"/competitions/{segment(slug)}/tasks/{segment(index)}"


def _selection(
    phase: str | int | None, submissions: Sequence[int] | None, *, platform_failures: bool | None, parallel: int | None
) -> dict[str, object]:
    return {
        "phase": None if phase is None else str(phase),
        "submissions": None if submissions is None else list(submissions),
        "platform_failures": platform_failures,
        "parallel": parallel,
    }
