"""What is known of a DICOM file before its pixels are read, as values that go from process to process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from podium.platform.images.planes import Key, Orientation, Plane
from podium.platform.images.vectors import Vector

WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """What differs from frame to frame.

    Attributes:
        keys: By the names of `repeats`.
    """

    position: Vector | None
    orientation: Orientation | None
    spacing: tuple[float, float] | None
    slope: float
    intercept: float
    keys: tuple[tuple[str, Key], ...]


@dataclass(frozen=True, slots=True)
class DicomHeader:
    """A file of DICOM, without its pixels.

    Attributes:
        series: Study, series (or stack of several) and kind of object: what belongs together.
        offset: Where pixels begin that are stored plainly, else `None`.
        thickness: Of a slice, in mm.
        slice_spacing: Between slices, in mm, as the header names it.
        spacing_of_detector: The pixel spacing is that of the detector, not of the patient.
        window: Centre and width; the first, where there are several.
        time: Of the content, as written.
        exposure: As written.
        special: Why it needs more than the plain way of reading: a lookup table.
    """

    series: tuple[str, str, str]
    uid: str
    instance: int
    modality: str
    rows: int
    columns: int
    samples: int
    photometric: str
    planar: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    transfer_syntax: str
    offset: int | None
    frames: tuple[FrameHeader, ...]
    thickness: float | None = None
    slice_spacing: float | None = None
    spacing_of_detector: bool = False
    window: tuple[float, float] | None = None
    windows: tuple[str, str] | None = None
    time: str = ""
    exposure: str = ""
    laterality: str = ""
    burned_in: bool = False
    lossy: bool = False
    special: str = ""

    @property
    def frame_bytes(self) -> int:
        """Of one frame that is stored plainly."""
        return self.rows * self.columns * self.samples * self.bits_allocated // 8


def planes_of(headers: Sequence[DicomHeader]) -> list[Plane]:
    """All planes of the files of a series; the number of a file is its place in the list."""
    return [
        Plane(
            file=number,
            frame=index,
            position=frame.position,
            orientation=frame.orientation,
            spacing=frame.spacing,
            shape=(header.rows, header.columns, header.samples),
            instance=header.instance,
            keys=frame.keys,
            uid=header.uid,
            slice_spacing=header.slice_spacing,
        )
        for number, header in enumerate(headers)
        for index, frame in enumerate(header.frames)
    ]
