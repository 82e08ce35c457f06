"""The pixels of DICOM files, frame by frame: read as bytes where they are stored plainly, else decoded by pydicom."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import iter_pixels

from podium.platform.images.bounded_files import BoundedFile
from podium.platform.images.dicom_records import DicomHeader, FrameHeader
from podium.platform.images.planes import Plane, Stack
from podium.platform.images.problems import ImageRefused, Reason
from podium.platform.images.rescaling import Linear, Pixels, ValueType, low_bits, stored_range

_GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})
_PLAIN = frozenset({*_GREY, "RGB"})
_PALETTE = "PALETTE COLOR"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_BY_PYDICOM = frozenset(
    {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", _DEFLATED, "1.2.840.10008.1.2.5"}
)


@dataclass(frozen=True, slots=True)
class DicomFile:
    """A file of a series, where it lies, and what its header says."""

    path: Path
    header: DicomHeader

    def frame(self, plane: Plane) -> FrameHeader:
        """What the header says of one of its frames."""
        return self.header.frames[plane.frame]


class PixelReader:
    """Reads the stored pixels of planes of one series."""

    def __init__(self, files: Sequence[DicomFile]) -> None:
        self._files = files

    def stored(self, planes: Sequence[Plane]) -> Iterator[Pixels]:
        """Give the pixels of planes, as they are stored; colours as RGB.

        Raises:
            ImageRefused: They are not there, damaged, or packed in a way that can't be read.
        """
        for number, frames in _runs(planes):
            file = self._files[number]
            try:
                if _is_plain(file.header):
                    for frame in frames:
                        yield _plain(file, frame)
                else:
                    yield from _decoded(file, frames)
            except ImageRefused as error:
                told = error.refusal
                raise ImageRefused(told.reason, told.detail, told.remedy, culprit=number) from error

    def linear(self, plane: Plane) -> Linear:
        """How values follow from the stored pixels of a plane."""
        frame = self._files[plane.file].frame(plane)
        return Linear(frame.slope, frame.intercept)

    def type_of(self, stack: Stack) -> tuple[ValueType, int]:
        """The type of stored pixels, and how many values each has."""
        header = self._files[stack.planes[0].file].header
        if header.bits_allocated > 1 and _is_plain(header):
            return np.dtype(f"{'i' if header.signed else 'u'}{header.bits_allocated // 8}"), header.samples
        first = next(self.stored(stack.planes[:1]))
        return first.dtype, first.shape[2] if first.ndim == 3 else 1

    def possible(self, stack: Stack) -> tuple[int, int]:
        """The least and the largest number that its pixels can store."""
        headers = [self._files[plane.file].header for plane in stack.planes]
        ranges = {stored_range(header.bits_stored, signed=header.signed) for header in headers}
        return min(low for low, _ in ranges), max(high for _, high in ranges)


def _runs(planes: Sequence[Plane]) -> Iterator[tuple[int, list[int]]]:
    """Divide planes into runs of frames of one file, so that each file is opened seldom."""
    number, frames = -1, list[int]()
    for plane in planes:
        if plane.file != number:
            if frames:
                yield number, frames
            number, frames = plane.file, []
        frames.append(plane.frame)
    if frames:
        yield number, frames


def _is_plain(header: DicomHeader) -> bool:
    return (
        header.offset is not None
        and header.bits_allocated in (8, 16, 32)
        and header.photometric in _PLAIN
        and (header.samples, header.photometric in _GREY) in ((1, True), (3, False))
        and not header.special
    )


def _plain(file: DicomFile, frame: int) -> Pixels:
    header = file.header
    assert header.offset is not None
    with file.path.open("rb") as source:
        source.seek(header.offset + frame * header.frame_bytes)
        data = source.read(header.frame_bytes)
    if len(data) < header.frame_bytes:
        raise ImageRefused(
            Reason.TRUNCATED,
            f"It has {len(data)} of the {header.frame_bytes} bytes of pixels that it promises.",
            "Upload it again, whole.",
        )
    kind = "i" if header.signed else "u"
    values = np.frombuffer(data, f"<{kind}{header.bits_allocated // 8}")
    if header.samples == 1:
        values = values.reshape(header.rows, header.columns)
    elif header.planar:
        values = values.reshape(header.samples, header.rows, header.columns).transpose(1, 2, 0)
    else:
        values = values.reshape(header.rows, header.columns, header.samples)
    return low_bits(
        values,
        allocated=header.bits_allocated,
        stored=header.bits_stored,
        high_bit=header.high_bit,
        signed=header.signed,
    )


def _decoded(file: DicomFile, frames: Sequence[int]) -> Iterator[Pixels]:
    header = file.header
    if header.special:
        raise ImageRefused(Reason.UNSUPPORTED_PIXELS, f"Its values go through a {header.special}.")
    plugin = _decoder(header.transfer_syntax)
    try:
        with warnings.catch_warnings(), BoundedFile(file.path) as source:
            warnings.simplefilter("ignore")
            dataset = None
            if header.photometric == _PALETTE or header.transfer_syntax == _DEFLATED or not _has_magic(file.path):
                dataset = pydicom.dcmread(source, force=True)
                if "TransferSyntaxUID" not in dataset.file_meta:
                    dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(header.transfer_syntax)
            for pixels in iter_pixels(dataset or source, indices=list(frames), raw=False, decoding_plugin=plugin):
                if dataset is not None and header.photometric == _PALETTE:
                    yield apply_color_lut(pixels, dataset)
                else:
                    yield pixels
    except (ImageRefused, MemoryError):
        raise
    except Exception as error:  # decoders raise whatever damaged data runs them into
        raise ImageRefused(*_failure(error)) from error


def _decoder(transfer_syntax: str) -> str:
    """Which of pydicom's decoders; its own for what is not packed, or simply."""
    return "" if transfer_syntax in _BY_PYDICOM else "gdcm"


def _has_magic(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _failure(error: Exception) -> tuple[Reason, str]:
    text = " ".join(str(error).split())[:300]
    if "less than expected" in text or "end of file" in text.lower():
        return Reason.TRUNCATED, f"Its pixels are not all there ({text})."
    if isinstance(error, NotImplementedError) or "No plugin" in text or "missing dependencies" in text:
        return Reason.UNSUPPORTED_PIXELS, f"Its pixels can't be decoded ({text})."
    return Reason.CORRUPT, f"Its pixels can't be decoded ({text})."
