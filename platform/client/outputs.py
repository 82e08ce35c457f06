"""The calls about what a submission leaves behind: its logs, its file and its outputs."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from uuid import UUID

from podium.platform.client.connection import Calls, segment
from podium.platform.client.downloads import download
from podium.platform.client.progress import OnProgress, silent
from podium.platform.client.waiting import Wait
from podium.platform.records.storage import SignedRequestRecord
from podium.platform.records.submissions import DetailedResults, LogPage, LogPiece, OutputFileRecord


class OutputCalls(Calls):
    """Logs, submitted files and outputs, for a submission's owner and the organizers."""

    def logs(self, submission_id: UUID, *, after: int = 0, wait: float = 0) -> LogPage:
        """The logs after a cursor; `follow_logs` asks for page after page."""
        path = f"/submissions/{segment(submission_id)}/logs"
        return self._record(LogPage, "GET", path, query={"after": after, "wait": wait}, wait=wait)

    def follow_logs(
        self, submission_id: UUID, *, after: int = 0, follow: bool = True, timeout: float | None = None
    ) -> Iterator[LogPiece]:
        """The logs as they come, until the submission has ended; what an outage held up comes after it.

        Args:
            submission_id: The submission.
            after: A piece's `sequence`, to go on after it.
            follow: Whether to wait for more, or stop at what there is now.
            timeout: Seconds to follow; `None` for as long as it takes.

        Raises:
            WaitedTooLong: The time is over.
        """
        waiting = Wait(timeout, f"Submission {submission_id}", patience=self._connection.patience)
        page = self._next_logs(submission_id, after, waiting, hold=False)
        while True:
            yield from page.pieces
            if page.ended or not (follow or page.pieces):
                return
            waiting.require_time()
            page = self._next_logs(submission_id, page.cursor, waiting, hold=follow)

    def _next_logs(self, submission_id: UUID, cursor: int, waiting: Wait, *, hold: bool) -> LogPage:
        return waiting.ask(lambda held: self.logs(submission_id, after=cursor, wait=held if hold else 0))

    def submission_file(self, submission_id: UUID) -> SignedRequestRecord:
        """How to fetch what was submitted; `download_submission` does it."""
        return self._record(SignedRequestRecord, "GET", f"/submissions/{segment(submission_id)}/file")

    def output_file(self, submission_id: UUID, evaluation_id: UUID, kind: str) -> SignedRequestRecord:
        """How to fetch an output of an evaluation; `download_output` does it."""
        path = f"/submissions/{segment(submission_id)}/evaluations/{segment(evaluation_id)}/{segment(kind)}"
        return self._record(SignedRequestRecord, "GET", path)

    def detailed_results(self, submission_id: UUID) -> DetailedResults:
        """The pages that scoring programs wrote about a submission, those that are being written included.

        Raises:
            NotAllowed: The organizers have hidden them.
            NotFound: There is no such submission that one may see.
        """
        return self._record(DetailedResults, "GET", f"/submissions/{segment(submission_id)}/detailed-results")

    def detailed_result_page(self, submission_id: UUID, evaluation_id: UUID) -> bytes:
        """The HTML of one of them, as it is now. It is not to be trusted: see it in a sandbox.

        Raises:
            NotFound: There is no such page, or not yet.
        """
        path = f"/submissions/{segment(submission_id)}/detailed-results/{segment(evaluation_id)}"
        return self._connection.request("GET", path).content

    def download_submission(
        self,
        submission_id: UUID,
        destination: str | PathLike[str],
        *,
        overwrite: bool = False,
        on_progress: OnProgress = silent,
    ) -> Path:
        """Fetch what was submitted.

        Raises:
            Conflict: There is a file at the destination, and it was not to be overwritten.
            PlatformFault: The store can't be reached, or refused.
        """
        return download(
            self._connection,
            lambda: self.submission_file(submission_id),
            Path(destination),
            sha256=None,
            overwrite=overwrite,
            on_progress=on_progress,
        )

    def download_output(
        self,
        submission_id: UUID,
        evaluation_id: UUID,
        output: OutputFileRecord,
        destination: str | PathLike[str],
        *,
        overwrite: bool = False,
        on_progress: OnProgress = silent,
    ) -> Path:
        """Fetch an output of an evaluation and check it. An interrupted download goes on where it was.

        Raises:
            Conflict: There is a file at the destination, and it was not to be overwritten.
            PlatformFault: The store can't be reached, refused, or sent something else than was stored.
        """
        return download(
            self._connection,
            lambda: self.output_file(submission_id, evaluation_id, output.kind),
            Path(destination),
            sha256=output.sha256,
            overwrite=overwrite,
            on_progress=on_progress,
        )
