"""A competition as a bundle, and its submissions as a table, on one's own disk."""

from __future__ import annotations

import hashlib
import re
import shutil
import zipfile
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from podium.platform.archive_rules import ArchiveLimits, name_fault
from podium.platform.bundles.folder_zips import PackedFile, write_zip
from podium.platform.client.connection import Calls, Connection, segment
from podium.platform.client.downloads import download, put_in_place, require_free
from podium.platform.client.progress import OnProgress, Progress, Step, silent
from podium.platform.client.transfers import CHUNK_BYTES
from podium.platform.errors import PlatformFault
from podium.platform.records.exports import BundleFile, CompetitionExport, TableForm
from podium.platform.records.storage import SignedRequestRecord

_SHA256 = re.compile("[0-9a-f]{64}")


class ExportCalls(Calls):
    """For the organizers of a competition. Each export stands in its audit log."""

    def competition_parts(self, slug: str) -> CompetitionExport:
        """A competition as the parts of a bundle; `export_competition` puts them together."""
        path = f"/competitions/{segment(slug)}/export"
        return self._record(CompetitionExport, "POST", path, is_repeatable=True)

    def exported_file(self, slug: str, sha256: str) -> SignedRequestRecord:
        """How to fetch a file of a competition's bundle."""
        return self._record(SignedRequestRecord, "GET", f"/competitions/{segment(slug)}/export/{segment(sha256)}")

    def export_competition(
        self,
        slug: str,
        destination: str | PathLike[str],
        *,
        overwrite: bool = False,
        on_progress: OnProgress = silent,
    ) -> CompetitionExport:
        """Write a competition as a bundle, from which `create_competition` makes the same again.

        Its files come from the store one after the other, each checked, and are put together here. What an interrupted
        call has fetched is used by the next one. The same competition gives the same bytes.

        Args:
            slug: The competition.
            destination: The zip to be. Twice its size is needed beside it while it is written.
            overwrite: Replace a file that is there.
            on_progress: Told how far downloading and packing are.

        Returns:
            What was written; `warnings` say what a bundle can't.

        Raises:
            Conflict: There is a file at the destination, and it was not to be overwritten.
            InvalidInput: The destination's folder is not there.
            NotAllowed: One does not organize it.
            PlatformFault: The store can't be reached, or sent something else than was stored.
        """
        target = Path(destination)
        require_free(target, overwrite=overwrite)
        export = self.competition_parts(slug)
        _require_fit_paths(export)
        parts = target.with_name(f".{target.name}.parts")
        parts.mkdir(exist_ok=True)
        for file in export.files:
            self._fetch(slug, file, parts / file.sha256, on_progress)
        packed = parts / "bundle.zip"
        packed.unlink(missing_ok=True)
        _pack(export, parts, packed, target.name, on_progress)
        put_in_place(packed, target, overwrite=overwrite)
        shutil.rmtree(parts)
        return export

    def _fetch(self, slug: str, file: BundleFile, part: Path, on_progress: OnProgress) -> None:
        if part.exists() and _sha256_of(part) == file.sha256:
            return
        download(
            self._connection,
            lambda: self.exported_file(slug, file.sha256),
            part,
            sha256=file.sha256,
            overwrite=True,
            on_progress=lambda progress: on_progress(Progress(progress.step, file.path, progress.done, progress.total)),
        )

    def export_submissions(
        self,
        slug: str,
        destination: str | PathLike[str],
        *,
        form: TableForm = TableForm.CSV,
        phase: str | int | None = None,
        overwrite: bool = False,
        on_progress: OnProgress = silent,
    ) -> Path:
        """Write all submissions of a competition, or of one phase, with their scores, as a table.

        Raises:
            Conflict: There is a file at the destination, and it was not to be overwritten.
            InvalidInput: The destination's folder is not there.
            NotAllowed: One does not organize it.
            NotFound: No such competition or phase.
        """
        target = Path(destination)
        require_free(target, overwrite=overwrite)
        part = target.with_name(f".{target.name}.part")
        path = f"/competitions/{segment(slug)}/submissions/export"
        body = {"form": form.value, "phase": None if phase is None else str(phase)}
        try:
            _receive(self._connection, path, body, part, target.name, on_progress)
            put_in_place(part, target, overwrite=overwrite)
        finally:
            part.unlink(missing_ok=True)
        return target


def _receive(
    connection: Connection, path: str, body: dict[str, str | None], part: Path, name: str, on_progress: OnProgress
) -> None:
    done = 0
    with connection.streamed("POST", path, body=body) as response, part.open("wb") as target:
        for chunk in response.iter_bytes():
            target.write(chunk)
            done += len(chunk)
            on_progress(Progress(Step.DOWNLOADING, name, done, None))


def _require_fit_paths(export: CompetitionExport) -> None:
    """Whatever a gateway says: nothing that is unpacked from the bundle leads out of its folder."""
    for path in (*(text.path for text in export.texts), *(file.path for file in export.files)):
        if fault := name_fault(path, ArchiveLimits()):
            raise PlatformFault(f"The gateway names a file that can't be in a bundle: {fault.message}")
    for file in export.files:
        if not _SHA256.fullmatch(file.sha256):
            raise PlatformFault("The gateway names a file by something else than its SHA-256.")


def _pack(export: CompetitionExport, parts: Path, packed: Path, name: str, on_progress: OnProgress) -> None:
    texts = {text.path: text.text.encode() for text in export.texts}
    stored = {file.path: file for file in export.files}
    total = sum(map(len, texts.values())) + sum(file.size for file in export.files)
    done = 0

    def pieces(path: str) -> Iterator[bytes]:
        nonlocal done
        if path in texts:
            yield texts[path]
            return
        with (parts / stored[path].sha256).open("rb") as source:
            while piece := source.read(CHUNK_BYTES):
                yield piece
                done += len(piece)
                on_progress(Progress(Step.PACKING, name, done, total))

    files = [PackedFile(path, len(data), is_executable=False) for path, data in texts.items()]
    files += [PackedFile(file.path, file.size, is_executable=False) for file in export.files]
    # Datasets are packed already.
    write_zip(packed, files, (), pieces, compression=zipfile.ZIP_STORED)


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
