"""Values onto the brightness of a picture, by DICOM's functions (PS3.3, C.11.2.1.2). Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from podium.platform.images.rescaling import Pixels

_NARROWEST = 1e-9


@dataclass(frozen=True, slots=True)
class Window:
    """The values that are told apart: `center` is a middle grey, and `width` reaches from black to white."""

    center: float
    width: float


PRESETS = {
    "brain": Window(40, 80),
    "lung": Window(-600, 1500),
    "bone": Window(480, 2500),
    "abdomen": Window(60, 400),
}
"""What radiologists look at a CT with, in Hounsfield units."""


def window_of(low: float, high: float) -> Window:
    """The window that just shows a range, for whole numbers as for fractions."""
    return Window((low + high) / 2, max(high - low, _NARROWEST))


def brightness(values: Pixels, window: Window) -> NDArray[np.uint8]:
    """Values as they are shown, from 0 for black to 255 for white.

    Whole numbers in a window of at least one go by DICOM's function LINEAR, which takes half a value and one of width
    away; all else by LINEAR_EXACT, since fractions may need windows that are narrower. What is no number is black.
    """
    center, width = window.center, max(window.width, _NARROWEST)
    if values.dtype.kind in "iu" and width >= 1:
        center, width = center - 0.5, width - 1
        if values.dtype.itemsize == 1:  # each value once, and not each pixel
            first = int(np.iinfo(values.dtype).min)
            all_values = np.arange(first, first + 256, dtype=np.float32)
            table = _linear(all_values, center, width)
            return table[values.astype(np.int16) - first]
    numbers = values.astype(np.float64 if values.dtype.itemsize > 4 else np.float32)
    if values.dtype.kind == "f":
        numbers = np.nan_to_num(numbers, copy=False, nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    return _linear(numbers, center, width)


def _linear(numbers: Pixels, center: float, width: float) -> NDArray[np.uint8]:
    if width == 0:
        return np.where(numbers > center, np.uint8(255), np.uint8(0))
    scaled = (numbers - center) * (255.0 / width) + 127.5
    shown: NDArray[np.uint8] = np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)
    return shown
