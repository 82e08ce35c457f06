"""Several planes at one place: time points, parts that are images of their own, or the same slice again. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

from podium.platform.images.planes import Arrangement, Plane, Stack
from podium.platform.images.problems import Flag, FlagKind, ImageRefused, Reason
from podium.platform.images.stacks import SAME_PLACE, offsets_of, stack_geometry

EXPLICIT_TIMES = ("temporal_index", "temporal_identifier")
"""Keys by which a scanner numbers time points: every one of them has every slice, or something is missing."""
PARTS = ("stack", "segment", "echo", "echo_time", "b_value", "gradient", "image_type")
"""Keys of planes that are images of their own: other stacks, labels, contrasts."""
IMPLICIT_TIMES = ("trigger_time", "acquisition", "acquisition_time", "content_time")
"""Keys that order what was taken at one place one after the other."""


def stack_up(planes: Sequence[Plane], made: Arrangement, flags: tuple[Flag, ...] = ()) -> None:
    """Make images of parallel planes of one size, wherever several share a place."""
    places = _places(planes)
    if max(Counter(places).values()) == 1:
        _add(_sorted(planes, places), None, made, flags)
        return
    for name in EXPLICIT_TIMES:
        if _tells_apart(planes, places, name):
            _add_times(planes, places, name, made, flags)
            return
    for name in PARTS:
        if parts := _parts(planes, places, name):
            told = Flag(FlagKind.SPLIT_SERIES, f"Its series was divided by {name.replace('_', ' ')}.")
            for part in parts:
                stack_up(part, made, flags if told in flags else (*flags, told))
            return
    if len(set(Counter(places).values())) == 1:
        for name in IMPLICIT_TIMES:
            if _tells_apart(planes, places, name):
                _add_times(planes, places, name, made, flags)
                return
    _add_without_duplicates(planes, places, made, flags)


def _places(planes: Sequence[Plane]) -> list[int]:
    """Number the places along the normal, from the first to the last, and give each plane's."""
    offsets = offsets_of(planes)
    order = sorted(range(len(planes)), key=lambda index: offsets[index])
    places = [0] * len(planes)
    for before, index in pairwise(order):
        places[index] = places[before] + (offsets[index] - offsets[before] > SAME_PLACE)
    return places


def _sorted(planes: Sequence[Plane], places: Sequence[int]) -> list[Plane]:
    return [plane for _, plane in sorted(zip(places, planes, strict=True), key=lambda pair: pair[0])]


def _tells_apart(planes: Sequence[Plane], places: Sequence[int], name: str) -> bool:
    """Whether every plane has this key, and no two planes at one place the same."""
    seen = {(place, plane.key(name)) for place, plane in zip(places, planes, strict=True)}
    return len(seen) == len(planes) and all(value is not None for _, value in seen)


def _parts(planes: Sequence[Plane], places: Sequence[int], name: str) -> list[list[Plane]]:
    """Divide planes by a key, if that leaves fewer at one place; else none."""
    parts: dict[object, list[int]] = defaultdict(list)
    for index, plane in enumerate(planes):
        parts[plane.key(name)].append(index)
    if None in parts or len(parts) < 2:
        return []
    before = max(Counter(places).values())
    after = max(max(Counter(places[index] for index in part).values()) for part in parts.values())
    if after >= before:
        return []
    return [[planes[index] for index in part] for part in parts.values()]


def _add_times(
    planes: Sequence[Plane], places: Sequence[int], name: str, made: Arrangement, flags: tuple[Flag, ...]
) -> None:
    at: dict[int, list[Plane]] = defaultdict(list)
    for place, plane in zip(places, planes, strict=True):
        at[place].append(plane)
    values = {plane.key(name) for plane in planes}
    complete = name in IMPLICIT_TIMES or all(len(found) == len(values) for found in at.values())
    if not complete:
        counts = sorted({len(found) for found in at.values()})
        made.refuse(
            planes,
            Reason.UNEVEN_TIME_POINTS,
            f"Not every one of its {len(values)} time points has all of its {len(at)} slices: there are {len(planes)} "
            f"slices in all, and {counts[0]} to {counts[-1]} at one place.",
            "Upload the whole series.",
        )
        return
    for found in at.values():
        found.sort(key=lambda plane: _ordered(plane.key(name)))
    count = len(at[0])
    _add([at[place][time] for time in range(count) for place in range(len(at))], count, made, flags)


def _ordered(value: str | float | None) -> tuple[float, str]:
    return (float(value), "") if isinstance(value, int | float) else (0.0, value or "")


def _add(
    ordered: Sequence[Plane],
    timepoints: int | None,
    made: Arrangement,
    flags: tuple[Flag, ...],
    duplicates: Sequence[tuple[int, Plane]] = (),
) -> None:
    count = len(ordered) // (timepoints or 1)
    try:
        geometry, found = stack_geometry(ordered[:count])
        for time in range(1, timepoints or 1):
            _require_same_places(ordered[:count], ordered[time * count : (time + 1) * count])
    except ImageRefused as error:
        everything = [*ordered, *(plane for _, plane in duplicates)]
        made.refuse(everything, error.refusal.reason, error.refusal.detail, error.refusal.remedy)
        return
    made.stacks.append(Stack(tuple(ordered), timepoints, geometry, (*flags, *found), tuple(duplicates)))


def _require_same_places(first: Sequence[Plane], later: Sequence[Plane]) -> None:
    for one, other in zip(first, later, strict=True):
        assert one.position is not None
        assert other.position is not None
        pixel = min(one.spacing or (1.0, 1.0))
        if max(abs(a - b) for a, b in zip(one.position, other.position, strict=True)) > pixel / 2:
            raise ImageRefused(Reason.BAD_GEOMETRY, "Its time points do not lie at the same place.")


def _add_without_duplicates(
    planes: Sequence[Plane], places: Sequence[int], made: Arrangement, flags: tuple[Flag, ...]
) -> None:
    kept: dict[int, Plane] = {}
    again: list[tuple[int, Plane]] = []
    for place, plane in sorted(zip(places, planes, strict=True), key=lambda pair: (pair[0], pair[1].instance)):
        if kept.setdefault(place, plane) is not plane:
            again.append((place, plane))
    told = Flag(FlagKind.DUPLICATES_DROPPED, f"{len(again)} slices were there again, with the same pixels.")
    _add([kept[place] for place in range(len(kept))], None, made, (*flags, told), again)
