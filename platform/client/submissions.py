"""The calls about submissions: sending them, finding them, and following them to the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from os import PathLike
from pathlib import Path
from uuid import UUID

from podium.platform.client.connection import segment
from podium.platform.client.packing import packed_submission
from podium.platform.client.progress import OnProgress, silent
from podium.platform.client.transfers import Fingerprint, fingerprint
from podium.platform.client.uploads import UploadCalls
from podium.platform.client.waiting import Wait
from podium.platform.errors import NotFound
from podium.platform.lifecycle import TERMINAL_SUBMISSION_STATUSES, SubmissionStatus
from podium.platform.records.competitions import CompetitionRecord
from podium.platform.records.submissions import SubmissionRecord, SubmissionUpload

_PAGE = 500
_RECENT = 20


def _ignore(_: SubmissionRecord) -> None:
    """Nobody watches."""


def _unsaid(_: str) -> None:
    """Nobody is told."""


class SubmissionCalls(UploadCalls):
    """Submissions. A `phase` is a phase's number, from 1, or its name."""

    def start_submission(
        self,
        slug: str,
        filename: str,
        file: Fingerprint,
        *,
        phase: str | int | None = None,
        message: str | None = None,
        fact_sheet: Mapping[str, str] | None = None,
    ) -> SubmissionUpload:
        """Announce a submission, which takes its place in the quota; the first step of `submit`.

        Raises:
            NotAllowed: One does not take part, or has not been approved yet.
            QuotaExceeded: The limit of the phase is used up.
            Conflict: No phase is open.
            InvalidInput: An answer of the fact sheet is missing or not one of those to choose from.
        """
        body = {
            "filename": filename,
            "size": file.size,
            "sha256": file.sha256,
            "phase": None if phase is None else str(phase),
            "message": message,
            "fact_sheet": None if fact_sheet is None else dict(fact_sheet),
        }
        return self._record(SubmissionUpload, "POST", f"/competitions/{segment(slug)}/submissions", body=body)

    def complete_submission(self, submission_id: UUID) -> SubmissionRecord:
        """Say that a submission's file has arrived. Saying it twice changes nothing."""
        path = f"/submissions/{segment(submission_id)}/complete"
        return self._record(SubmissionRecord, "POST", path, is_repeatable=True)

    def submit(
        self,
        slug: str,
        path: str | PathLike[str],
        *,
        message: str | None = None,
        phase: str | int | None = None,
        fact_sheet: Mapping[str, str] | None = None,
        go_on: bool = False,
        on_created: Callable[[SubmissionRecord], None] = _ignore,
        on_notice: Callable[[str], None] = _unsaid,
        on_progress: OnProgress = silent,
    ) -> SubmissionRecord:
        """Submit a zip, a folder, an image of a container, or another file; folders and other files are packed.

        Args:
            slug: The competition.
            path: What to submit.
            message: A note to oneself, such as what was tried.
            phase: By default the one that is open.
            fact_sheet: Answers to the competition's questions, by their keys.
            go_on: Where the same content, with the same note and answers, was announced before and its upload broke
                off, go on with that in place of a new submission.
            on_created: Told once the submission has its id, before the upload.
            on_notice: Told, in a sentence, what is good to know: that an upload goes on, or that the same content was
                submitted before.
            on_progress: Told how far packing and uploading are.

        Returns:
            The submission, which is queued; `wait` follows it to the end.

        Raises:
            InvalidInput: There is nothing to submit at this path, it is an image that can't be run, or an answer is
                not valid.
            NotAllowed: One does not take part, or has not been approved yet.
            QuotaExceeded: The limit of the phase is used up.
            Conflict: No phase is open.
            TooLarge: The platform takes no file of this size.
            PlatformFault: Podium can't be reached, or failed.
        """
        with packed_submission(Path(path), on_progress) as parcel:
            file = fingerprint(parcel.path, parcel.name, on_progress)
            begun = self._broken_off(slug, parcel.name, file, phase, message, fact_sheet) if go_on else None
            if begun is None:
                begun = self.start_submission(
                    slug, parcel.name, file, phase=phase, message=message, fact_sheet=fact_sheet
                )
            else:
                on_notice(f"The upload of submission {begun.submission.number} goes on where it broke off.")
            on_created(begun.submission)
            if begun.repeats is not None:
                on_notice(f"It has the same content as your submission {begun.repeats}.")
            self._send(begun.submission.id, begun.upload, begun.parts, parcel.path, parcel.name, on_progress)
        return self.complete_submission(begun.submission.id)

    def _broken_off(
        self,
        slug: str,
        filename: str,
        file: Fingerprint,
        phase: str | int | None,
        message: str | None,
        fact_sheet: Mapping[str, str] | None,
    ) -> SubmissionUpload | None:
        """A submission of just this that was announced, and whose file has not arrived."""
        answers = {key: answer for key, answer in (fact_sheet or {}).items() if answer}
        announced = (filename, file.size, message or "", answers)
        for one in self.submissions(slug, phase, limit=_RECENT):
            same = (one.filename, one.size, one.message, one.fact_sheet) == announced
            if one.status is not SubmissionStatus.SUBMITTED or not same:
                continue
            try:
                offered = self.announced_upload(one.id)
            except NotFound:
                # It arrived, or was given up, a moment ago.
                continue
            if offered.sha256 == file.sha256:
                return SubmissionUpload(one, offered.upload, offered.parts)
        return None

    def resume_submission(
        self, submission_id: UUID, path: str | PathLike[str], *, on_progress: OnProgress = silent
    ) -> SubmissionRecord:
        """Go on with a submission whose upload broke off; what has arrived of a large file is not sent again.

        Args:
            submission_id: The submission that was announced.
            path: The same file.
            on_progress: Told how far it is.

        Raises:
            NotFound: One has no submission of that id whose file is missing.
            InvalidInput: It is not the file that was announced.
        """
        with packed_submission(Path(path), on_progress) as parcel:
            self._go_on(submission_id, parcel.path, parcel.name, on_progress)
        return self.complete_submission(submission_id)

    def submissions(
        self,
        slug: str,
        phase: str | int | None = None,
        *,
        everyone: bool | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> tuple[SubmissionRecord, ...]:
        """One's own submissions, or as an organizer everyone's; without their evaluations."""
        query = {"phase": phase, "everyone": everyone, "limit": limit, "offset": offset}
        return self._records(SubmissionRecord, f"/competitions/{segment(slug)}/submissions", query=query)

    def each_submission(
        self, slug: str, phase: str | int | None = None, *, everyone: bool | None = None
    ) -> Iterator[SubmissionRecord]:
        """All of them, fetched page by page."""
        offset = 0
        while page := self.submissions(slug, phase, everyone=everyone, limit=_PAGE, offset=offset):
            yield from page
            offset += len(page)

    def numbered_submission(self, slug: str, number: int) -> SubmissionRecord:
        """The submission of this number in a competition: one's own or, for its organizers, anyone's.

        Raises:
            NotFound: There is none that one may see.
        """
        everyone = True if self._organizes(slug) else None
        for submission in self.each_submission(slug, everyone=everyone):
            if submission.number == number:
                return submission
        raise NotFound(
            f"There is no submission {number} in {slug} that you may see.",
            remedy="`podium submissions` lists yours with their numbers.",
        )

    def _organizes(self, slug: str) -> bool:
        return self._record(CompetitionRecord, "GET", f"/competitions/{segment(slug)}").may_organize

    def submission(self, submission_id: UUID, *, seen: int | None = None, wait: float = 0) -> SubmissionRecord:
        """A submission with its evaluations and attempts.

        Args:
            submission_id: The submission.
            seen: The version that is known; the answer is held until there is a later one.
            wait: Seconds for which to hold the answer, 30 at most.
        """
        query = {"seen": seen, "wait": wait} if seen is not None else {}
        return self._record(SubmissionRecord, "GET", f"/submissions/{segment(submission_id)}", query=query, wait=wait)

    def wait(
        self,
        submission_id: UUID,
        *,
        timeout: float | None = None,
        on_change: Callable[[SubmissionRecord], None] = _ignore,
    ) -> SubmissionRecord:
        """Follow a submission until it is finished, failed or cancelled. A failed one is returned, not raised.

        Args:
            submission_id: The submission.
            timeout: Seconds; `None` for as long as it takes.
            on_change: Told where it is, at once and with every change.

        Raises:
            WaitedTooLong: The time is over; the submission goes on.
            PlatformFault: The gateway has been out of reach for five minutes.
        """
        waiting = Wait(timeout, f"Submission {submission_id}", patience=self._connection.patience)
        submission = waiting.ask(lambda _: self.submission(submission_id))
        waiting.bring_news()
        on_change(submission)
        while submission.status not in TERMINAL_SUBMISSION_STATUSES:
            waiting.require_time()
            latest = self._next_submission(submission, waiting)
            if latest.version != submission.version:
                waiting.bring_news()
                on_change(latest)
            submission = latest
        return submission

    def _next_submission(self, submission: SubmissionRecord, waiting: Wait) -> SubmissionRecord:
        return waiting.ask(lambda held: self.submission(submission.id, seen=submission.version, wait=held))

    def cancel(self, submission_id: UUID) -> SubmissionRecord:
        """Cancel a submission.

        Raises:
            Conflict: It has ended already.
        """
        path = f"/submissions/{segment(submission_id)}/cancel"
        return self._record(SubmissionRecord, "POST", path, is_repeatable=True)
