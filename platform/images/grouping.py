"""Which files of a session make an image together, whatever folders they lie in. Pure.

Files are known by their numbers in the session. A header's data file may serve several headers; a DICOM series is put
together from all folders and archives of the session.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from podium.platform.images.arranging import arrange
from podium.platform.images.dicom_records import WHOLE_SLIDE, DicomHeader, planes_of
from podium.platform.images.job_kinds import Scanned
from podium.platform.images.kinds import Kind
from podium.platform.images.planes import Stack
from podium.platform.images.problems import Flag, FlagKind, ImageRefused, Reason, Refusal
from podium.platform.images.references import find_referred

_INDEX_OF_MIRAX = "Slidedat.ini"
_TOO_LATE = Refusal(
    Reason.LATE_SLICE,
    "An image was made of the other slices of its series before, without this file.",
    "Import the whole series in another session; this one can then be removed, with its images.",
)


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the session, as far as it is known before its pixels are read.

    One that `is_done` was made a part of an image before: headers may refer to it, and no further image is made of it.
    """

    path: str
    kind: Kind
    scanned: Scanned | None = None
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Files that make one image; `part` says which, of a file with several."""

    kind: Kind
    name: str
    files: tuple[int, ...]
    headers: tuple[DicomHeader, ...] = ()
    stack: Stack | None = None
    part: int = 0


@dataclass(slots=True)
class Grouping:
    """All groups of a session, and what is refused before it is in one."""

    groups: list[Group] = field(default_factory=list)
    refused: dict[int, list[Refusal]] = field(default_factory=lambda: defaultdict(list))


def group(files: Sequence[Found]) -> Grouping:
    """Divide the images of a session into groups; archives, junk and what is no image are in none."""
    made = Grouping()
    by_path = _by_path(files)
    taken = _whole_slides(files, by_path, made)
    for number, file in enumerate(files):
        if number in taken:
            continue
        if file.scanned is not None and file.scanned.refusal is not None:
            made.refused[number].append(file.scanned.refusal)
        elif file.kind in (Kind.METAIMAGE, Kind.NRRD):
            _add_header(number, file, by_path, made)
        else:
            made.groups += _alone(number, file)
    series: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, file in enumerate(files):
        if file.scanned is not None and file.scanned.dicom is not None:
            series[_series_key(number, file.scanned.dicom)].append(number)
    for numbers in series.values():
        done = frozenset(number for number in numbers if files[number].is_done)
        if len(done) < len(numbers):
            _add_series(numbers, [_header(files[number]) for number in numbers], made, done=done)
    _name_apart(made)
    return made


def _alone(number: int, file: Found) -> Iterator[Group]:
    """The images of a file that belongs with no other."""
    if file.kind in (Kind.NIFTI, Kind.RASTER, Kind.TIFF):
        yield Group(file.kind, posixpath.basename(file.path), (number,))
    if file.kind is Kind.OCT and file.scanned is not None:
        stem, ending = posixpath.splitext(posixpath.basename(file.path))
        for part, behind in enumerate(file.scanned.parts):
            yield Group(file.kind, stem + behind + ending, (number,), part=part)


def group_without(one: Group, culprit: int) -> Grouping:
    """Group what is left of a DICOM group without one of its files, by its place in it."""
    numbers, headers = list(one.files), list(one.headers)
    del numbers[culprit], headers[culprit]
    made = Grouping()
    if numbers:
        _add_series(numbers, headers, made, told=Flag(FlagKind.INCOMPLETE_SERIES, "A file of its series is damaged."))
    made.groups = [replace(found, name=one.name) for found in made.groups]
    return made


def _by_path(files: Sequence[Found]) -> dict[str, int]:
    """Numbers by path, and by lower-case path, where only one file has it."""
    lower: dict[str, list[int]] = defaultdict(list)
    for number, file in enumerate(files):
        lower[file.path.lower()].append(number)
    unique = {path: numbers[0] for path, numbers in lower.items() if len(numbers) == 1}
    return unique | {file.path: number for number, file in enumerate(files)}


def _add_header(number: int, file: Found, by_path: Mapping[str, int], made: Grouping) -> None:
    assert file.scanned is not None
    numbers: tuple[int, ...] = (number,)
    if file.scanned.refers_to is not None:
        try:
            numbers = (number, find_referred(file.path, file.scanned.refers_to, by_path))
        except ImageRefused as error:
            made.refused[number].append(error.refusal)
            return
    made.groups.append(Group(file.kind, posixpath.basename(file.path), numbers))


def _whole_slides(files: Sequence[Found], by_path: Mapping[str, int], made: Grouping) -> set[int]:
    """Take slides of several files as a whole, so that none of their parts is taken for an image."""
    taken: set[int] = set()
    slides = [(number, file) for number, file in enumerate(files) if file.kind is Kind.WHOLE_SLIDE]
    by_name: dict[str, list[int]] = defaultdict(list)
    for number, file in enumerate(files) if slides else ():
        by_name[posixpath.basename(file.path)].append(number)
    for number, file in slides:
        parts = set(_parts_of_slide(file, files, by_path, by_name)) - {number}
        taken |= parts | {number}
        if file.scanned is not None and file.scanned.refusal is None:
            name = posixpath.basename(file.path)
            made.groups.append(Group(Kind.WHOLE_SLIDE, name, (number, *sorted(parts))))
        elif file.scanned is not None and file.scanned.refusal is not None:
            made.refused[number].append(file.scanned.refusal)
    return taken


def _parts_of_slide(
    file: Found, files: Sequence[Found], by_path: Mapping[str, int], by_name: Mapping[str, Sequence[int]]
) -> Iterator[int]:
    folder, name = posixpath.split(file.path)
    stem, ending = posixpath.splitext(name)
    for companion in file.scanned.companions if file.scanned else ():
        found = by_path.get(posixpath.join(folder, companion))
        if found is not None:
            yield found
        else:
            # In another folder, where no other has its name.
            named = by_name.get(companion, ())
            yield from named if len(named) == 1 else ()
    if ending.lower() == ".mrxs":
        beside = posixpath.join(folder, stem) + "/"
        if not any(other.path.startswith(beside) for other in files):
            # In another folder or archive, where no other slide has its name.
            inside = {posixpath.dirname(files[number].path) for number in by_name.get(_INDEX_OF_MIRAX, ())}
            called = [other for other in inside if posixpath.basename(other) == stem]
            beside = called[0] + "/" if len(called) == 1 else beside
        yield from (number for number, other in enumerate(files) if other.path.startswith(beside))


def _series_key(number: int, header: DicomHeader) -> tuple[str, ...]:
    # Without its series, a file is known to belong with nothing.
    return header.series if header.series[1] else (*header.series, str(number))


def _header(file: Found) -> DicomHeader:
    assert file.scanned is not None
    assert file.scanned.dicom is not None
    return file.scanned.dicom


def _add_series(
    numbers: Sequence[int],
    headers: Sequence[DicomHeader],
    made: Grouping,
    *,
    told: Flag | None = None,
    done: AbstractSet[int] = frozenset(),
) -> None:
    if headers[0].series[2] == WHOLE_SLIDE:
        refusal = Refusal(
            Reason.UNSUPPORTED_FORMAT, "Whole slides in DICOM are not read here.", "Convert it to a pyramid in TIFF."
        )
        for number in numbers:
            made.refused[number].append(refusal)
        return
    arrangement = arrange(planes_of(headers))
    if told is None and arrangement.refused:
        told = Flag(FlagKind.INCOMPLETE_SERIES, "Some files of its series were rejected.")
    for one in (_of_stack(stack, numbers, headers, told) for stack in arrangement.stacks):
        if done.isdisjoint(one.files):
            made.groups.append(one)
            continue
        for number in one.files:
            if number not in done:
                made.refused[number].append(_TOO_LATE)
    for refused in arrangement.refused:
        for number in sorted({numbers[plane.file] for plane in refused.planes} - done):
            made.refused[number].append(refused.refusal)


def _of_stack(stack: Stack, numbers: Sequence[int], headers: Sequence[DicomHeader], told: Flag | None) -> Group:
    """A group of just the files of a stack, whose planes are numbered accordingly."""
    used = sorted({plane.file for plane in (*stack.planes, *(again for _, again in stack.duplicates))})
    place = {file: index for index, file in enumerate(used)}
    flags = stack.flags
    if told and not any(flag.kind is told.kind for flag in flags):
        flags = (*flags, told)
    renumbered = replace(
        stack,
        planes=tuple(replace(plane, file=place[plane.file]) for plane in stack.planes),
        duplicates=tuple((index, replace(again, file=place[again.file])) for index, again in stack.duplicates),
        flags=flags,
    )
    chosen = tuple(headers[file] for file in used)
    return Group(Kind.DICOM, chosen[0].modality or "DICOM", tuple(numbers[file] for file in used), chosen, renumbered)


def _name_apart(made: Grouping) -> None:
    """Number the images of DICOM, whose own names would be those of persons and studies."""
    count: dict[str, int] = defaultdict(int)
    for index, found in enumerate(made.groups):
        if found.kind is Kind.DICOM:
            count[found.name] += 1
            made.groups[index] = replace(found, name=f"{found.name}-{count[found.name]}")
