"""What is learnt of an image's values while they pass: their range, which labels occur, whether all are numbers."""

from __future__ import annotations

import math

import numpy as np

from podium.platform.images.metadata import MAXIMUM_SEGMENTS
from podium.platform.images.rescaling import Pixels
from podium.platform.images.volumes import Volume


class ValueStatistics:
    """Looks at each plane of one volume, once.

    Attributes:
        low: The least finite value, `inf` before there was one.
        high: The largest finite value.
        not_finite: How many values are no finite numbers.
    """

    def __init__(self, volume: Volume) -> None:
        self.low: float = math.inf
        self.high: float = -math.inf
        self.not_finite = 0
        self._volume = volume
        labels = volume.channels == 1 and volume.type.kind in "iu" and volume.type.itemsize == 1
        self._counts = np.zeros(256, np.int64) if labels else None

    def add(self, plane: Pixels) -> None:
        """Look at a plane."""
        if self._counts is not None:
            self._counts += np.bincount(plane.reshape(-1).view(np.uint8), minlength=256)
            return
        low, high = plane.min(), plane.max()
        if plane.dtype.kind == "f" and not (np.isfinite(low) and np.isfinite(high)):
            finite = plane[np.isfinite(plane)]
            self.not_finite += plane.size - finite.size
            if not finite.size:
                return
            low, high = finite.min(), finite.max()
        self.low = min(self.low, low.item())
        self.high = max(self.high, high.item())

    def finish(self) -> None:
        """Add up, after the last plane."""
        if self._counts is not None:
            labels = self._labels()
            self.low, self.high = labels[0], labels[-1]

    def segments(self) -> tuple[int, ...] | None:
        """The labels, of what may be a segmentation; of a series of masks, one for each of them."""
        if self._counts is None:
            return None
        labels = self._labels()
        if len(self._volume.grid.size) == 4:
            masks = self._volume.grid.size[3]
            return tuple(range(1, masks + 1)) if set(labels) <= {0, 1} and masks <= MAXIMUM_SEGMENTS else None
        return tuple(labels) if len(labels) <= MAXIMUM_SEGMENTS else None

    def _labels(self) -> list[int]:
        assert self._counts is not None
        present = np.flatnonzero(self._counts).astype(np.uint8)
        return sorted(int(label) for label in present.view(self._volume.type))
