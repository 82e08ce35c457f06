"""An image that was imported, unpacked into bricks for slices of it to be read. Runs in a child process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from podium.platform.images.bricks import BrickLayout, layout_for, write_bricks
from podium.platform.images.job_kinds import Unpacked, UnpackJob
from podium.platform.images.metadata import ImageType
from podium.platform.images.problems import ImageRefused, Reason
from podium.platform.images.rescaling import Pixels

_LOWEST, _HIGHEST = 0.5, 99.5
"""Percentiles: some values that stand out must not make all others look alike."""
_SAMPLES = 1 << 18


def unpack(job: UnpackJob) -> Unpacked:
    """Unpack an image.

    Raises:
        ImageRefused: It is damaged, or too large.
    """
    layout, planes = _of_slide(job) if job.type is ImageType.TIFF else _of_volume(job)
    if layout.bytes > job.limits.file_bytes:
        raise ImageRefused(
            Reason.TOO_LARGE, f"It has {layout.bytes} bytes of voxels; {job.limits.file_bytes} may be looked at."
        )
    sample = _Sample(layout)
    with Path(job.target).open("xb") as file:
        write_bricks(sample.seen(planes), layout, file)
    low, high = sample.edges()
    return Unpacked(layout, low, high)


def _of_volume(job: UnpackJob) -> tuple[BrickLayout, Iterator[Pixels]]:
    from podium.platform.images import metaimage  # noqa: PLC0415 -- as in `making`

    path = Path(job.path)
    volume = metaimage.open_volume("image", path, path, most_bytes=job.limits.voxel_bytes)
    return layout_for(volume.grid.size, volume.channels, volume.type.name), volume.planes()


def _of_slide(job: UnpackJob) -> tuple[BrickLayout, Iterator[Pixels]]:
    from tifffile import TiffFile  # noqa: PLC0415

    from podium.platform.images.tiff_pages import damage_named  # noqa: PLC0415
    from podium.platform.images.tiff_slides import picture_of  # noqa: PLC0415

    with damage_named(), TiffFile(job.path) as tiff:
        picture = picture_of([page.aspage() for page in tiff.pages], job.side)
    channels = picture.shape[2] if picture.ndim == 3 else 1
    layout = layout_for((picture.shape[1], picture.shape[0]), channels, picture.dtype.newbyteorder("=").name)
    return layout, iter((picture,))


class _Sample:
    """Some of the values that pass, evenly over all of them."""

    def __init__(self, layout: BrickLayout) -> None:
        width, height, depth, times = layout.size
        self._step = max(1, width * height * depth * times // _SAMPLES) if layout.channels == 1 else 0
        self._taken: list[Pixels] = []
        self._passed = 0

    def seen(self, planes: Iterator[Pixels]) -> Iterator[Pixels]:
        """Give planes on as they come."""
        for plane in planes:
            if self._step:
                self._taken.append(plane.reshape(-1)[-self._passed % self._step :: self._step].copy())
                self._passed += plane.size
            yield plane

    def edges(self) -> tuple[float | None, float | None]:
        """The range that most values are in."""
        values = np.concatenate(self._taken).astype(np.float64) if self._taken else np.empty(0)
        values = values[np.isfinite(values)]
        if not values.size:
            return None, None
        low, high = np.percentile(values, (_LOWEST, _HIGHEST))
        if high <= low:
            low, high = values.min(), values.max()
        return float(low), float(high)
