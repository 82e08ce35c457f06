"""Images that were unpacked to be looked at: in a folder of this host, by the SHA-256 of their files, and not for ever.

A child process unpacks, with limits and behind the wall of `podium.platform.images.isolation`: of a slide, tiles are
decoded that are as they were uploaded. So many do so at once and no more; who comes then is told to come again.
"""

from __future__ import annotations

import logging
import math
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from podium.platform.errors import InvalidInput, PlatformFault, PodiumError, TooLarge, TooManyRequests
from podium.platform.images.bricks import BrickedVoxels, BrickLayout, layout_for
from podium.platform.images.children import children
from podium.platform.images.job_kinds import Unpacked, UnpackJob
from podium.platform.images.limits import LARGEST_PICTURE, ImportLimits
from podium.platform.images.metadata import COLOR_SPACES, ImageType
from podium.platform.images.problems import Reason, Refusal
from podium.platform.storage import Storage

logger = logging.getLogger(__name__)
_VOXELS, _DESCRIBED = "voxels", "described.json"
_FILLING = ".filling-"
_SIDE = 4096
_AT_ONCE = 2
_SECONDS = 300
_MEMORY_BYTES = 4 << 30
_FAILED_SECONDS = 600.0
_KEPT_SECONDS = 24 * 3600.0
"""Nobody has looked at it for so long: it may have been removed meanwhile."""
_LIBRARIES = {
    ImageType.MHD: ("podium.platform.images.metaimage",),
    ImageType.TIFF: ("podium.platform.images.tiff",),
}
_ADAPTER = TypeAdapter(Unpacked)
_TYPES = frozenset(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)) | {"float32", "float64"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """An image to be looked at: where its file is stored, and what its voxels are.

    Attributes:
        size: Along x, y, and where there are such axes z and time.
        value_type: As numpy names it.
    """

    content: str
    sha256: str
    type: ImageType
    size: tuple[int, ...]
    channels: int
    value_type: str

    @property
    def voxel_bytes(self) -> int:
        """What unpacking it takes, about; of a slide, at most."""
        count = math.prod(self.size)
        if self.type is ImageType.TIFF:
            count = min(count, LARGEST_PICTURE)
        return count * self.channels * np.dtype(self.value_type).itemsize

    def may_be(self, layout: BrickLayout) -> bool:
        """Whether a child, which may have been made to lie, speaks of this very image; of a slide, of a level of it."""
        if self.type is ImageType.MHD:
            return layout == layout_for(self.size, self.channels, self.value_type)
        return (
            layout.type in _TYPES
            and layout.channels in COLOR_SPACES
            and min(layout.size) > 0
            and layout == layout_for(layout.size[:2], layout.channels, layout.type)
        )


class UnpackedImages:
    """Unpacks images and keeps them for a while. Several threads and processes may use one folder.

    Args:
        folder: Where; `None` for a temporary one of this process.
        most_bytes: Of all of them; those that nobody has looked at for longest go first.
        patience: How long to wait for one that somebody else unpacks, in seconds.
    """

    def __init__(self, folder: Path | None, *, most_bytes: int, patience: float = 20.0) -> None:
        self._named = folder
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._most_bytes = most_bytes
        self._patience = patience
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._failed: dict[str, tuple[float, PodiumError]] = {}

    def open(self, wanted: Wanted, storage: Storage) -> tuple[BrickedVoxels, Unpacked]:
        """Open an image; it is unpacked where that was not done yet.

        Raises:
            TooLarge: It is larger than all that may be kept.
            TooManyRequests: Others are being unpacked.
            NotFound: Its file is gone.
            InvalidInput: It can't be unpacked.
            PlatformFault: The process that does so can't be run, or the store does not answer.
        """
        place = self._folder() / wanted.sha256
        if (found := _opened(place)) is not None:
            return found
        self._refuse_failed(wanted.sha256)
        if wanted.voxel_bytes > self._most_bytes:
            raise TooLarge(
                f"The image has {wanted.voxel_bytes} bytes of voxels; {self._most_bytes} may be unpacked here.",
                remedy="Download it, or ask the operator for more (PODIUM_SLICES_BYTES).",
            )
        with self._alone(wanted.sha256):
            if (found := _opened(place)) is not None:
                return found
            self._refuse_failed(wanted.sha256)
            try:
                self._fill(wanted, storage, place)
            except (InvalidInput, TooLarge) as error:
                self._failed[wanted.sha256] = (time.monotonic() + _FAILED_SECONDS, error)
                raise
            found = _opened(place)
            if found is None:
                raise PlatformFault("What was unpacked of the image is gone already.", remedy="Try again.")
            return found

    def has(self, wanted: Wanted) -> bool:
        """Whether an image was unpacked and can be opened at once."""
        return _opened(self._folder() / wanted.sha256) is not None

    def close(self) -> None:
        """Remove a folder that is temporary."""
        with self._lock:
            if self._temporary is not None:
                self._temporary.cleanup()
                self._temporary = None

    def _folder(self) -> Path:
        with self._lock:
            if self._named is not None:
                self._named.mkdir(mode=0o700, parents=True, exist_ok=True)
                return self._named
            if self._temporary is None:
                self._temporary = tempfile.TemporaryDirectory(prefix="podium-slices-", ignore_cleanup_errors=True)
            return Path(self._temporary.name)

    def _refuse_failed(self, sha256: str) -> None:
        until, error = self._failed.get(sha256, (0.0, None))
        if error is not None and time.monotonic() < until:
            raise error
        self._failed.pop(sha256, None)

    @contextmanager
    def _alone(self, sha256: str) -> Iterator[None]:
        """Be the one thread that unpacks an image, and one of few that do."""
        with self._lock:
            lock = self._locks.setdefault(sha256, threading.Lock())
        if not lock.acquire(timeout=self._patience):
            raise _busy("This image is being unpacked")
        try:
            if not self._room.acquire(timeout=self._patience):
                raise _busy("Other images are being unpacked")
            try:
                yield
            finally:
                self._room.release()
        finally:
            lock.release()
            with self._lock:
                if not lock.locked():
                    self._locks.pop(sha256, None)

    def _fill(self, wanted: Wanted, storage: Storage, place: Path) -> None:
        self._make_room(place.parent, wanted.voxel_bytes)
        workplace = Path(tempfile.mkdtemp(prefix=_FILLING, dir=place.parent))
        try:
            target = workplace / "made"
            target.mkdir()
            with storage.local_file(wanted.content) as path:
                unpacked = self._unpack(wanted, path, target / _VOXELS, workplace)
            (target / _DESCRIBED).write_bytes(_ADAPTER.dump_json(unpacked))
            with suppress(OSError):  # another process was quicker
                target.rename(place)
        finally:
            shutil.rmtree(workplace, ignore_errors=True)

    def _unpack(self, wanted: Wanted, path: Path, target: Path, workplace: Path) -> Unpacked:
        limits = ImportLimits(
            memory_bytes=_MEMORY_BYTES,
            cpu_seconds=_SECONDS,
            wall_seconds=_SECONDS,
            # Bricks at the ends are filled up.
            file_bytes=self._most_bytes,
            children=1,
            threads=1,
        )
        job = UnpackJob(str(path), wanted.type, str(target), _SIDE, limits)
        with children(workplace, [path], limits, load=_LIBRARIES[wanted.type]) as hands:
            ((_, answer),) = hands.do([job])
        if isinstance(answer, Refusal):
            raise _refused(answer)
        if not isinstance(answer, Unpacked) or not wanted.may_be(answer.layout):
            raise InvalidInput("The image can't be shown: what it unpacks to is not what was imported.")
        return answer

    def _make_room(self, folder: Path, more: int) -> None:
        """Remove what nobody has looked at for long, and as much as is needed besides."""
        kept: list[tuple[float, int, Path]] = []
        now = time.time()
        for place in folder.iterdir():
            with suppress(OSError):  # another process has removed it
                used = place.stat().st_mtime
                if now - used > (_KEPT_SECONDS if not place.name.startswith(_FILLING) else 2 * _SECONDS):
                    shutil.rmtree(place, ignore_errors=True)
                elif not place.name.startswith(_FILLING):
                    kept.append((used, (place / _VOXELS).stat().st_size, place))
        kept.sort()
        total = sum(size for _, size, _ in kept) + more
        for _, size, place in kept:
            if total <= self._most_bytes:
                return
            shutil.rmtree(place, ignore_errors=True)
            total -= size


def _opened(place: Path) -> tuple[BrickedVoxels, Unpacked] | None:
    """What is there already; it counts as looked at."""
    try:
        unpacked = _ADAPTER.validate_json((place / _DESCRIBED).read_bytes())
        voxels = BrickedVoxels(place / _VOXELS, unpacked.layout)
    except (OSError, ValidationError):
        return None
    except ValueError as error:
        logger.warning("What was unpacked of an image is not as it should be, and is made anew: %s", error)
        shutil.rmtree(place, ignore_errors=True)
        return None
    with suppress(OSError):
        os.utime(place)
    return voxels, unpacked


def _busy(what: str) -> TooManyRequests:
    return TooManyRequests(f"{what}.", remedy="Try again in a few seconds.", retry_after=3)


def _refused(refusal: Refusal) -> PodiumError:
    if refusal.reason is Reason.NO_ROOM:
        return PlatformFault(refusal.detail, remedy=refusal.remedy)
    if refusal.reason is Reason.TOO_LARGE:
        return TooLarge(refusal.detail, remedy="Download it, or ask the operator for more (PODIUM_SLICES_BYTES).")
    return InvalidInput(f"The image can't be shown: {refusal.detail}", remedy=refusal.remedy or "Download it.")
