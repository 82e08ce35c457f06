"""A DICOM series made into images: its planes arranged, and each stack of them read as a volume."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np

from podium.platform.images.confidentiality import kept_attributes
from podium.platform.images.dicom_pixels import DicomFile, PixelReader
from podium.platform.images.dicom_records import DicomHeader
from podium.platform.images.metadata import COLOR_SPACES, EyeChoice, Grid, plain_grid
from podium.platform.images.planes import Stack
from podium.platform.images.problems import Flag, FlagKind, ImageRefused, Reason
from podium.platform.images.rescaling import Linear, Pixels, ValueType, inverted, rescaled, value_type
from podium.platform.images.volumes import Volume

_EYES = {"R": EyeChoice.OCULUS_DEXTER, "L": EyeChoice.OCULUS_SINISTER}
_OPHTHALMIC = frozenset({"OP", "OPT", "OPTENF", "OPTBSV", "OCT"})
_MOST_TIMES = 1000


def open_volume(name: str, stack: Stack, files: Sequence[DicomFile], *, most_bytes: int) -> Volume:
    """Make a volume of a stack.

    Raises:
        ImageRefused: Its pixels can't be read, or contradict each other.
    """
    headers = [files[plane.file].header for plane in stack.planes]
    _require_alike(headers)
    first = headers[0]
    reader = PixelReader(files)
    stored, channels = reader.type_of(stack)
    if channels not in COLOR_SPACES:
        raise ImageRefused(Reason.UNSUPPORTED_CHANNELS, f"Each of its pixels has {channels} values.")
    grid = _grid(stack)
    volume = Volume(name, grid, stored, channels, flags=[*stack.flags])
    if volume.bytes > most_bytes:
        raise ImageRefused(Reason.TOO_LARGE, f"Its voxels have {volume.bytes} bytes; at most {most_bytes} are allowed.")
    _require_equal_duplicates(stack, reader)
    values = _Values(stack, reader, stored, grey=channels == 1, is_inverted=first.photometric == "MONOCHROME1")
    volume.type = values.type
    volume.planes = values.planes
    volume.spacing_known = stack.planes[0].spacing is not None
    volume.window = first.window if channels == 1 else None
    if volume.window and values.turned_in:
        low, high = values.turned_in
        volume.window = (low + high - volume.window[0], volume.window[1])
    volume.eye = _eye(first)
    volume.headers = _kept_headers(first, stack, headers, volume.window)
    volume.attributes, volume.removed = kept_attributes(files[stack.planes[0].file].path)
    volume.flags += _flags(headers, inverted=values.turned_in is not None)
    return volume


class _Values:
    """The values of a stack's planes: rescaled, and turned around where low values are shown as white."""

    def __init__(self, stack: Stack, reader: PixelReader, stored: ValueType, *, grey: bool, is_inverted: bool) -> None:
        self._stack = stack
        self._reader = reader
        self._linears = [reader.linear(plane) if grey else Linear() for plane in stack.planes]
        different = set(self._linears)
        low, high = reader.possible(stack)
        self.type = value_type(stored, different, low, high)
        if self.type.itemsize > 2 and stored.itemsize <= 2 and all(linear.is_whole for linear in different):
            # What could be stored needs a larger type: look at what is.
            least, largest = self._range_of(reader.stored(stack.planes))
            self.type = value_type(stored, different, int(least), int(largest))
        self.turned_in = self._range_of(self._rescaled()) if is_inverted and grey else None

    def planes(self) -> Iterator[Pixels]:
        for values in self._rescaled():
            yield values if self.turned_in is None else inverted(values, *self.turned_in)

    def _rescaled(self) -> Iterator[Pixels]:
        for pixels, linear in zip(self._reader.stored(self._stack.planes), self._linears, strict=True):
            yield rescaled(pixels, linear, self.type)

    @staticmethod
    def _range_of(planes: Iterator[Pixels]) -> tuple[float, float]:
        ranges = [(plane.min().item(), plane.max().item()) for plane in planes]
        return min(low for low, _ in ranges), max(high for _, high in ranges)


def _grid(stack: Stack) -> Grid:
    rows, columns, _ = stack.planes[0].shape
    times = stack.timepoints
    slices = len(stack.planes) // (times or 1)
    size: tuple[int, ...] = (columns, rows, slices)
    if stack.geometry is None:
        down, along = stack.planes[0].spacing or (1.0, 1.0)
        between = stack.planes[0].slice_spacing or 1.0
        spacing: tuple[float, ...] = (along, down, between)
        return plain_grid((*size, times), (*spacing, 1.0)) if times else plain_grid(size, spacing)
    geometry = stack.geometry
    if not times:
        return Grid(size, geometry.spacing, geometry.origin, geometry.direction)
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(geometry.direction).reshape(3, 3)
    direction = tuple(float(number) for number in matrix.flat)
    return Grid((*size, times), (*geometry.spacing, 1.0), (*geometry.origin, 0.0), direction)


def _require_alike(headers: Sequence[DicomHeader]) -> None:
    kinds = Counter((header.photometric, header.signed, header.bits_allocated) for header in headers)
    if len(kinds) > 1:
        named = ", ".join(f"{count} of {kind[0]} in {kind[2]} bits" for kind, count in kinds.most_common(3))
        raise ImageRefused(Reason.MIXED_SIZES, f"The pixels of its slices are of several kinds: {named}.")


def _require_equal_duplicates(stack: Stack, reader: PixelReader) -> None:
    for index, again in stack.duplicates:
        kept = stack.planes[index]
        one, other = next(reader.stored([kept])), next(reader.stored([again]))
        if reader.linear(kept) != reader.linear(again) or one.shape != other.shape or (one != other).any():
            raise ImageRefused(
                Reason.AMBIGUOUS_SLICES,
                "Several different slices of its series are at one place, and nothing tells which belongs where.",
                "Upload each image as a series of its own.",
            )


def _flags(headers: Sequence[DicomHeader], *, inverted: bool) -> Iterator[Flag]:
    first = headers[0]
    if inverted:
        yield Flag(FlagKind.INVERTED, "Its low values are meant as white (MONOCHROME1): they were turned around.")
    if first.photometric.startswith("YBR") or first.photometric == "PALETTE COLOR":
        yield Flag(FlagKind.COLOURS_CONVERTED, f"Its colours ({first.photometric}) were converted to RGB.")
    if first.spacing_of_detector:
        yield Flag(FlagKind.SPACING_UNKNOWN, "Its spacing is that of the detector: magnification is not known.")
    if any(header.burned_in for header in headers):
        yield Flag(FlagKind.BURNED_IN, "Its header says that there is text in its pixels, perhaps a name.")
    if any(header.lossy for header in headers):
        yield Flag(FlagKind.LOSSY, "It was once packed so that pixels are kept only approximately.")


def _eye(header: DicomHeader) -> EyeChoice:
    if header.modality not in _OPHTHALMIC:
        return EyeChoice.NOT_APPLICABLE
    return _EYES.get(header.laterality, EyeChoice.UNKNOWN)


def _kept_headers(
    first: DicomHeader, stack: Stack, headers: Sequence[DicomHeader], window: tuple[float, float] | None
) -> dict[str, str]:
    kept: dict[str, str] = {}
    if first.thickness:
        kept["SliceThickness"] = f"{first.thickness:g}"
    if window:
        same = first.window == window and first.windows
        center, width = first.windows if same else (f"{window[0]:g}", f"{window[1]:g}")  # type: ignore[misc]
        kept |= {"WindowCenter": center, "WindowWidth": width}
    if stack.timepoints and stack.timepoints <= _MOST_TIMES:
        starts = headers[:: len(headers) // stack.timepoints]
        if times := _times([header.time for header in starts]):
            kept["ContentTimes"] = times
        if all(_is_number(header.exposure) for header in starts):
            kept["Exposures"] = " ".join(header.exposure for header in starts)
    return kept


def _times(written: Sequence[str]) -> str:
    """Times of day, shifted so that the first is midnight: what lies between them is kept, and the hour is not told."""
    seconds = [_seconds(text) for text in written]
    if None in seconds:
        return ""
    known = cast("list[float]", seconds)
    return " ".join(_clock((second - known[0]) % 86400) for second in known)


def _seconds(text: str) -> float | None:
    digits = text.replace(":", "")
    try:
        return int(digits[:2]) * 3600 + int(digits[2:4] or 0) * 60 + float(digits[4:] or 0)
    except ValueError:
        return None


def _clock(seconds: float) -> str:
    whole = int(seconds)
    thousandths = round((seconds - whole) * 1000)
    text = f"{whole // 3600:02}{whole // 60 % 60:02}{whole % 60:02}"
    return text if not thousandths else f"{text}.{min(thousandths, 999):03}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
