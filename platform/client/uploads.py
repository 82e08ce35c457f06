"""The calls about files on their way, which every upload makes: whole or in parts, from the beginning or going on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from podium.platform.client.connection import Calls, segment
from podium.platform.client.conversion import records_from_json
from podium.platform.client.part_uploads import upload_parts
from podium.platform.client.progress import OnProgress
from podium.platform.client.transfers import fingerprint, upload
from podium.platform.errors import InvalidInput
from podium.platform.records.storage import (
    PartsRecord,
    SignedRequestRecord,
    StorageRecord,
    StoredFileRecord,
    UploadRecord,
)


class UploadCalls(Calls):
    """Files on their way, and what those that have arrived take."""

    def announced_upload(self, upload_id: UUID) -> UploadRecord:
        """How to go on with a file that was announced, by the id of its submission, bundle or dataset.

        Raises:
            NotFound: One has announced nothing of that id, or it is complete or given up.
        """
        return self._record(UploadRecord, "POST", f"/uploads/{segment(upload_id)}", is_repeatable=True)

    def _send(
        self,
        upload_id: UUID,
        signed: SignedRequestRecord,
        parts: PartsRecord | None,
        path: Path,
        name: str,
        on_progress: OnProgress,
    ) -> None:
        """Send a file that was just announced."""
        if parts is None:
            upload(self._connection, signed, path, name, on_progress)
        else:
            upload_parts(self._connection, parts, self._signer(upload_id), path, name, on_progress)

    def _go_on(self, upload_id: UUID, path: Path, name: str, on_progress: OnProgress) -> None:
        """Send what has not arrived of a file that was announced before.

        Raises:
            InvalidInput: It is not the file that was announced.
        """
        offered = self.announced_upload(upload_id)
        found = fingerprint(path, name, on_progress)
        if (found.size, found.sha256) != (offered.size, offered.sha256):
            raise InvalidInput(
                f"{name} is not the file that was announced as {offered.filename}: its content is another.",
                remedy="Begin a new upload with it.",
            )
        self._send(upload_id, offered.upload, offered.parts, path, name, on_progress)

    def _signer(self, upload_id: UUID) -> Callable[[int], SignedRequestRecord]:
        path = f"/uploads/{segment(upload_id)}/parts"

        def sign(number: int) -> SignedRequestRecord:
            answer = self._connection.request("POST", path, body={"numbers": [number]}, is_repeatable=True)
            (request,) = records_from_json(SignedRequestRecord, self._json(answer))
            return request

        return sign

    def storage(self, username: str | None = None) -> StorageRecord:
        """What one's files take and may take; for administrators, also somebody else's."""
        path = "/me/storage" if username is None else f"/people/{segment(username)}/storage"
        return self._record(StorageRecord, "GET", path)

    def storage_files(self) -> tuple[StoredFileRecord, ...]:
        """One's own files, the largest first."""
        return self._records(StoredFileRecord, "/me/storage/files")

    def remove_file(self, kind: str, file_id: UUID) -> StorageRecord:
        """Remove a file of one's own.

        Raises:
            NotFound: One has no such file.
            Conflict: Something uses it.
        """
        return self._record(StorageRecord, "DELETE", f"/me/storage/files/{segment(kind)}/{segment(file_id)}")

    def set_storage_quota(self, username: str, quota: int | None) -> StorageRecord:
        """Say what somebody's files may take, in bytes; `None` for what everybody's may. For administrators."""
        return self._record(
            StorageRecord, "PUT", f"/people/{segment(username)}/storage", body={"quota": quota}, is_repeatable=True
        )
