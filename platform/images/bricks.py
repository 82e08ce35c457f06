"""Voxels in bricks: small blocks that lie together in a file, so that a slice in any direction reads little of it.

In the order of files from scanners, a slice across x touches each page of the whole file. Bricks have up to
16 x 64 x 64 voxels, so that such a slice reads an eighth of a CT, and one across z no more than its own voxels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from podium.platform.images.rescaling import Pixels

_DEPTH, _SIDE = 16, 64
_SLAB_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class BrickLayout:
    """How voxels lie in a file of bricks.

    Attributes:
        size: Along x, y, z and time.
        channels: Values for each voxel.
        type: Of the values, as numpy names it, in this machine's byte order.
        brick: Voxels of a brick along x, y and z; those at the ends are filled up with zeros.
    """

    size: tuple[int, int, int, int]
    channels: int
    type: str
    brick: tuple[int, int, int]

    @property
    def bricks(self) -> tuple[int, int, int]:
        """How many there are along x, y and z."""
        x, y, z = (-(-length // side) for length, side in zip(self.size[:3], self.brick, strict=True))
        return x, y, z

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the file as an array: time, bricks along z, y, x, and voxels of each along z, y, x, and values."""
        return (self.size[3], *reversed(self.bricks), *reversed(self.brick), self.channels)

    @property
    def bytes(self) -> int:
        """Of the file."""
        return math.prod(self.shape) * np.dtype(self.type).itemsize


def layout_for(size: tuple[int, ...], channels: int, type_name: str) -> BrickLayout:
    """Bricks that fill an image of this size with little to spare, of which a layer fits into memory.

    Args:
        size: Along x, y, and where there are such axes z and time.
    """
    width, height, depth, times = (*size, *(1, 1))[:4]
    plane_bytes = width * height * channels * np.dtype(type_name).itemsize
    deepest = max(1, min(_DEPTH, _SLAB_BYTES // max(plane_bytes, 1)))
    brick = (_even(width, _SIDE), _even(height, _SIDE), _even(depth, deepest))
    return BrickLayout((width, height, depth, times), channels, type_name, brick)


def _even(length: int, most: int) -> int:
    """The side of bricks of at most so many voxels, of which as few as possible fill a length about evenly."""
    return -(-length // -(-length // most))


def write_bricks(planes: Iterator[Pixels], layout: BrickLayout, file: BinaryIO) -> None:
    """Write planes, slice after slice for each time point, as bricks.

    Raises:
        ValueError: There are fewer or more planes than the layout says.
    """
    width, height, depth, times = layout.size
    across, down, _ = layout.bricks
    side_x, side_y, side_z = layout.brick
    for _ in range(times):
        for first in range(0, depth, side_z):
            slab = np.zeros((side_z, down * side_y, across * side_x, layout.channels), layout.type)
            for number in range(min(side_z, depth - first)):
                plane = next(planes, None)
                if plane is None:
                    raise ValueError("there are fewer planes than there should be")
                slab[number, :height, :width] = plane.reshape(height, width, layout.channels)
            divided = slab.reshape(side_z, down, side_y, across, side_x, layout.channels)
            file.write(np.ascontiguousarray(divided.transpose(1, 3, 0, 2, 4, 5)).data.cast("B"))
    if next(planes, None) is not None:
        raise ValueError("there are more planes than there should be")


class BrickedVoxels:
    """The voxels of a file of bricks, of which what is asked for is read.

    Args:
        path: The file, which may be removed while this is in use.

    Raises:
        ValueError: It is not of the size that the layout says.
    """

    def __init__(self, path: Path, layout: BrickLayout) -> None:
        if path.stat().st_size != layout.bytes:
            raise ValueError(f"{path} has {path.stat().st_size} bytes, and not {layout.bytes}")
        self.layout = layout
        self._voxels = np.memmap(path, layout.type, "r", shape=layout.shape)

    def plane(self, axis: int, index: int, time: int = 0, *, steps: tuple[int, int] = (1, 1)) -> Pixels:
        """One slice: rows and columns along the two other axes, the later one of x, y, z down, and values.

        Args:
            axis: 0, 1 or 2: the one that the slice lies across.
            steps: Of rows and columns, every so manieth is read.
        """
        across, down = (other for other in range(3) if other != axis)
        number, inside = divmod(index, self.layout.brick[axis])
        # Bricks down and across, and in each of them rows, columns and values.
        if axis == 2:
            bricks = self._voxels[time, number, :, :, inside]
        elif axis == 1:
            bricks = self._voxels[time, :, number, :, :, inside]
        else:
            bricks = self._voxels[time, :, :, number, :, :, inside]
        rows, columns = self.layout.size[down], self.layout.size[across]
        side, step = self.layout.brick[down], steps[0]
        made = np.empty((-(-rows // step), -(-columns // steps[1]), self.layout.channels), self.layout.type)
        for place, strip in enumerate(bricks):
            first = -(place * side) % step
            part = strip.swapaxes(0, 1).reshape(side, -1, self.layout.channels)
            taken = part[first : rows - place * side : step, : columns : steps[1]]
            begin = -(-place * side // step)
            made[begin : begin + len(taken)] = taken
        return made

    def at(self, x: NDArray[np.intp], y: NDArray[np.intp], z: NDArray[np.intp], time: int = 0) -> Pixels:
        """Voxels by their indices, which must be of the image: an array of their shape, and values."""
        side_x, side_y, side_z = self.layout.brick
        found: Pixels = self._voxels[time, z // side_z, y // side_y, x // side_x, z % side_z, y % side_y, x % side_x]
        return found
