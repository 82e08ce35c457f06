"""MetaImage: `.mha`, and `.mhd` with its data beside it. The header is text; whoever wrote it is not believed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from podium.platform.images.metadata import COLOR_SPACES, Grid
from podium.platform.images.problems import Flag, FlagKind, ImageRefused, Reason
from podium.platform.images.raw_streams import Packing, in_planes, unpacked
from podium.platform.images.rescaling import Pixels, ValueType
from podium.platform.images.volumes import Volume

_LONGEST_LINE = 10_000
_MOST_LINES = 10_000
_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_FLOAT = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_ONE_OR_LIST = re.compile(rf"{_FLOAT}|\[\s*{_FLOAT}(?:\s*,\s*{_FLOAT})*\s*\]")
_KEPT = {
    "Laterality": re.compile(r"[A-Za-z0-9 _.-]{0,16}"),
    "SliceThickness": re.compile(_FLOAT),
    "Exposures": re.compile(rf"{_FLOAT}(?:\s{_FLOAT})*"),
    "ContentTimes": re.compile(r"\d{6}(?:\.\d{1,6})?(?:\s\d{6}(?:\.\d{1,6})?)*"),
    "WindowCenter": _ONE_OR_LIST,
    "WindowWidth": _ONE_OR_LIST,
    "t0": re.compile(_FLOAT),
    "t1": re.compile(_FLOAT),
}
_TRUE = frozenset({"true", "1", "t", "yes"})


@dataclass(frozen=True, slots=True)
class MetaHeader:
    """What the header of a MetaImage says.

    Attributes:
        fields: Its lines, by name.
        end: Where it ends: the voxels of a `.mha` file begin there.
    """

    fields: Mapping[str, str]
    end: int

    @property
    def data_file(self) -> str | None:
        """The file with the voxels, relative to the header; `None` where they follow it."""
        named = self.fields["ElementDataFile"]
        if named.split(" ")[0].upper() == "LIST" or "%" in named:
            raise ImageRefused(
                Reason.UNSUPPORTED_FORMAT, "Its voxels are in a list of files.", "Write them in one file."
            )
        return None if named.upper() == "LOCAL" else named


def read_header(path: Path) -> MetaHeader:
    """Read the lines of a header.

    Raises:
        ImageRefused: It is none, or can't be used.
    """
    fields: dict[str, str] = {}
    with path.open("rb") as file:
        for _ in range(_MOST_LINES):
            line = file.readline(_LONGEST_LINE)
            if not line:
                raise ImageRefused(Reason.BAD_HEADER, "Its header names no data (there is no `ElementDataFile`).")
            if len(line) >= _LONGEST_LINE:
                raise ImageRefused(Reason.BAD_HEADER, "Its header has a line that is too long.")
            try:
                name, equals, value = line.decode("utf-8").partition("=")
            except UnicodeDecodeError as error:
                raise ImageRefused(Reason.BAD_HEADER, "Its header is not valid UTF-8.") from error
            if equals:
                fields[name.strip()] = value.strip()
            if "ElementDataFile" in fields:
                return MetaHeader(fields, file.tell())
    raise ImageRefused(Reason.BAD_HEADER, "Its header has too many lines.")


def open_volume(name: str, header_path: Path, data_path: Path, *, most_bytes: int) -> Volume:
    """Make a volume of a header and the file with its voxels, which are the same for `.mha`.

    Raises:
        ImageRefused: The header can't be used.
    """
    header = read_header(header_path)
    fields = header.fields
    size = _sizes(fields)
    channels = _whole(fields, "ElementNumberOfChannels", 1)
    if channels not in COLOR_SPACES:
        raise ImageRefused(
            Reason.UNSUPPORTED_CHANNELS,
            f"Each of its voxels has {channels} values; 1, 3 and 4 are supported.",
            "Put what belongs to time, or to labels, into a fourth dimension.",
        )
    stored = _stored_type(fields)
    grid, flags = _grid(fields, size)
    volume = Volume(name, grid, stored.newbyteorder("="), channels, flags=flags)
    if volume.bytes > most_bytes:
        raise ImageRefused(Reason.TOO_LARGE, f"Its voxels have {volume.bytes} bytes; at most {most_bytes} are allowed.")
    volume.headers = _kept_headers(fields, size[3] if len(size) == 4 else 1)
    volume.window = _window(volume.headers)
    packing = Packing.ZLIB if _flag(fields, "CompressedData") else Packing.RAW
    start = _start(fields, header, data_path, volume.bytes)

    def planes() -> Iterator[Pixels]:
        with data_path.open("rb") as file:
            file.seek(start)
            yield from in_planes(unpacked(file, packing, volume.bytes), volume.plane_shape, stored)

    volume.planes = planes
    return volume


def _start(fields: Mapping[str, str], header: MetaHeader, data_path: Path, length: int) -> int:
    if header.data_file is None:
        return header.end
    skip = _whole(fields, "HeaderSize", 0)
    if skip == -1:  # as much as is too much
        return max(0, data_path.stat().st_size - length)
    if skip < 0:
        raise ImageRefused(Reason.BAD_HEADER, "Its `HeaderSize` is negative.")
    return skip


def _sizes(fields: Mapping[str, str]) -> tuple[int, ...]:
    count = _whole(fields, "NDims", 0)
    if count not in (2, 3, 4):
        raise ImageRefused(Reason.UNSUPPORTED_SHAPE, f"It has {count} dimensions; 2, 3 and 4 are supported.")
    words = fields.get("DimSize", "").split()
    if len(words) != count or not all(word.isdecimal() and len(word) < 20 and int(word) for word in words):
        raise ImageRefused(Reason.BAD_HEADER, f"Its `DimSize` is not {count} whole numbers.")
    return tuple(int(word) for word in words)


def _stored_type(fields: Mapping[str, str]) -> ValueType:
    if fields.get("ElementType") not in _TYPES:
        raise ImageRefused(Reason.UNSUPPORTED_PIXELS, f"Its values are of type {fields.get('ElementType')!r}.")
    if not _flag(fields, "BinaryData", default=True):
        raise ImageRefused(Reason.UNSUPPORTED_PIXELS, "Its voxels are written as text.", "Write them in binary.")
    high_first = _flag(fields, "BinaryDataByteOrderMSB") or _flag(fields, "ElementByteOrderMSB")
    return np.dtype((">" if high_first else "<") + _TYPES[fields["ElementType"]])


def _grid(fields: Mapping[str, str], size: tuple[int, ...]) -> tuple[Grid, list[Flag]]:
    count = len(size)
    spacing = _first(fields, ("ElementSpacing", "ElementSize"), count) or (1.0,) * count
    if any(step <= 0 for step in spacing):
        raise ImageRefused(Reason.BAD_GEOMETRY, f"Its spacing is {spacing}.")
    origin = _first(fields, ("Offset", "Position", "Origin"), count) or (0.0,) * count
    matrix = _first(fields, ("TransformMatrix", "Rotation", "Orientation"), count * count)
    axes = np.array(matrix).reshape(count, count) if matrix else np.eye(count)
    if abs(np.linalg.det(axes)) < 1e-6:
        raise ImageRefused(Reason.BAD_GEOMETRY, "The directions of its axes do not span a space.")
    flags = []
    if np.abs(axes @ axes.T - np.eye(count)).max() > 1e-3:
        detail = "The directions of its axes are not at right angles, or not of length one."
        flags.append(Flag(FlagKind.NOT_ORTHOGONAL, detail))
    # A row of its matrix is the direction of an axis; a column of ours is.
    return Grid(size, spacing, origin, tuple(float(number) for number in axes.T.flat)), flags


def _first(fields: Mapping[str, str], names: tuple[str, ...], count: int) -> tuple[float, ...] | None:
    name = next((name for name in names if name in fields), None)
    return _numbers(fields, name, count) if name else None


def _numbers(fields: Mapping[str, str], name: str, count: int) -> tuple[float, ...]:
    try:
        numbers = tuple(float(word) for word in fields[name].split())
    except ValueError as error:
        raise ImageRefused(Reason.BAD_HEADER, f"Its `{name}` is no list of numbers.") from error
    if len(numbers) != count or not all(math.isfinite(number) for number in numbers):
        raise ImageRefused(Reason.BAD_HEADER, f"Its `{name}` is not {count} numbers.")
    return numbers


def _whole(fields: Mapping[str, str], name: str, default: int) -> int:
    try:
        return int(fields.get(name, default))
    except ValueError as error:
        raise ImageRefused(Reason.BAD_HEADER, f"Its `{name}` is no whole number.") from error


def _flag(fields: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    return fields[name].lower() in _TRUE if name in fields else default


def _kept_headers(fields: Mapping[str, str], timepoints: int) -> dict[str, str]:
    """Keep what is known and well formed; what is unknown is dropped, and what is wrong refused."""
    kept = {name: fields[name] for name in _KEPT if name in fields}
    for name, value in kept.items():
        if not _KEPT[name].fullmatch(value):
            raise ImageRefused(Reason.BAD_HEADER, f"Its `{name}` is not what it should be.")
    for name in ("Exposures", "ContentTimes"):
        if name in kept and len(kept[name].split()) != timepoints:
            detail = f"Its `{name}` has {len(kept[name].split())} values for {timepoints} time points."
            raise ImageRefused(Reason.BAD_HEADER, detail)
    lists = [kept[name].count(",") if kept[name].startswith("[") else None for name in _WINDOW if name in kept]
    if len(set(lists)) > 1 or (len(lists) == 1 and lists[0] is not None):
        raise ImageRefused(Reason.BAD_HEADER, "Its `WindowCenter` and `WindowWidth` do not fit each other.")
    return kept


_WINDOW = ("WindowCenter", "WindowWidth")


def _window(headers: Mapping[str, str]) -> tuple[float, float] | None:
    if not all(name in headers for name in _WINDOW):
        return None
    center, width = (float(headers[name].strip("[] ").split(",")[0]) for name in _WINDOW)
    return center, width
