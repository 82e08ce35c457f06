"""DICOM files for tests, with a value of its own in every voxel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian, generate_uid

STUDY, SERIES = "1.2.826.0.1.3680043.8.498.1", "1.2.826.0.1.3680043.8.498.2"
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
ROWS, COLUMNS = 5, 4


def ramp(number: int, *, rows: int = ROWS, columns: int = COLUMNS, kind: str = "int16") -> NDArray[Any]:
    """Pixels of the slice of a number: all different, and different from those of other slices."""
    return (np.arange(rows * columns).reshape(rows, columns) + 100 * number).astype(kind)


def volume(count: int, **more: Any) -> NDArray[Any]:
    return np.stack([ramp(number, **more) for number in range(count)])


def dataset(pixels: NDArray[Any], **attributes: Any) -> Dataset:
    """A slice; attributes are those of DICOM, and `None` leaves one out."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID = attributes.pop("SOPClassUID", CTImageStorage)
    made.SOPInstanceUID = attributes.pop("SOPInstanceUID", generate_uid())
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    bits = pixels.dtype.itemsize * 8
    samples = pixels.shape[2] if pixels.ndim == 3 else 1
    plain: dict[str, Any] = {
        "StudyInstanceUID": STUDY,
        "SeriesInstanceUID": SERIES,
        "Modality": "CT",
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "SamplesPerPixel": samples,
        "PhotometricInterpretation": "MONOCHROME2" if samples == 1 else "RGB",
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
        "PixelSpacing": [1.0, 1.0],
        "ImageOrientationPatient": list(AXIAL),
        "ImagePositionPatient": [0.0, 0.0, 0.0],
        "InstanceNumber": 1,
    }
    if samples > 1:
        plain["PlanarConfiguration"] = 0
    for name, value in (plain | attributes).items():
        if value is not None:
            setattr(made, name, value)
    made.PixelData = pixels.tobytes()
    return made


def write(path: Path, made: Dataset) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save_as(path, enforce_file_format=True)
    return path


def write_series(folder: Path, places: list[float], **attributes: Any) -> None:
    """Slices along z; that of the i-th smallest place has the ramp of i. Their names are in the order of `places`."""
    order = sorted(places)
    for number, place in enumerate(places):
        given = {"ImagePositionPatient": [0.0, 0.0, place], "InstanceNumber": number + 1} | attributes
        write(folder / f"{number:03}.dcm", dataset(ramp(order.index(place)), **given))


def enhanced(
    count: int, *, step: float = 1.5, slope: float = 1, intercept: float = 0, reverse: bool = False
) -> Dataset:
    """All slices in one file, with their places in groups of their own."""
    numbers = list(range(count))[:: -1 if reverse else 1]
    pixels = np.stack([ramp(number) for number in numbers])
    made = dataset(
        pixels[0],
        SOPClassUID=EnhancedCTImageStorage,
        ImagePositionPatient=None,
        ImageOrientationPatient=None,
        PixelSpacing=None,
    )
    made.NumberOfFrames = count
    made.PixelData = pixels.tobytes()
    made.SharedFunctionalGroupsSequence = DicomSequence([Dataset()])
    shared = made.SharedFunctionalGroupsSequence[0]
    shared.PlaneOrientationSequence = DicomSequence([_with(ImageOrientationPatient=list(AXIAL))])
    shared.PixelMeasuresSequence = DicomSequence([_with(PixelSpacing=[2.0, 0.5], SliceThickness=step)])
    shared.PixelValueTransformationSequence = DicomSequence([_with(RescaleSlope=slope, RescaleIntercept=intercept)])
    frames = []
    for number in numbers:
        frame = Dataset()
        frame.PlanePositionSequence = DicomSequence([_with(ImagePositionPatient=[1.0, 2.0, number * step])])
        frames.append(frame)
    made.PerFrameFunctionalGroupsSequence = DicomSequence(frames)
    return made


def _with(**attributes: Any) -> Dataset:
    made = Dataset()
    for name, value in attributes.items():
        setattr(made, name, value)
    return made
