"""What stored values of pixels become: integers where that is exact, floating point only where it must be. Pure.

A CT stores unsigned numbers and says that 1024 is to be taken from each. As floating point that would take twice the
room and gain nothing, so a slope and an intercept of whole numbers give whole numbers, of the smallest type that fits.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[Any]
ValueType = np.dtype[Any]


@dataclass(frozen=True, slots=True)
class Linear:
    """Value = slope x stored + intercept."""

    slope: float = 1.0
    intercept: float = 0.0

    @property
    def changes_nothing(self) -> bool:
        """Whether values are as stored."""
        return self.slope == 1 and self.intercept == 0

    @property
    def is_whole(self) -> bool:
        """Whether whole numbers stay whole, and exact."""
        return all(float(number).is_integer() and abs(number) < 1 << 31 for number in (self.slope, self.intercept))

    def range_of(self, low: int, high: int) -> tuple[int, int]:
        """The least and the largest value of whole numbers in a range, for a slope that is whole."""
        ends = [int(self.slope) * end + int(self.intercept) for end in (low, high)]
        return min(ends), max(ends)


def stored_range(bits: int, *, signed: bool) -> tuple[int, int]:
    """What numbers of so many bits there may be."""
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)


def value_type(stored: ValueType, rescales: Collection[Linear], low: int, high: int) -> ValueType:
    """The type of an image's values.

    Args:
        stored: Type of the stored numbers.
        rescales: Those of its slices.
        low: The least stored number.
        high: The largest.
    """
    if all(rescale.changes_nothing for rescale in rescales):
        return stored
    if not all(rescale.is_whole for rescale in rescales):
        return np.dtype(np.float32)
    ranges = [rescale.range_of(low, high) for rescale in rescales]
    least, largest = min(start for start, _ in ranges), max(end for _, end in ranges)
    for candidate in (stored, np.dtype(np.int16), np.dtype(np.uint16), np.dtype(np.int32)):
        info = np.iinfo(candidate)
        if info.min <= least and largest <= info.max:
            return candidate
    return np.dtype(np.float64)


def rescaled(pixels: Pixels, rescale: Linear, target: ValueType) -> Pixels:
    """Values of stored numbers, in a type that `value_type` gave."""
    if rescale.changes_nothing:
        return pixels.astype(target, copy=False)
    if target.kind == "f":
        return (pixels.astype(np.float64) * rescale.slope + rescale.intercept).astype(target)
    if rescale.slope == 1 and target.itemsize >= pixels.itemsize:
        # In the target's own arithmetic: whatever wraps around on the way comes out right, since the value fits.
        values: Pixels = pixels.view(target) if target.itemsize == pixels.itemsize else pixels.astype(target)
        return values + np.array(int(rescale.intercept)).astype(target)  # type: ignore[no-any-return]
    return (pixels.astype(np.int64) * int(rescale.slope) + int(rescale.intercept)).astype(target)


def low_bits(pixels: Pixels, *, allocated: int, stored: int, high_bit: int, signed: bool) -> Pixels:
    """Drop the bits beside those that are stored: overlays of old, and rubbish."""
    if stored >= allocated:
        return pixels
    if signed:
        up = allocated - 1 - high_bit
        return (pixels << up) >> (allocated - stored)
    return (pixels >> (high_bit + 1 - stored)) & ((1 << stored) - 1)


def inverted(pixels: Pixels, low: float, high: float) -> Pixels:
    """Turn what is shown as white for low values around, within the range that an image has."""
    if pixels.dtype.kind == "f":
        return (low + high - pixels.astype(np.float64)).astype(pixels.dtype)
    return (np.int64(low) + np.int64(high) - pixels.astype(np.int64)).astype(pixels.dtype)
