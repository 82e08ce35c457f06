"""The calls about a competition's data."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from podium.platform.client.connection import Calls, segment
from podium.platform.client.downloads import download
from podium.platform.client.progress import OnProgress, silent
from podium.platform.errors import NotFound
from podium.platform.records.data import DataFileRecord
from podium.platform.records.storage import SignedRequestRecord


class DataCalls(Calls):
    """What participants may download of a competition."""

    def data(self, slug: str) -> tuple[DataFileRecord, ...]:
        """What there is to download now.

        Raises:
            NotAllowed: One does not take part, or has not accepted the present terms.
        """
        return self._records(DataFileRecord, f"/competitions/{segment(slug)}/data")

    def download_data_file(
        self,
        slug: str,
        file: DataFileRecord,
        destination: str | PathLike[str],
        *,
        overwrite: bool = False,
        on_progress: OnProgress = silent,
    ) -> Path:
        """Fetch one of them, a zip, and check it. An interrupted download goes on where it was.

        Raises:
            Conflict: There is a file at the destination, and it was not to be overwritten.
            NotFound: It is offered no more.
            PlatformFault: The store can't be reached, refused, or sent something else than was stored.
        """
        requests = iter((file.request,))

        def sign() -> SignedRequestRecord:
            # The first request came along; it has become too old if the download takes long.
            return next(requests, None) or self._signed_again(slug, file)

        return download(
            self._connection,
            sign,
            Path(destination),
            sha256=file.sha256,
            overwrite=overwrite,
            on_progress=on_progress,
        )

    def _signed_again(self, slug: str, file: DataFileRecord) -> SignedRequestRecord:
        for one in self.data(slug):
            if (one.id, one.kind) == (file.id, file.kind):
                return one.request
        raise NotFound(f"{slug} offers {file.name} no more.")
