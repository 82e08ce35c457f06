"""The calls about what a competition offers to who takes part, and what participants decide about their submissions."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from uuid import UUID

from podium.platform.client.connection import Calls, segment
from podium.platform.client.downloads import download
from podium.platform.client.progress import OnProgress, silent
from podium.platform.records.offers import OfferedFile, SharedSubmission
from podium.platform.records.storage import SignedRequestRecord
from podium.platform.records.submissions import SubmissionRecord


class OfferCalls(Calls):
    """Files to begin with, submissions that are shared, and what stands on the leaderboard by choice."""

    def offered_files(self, slug: str) -> tuple[OfferedFile, ...]:
        """What a competition offers for download: starting kits, public data, programs. Needs no token."""
        return self._records(OfferedFile, f"/competitions/{segment(slug)}/files")

    def offered_file(self, slug: str, file_id: UUID) -> SignedRequestRecord:
        """How to fetch one of them; `download_offered_file` does it. For who takes part.

        Raises:
            NotAllowed: One does not take part, or has not accepted the present terms.
        """
        path = f"/competitions/{segment(slug)}/files/{segment(file_id)}"
        return self._record(SignedRequestRecord, "GET", path)

    def download_offered_file(
        self,
        slug: str,
        file: OfferedFile,
        destination: str | PathLike[str],
        *,
        overwrite: bool = False,
        on_progress: OnProgress = silent,
    ) -> Path:
        """Fetch one of them and check it. An interrupted download goes on where it was.

        Raises:
            NotAllowed: One does not take part, or has not accepted the present terms.
            Conflict: There is a file at the destination, and it was not to be overwritten.
            PlatformFault: The store can't be reached, refused, or sent something else than was stored.
        """
        return download(
            self._connection,
            lambda: self.offered_file(slug, file.id),
            Path(destination),
            sha256=file.sha256,
            overwrite=overwrite,
            on_progress=on_progress,
        )

    def competition_image(self, slug: str) -> bytes:
        """A competition's picture: PNG, JPEG, GIF or WebP. Needs no token.

        Raises:
            NotFound: It has none.
        """
        return self._connection.request("GET", f"/competitions/{segment(slug)}/image").content

    def shared_submissions(
        self, slug: str, *, limit: int | None = None, offset: int | None = None
    ) -> tuple[SharedSubmission, ...]:
        """Submissions that their participants have made public, the latest first. Needs no token."""
        query = {"limit": limit, "offset": offset}
        return self._records(SharedSubmission, f"/competitions/{segment(slug)}/shared-submissions", query=query)

    def shared_submission(self, slug: str, submission_id: UUID) -> SignedRequestRecord:
        """How to fetch the file of one of them.

        Raises:
            NotFound: It is not shared any more.
        """
        path = f"/competitions/{segment(slug)}/shared-submissions/{segment(submission_id)}/file"
        return self._record(SignedRequestRecord, "GET", path)

    def put_on_leaderboard(self, submission_id: UUID) -> SubmissionRecord:
        """Have a submission of one's own stand on the leaderboard, where its rule leaves that to participants.

        Raises:
            Conflict: The rule chooses by itself, the phase is over, or the submission was not scored.
        """
        return self._decide("PUT", submission_id, "leaderboard")

    def take_off_leaderboard(self, submission_id: UUID) -> SubmissionRecord:
        """Have it stand there no more.

        Raises:
            Conflict: The rule does not allow it, or the phase is over.
        """
        return self._decide("DELETE", submission_id, "leaderboard")

    def share_submission(self, submission_id: UUID) -> SubmissionRecord:
        """Let everybody have the file of a submission of one's own.

        Raises:
            Conflict: The organizers don't allow it, or it was not scored.
        """
        return self._decide("PUT", submission_id, "shared")

    def unshare_submission(self, submission_id: UUID) -> SubmissionRecord:
        """Let nobody else have it any more."""
        return self._decide("DELETE", submission_id, "shared")

    def _decide(self, method: str, submission_id: UUID, what: str) -> SubmissionRecord:
        path = f"/submissions/{segment(submission_id)}/{what}"
        return self._record(SubmissionRecord, method, path, is_repeatable=True)
