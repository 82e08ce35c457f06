"""Submissions on their way from these pages to the store, each in a thread: leaving the page does not stop one."""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

from podium.platform.client.api import Client
from podium.platform.client.expected_files import renamed
from podium.platform.client.progress import Progress, Step
from podium.platform.errors import PlatformFault, PodiumError
from podium.platform.records.competitions import PhaseRecord
from podium.platform.records.submissions import SubmissionRecord

_STEP_WORDS = {
    Step.PACKING: "Packing",
    Step.FINGERPRINTING: "Checking",
    Step.UPLOADING: "Sending",
    Step.DOWNLOADING: "Fetching",
}
_STEP_FROM = {Step.PACKING: 0.0, Step.FINGERPRINTING: 0.1, Step.UPLOADING: 0.2, Step.DOWNLOADING: 0.2}
_STEP_TO = {Step.PACKING: 0.1, Step.FINGERPRINTING: 0.2, Step.UPLOADING: 1.0, Step.DOWNLOADING: 1.0}


class Uploaded(Protocol):
    """A file that a browser has sent to these pages."""

    name: str
    size: int

    def getbuffer(self) -> memoryview:
        """Its content."""
        ...


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be submitted where."""

    slug: str
    phase: PhaseRecord
    message: str
    fact_sheet: Mapping[str, str]


@dataclass(slots=True)
class Sending:
    """A submission on its way, and what became of it.

    Attributes:
        announced: The submission, from when it has its place and counts.
        submission: The same, queued; `None` before.
        error: What went wrong; `None` otherwise.
    """

    order: Order
    filename: str
    step: Progress | None = None
    announced: SubmissionRecord | None = None
    submission: SubmissionRecord | None = None
    error: PodiumError | None = None
    _thread: threading.Thread | None = field(default=None, repr=False)

    @property
    def is_under_way(self) -> bool:
        """Whether it has neither arrived nor failed."""
        return self.submission is None and self.error is None

    @property
    def share(self) -> float:
        """How far it is, from 0 to 1; sending is most of it."""
        if self.step is None or not self.step.total:
            return 0.0
        begin, end = _STEP_FROM[self.step.step], _STEP_TO[self.step.step]
        return min(begin + (end - begin) * self.step.done / self.step.total, 1.0)

    @property
    def words(self) -> str:
        """What is being done, in a few words."""
        return (
            f"{_STEP_WORDS[self.step.step]} {self.filename}" if self.step is not None else f"Preparing {self.filename}"
        )

    def start(self, gateway: Client, uploaded: Uploaded) -> None:
        """Begin."""
        self._thread = threading.Thread(target=_send, args=(gateway, uploaded, self), daemon=True)
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait for its end, so long at most."""
        if self._thread is not None:
            self._thread.join(seconds)


def send(gateway: Client, uploaded: Uploaded, order: Order) -> Sending:
    """Begin to submit a file."""
    sending = Sending(order, plain_name(uploaded.name))
    sending.start(gateway, uploaded)
    return sending


def plain_name(name: str) -> str:
    """A file's name as it may stand in a folder of ours: whatever a browser says it is."""
    last = PurePosixPath(name.replace("\\", "/")).name
    plain = re.sub(r"[\x00-\x1f\x7f]", "_", last).encode()[-200:].decode(errors="ignore")
    return "file" if plain in {"", ".", ".."} else plain


def _send(gateway: Client, uploaded: Uploaded, sending: Sending) -> None:
    order = sending.order

    def note_progress(progress: Progress) -> None:
        sending.step = progress

    def note_created(submission: SubmissionRecord) -> None:
        sending.announced = submission

    try:
        with tempfile.TemporaryDirectory(prefix="podium-page-") as folder:
            path = Path(folder, sending.filename)
            path.write_bytes(uploaded.getbuffer())
            sending.submission = gateway.submit(
                order.slug,
                renamed(path, order.phase, Path(folder, "renamed")).path,
                message=order.message or None,
                phase=order.phase.number,
                fact_sheet=order.fact_sheet or None,
                on_created=note_created,
                on_progress=note_progress,
            )
    except PodiumError as error:
        sending.error = error
    except OSError as error:
        sending.error = PlatformFault(f"The pages could not keep the file: {error.strerror}.")
