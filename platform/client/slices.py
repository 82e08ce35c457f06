"""The calls about looking at images: slices as pictures, and the small pictures of lists."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from podium.platform.client.connection import Calls, segment
from podium.platform.errors import PlatformFault
from podium.platform.records.slices import ImageViews, SegmentRecord, WindowRecord


@dataclass(frozen=True, slots=True)
class SlicePicture:
    """A slice as PNG.

    Attributes:
        window: The one that it is shown in, without a name; `None` for colours.
        segments: What lies over it in this slice.
        is_resampled: Whether that is on another grid: what is shown is its nearest voxels.
    """

    content: bytes
    window: WindowRecord | None
    segments: tuple[SegmentRecord, ...]
    is_resampled: bool


_WINDOW, _SEGMENTS, _OVERLAY = "X-Podium-Window", "X-Podium-Segments", "X-Podium-Overlay"


class SliceCalls(Calls):
    """Looking at images."""

    def image_views(self, image_id: UUID) -> ImageViews:
        """How an image can be cut, in which windows it is usually looked at, and the colours of its labels."""
        return self._record(ImageViews, "GET", f"/images/{segment(image_id)}/views")

    def image_slice(
        self,
        image_id: UUID,
        axis: str,
        index: int,
        *,
        time: int = 0,
        window: float | None = None,
        level: float | None = None,
        auto: bool = False,
        overlay: UUID | None = None,
        opacity: float | None = None,
        size: int | None = None,
    ) -> SlicePicture:
        """A slice as a picture.

        Args:
            axis: `x`, `y` or `z`: the axis of the voxels that it lies across.
            index: Which one, from 0.
            window: Width of the values to show, with `level` in its middle; without, what the header suggests.
            auto: Without a window, show nearly all values, whatever the header suggests.
            overlay: Another image, whose voxels are labels; `opacity` of its colours is from 0 to 1.
            size: The longer side is at most so long, in pixels.

        Raises:
            InvalidInput: There is no such slice, or the overlay does not fit; the message says why.
        """
        query = {
            "time": time or None,
            "window": window,
            "level": level,
            "auto": auto or None,
            "overlay": str(overlay) if overlay is not None else None,
            "opacity": opacity if overlay is not None else None,
            "size": size,
        }
        path = f"/images/{segment(image_id)}/slices/{segment(axis)}/{segment(index)}"
        response = self._connection.request("GET", path, query=query)
        told = response.headers.get(_WINDOW, "").split()
        return SlicePicture(
            response.content,
            WindowRecord("", *map(float, told)) if len(told) == 2 else None,
            _segments(response.headers.get(_SEGMENTS, "")),
            response.headers.get(_OVERLAY) == "resampled",
        )

    def image_thumbnail(self, image_id: UUID) -> bytes:
        """The small picture of an image, for a list: JPEG, or PNG for labels."""
        return self._connection.request("GET", f"/images/{segment(image_id)}/thumbnail").content


def _segments(told: str) -> tuple[SegmentRecord, ...]:
    try:
        pairs = [part.split("=") for part in told.split(",") if part]
        return tuple(SegmentRecord(int(label), colour) for label, colour in pairs)
    except ValueError:
        raise PlatformFault("The gateway says in a way of another version which labels there are.") from None
