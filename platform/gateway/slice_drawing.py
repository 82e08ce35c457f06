"""Slices drawn for callers: so many at once and no more, so that who looks at images takes nothing from others."""

from __future__ import annotations

import os
from functools import partial

from anyio import CapacityLimiter
from anyio.to_thread import run_sync

from podium.platform.errors import TooManyRequests
from podium.platform.settings import ServerSettings
from podium.platform.storage import Storage
from podium.platform.viewing.image_rows import Viewed
from podium.platform.viewing.slices import Cut, OpenImage, Overlay, Picture, draw, require_slice
from podium.platform.viewing.unpacked_images import UnpackedImages

_UNPACKED_AT_ONCE = 8
"""Calls that unpack an image, or wait until others have; their threads are not those of other routes."""
_MOST_WAITING = 100


class SliceDrawing:
    """Draws slices. Used on the event loop."""

    def __init__(self, settings: ServerSettings, storage: Storage) -> None:
        self._storage = storage
        self._images = UnpackedImages(settings.slices_folder, most_bytes=settings.slices_bytes)
        self._drawing = CapacityLimiter(max(2, os.cpu_count() or 1))
        self._unpacking = CapacityLimiter(_UNPACKED_AT_ONCE)

    async def draw(self, image: Viewed, cut: Cut, over: Viewed | None, opacity: float) -> Picture:
        """Draw a slice, perhaps with a segmentation over it.

        Raises:
            TooManyRequests: Too many others are being drawn, or unpacked.
            InvalidInput: There is no such slice, the segmentation does not fit, or an image can't be shown.
            TooLarge: An image is too large to be unpacked.
            NotFound: A file is gone from the store.
            PlatformFault: The store does not answer, or images can't be unpacked here.
        """
        require_slice(image.grid, cut, is_placed=image.is_placed)
        for limiter in (self._drawing, self._unpacking):
            if limiter.statistics().tasks_waiting >= _MOST_WAITING:
                raise TooManyRequests(
                    "Too many people look at images at this moment.", remedy="Try again in a second.", retry_after=1
                )
        wanted = [image] if over is None else [image, over]
        for one in wanted:
            if not await run_sync(self._images.has, one.wanted, limiter=self._drawing):
                await run_sync(self._images.open, one.wanted, self._storage, limiter=self._unpacking)
        return await run_sync(partial(self._draw, image, cut, over, opacity), limiter=self._drawing)

    def _draw(self, image: Viewed, cut: Cut, over: Viewed | None, opacity: float) -> Picture:
        overlay = None if over is None else Overlay(self._open(over), opacity)
        return draw(self._open(image), cut, overlay)

    def _open(self, image: Viewed) -> OpenImage:
        return image.opened(*self._images.open(image.wanted, self._storage))

    def close(self) -> None:
        """Remove what is kept in a temporary folder."""
        self._images.close()
