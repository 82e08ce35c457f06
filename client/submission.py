"""A submission as something to hold on to: where it is, what came of it, what it left behind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from podium.client.connecting import LOG, connected
from podium.client.notebook_html import submission_html
from podium.client.showing import shown
from podium.platform.client.log_text import LogText
from podium.platform.errors import InvalidInput
from podium.platform.lifecycle import TERMINAL_SUBMISSION_STATUSES, SubmissionStatus, Verdict
from podium.platform.records.submissions import EvaluationRecord, LogPiece, OutputFileRecord, SubmissionRecord

if TYPE_CHECKING:
    from podium.platform.client.api import Client

HOUR = 3600.0
_NUMBERED = re.compile(r"(?P<slug>[A-Za-z0-9-]+)[/#](?P<number>\d+)")


@dataclass(frozen=True, slots=True)
class Output:
    """A file that scoring left behind.

    Attributes:
        kind: `scoring_output`, `prediction_output` or `detailed_results`.
        task: The task that it is of.
        size: In bytes.
    """

    kind: str
    task: str
    size: int
    _submission: SubmissionRecord = field(repr=False)
    _evaluation: EvaluationRecord = field(repr=False)
    _file: OutputFileRecord = field(repr=False)
    _client: Client = field(repr=False)

    def download(self, path: str | PathLike[str] = ".", *, overwrite: bool = False, show: bool | None = None) -> Path:
        """Fetch it into a file, or into a folder that is there; return the file. It is checked on arrival.

        Raises:
            Conflict: There is a file, and it was not to be overwritten.
        """
        target = Path(path)
        if target.is_dir():
            suffix = "html" if self.kind == "detailed_results" else "zip"
            target /= f"{self._submission.competition}-{self._submission.number}-{self.kind}.{suffix}"
        with shown(show) as display:
            return self._client.download_output(
                self._submission.id,
                self._evaluation.id,
                self._file,
                target,
                overwrite=overwrite,
                on_progress=display.progress,
            )


class Submission:
    """One submission. Making the object asks nothing; what it says of itself is asked for when it is read.

    Example:
        >>> submission = Submission("018f9c52-7a31-7cc0-9d3e-52d1f7a0c7b1")  # or Submission("meadow-flowers/3")
        >>> submission.wait(timeout=600).scores
    """

    def __init__(self, reference: str | UUID, *, gateway: str | None = None, token: str | None = None) -> None:
        """Hold on to a submission.

        Args:
            reference: Its id, or the competition and its number, such as `meadow-flowers/3`.
            gateway: By default that of the environment or of `podium login`.
            token: The same.

        Raises:
            InvalidInput: The reference is neither.
        """
        self._reference = _checked(reference)
        self._gateway = gateway
        self._token = token
        self._known: SubmissionRecord | None = None
        self.notes: tuple[str, ...] = ()
        """What was said when it was submitted: what was written, and whether it had been submitted before."""

    @classmethod
    def of(
        cls,
        record: SubmissionRecord,
        *,
        gateway: str | None = None,
        token: str | None = None,
        notes: tuple[str, ...] = (),
    ) -> Submission:
        """A submission whose record is known."""
        made = cls(record.id, gateway=gateway, token=token)
        made._known = record
        made.notes = notes
        return made

    @property
    def id(self) -> UUID:
        """Its id, by which it is found again after whatever happens."""
        return self._reference if isinstance(self._reference, UUID) else self._record().id

    @property
    def number(self) -> int:
        """Its number in its competition."""
        return self._record().number

    @property
    def record(self) -> SubmissionRecord:
        """All that is known of it, at this moment; what has ended is not asked for again."""
        known = self._known
        if known is None or known.status not in TERMINAL_SUBMISSION_STATUSES or not known.evaluations:
            return self.refresh().require_record()
        return known

    def require_record(self) -> SubmissionRecord:
        """What was known of it last."""
        return self._record()

    def refresh(self) -> Submission:
        """Ask for it again: a rerun may have changed its scores."""
        self._known = self._client.submission(self.id)
        return self

    @property
    def status(self) -> SubmissionStatus:
        """Where it is, at this moment."""
        return self.record.status

    @property
    def message(self) -> str:
        """Why it is where it is: the verdict in words, or what it waits for."""
        return self.record.status_message

    @property
    def scores(self) -> dict[str, float]:
        """Its scores by the leaderboard's keys; empty while there are none."""
        return {score.key: score.value for score in self.record.scores}

    @property
    def excluded(self) -> bool:
        """Whether an organizer keeps it off the leaderboard. Its scores stay; ask the organizers why."""
        return self.record.excluded

    @property
    def verdict(self) -> Verdict | None:
        """Why it failed by its own fault, such as `memory_limit`; `None` where it did not."""
        return next((one.verdict for one in self.record.evaluations if one.verdict is not None), None)

    def wait(self, *, timeout: float = HOUR, show: bool | None = None) -> Submission:
        """Wait until it is finished, failed or cancelled. One that failed is no error: look at its status.

        An interrupt ends the wait alone: the submission goes on, and this object is as good as before.

        Args:
            timeout: Seconds at most.
            show: Whether to show how far it is; by default where somebody watches.

        Raises:
            WaitedTooLong: The time is over; the submission goes on.
            PlatformFault: The gateway has been out of reach for five minutes.
        """
        _require_finite(timeout)
        try:
            with shown(show) as display:
                self._known = self._client.wait(self.id, timeout=timeout, on_change=display.status)
        except KeyboardInterrupt:
            LOG.warning("Waiting was interrupted. The submission goes on: Submission('%s').wait()", self.id)
            raise
        return self

    def logs(self, *, follow: bool = False, stream: str | None = None, timeout: float = HOUR) -> Iterator[str]:
        """What its programs wrote, line by line, with nothing in it that would steer a terminal.

        Args:
            follow: Whether to wait for more, until the submission has ended.
            stream: One alone, such as `scoring_stderr`; by default all, with a line where another one goes on.
            timeout: Seconds to follow at most.

        Raises:
            WaitedTooLong: The time is over.
            NotAllowed: The organizers have hidden the logs.
        """
        _require_finite(timeout)
        pieces = self._client.follow_logs(self.id, follow=follow, timeout=timeout)
        return _lines(pieces, stream)

    def outputs(self) -> tuple[Output, ...]:
        """The files that scoring left behind, as far as one may see them."""
        record = self.record
        return tuple(
            Output(file.kind, evaluation.task, file.size, record, evaluation, file, self._client)
            for evaluation in record.evaluations
            for file in evaluation.outputs
        )

    def cancel(self) -> Submission:
        """Cancel it.

        Raises:
            Conflict: It has ended already.
        """
        self._known = self._client.cancel(self.id)
        return self

    @property
    def _client(self) -> Client:
        return connected(self._gateway, self._token)

    def _record(self) -> SubmissionRecord:
        if self._known is None:
            if isinstance(self._reference, UUID):
                self._known = self._client.submission(self._reference)
            else:
                slug, number = self._reference
                self._known = self._client.numbered_submission(slug, number)
        return self._known

    def __repr__(self) -> str:
        if self._known is not None:
            return f"<{self._known}>"
        named = self._reference if isinstance(self._reference, UUID) else "{}/{}".format(*self._reference)
        return f"Submission('{named}')"

    def _repr_html_(self) -> str:
        return submission_html(self._record())


def _checked(reference: str | UUID) -> UUID | tuple[str, int]:
    if isinstance(reference, UUID):
        return reference
    text = str(reference).strip()
    if numbered := _NUMBERED.fullmatch(text):
        return numbered["slug"], int(numbered["number"])
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput(
            f"'{text[:80]}' is neither the id of a submission nor a competition and a number.",
            remedy="Write Submission('meadow-flowers/3'), or the id that was shown when it was submitted.",
        ) from None


def _require_finite(timeout: object) -> None:
    if not isinstance(timeout, (int, float)) or not 0 <= timeout < float("inf"):
        raise InvalidInput(f"{timeout!r} seconds are no time to wait.", remedy="Give a number of seconds.")


def _lines(pieces: Iterator[LogPiece], stream: str | None) -> Iterator[str]:
    texts: dict[tuple[int, str, str], LogText] = {}
    unfinished: dict[tuple[int, str, str], str] = {}
    source: tuple[int, str, str] | None = None
    for piece in pieces:
        if stream is not None and piece.stream != stream:
            continue
        key = (piece.attempt, piece.task, piece.stream)
        text = unfinished.pop(key, "") + texts.setdefault(key, LogText()).add(piece.text)
        *lines, rest = text.split("\n")
        if rest:
            unfinished[key] = rest
        if lines and key != source and stream is None:
            yield _head(key)
        source = key if lines else source
        yield from lines
    for key, log in texts.items():
        if rest := unfinished.pop(key, "") + log.rest():
            if key != source and stream is None:
                yield _head(key)
            source = key
            yield from rest.removesuffix("\n").split("\n")


def _head(key: tuple[int, str, str]) -> str:
    attempt, task, stream = key
    return f"==> {stream} (task {task}, attempt {attempt}) <=="
