"""The calls about medical images, and about the sessions that import them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from uuid import UUID

from podium.platform.client.connection import segment
from podium.platform.client.conversion import records_from_json
from podium.platform.client.downloads import download
from podium.platform.client.image_packing import Piece, pieces_of
from podium.platform.client.progress import OnProgress, silent
from podium.platform.client.transfers import Fingerprint, fingerprint
from podium.platform.client.uploads import UploadCalls
from podium.platform.client.waiting import Wait
from podium.platform.lifecycle import ImportOutcome, ImportStatus
from podium.platform.records.images import (
    ImageDetail,
    ImagePage,
    ImagePart,
    ImportedFilePage,
    ImportedFileRecord,
    ImportSessionRecord,
    ImportUploadRecord,
)
from podium.platform.records.storage import SignedRequestRecord

IMPORT_RESTS = frozenset({ImportStatus.IMPORTED, ImportStatus.ACCEPTED, ImportStatus.FAILED})
"""Where an import goes on only if somebody says so."""
_PAGE = 1000


def _ignore(_: ImportSessionRecord) -> None:
    """Nobody watches."""


class ImageCalls(UploadCalls):
    """Images and import sessions. Whose they are is said by the id of a `dataset`, or else of a `submission`."""

    def images(
        self, *, dataset: UUID | None = None, submission: UUID | None = None, limit: int = 100, offset: int = 0
    ) -> ImagePage:
        """Images of a dataset or a submission, by name."""
        path = f"{_target(dataset, submission)}/images"
        return self._record(ImagePage, "GET", path, query={"limit": limit, "offset": offset})

    def image(self, image_id: UUID) -> ImageDetail:
        """An image, whole."""
        return self._record(ImageDetail, "GET", f"/images/{segment(image_id)}")

    def image_file(self, image_id: UUID, part: ImagePart = ImagePart.FILE) -> SignedRequestRecord:
        """A request to fetch an image, or one of its two pictures."""
        return self._record(SignedRequestRecord, "GET", f"/images/{segment(image_id)}/files/{part.value}")

    def download_image(
        self,
        image_id: UUID,
        destination: str | PathLike[str],
        *,
        overwrite: bool = False,
        on_progress: OnProgress = silent,
    ) -> Path:
        """Fetch an image's file, and check it.

        Raises:
            Conflict: There is a file at the destination.
        """
        return download(
            self._connection,
            lambda: self.image_file(image_id),
            Path(destination),
            sha256=self.image(image_id).image.sha256,
            overwrite=overwrite,
            on_progress=on_progress,
        )

    def import_sessions(
        self, *, dataset: UUID | None = None, submission: UUID | None = None
    ) -> tuple[ImportSessionRecord, ...]:
        """The import sessions of a dataset or a submission, the latest first."""
        return self._records(ImportSessionRecord, f"{_target(dataset, submission)}/import-sessions")

    def import_session(self, session_id: UUID, *, seen: int | None = None, wait: float = 0) -> ImportSessionRecord:
        """One session; with `seen`, the answer is held for `wait` seconds until something has changed."""
        query = {"seen": seen, "wait": wait} if seen is not None else {}
        return self._record(ImportSessionRecord, "GET", _session(session_id), query=query, wait=wait)

    def imported_files(
        self, session_id: UUID, *, outcome: ImportOutcome | None = None, limit: int = 100, offset: int = 0
    ) -> ImportedFilePage:
        """What became of a session's files, by path; with `outcome`, of some alone."""
        query = {"outcome": outcome.value if outcome else None, "limit": limit, "offset": offset}
        return self._record(ImportedFilePage, "GET", f"{_session(session_id)}/files", query=query)

    def all_imported_files(
        self, session_id: UUID, *, outcome: ImportOutcome | None = None
    ) -> Iterator[ImportedFileRecord]:
        """The same, all of them, fetched page by page."""
        offset = 0
        while files := self.imported_files(session_id, outcome=outcome, limit=_PAGE, offset=offset).files:
            yield from files
            offset += len(files)

    def begin_import(self, *, dataset: UUID | None = None, submission: UUID | None = None) -> ImportSessionRecord:
        """A session without files, for images of that dataset or submission."""
        return self._record(ImportSessionRecord, "POST", f"{_target(dataset, submission)}/import-sessions")

    def send_images(
        self, session_id: UUID, paths: Sequence[str | PathLike[str]], *, on_progress: OnProgress = silent
    ) -> None:
        """Send files and folders to a session; what has arrived of them already is not sent again.

        Small files are packed together on the way, which the report does not show.

        Raises:
            InvalidInput: A path is none, or can't be read.
            StorageFull: There is no room left.
        """
        for piece in pieces_of([Path(path) for path in paths], on_progress):
            file = fingerprint(piece.path, piece.name, on_progress)
            (announced,) = self._announce(session_id, [(piece, file)])
            if announced.upload is not None:
                offered = announced.upload
                self._send(announced.id, offered.upload, offered.parts, piece.path, piece.name, on_progress)
                complete = f"{_session(session_id)}/uploads/{segment(announced.id)}/complete"
                self._connection.request("POST", complete, is_repeatable=True)

    def start_import(self, session_id: UUID) -> ImportSessionRecord:
        """Say that all files have been sent: they are imported."""
        return self._tell_session(session_id, "start")

    def retry_import(self, session_id: UUID) -> ImportSessionRecord:
        """Import again what was rejected, together with what was sent since; the images that there are stay.

        Raises:
            Conflict: There is nothing to try again, or the report was accepted.
        """
        return self._tell_session(session_id, "retry")

    def accept_import(self, session_id: UUID) -> ImportSessionRecord:
        """Take the report as it is: the images stay, and what was uploaded is let go."""
        return self._tell_session(session_id, "accept")

    def remove_import(self, session_id: UUID) -> None:
        """Remove a session with its images and all that was uploaded for them."""
        self._connection.request("DELETE", _session(session_id))

    def wait_for_import(
        self,
        session_id: UUID,
        *,
        timeout: float | None = None,
        on_change: Callable[[ImportSessionRecord], None] = _ignore,
    ) -> ImportSessionRecord:
        """Follow a session until it goes on only if somebody says so: imported, accepted or failed.

        Raises:
            WaitedTooLong: The time is over; the import goes on.
        """
        waiting = Wait(timeout, "The import", patience=self._connection.patience)
        return waiting.follow(
            lambda seen, held: self.import_session(session_id, seen=seen, wait=held),
            rests=lambda one: one.status in IMPORT_RESTS,
            on_change=on_change,
        )

    def _announce(self, session_id: UUID, files: Sequence[tuple[Piece, Fingerprint]]) -> tuple[ImportUploadRecord, ...]:
        body = {
            "files": [
                {"path": piece.shown, "size": file.size, "sha256": file.sha256, "is_pack": piece.is_pack}
                for piece, file in files
            ]
        }
        # Announced twice, a file is still one.
        answer = self._connection.request("POST", f"{_session(session_id)}/uploads", body=body, is_repeatable=True)
        return records_from_json(ImportUploadRecord, self._json(answer))

    def _tell_session(self, session_id: UUID, what: str) -> ImportSessionRecord:
        return self._record(ImportSessionRecord, "POST", f"{_session(session_id)}/{what}", is_repeatable=True)


def _session(session_id: UUID) -> str:
    return f"/import-sessions/{segment(session_id)}"


def _target(dataset: UUID | None, submission: UUID | None) -> str:
    if (dataset is None) == (submission is None):
        raise ValueError("name a dataset or a submission, and not both")
    return f"/datasets/{segment(dataset)}" if dataset is not None else f"/submissions/{segment(submission)}"
