"""Topcon's scans of the retina, `.fda` and `.fds`: a chain of named chunks, of which few are read.

They are read here: the libraries that know them read whole files into memory, with all that they tell of a patient, and
fail beside newer versions of numpy.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, Jpeg2KImagePlugin, JpegImagePlugin

from podium.platform.images.metadata import EyeChoice, plain_grid
from podium.platform.images.oct_parts import OctPart, check_room, truncated
from podium.platform.images.problems import Flag, FlagKind, ImageRefused, Reason
from podium.platform.images.rescaling import Pixels, ValueType
from podium.platform.images.tiff_pages import damage_named
from podium.platform.images.volumes import Volume

_HEADER_BYTES = 15  # "FOCT", three letters, two numbers of its version
_MOST_CHUNKS = 10_000
_PACKED_SCAN = struct.Struct("<B8x3I4x")  # how it was scanned, width, height, slices
_RAW_SCAN = struct.Struct("<B4IBI")  # the same with bits before slices, a format, and bytes
_PACKED_PICTURE = struct.Struct("<4I4sI")  # width, height, bits, pictures, a format, bytes
_RAW_PICTURE = struct.Struct("<4IBI")
_RAW_SCANS = (b"@IMG_SCAN_03", b"@IMG_MOT_COMP_03")
_SCALES = ((b"@PARAM_SCAN_04", 12), (b"@PARAM_SCAN_02", 21))  # and how far into them the scale is
_SCALE = struct.Struct("<3d")  # width and breadth of the scan in mm, height of a pixel in micrometres
_EYES = {0: EyeChoice.OCULUS_DEXTER, 1: EyeChoice.OCULUS_SINISTER}
_NOT_PARALLEL = {3: "a star", 4: "a cross"}
_FORMATS = [Jpeg2KImagePlugin.Jpeg2KImageFile.format, JpegImagePlugin.JpegImageFile.format]


@dataclass(frozen=True, slots=True)
class _Chunk:
    at: int
    size: int


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    chunks: dict[bytes, _Chunk]

    def read(self, chunk: _Chunk, start: int, size: int) -> bytes:
        """Read a piece of a chunk, or refuse the file where the chunk is not that long."""
        if start + size > chunk.size:
            raise ImageRefused(Reason.CORRUPT, "A part of it is shorter than its own header says.")
        with self.path.open("rb") as file:
            file.seek(chunk.at + start)
            return file.read(size)

    @property
    def eye(self) -> EyeChoice:
        """The eye that it shows, as far as it says."""
        chunk = self.chunks.get(b"@CAPTURE_INFO_02") or self.chunks.get(b"@CAPTURE_INFO")
        return _EYES.get(self.read(chunk, 0, 1)[0], EyeChoice.UNKNOWN) if chunk else EyeChoice.UNKNOWN


def parts(path: Path) -> list[OctPart]:
    """Find the images of a file.

    Raises:
        ImageRefused: It is cut off, or has none.
    """
    file = _File(path, _chunks(path))
    found = []
    if b"@IMG_JPEG" in file.chunks:
        found.append(OctPart(partial(_packed_scan, file)))
    elif any(name in file.chunks for name in _RAW_SCANS):
        found.append(OctPart(partial(_raw_scan, file)))
    if b"@IMG_FUNDUS" in file.chunks:
        found.append(OctPart(partial(_packed_picture, file), is_fundus=True))
    elif b"@IMG_OBS" in file.chunks:
        found.append(OctPart(partial(_raw_picture, file), is_fundus=True))
    if not found:
        raise ImageRefused(Reason.NO_PIXELS, "It has neither a scan nor a picture of a kind that is read here.")
    return found


def _chunks(path: Path) -> dict[bytes, _Chunk]:
    """Where chunks are, the first of each name; the last is followed by an empty name."""
    found: dict[bytes, _Chunk] = {}
    whole = path.stat().st_size
    with path.open("rb") as file:
        file.seek(_HEADER_BYTES)
        for _ in range(_MOST_CHUNKS):
            length = file.read(1)
            if length == b"\0":
                return found
            name, size = file.read(length[0] if length else 0), file.read(4)
            if len(size) < 4:
                raise truncated("its last part has no end")
            chunk = _Chunk(file.tell(), int.from_bytes(size, "little"))
            if not name.startswith(b"@"):
                raise ImageRefused(Reason.CORRUPT, "Where a part of it should begin, there is something else.")
            if chunk.at + chunk.size > whole:
                raise truncated(f"its part {name.decode('ascii', 'replace')!r} is not all there")
            found.setdefault(name, chunk)
            file.seek(chunk.at + chunk.size)
    raise ImageRefused(Reason.CORRUPT, "It has more parts than any scan has.")


def _packed_scan(file: _File, name: str, *, most_bytes: int) -> Volume:
    chunk = file.chunks[b"@IMG_JPEG"]
    mode, width, height, slices = _PACKED_SCAN.unpack(file.read(chunk, 0, _PACKED_SCAN.size))

    def planes() -> Iterator[Pixels]:
        at = _PACKED_SCAN.size
        for _ in range(slices):
            size = int.from_bytes(file.read(chunk, at, 4), "little")
            yield _unpacked(file.read(chunk, at + 4, size), width, height)
            at += 4 + size

    if slices * 4 > chunk.size:
        raise ImageRefused(Reason.CORRUPT, f"It can't have the {slices} slices that it promises.")
    check_room(_scan(file, name, mode, (width, height, slices), np.dtype(np.uint8)), most_bytes)
    first = next(planes())
    if first.ndim != 2:
        raise ImageRefused(Reason.UNSUPPORTED_CHANNELS, "Its slices are in colours.")
    volume = check_room(_scan(file, name, mode, (width, height, slices), first.dtype), most_bytes)
    volume.planes = planes
    return volume


def _raw_scan(file: _File, name: str, *, most_bytes: int) -> Volume:
    chunk = next(file.chunks[kind] for kind in _RAW_SCANS if kind in file.chunks)
    mode, width, height, bits, slices, *_ = _RAW_SCAN.unpack(file.read(chunk, 0, _RAW_SCAN.size))
    if bits != 16:
        raise ImageRefused(Reason.UNSUPPORTED_PIXELS, f"Its values have {bits} bits; 16 are read here.")
    size = width * height * 2

    def planes() -> Iterator[Pixels]:
        for number in range(slices):
            values = np.frombuffer(file.read(chunk, _RAW_SCAN.size + number * size, size), "<u2")
            yield values.reshape(height, width)

    volume = check_room(_scan(file, name, mode, (width, height, slices), np.dtype(np.uint16)), most_bytes)
    file.read(chunk, _RAW_SCAN.size + (slices - 1) * size, size)
    volume.planes = planes
    return volume


def _scan(file: _File, name: str, mode: int, size: tuple[int, int, int], values: ValueType) -> Volume:
    """A volume as the scanner's settings place it, still without its planes."""
    volume = Volume(name, plain_grid(size), values, 1, eye=file.eye)
    found = next(((file.chunks[kind], at) for kind, at in _SCALES if kind in file.chunks), None)
    along, across, down = _SCALE.unpack(file.read(*found, _SCALE.size)) if found else (0.0, 0.0, 0.0)
    if min(size) < 1:
        return volume
    if not found or not all(0 < length < 1e4 for length in (along, across, down)):
        volume.spacing_known = False
        volume.flags.append(Flag(FlagKind.SPACING_UNKNOWN, "It does not say how large what it shows is."))
        return volume
    spacing = (along / size[0], down / 1000, across / size[2])
    if mode in _NOT_PARALLEL:
        spacing = (*spacing[:2], 1.0)
        detail = f"Its slices are {_NOT_PARALLEL[mode]}: side by side, as they are kept, they are no volume."
        volume.flags.append(Flag(FlagKind.NOT_PARALLEL, detail))
    volume.grid = plain_grid(size, spacing)
    return volume


def _packed_picture(file: _File, name: str, *, most_bytes: int) -> Volume:
    chunk = file.chunks[b"@IMG_FUNDUS"]
    width, height, *_, size = _PACKED_PICTURE.unpack(file.read(chunk, 0, _PACKED_PICTURE.size))
    check_room(_picture(file, name, (height, width, 3)), most_bytes)
    values = _unpacked(file.read(chunk, _PACKED_PICTURE.size, size), width, height)
    return _with_values(_picture(file, name, values.shape), values)


def _raw_picture(file: _File, name: str, *, most_bytes: int) -> Volume:
    chunk = file.chunks[b"@IMG_OBS"]
    width, height, bits, *_ = _RAW_PICTURE.unpack(file.read(chunk, 0, _RAW_PICTURE.size))
    if bits not in (8, 24):
        raise ImageRefused(Reason.UNSUPPORTED_PIXELS, f"Its pixels have {bits} bits; 8 and 24 are read here.")
    shape = (height, width) if bits == 8 else (height, width, 3)
    volume = check_room(_picture(file, name, shape), most_bytes)
    values = np.frombuffer(file.read(chunk, _RAW_PICTURE.size, volume.bytes), np.uint8)
    return _with_values(volume, values.reshape(shape))


def _picture(file: _File, name: str, shape: tuple[int, ...]) -> Volume:
    detail = "It does not say how large the pixels of its picture of the fundus are."
    flags = [Flag(FlagKind.SPACING_UNKNOWN, detail)]
    grid = plain_grid((shape[1], shape[0]))
    channels = shape[2] if len(shape) == 3 else 1
    return Volume(name, grid, np.dtype(np.uint8), channels, spacing_known=False, eye=file.eye, flags=flags)


def _with_values(volume: Volume, values: Pixels) -> Volume:
    if values.dtype != np.uint8 or volume.channels not in (1, 3):
        raise ImageRefused(Reason.UNSUPPORTED_PIXELS, "Its picture of the fundus is neither grey nor in colours.")
    # Blue comes first in these files.
    turned = np.ascontiguousarray(values[..., ::-1]) if volume.channels == 3 else values
    volume.planes = lambda: iter([turned])
    return volume


def _unpacked(packed: bytes, width: int, height: int) -> Pixels:
    # The size is that of the header, which was checked.
    Image.MAX_IMAGE_PIXELS = None
    with damage_named(), Image.open(io.BytesIO(packed), formats=_FORMATS) as image:
        if image.size != (width, height):
            detail = f"An image in it has {image.width} x {image.height} pixels, and not {width} x {height}."
            raise ImageRefused(Reason.CORRUPT, detail)
        if image.mode not in ("L", "RGB", "I;16"):
            raise ImageRefused(Reason.UNSUPPORTED_PIXELS, f"Its pixels are of the kind {image.mode!r}.")
        return np.asarray(image)
