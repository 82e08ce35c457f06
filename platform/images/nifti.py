"""NIfTI, plain or packed: unpacked and checked here, placed in space by SimpleITK."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import SimpleITK as sitk
from isal import igzip

from podium.platform.images.metadata import COLOR_SPACES, Grid
from podium.platform.images.problems import ImageRefused, Reason
from podium.platform.images.raw_streams import damage_refused
from podium.platform.images.rescaling import Linear, Pixels, rescaled, value_type
from podium.platform.images.volumes import Volume

_PIECE = 1 << 20
_FIRST = struct.Struct("i")
_VERSION_1 = 348
_VERSION_2 = 540


def open_volume(name: str, path: Path, workplace: Path, *, most_bytes: int) -> Volume:
    """Make a volume of a NIfTI file.

    Args:
        workplace: A folder for the unpacked file.

    Raises:
        ImageRefused: It can't be used.
    """
    plain = workplace / "unpacked.nii"
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    _copy(path, plain, packed=packed, most=most_bytes + (1 << 20))
    linear = _take_rescale(plain, most_bytes)
    reader = sitk.ImageFileReader()
    reader.SetImageIO("NiftiImageIO")
    reader.SetFileName(str(plain))
    try:
        image = reader.Execute()
    except RuntimeError as error:
        raise ImageRefused(*_itk_reason(str(error))) from error
    channels = image.GetNumberOfComponentsPerPixel()
    if channels not in COLOR_SPACES:
        detail = f"Each of its voxels has {channels} values; 1, 3 and 4 are supported."
        raise ImageRefused(Reason.UNSUPPORTED_CHANNELS, detail)
    if image.GetDimension() not in (2, 3, 4):
        detail = f"It has {image.GetDimension()} dimensions; 2, 3 and 4 are supported."
        raise ImageRefused(Reason.UNSUPPORTED_SHAPE, detail)
    grid = Grid(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())
    values: Pixels = sitk.GetArrayViewFromImage(image)
    if "complex" in image.GetPixelIDTypeAsString():
        raise ImageRefused(Reason.UNSUPPORTED_PIXELS, "Its values are complex numbers.")
    target = values.dtype
    if not linear.changes_nothing:
        if channels != 1:
            raise ImageRefused(Reason.UNSUPPORTED_PIXELS, "Its colours are rescaled.")
        low, high = (int(values.min()), int(values.max())) if linear.is_whole and target.kind in "iu" else (0, 0)
        target = value_type(target, [linear], low, high) if target.kind in "iu" else target
    volume = Volume(name, grid, target, channels)

    def planes(_kept: sitk.Image = image) -> Iterator[Pixels]:  # the values are a view into the image
        for plane in values.reshape(-1, *volume.plane_shape):
            yield rescaled(plane, linear, target)

    volume.planes = planes
    return volume


def _copy(path: Path, plain: Path, *, packed: bool, most: int) -> None:
    """Unpack a file, or copy it, checking its checksum and its size."""
    left = most
    with (
        damage_refused(),
        igzip.open(path, "rb") if packed else path.open("rb") as source,
        plain.open("xb") as target,
    ):
        while piece := source.read(_PIECE):
            left -= len(piece)
            if left < 0:
                raise ImageRefused(Reason.TOO_LARGE, f"Unpacked, it has more than {most} bytes.")
            target.write(piece)


def _take_rescale(plain: Path, most_bytes: int) -> Linear:
    """Check that the file is whole, and take the slope and intercept out of it, which ITK would make floats of."""
    with plain.open("r+b") as file:
        head = file.read(_VERSION_2)
        if len(head) < _VERSION_1:
            raise ImageRefused(Reason.TRUNCATED, "It is shorter than the header of a NIfTI file.")
        order = next((order for order in "<>" if struct.unpack_from(order + "i", head)[0] in (348, 540)), None)
        if order is None:
            raise ImageRefused(Reason.BAD_HEADER, "Its header is not that of a NIfTI file.")
        if struct.unpack_from(order + "i", head)[0] == _VERSION_1:
            dims = struct.unpack_from(order + "8h", head, 40)
            bits = struct.unpack_from(order + "h", head, 72)[0]
            start = int(_finite(struct.unpack_from(order + "f", head, 108)[0]))
            slot, kind = 112, "ff"
        else:
            dims = struct.unpack_from(order + "8q", head, 16)
            bits = struct.unpack_from(order + "h", head, 14)[0]
            start = struct.unpack_from(order + "q", head, 168)[0]
            slot, kind = 176, "dd"
        if not 1 <= dims[0] <= 7 or any(length < 1 for length in dims[1 : dims[0] + 1]) or bits < 1:
            raise ImageRefused(Reason.BAD_HEADER, f"Its header has the dimensions {dims}, {bits} bits each.")
        length = bits // 8
        for count in dims[1 : dims[0] + 1]:
            length *= count
        if length > most_bytes:
            raise ImageRefused(Reason.TOO_LARGE, f"Its voxels have {length} bytes; at most {most_bytes} are allowed.")
        size = file.seek(0, 2)
        if start < _VERSION_1 or size < start + length:
            detail = f"It has {max(0, size - start)} of the {length} bytes of voxels that it promises."
            raise ImageRefused(Reason.TRUNCATED, detail, "Upload it again, whole.")
        slope, intercept = (_finite(number) for number in struct.unpack_from(order + kind, head, slot))
        file.seek(slot)
        file.write(struct.pack(order + kind, 1, 0))
    # A slope of zero means that there is none.
    return Linear(slope, intercept) if slope else Linear()


def _finite(number: float) -> float:
    return number if number - number == 0 else 0.0


def _itk_reason(message: str) -> tuple[Reason, str]:
    what = message.strip().splitlines()[-1].split("):", 1)[-1].strip()[:300]
    if "orthonormal" in message.lower() or "direction" in message.lower():
        return Reason.BAD_GEOMETRY, f"The directions of its axes are not at right angles ({what})."
    return Reason.BAD_HEADER, f"SimpleITK can't read it ({what})."
