"""How the planes of a series divide into images, before any pixel is read.

A series that arrives is seldom one clean stack: localizers lie in it, sizes are mixed, time points and echoes share
places, slices are there twice. `arrange` turns its planes into stacks, each of which is one image, and refuses with a
reason what would have to be guessed. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from podium.platform.images.planes import Arrangement, Plane, Stack
from podium.platform.images.problems import Flag, FlagKind, Reason
from podium.platform.images.repeats import stack_up
from podium.platform.images.vectors import Vector, dot, norm

SAME_DIRECTION = 2e-3
"""How far two direction cosines, as written in decimals, may differ and be one direction: about 0.1 degrees."""
_SAME_SPACING = 1e-3
_MOST_DIRECTIONS = 256
_ORTHOGONAL = 1e-2


def arrange(planes: Sequence[Plane]) -> Arrangement:
    """Divide the planes of one series into the images that they make; every plane is in one of them, or refused."""
    made = Arrangement()
    ordered, copies = _without_copies(sorted(planes, key=lambda plane: (plane.instance, plane.file, plane.frame)))
    placed = [plane for plane in ordered if plane.position is not None and plane.orientation is not None]
    loose = [plane for plane in ordered if plane.position is None or plane.orientation is None]
    if placed and loose:
        detail = "It has no position or orientation, though others of its series have one."
        made.refuse(loose, Reason.NO_POSITION, detail)
    elif loose:
        made.stacks += _flat_images(loose)
    groups = _by_direction(placed, made)
    told = Flag(FlagKind.SPLIT_SERIES, f"The slices of its series have {len(groups)} directions: each is an image.")
    for group in groups:
        for part, flags in _of_one_size(group, made):
            stack_up(part, made, (told, *flags) if len(groups) > 1 else flags)
    _give_back(copies, made)
    return made


def _without_copies(planes: Sequence[Plane]) -> tuple[list[Plane], dict[Plane, list[Plane]]]:
    """Leave out what is there twice by its own identity, as when a folder was uploaded again."""
    first: dict[Plane, Plane] = {}
    copies: dict[Plane, list[Plane]] = defaultdict(list)
    for plane in planes:
        kept = first.setdefault(replace(plane, file=0), plane) if plane.uid else plane
        if kept is not plane:
            copies[kept].append(plane)
    return [plane for plane in planes if not plane.uid or first[replace(plane, file=0)] is plane], copies


def _give_back(copies: dict[Plane, list[Plane]], made: Arrangement) -> None:
    """Let copies share the fate of what they are copies of."""
    if not copies:
        return
    for number, stack in enumerate(made.stacks):
        again = [(index, copy) for index, plane in enumerate(stack.planes) for copy in copies.get(plane, ())]
        if again:
            told = Flag(FlagKind.DUPLICATES_DROPPED, f"{len(again)} slices were there again, with the same pixels.")
            made.stacks[number] = replace(stack, duplicates=(*stack.duplicates, *again), flags=(*stack.flags, told))
    for refused in list(made.refused):
        if again := [(0, copy) for plane in refused.planes for copy in copies.get(plane, ())]:
            made.refuse((copy for _, copy in again), refused.refusal.reason, refused.refusal.detail)


def _flat_images(planes: Sequence[Plane]) -> Iterator[Stack]:
    """Give images of planes without a place: one for each file, with its frames as time points."""
    by_file: dict[int, list[Plane]] = defaultdict(list)
    for plane in planes:
        by_file[plane.file].append(plane)
    for frames in by_file.values():
        flags = []
        if frames[0].spacing is None:
            flags.append(Flag(FlagKind.SPACING_UNKNOWN, "Its header has no pixel spacing."))
        if len(frames) > 1:
            flags.append(Flag(FlagKind.NO_POSITIONS, "Its frames have no positions: they are kept as time points."))
        elif len(by_file) > 1:
            detail = f"The {len(by_file)} files of its series have no positions: each is an image of its own."
            flags.append(Flag(FlagKind.NO_POSITIONS, detail))
        count = len(frames) if len(frames) > 1 else None
        yield Stack(tuple(sorted(frames, key=lambda plane: plane.frame)), count, None, tuple(flags))


def _by_direction(planes: Sequence[Plane], made: Arrangement) -> list[list[Plane]]:
    groups: list[list[Plane]] = []
    for plane in planes:
        assert plane.orientation is not None
        if fault := _orientation_fault(plane.orientation):
            made.refuse([plane], Reason.BAD_GEOMETRY, fault)
            continue
        for group in groups:
            known = group[0].orientation or ()
            if all(abs(a - b) <= SAME_DIRECTION for a, b in zip(plane.orientation, known, strict=True)):
                group.append(plane)
                break
        else:
            if len(groups) == _MOST_DIRECTIONS:
                made.refuse([plane], Reason.BAD_GEOMETRY, f"Its series has more than {_MOST_DIRECTIONS} directions.")
                continue
            groups.append([plane])
    return groups


def _orientation_fault(orientation: tuple[float, float, float, float, float, float]) -> str | None:
    rows: Vector = orientation[:3]
    columns: Vector = orientation[3:]
    off = max(abs(norm(rows) - 1), abs(norm(columns) - 1), abs(dot(rows, columns)))
    if not off <= _ORTHOGONAL:  # so that what is no number is at fault too
        return "The directions of its rows and columns are not at right angles, or not of length one."
    return None


def _of_one_size(planes: list[Plane], made: Arrangement) -> Iterator[tuple[list[Plane], tuple[Flag, ...]]]:
    """Keep the planes of the size, and then of the spacing, that most have, and refuse the others."""
    left = _majority(planes, lambda one, other: one.shape == other.shape, lambda plane: _size_text(plane.shape), made)
    left = _majority(left, _same_spacing, lambda plane: f"spacing {plane.spacing}", made)
    if len(left) == len(planes):
        yield left, ()
    elif left:
        detail = f"{len(planes) - len(left)} slices of other sizes were left out of its series."
        yield left, (Flag(FlagKind.INCOMPLETE_SERIES, detail),)


def _majority(
    planes: list[Plane],
    alike: Callable[[Plane, Plane], bool],
    text: Callable[[Plane], str],
    made: Arrangement,
) -> list[Plane]:
    groups: list[list[Plane]] = []
    for plane in planes:
        group = next((group for group in groups if alike(plane, group[0])), None)
        if group is None:
            groups.append([plane])
        else:
            group.append(plane)
    if len(groups) <= 1:
        return planes
    largest = max(groups, key=len)
    if len(largest) <= len(planes) / 2:
        named = ", ".join(f"{len(group)} of {text(group[0])}" for group in groups[:4])
        made.refuse(planes, Reason.MIXED_SIZES, f"The slices of its series differ, and no size prevails: {named}.")
        return []
    for group in groups:
        if group is not largest:
            made.refuse(
                group,
                Reason.MIXED_SIZES,
                f"It has {text(group[0])}, unlike the {len(largest)} slices of {text(largest[0])} of its series.",
                "Upload it as a series of its own.",
            )
    return largest


def _size_text(shape: tuple[int, int, int]) -> str:
    return f"{shape[1]} x {shape[0]} pixels" + (f" of {shape[2]} values" if shape[2] != 1 else "")


def _same_spacing(one: Plane, other: Plane) -> bool:
    if one.spacing is None or other.spacing is None:
        return one.spacing is other.spacing
    pairs = zip(one.spacing, other.spacing, strict=True)
    return all(abs(a - b) <= _SAME_SPACING * max(abs(a), abs(b)) for a, b in pairs)
