"""Small pictures of an image: its middle plane, with the window that its header suggests or that its values do."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from podium.platform.images.rescaling import Pixels
from podium.platform.images.volumes import Volume

THUMBNAIL = 256
PREVIEW = 1024
_QUALITY = 90
_FLATTEST = 0.1
_LOWEST, _HIGHEST = 0.5, 99.5  # percentiles
_SAMPLES = 1 << 18


class PreviewPlanes:
    """Keeps the plane in the middle as the planes of a volume pass."""

    def __init__(self, volume: Volume) -> None:
        depth = volume.grid.size[2] if len(volume.grid.size) > 2 else 1
        times = volume.plane_count // depth
        self._middle = times // 2 * depth + depth // 2
        self.middle: Pixels | None = None

    def add(self, number: int, plane: Pixels) -> None:
        """Look at a plane."""
        if number == self._middle:
            self.middle = np.array(plane)


def write_pictures(
    plane: Pixels, folder: Path, *, window: tuple[float, float] | None, aspect: float, labels: bool = False
) -> tuple[str, str]:
    """Write a thumbnail and a preview of a plane, and give their names.

    They are PNG where values are labels, which must not run into each other, and else JPEG, which is made quickly.

    Args:
        window: Centre and width of the values to show.
        aspect: Height of a pixel for its width.
        labels: The values are labels: all of their range is shown.
    """
    picture = Image.fromarray(shown(plane, window, labels=labels))
    picture = picture.convert("RGB") if picture.mode == "RGBA" else picture
    height = picture.height * (aspect if _FLATTEST <= aspect <= 1 / _FLATTEST else 1.0)
    names, sizes = [], []
    for name, most in (("thumbnail", THUMBNAIL), ("preview", PREVIEW)):
        scale = min(1.0, most / max(picture.width, height))
        sizes.append((max(1, round(picture.width * scale)), max(1, round(height * scale))))
        names.append(f"{name}.png" if labels else f"{name}.jpg")
        if sizes[-1] == sizes[0] and len(sizes) > 1:
            shutil.copyfile(folder / names[0], folder / names[-1])
        elif labels:
            picture.resize(sizes[-1], Image.Resampling.NEAREST).save(folder / names[-1], compress_level=1)
        else:
            small = picture.resize(sizes[-1], Image.Resampling.BILINEAR, reducing_gap=2.0)
            small.save(folder / names[-1], quality=_QUALITY)
    return names[0], names[1]


def shown(plane: Pixels, window: tuple[float, float] | None, *, labels: bool = False) -> NDArray[np.uint8]:
    """What to see of a plane: brightness, or colours, from 0 to 255."""
    if plane.ndim == 3:
        return _colours(plane)
    if plane.dtype == np.bool_:
        plane = plane.astype(np.uint8)
    low, high = _range(plane, labels=labels) if window is None else _edges(*window)
    values = np.nan_to_num(plane.astype(np.float32), nan=low, posinf=high, neginf=low)
    scaled = (values - low) * (255.0 / (high - low))
    picture: NDArray[np.uint8] = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    return picture


def _edges(center: float, width: float) -> tuple[float, float]:
    width = max(width, 1e-6)
    return center - width / 2, center + width / 2


def _range(plane: Pixels, *, labels: bool) -> tuple[float, float]:
    flat = plane.reshape(-1)
    sample = flat[:: max(1, flat.size // _SAMPLES)].astype(np.float64)
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return 0.0, 1.0
    low, high = (sample.min(), sample.max()) if labels else np.percentile(sample, (_LOWEST, _HIGHEST))
    return (float(low), float(high)) if high > low else (float(low), float(low) + 1.0)


def _colours(plane: Pixels) -> NDArray[np.uint8]:
    if plane.dtype == np.uint8:
        return plane
    if plane.dtype == np.uint16:
        return (plane >> 8).astype(np.uint8)
    values = np.nan_to_num(plane.astype(np.float64))
    low, high = float(values.min()), float(values.max())
    return np.rint((values - low) * (255.0 / ((high - low) or 1.0))).astype(np.uint8)
