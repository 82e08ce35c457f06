"""Heidelberg's scans of the retina, `.e2e`: containers of many kinds, of which few are read; eyepy knows how.

A directory says where containers are. Files that were shortened may have lost it: then they are looked for. Who the
patient is stands in containers that are not read.
"""

from __future__ import annotations

import math
import mmap
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import IO, Any

import numpy as np
from eyepy.io.he.e2e_format import (
    Bscan,
    containerheader_format,
    folderheader_format,
    header_format,
    type11_format,
    type10004_format,
)

from podium.platform.images.metadata import EyeChoice, plain_grid
from podium.platform.images.oct_parts import OctPart, check_room, truncated
from podium.platform.images.problems import Flag, FlagKind, ImageRefused, Reason
from podium.platform.images.rescaling import Pixels
from podium.platform.images.tiff_pages import damage_named
from podium.platform.images.volumes import Volume

_MARK = b"MDbData\0"
_MOST_CONTAINERS = 200_000
_DIRECTORY_AT = 36
_FOLDER_BYTES, _DIRECTORY_BYTES, _CONTAINER_BYTES = 44, 52, 60
_IMAGE, _SLICE, _EYE = 1073741824, 10004, 11
_IMAGE_HEADER_BYTES = 20
_SCAN_PIXELS, _PICTURE_PIXELS = 35652097, 33620481
_MM_PER_DEGREE = 0.2896
"""In an eye of medium length, as the maker's own program has it."""
_ASSUMED_WIDTH, _ASSUMED_HEIGHT, _ASSUMED_BREADTH = 6.0, 0.0039, 4.5
"""Of a usual scan in mm, and of one of its pixels, where the file says nothing."""
_MOST_OF_A_PLACE = 4096
_UNEVEN = 0.1
_EYES = {82: EyeChoice.OCULUS_DEXTER, 76: EyeChoice.OCULUS_SINISTER}
_BRIGHTNESS = (np.power(Bscan.LUT.astype(np.float64) / 2, 1 / 2.4) * 65535).astype(np.uint16)
"""Of stored reflectivity, from 0 to 2: 16 bits, as the maker's program shows it, and as panimg gives it."""
Series = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Frame:
    """An image of a file: where its pixels are, and which slice of its series it is."""

    slice: int
    at: int
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the scanner's beam went for a slice, in degrees, and the height of a pixel in mm."""

    start: tuple[float, float]
    end: tuple[float, float]
    columns: int
    height: float
    count: int


@dataclass(slots=True)
class _Contents:
    """What a file has: images by their series and size."""

    path: Path
    scans: dict[tuple[Series, int, int], dict[int, _Frame]] = field(default_factory=lambda: defaultdict(dict))
    pictures: list[tuple[Series, _Frame]] = field(default_factory=list)
    places: dict[tuple[Series, int], _Place] = field(default_factory=dict)
    eyes: dict[Series, EyeChoice] = field(default_factory=dict)
    again: set[tuple[Series, int, int]] = field(default_factory=set)
    is_listed: bool = True


def parts(path: Path) -> list[OctPart]:
    """Find the images of a file: one of each series of slices, and its pictures of the fundus.

    Raises:
        ImageRefused: It is cut off or damaged, or has none.
    """
    found = _contents(path)
    made = [OctPart(partial(_open_scan, found, key)) for key in found.scans]
    made += [OctPart(partial(_open_picture, found, *one), is_fundus=True) for one in found.pictures]
    if not made:
        raise ImageRefused(Reason.NO_PIXELS, "It has neither a scan nor a picture of a kind that is read here.")
    return made


def _contents(path: Path) -> _Contents:
    found = _Contents(path)
    with path.open("rb") as file, damage_named():
        listed = list(_listed(file, path.stat().st_size))
        found.is_listed = bool(listed)
        for entry in listed or _searched(file):
            _take(found, entry, file)
    return found


@dataclass(frozen=True, slots=True)
class _Container:
    """A container: what it is of, and where its content is."""

    series: Series
    slice: int
    type: int
    at: int
    size: int


def _listed(file: IO[bytes], whole: int) -> Iterator[_Container]:
    """Containers by the directories, each of which says where the one before it is; none where they are lost."""
    file.seek(_DIRECTORY_AT)
    at, seen = header_format.parse(file.read(_DIRECTORY_BYTES)).current, set[int]()
    while at and at not in seen:
        seen.add(at)
        file.seek(at)
        head = file.read(_DIRECTORY_BYTES)
        if len(head) < _DIRECTORY_BYTES or not head.startswith(b"MDbDir"):
            return
        told = header_format.parse(head)
        entries = file.read(min(told.num_entries, _MOST_CONTAINERS) * _FOLDER_BYTES)
        if len(entries) < told.num_entries * _FOLDER_BYTES or len(seen) * told.num_entries > _MOST_CONTAINERS:
            raise ImageRefused(Reason.CORRUPT, "Its directory says that it has more parts than it can have.")
        for number in range(told.num_entries):
            folder = folderheader_format.parse(entries[number * _FOLDER_BYTES : (number + 1) * _FOLDER_BYTES])
            if folder.start <= folder.pos:
                continue  # there is nothing yet
            if folder.start + _CONTAINER_BYTES + folder.size > whole:
                raise truncated("its directory lists parts after the end of it")
            yield _container(folder, folder.start)
        at = told.prev


def _searched(file: IO[bytes]) -> Iterator[_Container]:
    """Containers by the mark that each begins with."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        at = content.find(_MARK)
        for _ in range(_MOST_CONTAINERS):
            if at < 0:
                return
            head = content[at : at + _CONTAINER_BYTES]
            if len(head) < _CONTAINER_BYTES:
                raise truncated("its last part is not all there")
            yield _container(containerheader_format.parse(head), at)
            at = content.find(_MARK, at + _CONTAINER_BYTES)
    raise ImageRefused(Reason.CORRUPT, "It has more parts than any scan has.")


def _container(head: Any, at: int) -> _Container:  # noqa: ANN401 -- of one kind or the other
    series = (head.patient_id, head.study_id, head.series_id)
    return _Container(series, head.slice_id, int(head.type), at + _CONTAINER_BYTES, head.size)


def _take(found: _Contents, entry: _Container, file: IO[bytes]) -> None:
    """Note what a container has, as far as it is of any use."""
    if entry.type not in (_IMAGE, _SLICE, _EYE):
        return
    file.seek(entry.at)
    if entry.type == _EYE:
        eye = int(type11_format.parse(file.read(min(entry.size, _MOST_OF_A_PLACE))).laterality)
        found.eyes[entry.series] = _EYES.get(eye, EyeChoice.UNKNOWN)
    elif entry.type == _SLICE:
        told = type10004_format.parse(file.read(min(entry.size, _MOST_OF_A_PLACE)))
        start, end = (told.start_x, told.start_y), (told.end_x, told.end_y)
        place = _Place(start, end, told.imgSizeWidth, told.scale_y, told.n_bscans)
        if all(map(math.isfinite, (*start, *end, place.height))):
            found.places[entry.series, entry.slice] = place
    else:
        _take_image(found, entry, file)


def _take_image(found: _Contents, entry: _Container, file: IO[bytes]) -> None:
    _, kind, _, height, width = np.frombuffer(file.read(_IMAGE_HEADER_BYTES), "<u4").tolist()
    each = {_SCAN_PIXELS: 2, _PICTURE_PIXELS: 1}.get(kind)
    if each is None or not height * width:
        return
    needed = _IMAGE_HEADER_BYTES + each * height * width
    if entry.at + needed > found.path.stat().st_size:
        raise truncated("an image in it is not all there")
    if needed > entry.size:
        raise ImageRefused(Reason.CORRUPT, f"An image in it has less than the {height} x {width} pixels it promises.")
    frame = _Frame(entry.slice, entry.at, height, width)
    if kind == _PICTURE_PIXELS:
        found.pictures.append((entry.series, frame))
        return
    key = (entry.series, height, width)
    if entry.slice in found.scans[key]:
        found.again.add(key)
    found.scans[key][entry.slice] = frame


def _pixels(path: Path, frame: _Frame, kind: str) -> Pixels:
    with path.open("rb") as file:
        file.seek(frame.at + _IMAGE_HEADER_BYTES)
        values = np.frombuffer(file.read(np.dtype(kind).itemsize * frame.height * frame.width), kind)
    return values.reshape(frame.height, frame.width)


def _open_picture(found: _Contents, series: Series, frame: _Frame, name: str, *, most_bytes: int) -> Volume:
    flags = [Flag(FlagKind.SPACING_UNKNOWN, "It does not say how large the pixels of its picture of the fundus are.")]
    eye = found.eyes.get(series, EyeChoice.UNKNOWN)
    grid = plain_grid((frame.width, frame.height))
    volume = Volume(name, grid, np.dtype(np.uint8), 1, spacing_known=False, eye=eye, flags=flags)
    volume.planes = lambda: iter([_pixels(found.path, frame, "u1")])
    return check_room(volume, most_bytes)


def _open_scan(found: _Contents, key: tuple[Series, int, int], name: str, *, most_bytes: int) -> Volume:
    series, height, width = key
    slices = [found.scans[key][number] for number in sorted(found.scans[key])]
    places = [found.places.get((series, frame.slice)) for frame in slices]
    _check_all_there(slices, [place for place in places if place])
    size = (width, height, len(slices))
    volume = Volume(name, plain_grid(size), np.dtype(np.uint16), 1, eye=found.eyes.get(series, EyeChoice.UNKNOWN))
    check_room(volume, most_bytes)
    spacing, volume.flags = _spacing(size, [place for place in places if place])
    volume.grid = plain_grid(size, spacing)
    if not found.is_listed:
        detail = "Its directory is lost: its images were found without it, and there may have been more."
        volume.flags.append(Flag(FlagKind.INCOMPLETE_SERIES, detail))
    if key in found.again:
        volume.flags.append(Flag(FlagKind.DUPLICATES_DROPPED, "It has some slices more than once: the last was taken."))
    volume.planes = lambda: (_BRIGHTNESS[_pixels(found.path, frame, "<u2")] for frame in slices)
    return volume


def _check_all_there(slices: list[_Frame], places: list[_Place]) -> None:
    numbers = [frame.slice // 2 for frame in slices]  # they count by twos
    wanted = max((place.count for place in places), default=0)
    if numbers[-1] - numbers[0] >= len(numbers) > 1 or (wanted > len(numbers) and len(places) == len(numbers)):
        wanted = max(wanted, numbers[-1] - numbers[0] + 1)
        detail = f"It has {len(numbers)} of the {wanted} slices of a scan."
        raise ImageRefused(Reason.MISSING_SLICES, detail, "Export it again, whole.")


def _spacing(size: tuple[int, int, int], places: list[_Place]) -> tuple[tuple[float, float, float], list[Flag]]:
    """From pixel to pixel along a slice, in depth, and from slice to slice, and what is assumed of them."""
    columns, _, count = size
    first = places[0] if len(places) == count else None
    width = math.dist(first.start, first.end) / first.columns * _MM_PER_DEGREE if first and first.columns else 0.0
    if first is None or not (width > 0 and 0 < first.height < 1):
        detail = (
            f"It does not say how large what it shows is: {_ASSUMED_WIDTH:g} x {_ASSUMED_BREADTH:g} mm, and "
            f"{_ASSUMED_HEIGHT} mm for the height of a pixel, are assumed, as of a usual scan."
        )
        spacing = (_ASSUMED_WIDTH / columns, _ASSUMED_HEIGHT, _ASSUMED_BREADTH / count)
        return spacing, [Flag(FlagKind.SPACING_ASSUMED, detail)]
    detail = f"It has angles: in mm, they are those of an eye of medium length, {_MM_PER_DEGREE} mm for a degree."
    flags = [Flag(FlagKind.SPACING_ASSUMED, detail)]
    if count == 1:
        flags.append(Flag(FlagKind.SLICE_SPACING_UNKNOWN, "It does not say how thick its one slice is."))
        return (width, first.height, 1.0), flags
    ends = [math.dist(*pair) for pair in pairwise(place.end for place in places)]
    steps = [math.dist(*pair) for pair in pairwise(place.start for place in places)] + ends
    step = fmean(steps)
    if not step or max(abs(each - step) for each in steps) > _UNEVEN * step:
        detail = "Its slices are not side by side, at even distances: as they are kept, they are no volume."
        return (width, first.height, 1.0), [*flags, Flag(FlagKind.NOT_PARALLEL, detail)]
    return (width, first.height, step * _MM_PER_DEGREE), flags
