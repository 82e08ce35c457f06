"""The slices of a series as typed values, and the images that they make. Everything here is pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from podium.platform.images.problems import Flag, Reason, Refusal
from podium.platform.images.vectors import Vector

Key = str | float
Orientation = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Plane:
    """One two-dimensional image of a series.

    Attributes:
        file: Which file of the group it is in.
        frame: Which frame of that file.
        position: The middle of its first pixel, in mm.
        orientation: Directions of its rows, then of its columns.
        spacing: From row to row, then from column to column, in mm, as DICOM orders them.
        shape: Rows, columns, and values for each pixel.
        instance: Its number in the series; in doubt, what came first.
        keys: What may tell planes at one place apart, times, echoes and the like, by the names of `repeats`.
        uid: The identity that its maker gave it.
        slice_spacing: The distance of slices that its header names, in mm.
    """

    file: int
    frame: int
    position: Vector | None
    orientation: Orientation | None
    spacing: tuple[float, float] | None
    shape: tuple[int, int, int]
    instance: int = 0
    keys: tuple[tuple[str, Key], ...] = ()
    uid: str = ""
    slice_spacing: float | None = None

    def key(self, name: str) -> Key | None:
        """One of its keys, or `None`."""
        return next((value for known, value in self.keys if known == name), None)


@dataclass(frozen=True, slots=True)
class StackGeometry:
    """Where the voxels of parallel slices are.

    Attributes:
        spacing: Along x (in a row), y (from row to row) and z (from slice to slice), in mm.
        origin: The middle of the first voxel.
        direction: Of the three axes: a matrix by rows, whose columns they are.
    """

    spacing: tuple[float, float, float]
    origin: Vector
    direction: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Stack:
    """Planes that make one image.

    Attributes:
        planes: In the order of the voxels: slices from first to last, for each time point.
        timepoints: None for what has no time.
        geometry: Where they are; none for planes without a place, which become flat images.
        duplicates: Planes to leave out if their pixels equal those of the one that is kept, by its index in `planes`.
    """

    planes: tuple[Plane, ...]
    timepoints: int | None
    geometry: StackGeometry | None
    flags: tuple[Flag, ...] = ()
    duplicates: tuple[tuple[int, Plane], ...] = ()


@dataclass(frozen=True, slots=True)
class RefusedPlanes:
    """Planes that become no image."""

    planes: tuple[Plane, ...]
    refusal: Refusal


@dataclass(slots=True)
class Arrangement:
    """What a series became."""

    stacks: list[Stack] = field(default_factory=list)
    refused: list[RefusedPlanes] = field(default_factory=list)

    def refuse(self, planes: Iterable[Plane], reason: Reason, detail: str, remedy: str = "") -> None:
        """Add planes that become no image."""
        self.refused.append(RefusedPlanes(tuple(planes), Refusal(reason, detail, remedy)))
