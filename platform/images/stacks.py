"""Whether parallel slices make a regular volume, and which. Pure.

The rule is never to be silently wrong: slices at uneven distances, with gaps between them or shifted against each other
have no place on a regular grid, and are refused with what was found. What rounded decimals in headers do to positions
is let through, and said where it can be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from podium.platform.images.planes import Orientation, Plane, StackGeometry
from podium.platform.images.problems import Flag, FlagKind, ImageRefused, Reason
from podium.platform.images.vectors import Vector, cross, dot, norm, scaled, subtract

SAME_PLACE = 1e-3
"""Slices that are less than this apart, in mm, are at one place; the finest scanners have slices ten times as far."""
_UNEVEN = 0.1  # of the distance of slices: what is off by more is refused
_SLIGHTLY_UNEVEN = 0.01
_SHIFTED = 0.5  # of a pixel, between the first and the last slice
_SLIGHTLY_SHIFTED = 0.1
_SLANTED = 0.02  # mm of shift for each mm along the normal: about one degree


def axes_of(orientation: Orientation) -> tuple[Vector, Vector]:
    """The directions of rows and of columns, of length one and at right angles whatever decimals made of them."""
    rows: Vector = orientation[:3]
    rows = scaled(rows, 1 / norm(rows))
    columns: Vector = orientation[3:]
    columns = subtract(columns, scaled(rows, dot(rows, columns)))
    return rows, scaled(columns, 1 / norm(columns))


def offsets_of(planes: Sequence[Plane]) -> list[float]:
    """How far along the normal of the first of them parallel planes lie, in mm."""
    orientation = planes[0].orientation
    assert orientation is not None
    # One normal for all: decimals of each plane's own would move it by more than slices are apart.
    normal = cross(*axes_of(orientation))
    return [dot(plane.position, normal) for plane in planes if plane.position is not None]


def stack_geometry(planes: Sequence[Plane]) -> tuple[StackGeometry, list[Flag]]:
    """The grid of slices that follow each other along their normal, one at each place, in order.

    Raises:
        ImageRefused: They are uneven, tilted, or have gaps.
    """
    first = planes[0]
    assert first.position is not None
    assert first.orientation is not None
    flags: list[Flag] = []
    rows, columns = axes_of(first.orientation)
    normal = cross(rows, columns)
    if first.spacing is None:
        flags.append(Flag(FlagKind.SPACING_UNKNOWN, "Its header has no pixel spacing: it is taken as 1 mm."))
    # DICOM's spacing begins with the distance of rows, which is the spacing along y.
    down, along = first.spacing or (1.0, 1.0)
    if len(planes) == 1:
        between = first.slice_spacing
        if not between:
            flags.append(Flag(FlagKind.SLICE_SPACING_UNKNOWN, "It is one slice: its spacing along z is taken as 1 mm."))
    else:
        between = _distance(offsets_of(planes), flags)
        _look_for_shift(planes, (rows, columns, normal), min(down, along), flags)
    direction = tuple(axis[row] for row in range(3) for axis in (rows, columns, normal))
    return StackGeometry((along, down, between or 1.0), first.position, direction), flags


def _distance(offsets: Sequence[float], flags: list[Flag]) -> float:
    """The distance of slices from middle to middle, from where they are along their normal."""
    count = len(offsets) - 1
    mean = (offsets[-1] - offsets[0]) / count
    steps = [after - before for before, after in pairwise(offsets)]
    off = max(
        *(abs(offset - offsets[0] - number * mean) for number, offset in enumerate(offsets)),
        *(abs(step - mean) for step in steps),
    )
    if off > _UNEVEN * mean:
        raise _unevenness(offsets, steps)
    if off > max(_SLIGHTLY_UNEVEN * mean, SAME_PLACE):
        detail = f"Its slices are {mean:.4g} mm apart on average, and up to {off:.3g} mm off."
        flags.append(Flag(FlagKind.SLICES_SLIGHTLY_UNEVEN, detail))
    return mean


def _unevenness(offsets: Sequence[float], steps: Sequence[float]) -> ImageRefused:
    smallest = min(steps)
    usual = median(step for step in steps if step < 1.5 * smallest)
    multiples = [round(step / usual) for step in steps]
    if all(abs(step - times * usual) <= _UNEVEN * usual for step, times in zip(steps, multiples, strict=True)):
        missing = sum(multiples) - len(steps)
        place = next(number for number, times in enumerate(multiples) if times > 1)
        return ImageRefused(
            Reason.MISSING_SLICES,
            f"{missing} of {len(offsets) + missing} slices are missing: they are {usual:.4g} mm apart, but "
            f"{steps[place]:.4g} mm lie between the {place + 1}. and the {place + 2}. of those that are there.",
            "Upload the whole series.",
        )
    return ImageRefused(
        Reason.UNEVEN_SLICES,
        f"Its slices are at uneven distances, from {smallest:.4g} to {max(steps):.4g} mm.",
        "Resample it to even slices, or upload its parts as series of their own.",
    )


def _look_for_shift(
    planes: Sequence[Plane], axes: tuple[Vector, Vector, Vector], pixel: float, flags: list[Flag]
) -> None:
    """Refuse slices whose middles do not lie on one line along their normal."""
    rows, columns, normal = axes
    shifts = []
    first = planes[0].position
    assert first is not None
    for plane in planes:
        assert plane.position is not None
        way = subtract(plane.position, first)
        shifts.append((dot(way, rows) ** 2 + dot(way, columns) ** 2) ** 0.5)
    largest = max(shifts)
    assert planes[-1].position is not None
    run = dot(subtract(planes[-1].position, first), normal)
    if largest > (_SLIGHTLY_SHIFTED if largest > _SLANTED * run else _SHIFTED) * pixel:
        raise ImageRefused(
            Reason.TILTED,
            f"Its slices are shifted against each other, by up to {largest:.4g} mm over {run:.4g} mm, as a tilted "
            "gantry does.",
            "Resample it to slices that lie straight above each other.",
        )
    if largest > _SLIGHTLY_SHIFTED * pixel:
        flags.append(Flag(FlagKind.SLIGHTLY_TILTED, f"Its slices are shifted by up to {largest:.3g} mm."))
