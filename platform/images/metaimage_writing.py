"""The form in which volumes are kept: one `.mha` file, packed, written plane by plane as they are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from podium.platform.images.metadata import Grid
from podium.platform.images.packing import packing_into
from podium.platform.images.previews import PreviewPlanes
from podium.platform.images.problems import ImageRefused, Reason
from podium.platform.images.rescaling import ValueType
from podium.platform.images.value_statistics import ValueStatistics
from podium.platform.images.volumes import Volume

_BLOCK = 1 << 20
_SIZE_DIGITS = 20
_TYPES = {
    "i1": "MET_CHAR",
    "u1": "MET_UCHAR",
    "i2": "MET_SHORT",
    "u2": "MET_USHORT",
    "i4": "MET_INT",
    "u4": "MET_UINT",
    "i8": "MET_LONG_LONG",
    "u8": "MET_ULONG_LONG",
    "f4": "MET_FLOAT",
    "f8": "MET_DOUBLE",
}
_MODALITIES = {"CT": "MET_MOD_CT", "MR": "MET_MOD_MR", "NM": "MET_MOD_NM", "US": "MET_MOD_US"}


@dataclass(frozen=True, slots=True)
class Written:
    """What was learnt while an image was written.

    Attributes:
        planes: Has the plane in the middle.
    """

    statistics: ValueStatistics
    planes: PreviewPlanes


def write_volume(volume: Volume, path: Path, *, threads: int) -> Written:
    """Write a volume to a new `.mha` file.

    Raises:
        ImageRefused: One of its files turns out to be damaged, or to have fewer or more planes.
    """
    statistics, previews = ValueStatistics(volume), PreviewPlanes(volume)
    little = volume.type.newbyteorder("<")
    with path.open("xb") as file:
        head, slot = _header(volume)
        file.write(head)
        with packing_into(file, threads=threads) as packer:
            for block in _blocks(volume, statistics, previews, little):
                packer.add(block)
            packer.finish()
        # The size is only known now: the header has room for it.
        file.seek(slot)
        file.write(str(packer.written).encode().ljust(_SIZE_DIGITS))
    statistics.finish()
    return Written(statistics, previews)


def _blocks(
    volume: Volume, statistics: ValueStatistics, previews: PreviewPlanes, stored: ValueType
) -> Iterator[bytes | memoryview]:
    """Give the voxels in pieces worth packing, however small the planes are."""
    held, size, count = [], 0, 0
    for plane in volume.planes():
        if count == volume.plane_count or plane.shape != volume.plane_shape:
            raise ImageRefused(Reason.CORRUPT, f"Its plane {count + 1} is of another shape than its header says.")
        statistics.add(plane)
        previews.add(count, plane)
        # Without a copy, where the plane lies in memory as it is written: nobody changes it any more.
        held.append(np.ascontiguousarray(plane, stored).data.cast("B"))
        size += plane.nbytes
        count += 1
        if size >= _BLOCK:
            yield held[0] if len(held) == 1 else b"".join(held)
            held, size = [], 0
    if count != volume.plane_count:
        raise ImageRefused(Reason.TRUNCATED, f"It has {count} of the {volume.plane_count} planes that it promises.")
    if held:
        yield b"".join(held)


def _header(volume: Volume) -> tuple[bytes, int]:
    """The header, and where in it the size of the packed voxels goes."""
    grid = volume.grid
    lines = [
        "ObjectType = Image",
        f"NDims = {len(grid.size)}",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        "CompressedData = True",
        "CompressedDataSize = ",
    ]
    before = "\n".join(lines)
    lines = [
        f"TransformMatrix = {_text(_by_axes(grid))}",
        f"Offset = {_text(grid.origin)}",
        f"CenterOfRotation = {_text((0.0,) * len(grid.size))}",
        f"ElementSpacing = {_text(grid.spacing)}",
        f"DimSize = {' '.join(str(length) for length in grid.size)}",
    ]
    if volume.channels > 1:
        lines.append(f"ElementNumberOfChannels = {volume.channels}")
    modality = _MODALITIES.get(volume.attributes.get("Modality", ""), "MET_MOD_UNKNOWN")
    lines.append(f"Modality = {modality}")
    lines += [f"{name} = {value}" for name, value in volume.headers.items()]
    lines += [f"ElementType = {_TYPES[volume.type.str[1:]]}", "ElementDataFile = LOCAL", ""]
    room = " " * _SIZE_DIGITS
    return f"{before}{room}\n{chr(10).join(lines)}".encode(), len(before)


def _by_axes(grid: Grid) -> tuple[float, ...]:
    count = len(grid.size)
    return tuple(grid.direction[row * count + axis] for axis in range(count) for row in range(count))


def _text(numbers: tuple[float, ...]) -> str:
    # `+ 0.0` makes a zero of a negative zero.
    return " ".join(f"{number + 0.0:.17g}" for number in numbers)
