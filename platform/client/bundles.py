"""The calls about bundles, and a competition from a folder in one call."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from uuid import UUID

from podium.platform.bundles.problems import BundleRefused
from podium.platform.client.connection import Query, segment
from podium.platform.client.packing import packed_bundle
from podium.platform.client.progress import OnProgress, silent
from podium.platform.client.transfers import Fingerprint, fingerprint
from podium.platform.client.uploads import UploadCalls
from podium.platform.client.waiting import Wait
from podium.platform.errors import PlatformFault
from podium.platform.lifecycle import BundleStatus
from podium.platform.records.competitions import BundleRecord, BundleUpload

_ENDS = frozenset({BundleStatus.CREATED, BundleStatus.REFUSED, BundleStatus.FAILED})


def _ignore(_: BundleRecord) -> None:
    """Nobody watches."""


class BundleCalls(UploadCalls):
    """Competitions from bundles. For people who may organize."""

    def start_bundle(
        self,
        filename: str,
        file: Fingerprint,
        *,
        start: str | None = None,
        slug: str | None = None,
        draft: bool | None = None,
    ) -> BundleUpload:
        """Announce a bundle; the first step of `create_competition`.

        Raises:
            NotAllowed: One may not organize.
            Conflict: There is a competition of this slug.
            TooLarge: The platform takes no bundle of this size.
        """
        body = {
            "filename": filename,
            "size": file.size,
            "sha256": file.sha256,
            "start": start,
            "slug": slug,
            "draft": draft,
        }
        return self._record(BundleUpload, "POST", "/bundles", body=body)

    def complete_bundle(self, bundle_id: UUID) -> BundleRecord:
        """Say that a bundle has arrived. Saying it twice changes nothing."""
        return self._record(BundleRecord, "POST", f"/bundles/{segment(bundle_id)}/complete", is_repeatable=True)

    def bundle(self, bundle_id: UUID, *, seen: BundleStatus | None = None, wait: float = 0) -> BundleRecord:
        """Where a bundle is on its way.

        Args:
            bundle_id: The bundle.
            seen: The status that is known; the answer is held until it is another.
            wait: Seconds for which to hold the answer, 30 at most.
        """
        query: Query = {"seen": seen, "wait": wait} if seen is not None else {}
        return self._record(BundleRecord, "GET", f"/bundles/{segment(bundle_id)}", query=query, wait=wait)

    def create_competition(
        self,
        path: str | PathLike[str],
        *,
        start: str | None = None,
        slug: str | None = None,
        draft: bool | None = None,
        wait: bool = True,
        timeout: float | None = None,
        on_progress: OnProgress = silent,
        on_change: Callable[[BundleRecord], None] = _ignore,
    ) -> BundleRecord:
        """Make a competition from a bundle: pack it if it is a folder, upload it, and follow it to the end.

        Args:
            path: A folder or a zip.
            start: `now` or a date; all dates are moved so that the first phase starts then.
            slug: The competition's name in addresses; by default made from its title.
            draft: Leave it unpublished.
            wait: Whether to follow the bundle to the end, or return as soon as it is uploaded.
            timeout: Seconds to follow it; `None` for as long as it takes.
            on_progress: Told how far packing and uploading are.
            on_change: Told of every new status.

        Returns:
            The bundle; `competition` is the slug of what it became, and `problems` are its warnings.

        Raises:
            BundleRefused: The bundle has problems; all of them are in `problems`.
            InvalidInput: There is no bundle at this path.
            PlatformFault: Podium failed.
            WaitedTooLong: The time is over; the bundle goes on.
        """
        with packed_bundle(Path(path), on_progress) as parcel:
            file = fingerprint(parcel.path, parcel.name, on_progress)
            started = self.start_bundle(parcel.name, file, start=start, slug=slug, draft=draft)
            on_change(started.bundle)
            self._send(started.bundle.id, started.upload, started.parts, parcel.path, parcel.name, on_progress)
        bundle = self.complete_bundle(started.bundle.id)
        on_change(bundle)
        return self.wait_for_bundle(bundle, timeout=timeout, on_change=on_change) if wait else bundle

    def resume_bundle(
        self, bundle_id: UUID, path: str | PathLike[str], *, on_progress: OnProgress = silent
    ) -> BundleRecord:
        """Go on with a bundle whose upload broke off; `wait_for_bundle` follows it to the end.

        Raises:
            NotFound: One has no bundle of that id whose file is missing.
            InvalidInput: It is not the file that was announced.
        """
        with packed_bundle(Path(path), on_progress) as parcel:
            self._go_on(bundle_id, parcel.path, parcel.name, on_progress)
        return self.complete_bundle(bundle_id)

    def wait_for_bundle(
        self,
        bundle: BundleRecord,
        *,
        timeout: float | None = None,
        on_change: Callable[[BundleRecord], None] = _ignore,
    ) -> BundleRecord:
        """Follow a bundle until it is a competition.

        Raises:
            BundleRefused: It has problems.
            PlatformFault: Podium failed.
            WaitedTooLong: The time is over; the bundle goes on.
        """
        waiting = Wait(timeout, f"The bundle {bundle.filename}", patience=self._connection.patience)
        while bundle.status not in _ENDS:
            waiting.require_time()
            latest = self._next_bundle(bundle, waiting)
            if latest.status != bundle.status:
                waiting.bring_news()
                on_change(latest)
            bundle = latest
        if bundle.status is BundleStatus.REFUSED:
            raise BundleRefused(bundle.problems)
        if bundle.status is BundleStatus.FAILED:
            raise PlatformFault(
                f"Podium could not make a competition of {bundle.filename}. {bundle.message}".strip(),
                remedy="Upload it again; when it stays so, tell the operator of the platform.",
            )
        return bundle

    def _next_bundle(self, bundle: BundleRecord, waiting: Wait) -> BundleRecord:
        return waiting.ask(lambda held: self.bundle(bundle.id, seen=bundle.status, wait=held))
