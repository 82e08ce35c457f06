"""What the header of a DICOM file says of its pixels and their place, read once and without the pixels."""

from __future__ import annotations

import math
import struct
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.tag import Tag

from podium.platform.images.bounded_files import BoundedFile
from podium.platform.images.dicom_records import DicomHeader, FrameHeader
from podium.platform.images.planes import Key, Orientation
from podium.platform.images.problems import ImageRefused, Reason
from podium.platform.images.vectors import Vector

T = TypeVar("T")
_MOST_FRAMES = 100_000
_PIXEL_DATA = b"\xe0\x7f\x10\x00"
_LONG_FORM = frozenset({b"OB", b"OW", b"UN"})
_IMPLICIT, _EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
Fields = Mapping[str, Any] | Dataset
"""Attributes by keyword: a dataset, or a plain dictionary, which answers several times as fast."""
_DIRECTORY = "1.2.840.10008.1.3.10"
_READ = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "StackID", "Modality", "ImageType",
    "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "ImagePositionPatient",
    "ImageOrientationPatient", "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "SliceThickness",
    "SpacingBetweenSlices", "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "WindowCenter", "WindowWidth",
    "InstanceNumber", "TemporalPositionIndex", "TemporalPositionIdentifier", "TriggerTime", "AcquisitionNumber",
    "AcquisitionTime", "ContentTime", "EchoNumbers", "EchoTime", "DiffusionBValue", "DiffusionGradientOrientation",
    "Exposure", "Laterality", "ImageLaterality", "BurnedInAnnotation", "LossyImageCompression",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "GridFrameOffsetVector", "DoseGridScaling",
)  # fmt: skip
_TAGS = [Tag(name) for name in _READ]


def read_header(path: Path) -> DicomHeader | None:
    """Read what is needed of a file; `None` for a `DICOMDIR`, which is no image and no fault.

    Raises:
        ImageRefused: It is no DICOM, or no image.
    """
    try:
        with warnings.catch_warnings(), BoundedFile(path) as file:
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=_TAGS, force=True)
            offset = _offset(file.tell(), dataset, path)
            return _header(dataset, {element.keyword: element.value for element in dataset}, offset)
    except (ImageRefused, MemoryError):
        raise
    except InvalidDicomError as error:
        raise ImageRefused(Reason.NOT_AN_IMAGE, "It is no DICOM file.") from error
    except Exception as error:  # pydicom raises whatever its values run into
        raise ImageRefused(Reason.BAD_HEADER, f"Its header can't be read ({_short(error)}).") from error


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _header(read: Dataset, dataset: Fields, offset: int | None) -> DicomHeader | None:
    meta = getattr(read, "file_meta", Dataset())
    sop_class = str(dataset.get("SOPClassUID") or meta.get("MediaStorageSOPClassUID") or "")
    if str(meta.get("MediaStorageSOPClassUID", "")) == _DIRECTORY:
        return None
    if not sop_class and "Rows" not in dataset:
        raise ImageRefused(Reason.NOT_AN_IMAGE, "It is no DICOM file.")
    rows, columns = _whole(dataset, "Rows", 0), _whole(dataset, "Columns", 0)
    if not rows or not columns:
        name = str(getattr(dataset.get("SOPClassUID"), "name", "")) or "an object"
        raise ImageRefused(Reason.NO_PIXELS, f"It is DICOM without an image ({name[:80]}).")
    if rows < 0 or columns < 0 or rows > 1 << 17 or columns > 1 << 17:
        raise ImageRefused(Reason.BAD_HEADER, f"It has {rows} rows and {columns} columns.")
    bits = _whole(dataset, "BitsAllocated", 16)
    stored = _whole(dataset, "BitsStored", bits) or bits
    high = _whole(dataset, "HighBit", stored - 1)
    if not 0 < stored <= bits <= 64 or not stored - 1 <= high < bits:
        raise ImageRefused(
            Reason.BAD_HEADER, f"It allocates {bits} bits, stores {stored}, and calls bit {high} the highest."
        )
    spacing, of_detector = _spacing(dataset)
    meta_syntax = str(meta.get("TransferSyntaxUID") or _default_syntax(read))
    frames = tuple(_frames(dataset, spacing))
    return DicomHeader(
        series=(_text(dataset, "StudyInstanceUID"), _series(dataset, frames), sop_class),
        uid=_text(dataset, "SOPInstanceUID"),
        instance=_whole(dataset, "InstanceNumber", 0),
        modality=_text(dataset, "Modality"),
        rows=rows,
        columns=columns,
        samples=_whole(dataset, "SamplesPerPixel", 1),
        photometric=_text(dataset, "PhotometricInterpretation") or "MONOCHROME2",
        planar=_whole(dataset, "PlanarConfiguration", 0),
        bits_allocated=bits,
        bits_stored=stored,
        high_bit=high,
        signed=bool(_whole(dataset, "PixelRepresentation", 0)),
        transfer_syntax=meta_syntax,
        offset=offset,
        frames=frames,
        thickness=_positive(_number(dataset, "SliceThickness")),
        slice_spacing=_positive(_number(dataset, "SpacingBetweenSlices")),
        spacing_of_detector=of_detector,
        window=_window(dataset),
        windows=_windows(dataset),
        time=_text(dataset, "ContentTime"),
        exposure=_text(dataset, "Exposure"),
        laterality=(_text(dataset, "ImageLaterality") or _text(dataset, "Laterality")).upper(),
        burned_in=_text(dataset, "BurnedInAnnotation").upper() == "YES",
        lossy=_text(dataset, "LossyImageCompression") == "01",
        special="modality lookup table" if dataset.get("ModalityLUTSequence") else "",
    )


def _series(dataset: Fields, frames: Sequence[FrameHeader]) -> str:
    """The series; for scanners that give each time point one of its own, the stack that these have in common."""
    stack = _text(dataset, "StackID")
    if stack and any(name == "temporal_index" for name, _ in frames[0].keys):
        return f"stack {stack}"
    return _text(dataset, "SeriesInstanceUID")


def _default_syntax(dataset: Dataset) -> str:
    implicit, _ = dataset.original_encoding
    return _IMPLICIT if implicit else _EXPLICIT


def _offset(at: int, dataset: Dataset, path: Path) -> int | None:
    """Where plainly stored pixels begin, for the two commonest ways of writing; `None` for all others."""
    syntax = str(getattr(dataset, "file_meta", Dataset()).get("TransferSyntaxUID") or _default_syntax(dataset))
    if syntax not in (_IMPLICIT, _EXPLICIT):
        return None
    with path.open("rb") as file:
        file.seek(at)
        head = file.read(12)
    if head[:4] != _PIXEL_DATA:
        return None
    implicit = bool(dataset.original_encoding[0])
    if not implicit and head[4:6] not in _LONG_FORM:
        return None
    length: int = struct.unpack_from("<I", head, 4 if implicit else 8)[0]
    return None if length == 0xFFFFFFFF else at + (8 if implicit else 12)


def _frames(dataset: Fields, spacing: tuple[float, float] | None) -> Iterator[FrameHeader]:
    count = _whole(dataset, "NumberOfFrames", 1) or 1
    if not 0 < count <= _MOST_FRAMES:
        raise ImageRefused(Reason.TOO_LARGE, f"It has {count} frames.")
    top = FrameHeader(
        position=_vector(dataset, "ImagePositionPatient"),
        orientation=_orientation(dataset),
        spacing=spacing,
        slope=_slope(dataset, "RescaleSlope"),
        intercept=_number(dataset, "RescaleIntercept") or 0.0,
        keys=_keys(dataset),
    )
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence")
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    if per_frame:
        if len(per_frame) != count:
            raise ImageRefused(Reason.BAD_HEADER, f"It has {count} frames, and tells of {len(per_frame)}.")
        for frame in per_frame:
            yield _frame(frame, shared, top)
    elif count == 1:
        yield top
    else:
        yield from _frames_by_offsets(dataset, top, count)


def _frames_by_offsets(dataset: Fields, top: FrameHeader, count: int) -> Iterator[FrameHeader]:
    """Frames of a dose grid lie at offsets from the first; those of other old kinds have no place of their own."""
    offsets = dataset.get("GridFrameOffsetVector")
    slope = _slope(dataset, "DoseGridScaling") if "DoseGridScaling" in dataset else top.slope
    if offsets is None or len(offsets) != count or top.position is None or top.orientation is None:
        for _ in range(count):
            yield FrameHeader(None, None, top.spacing, slope, top.intercept, ())
        return
    x, y, z = top.position
    a, b, c, d, e, f = top.orientation
    normal = (b * f - c * e, c * d - a * f, a * e - b * d)
    for raw in offsets:
        step = float(raw) - float(offsets[0])
        place = (x + step * normal[0], y + step * normal[1], z + step * normal[2])
        yield FrameHeader(place, top.orientation, top.spacing, slope, top.intercept, top.keys)


def _frame(frame: Fields, shared: Fields, top: FrameHeader) -> FrameHeader:
    def group(name: str) -> Fields:
        return (frame.get(name) or shared.get(name) or [Dataset()])[0]  # type: ignore[no-any-return]

    measures, values = group("PixelMeasuresSequence"), group("PixelValueTransformationSequence")
    spacing, _ = _spacing(measures)
    content = group("FrameContentSequence")
    keys = dict(top.keys) | dict(_keys(content))
    for name, sequence, attribute in (
        ("echo_time", "MREchoSequence", "EffectiveEchoTime"),
        ("trigger_time", "CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),
        ("b_value", "MRDiffusionSequence", "DiffusionBValue"),
        ("segment", "SegmentIdentificationSequence", "ReferencedSegmentNumber"),
        ("acquisition", "FrameContentSequence", "FrameAcquisitionNumber"),
        ("stack", "FrameContentSequence", "StackID"),
    ):
        if (value := group(sequence).get(attribute)) is not None and value != "":
            keys[name] = str(value) if name == "stack" else float(value)
    if (gradients := group("MRDiffusionSequence").get("DiffusionGradientDirectionSequence")) is not None:
        keys["gradient"] = str(gradients[0].get("DiffusionGradientOrientation"))[:64]
    if kind := group("MRImageFrameTypeSequence").get("FrameType") or group("CTImageFrameTypeSequence").get("FrameType"):
        keys["image_type"] = str(kind)[:200]
    return FrameHeader(
        position=_vector(group("PlanePositionSequence"), "ImagePositionPatient") or top.position,
        orientation=_orientation(group("PlaneOrientationSequence")) or top.orientation,
        spacing=spacing or top.spacing,
        slope=_slope(values, "RescaleSlope") if "RescaleSlope" in values else top.slope,
        intercept=(_number(values, "RescaleIntercept") or 0.0) if "RescaleIntercept" in values else top.intercept,
        keys=tuple(keys.items()),
    )


def _keys(dataset: Fields) -> tuple[tuple[str, Key], ...]:
    found: list[tuple[str, Key]] = []
    for name, attribute, kind in (
        ("temporal_index", "TemporalPositionIndex", float),
        ("temporal_identifier", "TemporalPositionIdentifier", float),
        ("trigger_time", "TriggerTime", float),
        ("acquisition", "AcquisitionNumber", float),
        ("acquisition_time", "AcquisitionTime", str),
        ("content_time", "ContentTime", str),
        ("echo", "EchoNumbers", str),
        ("echo_time", "EchoTime", float),
        ("b_value", "DiffusionBValue", float),
        ("gradient", "DiffusionGradientOrientation", str),
        ("image_type", "ImageType", str),
    ):
        value = dataset.get(attribute)
        if value is None or value == "":
            continue
        if kind is str:
            found.append((name, str(value)[:200]))
        elif (number := _tried(float, value)) is not None and math.isfinite(number):
            found.append((name, number))
    return tuple(found)


def _tried(kind: Callable[[Any], T], value: object) -> T | None:
    try:
        return kind(value)
    except (TypeError, ValueError):
        return None


def _numbers(dataset: Fields, name: str, count: int) -> tuple[float, ...] | None:
    """Some numbers, or `None` where they are not given; what is there and no number is refused."""
    value = dataset.get(name)
    if value is None or value == "" or (isinstance(value, Sequence) and not len(value)):
        return None
    numbers = _tried(lambda given: tuple(float(part) for part in given), value)
    if numbers is None or len(numbers) != count or not all(math.isfinite(number) for number in numbers):
        raise ImageRefused(Reason.BAD_GEOMETRY, f"Its {name} is not {count} numbers.")
    return numbers


def _vector(dataset: Fields, name: str) -> Vector | None:
    numbers = _numbers(dataset, name, 3)
    return None if numbers is None else (numbers[0], numbers[1], numbers[2])


def _orientation(dataset: Fields) -> Orientation | None:
    numbers = _numbers(dataset, "ImageOrientationPatient", 6)
    if numbers is None:
        return None
    a, b, c, d, e, f = numbers
    return (a, b, c, d, e, f)


def _spacing(dataset: Fields) -> tuple[tuple[float, float] | None, bool]:
    for name in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
        numbers = _numbers(dataset, name, 2)
        if numbers is not None:
            if min(numbers) <= 0:
                raise ImageRefused(Reason.BAD_GEOMETRY, f"Its {name} is {numbers}.")
            return (numbers[0], numbers[1]), name != "PixelSpacing"
    return None, False


def _number(dataset: Fields, name: str) -> float | None:
    value = dataset.get(name)
    number = _tried(float, value) if value is not None and value != "" else None
    return number if number is not None and math.isfinite(number) else None


def _positive(number: float | None) -> float | None:
    return number if number and number > 0 else None


def _slope(dataset: Fields, name: str) -> float:
    if (value := dataset.get(name)) is None or value == "":
        return 1.0
    number = _number(dataset, name)
    if not number:
        raise ImageRefused(Reason.BAD_HEADER, f"Its {name} is {str(value)[:40]!r}.")
    return number


def _whole(dataset: Fields, name: str, default: int) -> int:
    value = dataset.get(name)
    if value is None or value == "":
        return default
    number = _tried(int, value)
    return default if number is None else number


def _text(dataset: Fields, name: str) -> str:
    value = dataset.get(name)
    return "" if value is None else str(value).strip()[:200]


def _windows(dataset: Fields) -> tuple[str, str] | None:
    center, width = dataset.get("WindowCenter"), dataset.get("WindowWidth")
    return None if center in (None, "") or width in (None, "") else (str(center)[:500], str(width)[:500])


def _window(dataset: Fields) -> tuple[float, float] | None:
    found = []
    for name in ("WindowCenter", "WindowWidth"):
        value = dataset.get(name)
        first = value[0] if isinstance(value, Sequence) and not isinstance(value, str) and len(value) else value
        number = _tried(float, first)
        if number is None or not math.isfinite(number):
            return None
        found.append(number)
    return found[0], found[1]
