"""Which way a slice lies in a body, and is shown: as radiologists do, the patient's right on the left. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import permutations

from podium.platform.images.metadata import Grid

_TOWARDS, _FROM = "LPS", "RAI"
"""Where the axes of DICOM lead to, and where they come from: left, posterior and superior."""
_NAMES = ("Sagittal", "Coronal", "Axial")
"""What a slice is called, by the axis of the body that it cuts across."""
_SHOWN: tuple[tuple[tuple[int, bool], tuple[int, bool]], ...] = (
    ((1, True), (2, False)),  # sagittal: from anterior to posterior, from superior to inferior
    ((0, True), (2, False)),  # coronal: from right to left, from superior to inferior
    ((0, True), (1, True)),  # axial: from right to left, from anterior to posterior
)
"""To the right and down: along which axis of the body, and whether with it."""


class VoxelAxis(StrEnum):
    """An axis of the voxels: `x` runs along a row, `y` from row to row, `z` from slice to slice."""

    X = "x"
    Y = "y"
    Z = "z"

    @property
    def number(self) -> int:
        """Its place in a grid."""
        return "xyz".index(self.value)


@dataclass(frozen=True, slots=True)
class View:
    """Slices across one axis, as they are shown.

    Attributes:
        axis: What they are cut across.
        name: `Axial`, `Coronal` or `Sagittal` by the nearest axis of the body; else how they lie in the file.
        count: How many slices there are.
        across: The voxels' axis that runs to the right, or to the left where it is `turned_across`.
        down: The voxels' axis that runs down, or up where it is `turned_down`.
        letters: What lies to the left, right, top and bottom; empty where nobody knows.
        width: Of a slice, in mm, or in voxels where their size is not known.
        height: The same.
    """

    axis: VoxelAxis
    name: str
    count: int
    across: int
    down: int
    turned_across: bool
    turned_down: bool
    letters: tuple[str, str, str, str]
    width: float
    height: float


def views(grid: Grid, *, is_placed: bool) -> tuple[View, ...]:
    """The ways to cut an image: one for what is flat, three for what is not.

    Args:
        is_placed: Whether its directions are those of a body.
    """
    if len(grid.size) < 3:
        return (_as_stored(grid, VoxelAxis.Z, "Plane"),)
    axes = list(VoxelAxis) if grid.size[2] > 1 else [VoxelAxis.Z]
    if not is_placed:
        return tuple(_as_stored(grid, axis, f"Across {axis}") for axis in reversed(axes))
    of_body = _nearest(grid)
    made = [_in_body(grid, axis, of_body) for axis in axes]
    return tuple(sorted(made, key=lambda view: ("Axial", "Coronal", "Sagittal").index(view.name)))


def _as_stored(grid: Grid, axis: VoxelAxis, name: str) -> View:
    across, down = (other for other in range(3) if other != axis.number)
    count = grid.size[axis.number] if axis.number < len(grid.size) else 1
    return View(
        axis,
        name,
        count,
        across,
        down,
        turned_across=False,
        turned_down=False,
        letters=("", "", "", ""),
        width=_extent(grid, across),
        height=_extent(grid, down),
    )


def _in_body(grid: Grid, axis: VoxelAxis, of_body: tuple[tuple[int, bool], ...]) -> View:
    cut = of_body[axis.number][0]
    found = {body: (voxels, is_along) for voxels, (body, is_along) in enumerate(of_body)}
    (right, to_positive), (below, down_positive) = _SHOWN[cut]
    across, across_along = found[right]
    down, down_along = found[below]
    left_right = (_FROM[right], _TOWARDS[right])
    top_bottom = (_FROM[below], _TOWARDS[below]) if down_positive else (_TOWARDS[below], _FROM[below])
    return View(
        axis,
        _NAMES[cut],
        grid.size[axis.number],
        across,
        down,
        turned_across=across_along != to_positive,
        turned_down=down_along != down_positive,
        letters=(*left_right, *top_bottom),
        width=_extent(grid, across),
        height=_extent(grid, down),
    )


def _nearest(grid: Grid) -> tuple[tuple[int, bool], ...]:
    """For each axis of the voxels the nearest axis of the body, all different, and whether it runs along it."""
    count = len(grid.size)
    along = [[grid.direction[body * count + voxels] for body in range(3)] for voxels in range(3)]
    best = max(permutations(range(3)), key=lambda order: sum(abs(along[axis][order[axis]]) for axis in range(3)))
    return tuple((body, along[axis][body] > 0) for axis, body in enumerate(best))


def _extent(grid: Grid, axis: int) -> float:
    return grid.size[axis] * grid.spacing[axis]


@dataclass(frozen=True, slots=True)
class Mapping:
    """From voxels of one grid to those of another: `places = matrix x indices + offset`."""

    matrix: tuple[tuple[float, float, float], ...]
    offset: tuple[float, float, float]


def are_same(one: Grid, other: Grid, *, are_placed: bool) -> bool:
    """Whether the voxels of two grids lie at the same places, to a tenth of a voxel; time is not looked at.

    Args:
        are_placed: Whether both say where they are: else what is of the same size is taken to be there.
    """
    if _three(one) != _three(other):
        return False
    if not are_placed or len(one.size) < 3 or len(other.size) < 3:
        return True
    size, way = _three(one), mapping(one, other)
    corners = [tuple(place * (length - 1) for place, length in zip(corner, size, strict=True)) for corner in _CORNERS]
    return all(
        abs(there - here) <= 0.1 for corner in corners for there, here in zip(_mapped(way, corner), corner, strict=True)
    )


_CORNERS = tuple((x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1))


def mapping(one: Grid, other: Grid) -> Mapping:
    """The way from voxels of one grid to those of another, both with three axes in space."""
    back = _inverse(_steps(other))
    steps = _steps(one)
    shift = [one.origin[axis] - other.origin[axis] for axis in range(3)]
    matrix = tuple(
        _triple(sum(back[row][inner] * steps[inner][column] for inner in range(3)) for column in range(3))
        for row in range(3)
    )
    return Mapping(matrix, _triple(sum(back[row][inner] * shift[inner] for inner in range(3)) for row in range(3)))


def _mapped(way: Mapping, indices: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(
        sum(weight * index for weight, index in zip(row, indices, strict=True)) + shift
        for row, shift in zip(way.matrix, way.offset, strict=True)
    )


def _three(grid: Grid) -> tuple[int, int, int]:
    width, height, *more = grid.size
    return width, height, more[0] if more else 1


def _steps(grid: Grid) -> list[list[float]]:
    """From voxel to voxel in mm: a column for each axis."""
    count = len(grid.size)
    return [[grid.direction[row * count + axis] * grid.spacing[axis] for axis in range(3)] for row in range(3)]


def _inverse(matrix: list[list[float]]) -> list[list[float]]:
    (a, b, c), (d, e, f), (g, h, i) = matrix
    first, second, third = e * i - f * h, f * g - d * i, d * h - e * g
    determinant = a * first + b * second + c * third
    if not math.isfinite(determinant) or determinant == 0:
        raise ValueError("the axes do not span a space")
    rows = (
        (first, c * h - b * i, b * f - c * e),
        (second, a * i - c * g, c * d - a * f),
        (third, b * g - a * h, a * e - b * d),
    )
    return [[number / determinant for number in row] for row in rows]


def _triple(numbers: Iterable[float]) -> tuple[float, float, float]:
    x, y, z = numbers
    return x, y, z
