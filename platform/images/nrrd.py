"""NRRD, with its voxels in the same file or in one beside it. The header is text; whoever wrote it is not believed."""

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

_MAGIC = re.compile(rb"NRRD000[1-5]\r?\n?")
_LONGEST_LINE = 10_000
_MOST_LINES = 1_000
_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_TYPE_NAMES = {name: code for code, names in _TYPES.items() for name in names}
_PACKINGS = {
    "raw": Packing.RAW,
    "gzip": Packing.GZIP,
    "gz": Packing.GZIP,
    "bzip2": Packing.BZIP2,
    "bz2": Packing.BZIP2,
}
# How each space's axes are turned into left, posterior, superior.
_SPACES = {
    "left-posterior-superior": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1),
}
_SHORT_SPACES = {"lps": "left-posterior-superior", "ras": "right-anterior-superior", "las": "left-anterior-superior"}
_TIME_KINDS = frozenset({"time", "list"})
_COLOUR_KINDS = frozenset(
    {"rgb-color", "rgba-color", "3-color", "4-color", "vector", "3-vector", "4-vector", "rgba", "point", "none", "???"}
)


@dataclass(frozen=True, slots=True)
class NrrdHeader:
    """What a header says: its fields by lower-case name, and where it ends."""

    fields: Mapping[str, str]
    end: int

    @property
    def data_file(self) -> str | None:
        """The file with the voxels, relative to the header; `None` where they follow it.

        Raises:
            ImageRefused: There are several.
        """
        named = self.fields.get("data file", self.fields.get("datafile"))
        if named is not None and (named.split(" ")[0].upper() == "LIST" or "%" in named):
            detail = "Its voxels are in a list of files."
            raise ImageRefused(Reason.UNSUPPORTED_FORMAT, detail, "Write them in one file.")
        return named


def read_header(path: Path) -> NrrdHeader:
    """Read the lines of a header.

    Raises:
        ImageRefused: It is none, or can't be used.
    """
    fields: dict[str, str] = {}
    with path.open("rb") as file:
        if not _MAGIC.fullmatch(file.readline(64)):
            raise ImageRefused(Reason.BAD_HEADER, "Its first line is not that of a NRRD file, version 1 to 5.")
        for _ in range(_MOST_LINES):
            raw = file.readline(_LONGEST_LINE)
            if len(raw) >= _LONGEST_LINE:
                raise ImageRefused(Reason.BAD_HEADER, "Its header has a line that is too long.")
            line = raw.rstrip(b"\r\n").decode("utf-8", "replace")
            if not line:
                return NrrdHeader(fields, file.tell())
            if line.startswith("#") or ":=" in line:
                continue  # comments, and keys of one's own
            name, _, value = line.partition(":")
            fields[name.strip().lower()] = value.strip()
    raise ImageRefused(Reason.BAD_HEADER, "Its header has too many lines.")


def open_volume(name: str, header_path: Path, data_path: Path, *, most_bytes: int) -> Volume:
    """Make a volume of a header and the file with its voxels, which are the same for an attached header.

    Raises:
        ImageRefused: The header can't be used.
    """
    header = read_header(header_path)
    fields = header.fields
    lengths = _lengths(fields)
    colours, moved = _axes(fields, lengths)
    stored = _stored_type(fields)
    grid, known, flags = _grid(fields, lengths, colours)
    channels = lengths[colours] if colours is not None else 1
    volume = Volume(name, grid, stored.newbyteorder("="), channels, spacing_known=known, flags=flags)
    if volume.bytes > most_bytes:
        raise ImageRefused(Reason.TOO_LARGE, f"Its voxels have {volume.bytes} bytes; at most {most_bytes} are allowed.")
    encoding = fields.get("encoding", "").lower()
    if encoding not in _PACKINGS:
        raise ImageRefused(Reason.UNSUPPORTED_PIXELS, f"Its encoding is {encoding!r}.", "Write it as raw or gzip.")
    packing = _PACKINGS[encoding]
    start = _start(fields, header, data_path, packing, volume.bytes)

    def planes() -> Iterator[Pixels]:
        with data_path.open("rb") as file:
            file.seek(start)
            pieces = unpacked(file, packing, volume.bytes)
            if moved:
                yield from _first_axis_last(b"".join(pieces), stored, lengths, moved)
            else:
                yield from in_planes(pieces, volume.plane_shape, stored)

    volume.planes = planes
    return volume


def _first_axis_last(data: bytes, stored: ValueType, lengths: tuple[int, ...], axis: int) -> Iterator[Pixels]:
    """Put the colours of each voxel together, where they are planes or volumes of their own."""
    values = np.frombuffer(data, stored).reshape(lengths[::-1])
    values = np.moveaxis(values, len(lengths) - 1 - axis, -1)
    yield from values.reshape(-1, *values.shape[-3:]).astype(stored.newbyteorder("="))


def _lengths(fields: Mapping[str, str]) -> tuple[int, ...]:
    words = fields.get("sizes", "").split()
    if not words or fields.get("dimension") != str(len(words)):
        raise ImageRefused(Reason.BAD_HEADER, "Its `sizes` are not as many as its `dimension`.")
    if not all(word.isdecimal() and len(word) < 20 and int(word) for word in words):
        raise ImageRefused(Reason.BAD_HEADER, "Its `sizes` are not whole numbers.")
    return tuple(int(word) for word in words)


def _axes(fields: Mapping[str, str], lengths: tuple[int, ...]) -> tuple[int | None, int]:
    """Find the axis of colours, and whether it has to be moved (its number then, else 0); check how many are left."""
    kinds = [kind.lower() for kind in fields.get("kinds", "").split()] or ["domain"] * len(lengths)
    directions = _vectors(fields, "space directions")
    if len(kinds) != len(lengths) or (directions is not None and len(directions) != len(lengths)):
        raise ImageRefused(Reason.BAD_HEADER, "Its `kinds` or `space directions` are not as many as its axes.")
    without = [number for number, vector in enumerate(directions or ()) if vector is None]
    odd = [
        number
        for number, kind in enumerate(kinds)
        if (kind in _COLOUR_KINDS or number in without) and kind not in _TIME_KINDS
    ]
    if len(odd) > 1 or any(kind in _TIME_KINDS for kind in kinds[:-1]):
        # A list or time in front means a time point's voxels are not together.
        if len(odd) > 1 or kinds[0] not in _TIME_KINDS:
            raise ImageRefused(Reason.UNSUPPORTED_SHAPE, f"Its axes are of the kinds {', '.join(kinds)}.")
        raise ImageRefused(Reason.UNSUPPORTED_SHAPE, "Its first axis is a list.", "Make it the last one.")
    colours = odd[0] if odd else None
    if colours is not None and lengths[colours] not in COLOR_SPACES:
        raise ImageRefused(
            Reason.UNSUPPORTED_CHANNELS,
            f"Each of its voxels has {lengths[colours]} values; 1, 3 and 4 are supported.",
        )
    left = len(lengths) - len(odd)
    if left not in (2, 3, 4):
        raise ImageRefused(Reason.UNSUPPORTED_SHAPE, f"It has {left} dimensions; 2, 3 and 4 are supported.")
    return colours, colours or 0


def _stored_type(fields: Mapping[str, str]) -> ValueType:
    named = fields.get("type", "").lower()
    if named not in _TYPE_NAMES:
        raise ImageRefused(Reason.UNSUPPORTED_PIXELS, f"Its values are of type {named!r}.")
    code = _TYPE_NAMES[named]
    endian = fields.get("endian", "").lower()
    if code[1] != "1" and endian not in ("little", "big"):
        raise ImageRefused(Reason.BAD_HEADER, "Its `endian` is neither `little` nor `big`.")
    return np.dtype((">" if endian == "big" else "<") + code)


def _grid(fields: Mapping[str, str], lengths: tuple[int, ...], colours: int | None) -> tuple[Grid, bool, list[Flag]]:
    axes = [number for number in range(len(lengths)) if number != colours]
    size = tuple(lengths[number] for number in axes)
    count = len(size)
    directions = _vectors(fields, "space directions")
    if directions is None:
        spacings = _spacings(fields, len(lengths))
        spacing = tuple(spacings[number] or 1.0 for number in axes)
        if any(step <= 0 for step in spacing):
            raise ImageRefused(Reason.BAD_GEOMETRY, f"Its spacing is {spacing}.")
        identity = tuple(float(row == column) for row in range(count) for column in range(count))
        known = all(spacings[number] for number in axes[:3])
        flags = [] if known else [Flag(FlagKind.SPACING_UNKNOWN, "Its header has no spacings.")]
        return Grid(size, spacing, (0.0,) * count, identity), known, flags
    turn = _turn(fields)
    vectors = [directions[number] for number in axes]
    matrix = np.eye(count)
    spacing_of = [1.0] * count
    for axis, vector in enumerate(vectors):
        if vector is None:
            continue  # time
        if len(vector) != len(turn) or axis >= len(turn):
            raise ImageRefused(Reason.BAD_GEOMETRY, "Its `space directions` do not fit its space.")
        length = math.hypot(*vector)
        if not length:
            raise ImageRefused(Reason.BAD_GEOMETRY, "One of its `space directions` has no length.")
        spacing_of[axis] = length
        flat = [part * sign / length for part, sign in zip(vector, turn, strict=True)]
        matrix[:, axis] = 0
        matrix[: len(flat), axis] = flat[:count]
    return _placed(fields, size, spacing_of, matrix, turn)


def _placed(
    fields: Mapping[str, str], size: tuple[int, ...], spacing: list[float], matrix: np.ndarray, turn: tuple[int, ...]
) -> tuple[Grid, bool, list[Flag]]:
    count = len(size)
    if abs(np.linalg.det(matrix)) < 1e-6:
        raise ImageRefused(Reason.BAD_GEOMETRY, "Its `space directions` do not span a space.")
    flags = []
    if np.abs(matrix.T @ matrix - np.eye(count)).max() > 1e-3:
        flags.append(Flag(FlagKind.NOT_ORTHOGONAL, "Its `space directions` are not at right angles."))
    origin = [0.0] * count
    if (given := _vectors(fields, "space origin")) and given[0]:
        if len(given[0]) != len(turn):
            raise ImageRefused(Reason.BAD_GEOMETRY, "Its `space origin` does not fit its space.")
        for axis, (part, sign) in enumerate(zip(given[0], turn, strict=True)):
            origin[axis] = part * sign
    return Grid(size, tuple(spacing), tuple(origin), tuple(float(number) for number in matrix.flat)), True, flags


def _turn(fields: Mapping[str, str]) -> tuple[int, ...]:
    space = fields.get("space", "").lower()
    space = _SHORT_SPACES.get(space, space).removesuffix("-time")
    if space in _SPACES:
        return _SPACES[space]
    dimension = fields.get("space dimension", "3")
    if space or dimension not in ("2", "3"):
        raise ImageRefused(Reason.BAD_GEOMETRY, f"Its space is {space or dimension!r}.", "Write it in LPS or RAS.")
    return (1,) * int(dimension)


def _spacings(fields: Mapping[str, str], count: int) -> list[float | None]:
    words = fields.get("spacings", "").split() or ["nan"] * count
    if len(words) != count:
        raise ImageRefused(Reason.BAD_HEADER, "Its `spacings` are not as many as its axes.")
    return [None if not math.isfinite(step) else step for step in map(_number, words)]


def _vectors(fields: Mapping[str, str], name: str) -> list[tuple[float, ...] | None] | None:
    """Read `(1,0,0) none (0,0,2)`; `None` where there is no such field, and for each `none`."""
    if name not in fields:
        return None
    found: list[tuple[float, ...] | None] = []
    for word in re.findall(r"\([^()]*\)|[^\s()]+", fields[name]):
        if word.lower() == "none":
            found.append(None)
            continue
        vector = tuple(_number(part) for part in word.strip("()").split(","))
        if not all(math.isfinite(part) for part in vector):
            if all(math.isnan(part) for part in vector):
                found.append(None)
                continue
            raise ImageRefused(Reason.BAD_GEOMETRY, f"Its `{name}` are not finite.")
        found.append(vector)
    return found


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError as error:
        raise ImageRefused(Reason.BAD_HEADER, f"{word[:40]!r} in its header is no number.") from error


def _start(fields: Mapping[str, str], header: NrrdHeader, path: Path, packing: Packing, length: int) -> int:
    skips = {name: fields.get(name, fields.get(name.replace(" ", ""), "0")) for name in ("line skip", "byte skip")}
    begin = 0 if header.data_file else header.end
    if skips["byte skip"] == "-1" and packing is Packing.RAW:
        return max(begin, path.stat().st_size - length)
    if not all(skip.isdecimal() and len(skip) < 10 for skip in skips.values()):
        raise ImageRefused(Reason.BAD_HEADER, "Its `line skip` or `byte skip` is no whole number.")
    if packing is not Packing.RAW and int(skips["byte skip"]):
        raise ImageRefused(Reason.UNSUPPORTED_PIXELS, "It skips bytes of what is packed.", "Write it without.")
    with path.open("rb") as file:
        file.seek(begin)
        for _ in range(int(skips["line skip"])):
            if not file.readline(_LONGEST_LINE):
                break
        return file.tell() + int(skips["byte skip"])
