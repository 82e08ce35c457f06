"""PNG and JPEG, of every colour type, through Pillow; PNG of sixteen bits and colours through imagecodecs.

Pillow makes eight bits of sixteen where there are colours, passes over checksums, and gives palette indices and inks as
if they were brightness. So the file's own words are looked at first.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, JpegImagePlugin, MpoImagePlugin, PngImagePlugin, UnidentifiedImageError

from podium.platform.images.metadata import plain_grid
from podium.platform.images.problems import Flag, FlagKind, ImageRefused, Reason
from podium.platform.images.rescaling import Pixels
from podium.platform.images.volumes import Volume

_PNG = b"\x89PNG\r\n\x1a\n"
_ORIENTATION = 0x0112
_PLUGINS = (PngImagePlugin.PngImageFile, JpegImagePlugin.JpegImageFile, MpoImagePlugin.MpoImageFile)
_FORMATS = [plugin.format for plugin in _PLUGINS]
_PLAIN_MODES = {"1": "L", "L": "L", "LA": "LA", "RGB": "RGB", "RGBA": "RGBA", "CMYK": "RGB", "YCbCr": "RGB"}
_FAILURES = (UnidentifiedImageError, LookupError, OSError, SyntaxError, ValueError, struct.error, zlib.error, EOFError)


@dataclass(frozen=True, slots=True)
class _PngHeader:
    bits: int
    colour: int


def open_volume(name: str, path: Path, *, most_bytes: int) -> Volume:
    """Make a flat image of a PNG or JPEG file; it is read at once.

    Raises:
        ImageRefused: It is damaged, too large, or of a kind that can't be used.
    """
    flags = [Flag(FlagKind.SPACING_UNKNOWN, "A PNG or JPEG file does not say how large its pixels are.")]
    # The size is checked here, and by how much memory the process may have.
    Image.MAX_IMAGE_PIXELS = None
    with path.open("rb") as file:
        png = _check_png(path) if file.read(8) == _PNG else None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pixels = _read(path, png, most_bytes, flags)
    except _FAILURES as error:
        raise ImageRefused(*_failure(str(error))) from error
    if png is None:
        flags.append(Flag(FlagKind.LOSSY, "JPEG keeps pixels only approximately."))
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    values = np.ascontiguousarray(pixels)
    return Volume(
        name,
        plain_grid((width, height)),
        values.dtype,
        channels,
        planes=lambda: iter([values]),
        spacing_known=False,
        flags=flags,
    )


def _failure(message: str) -> tuple[Reason, str, str]:
    if "truncated" in message.lower():
        return Reason.TRUNCATED, "The end of it is missing.", "Upload it again, whole."
    return Reason.CORRUPT, f"It can't be decoded ({message[:200]}).", ""


def _read(path: Path, png: _PngHeader | None, most_bytes: int, flags: list[Flag]) -> Pixels:
    with Image.open(path, formats=_FORMATS) as image:
        if image.width * image.height * 8 > most_bytes:
            detail = f"It has {image.width} x {image.height} pixels, which is more than allowed."
            raise ImageRefused(Reason.TOO_LARGE, detail)
        if png and png.bits == 16 and png.colour:
            return _without_needless_alpha(_sixteen_bits(path), flags)
        if turned := image.getexif().get(_ORIENTATION, 1) in range(2, 9):
            detail = "It is turned as its EXIF orientation says, and as it is shown everywhere."
            flags.append(Flag(FlagKind.ROTATED, detail))
        upright = ImageOps.exif_transpose(image) if turned else image
        return _without_needless_alpha(_values(upright, flags), flags)


def _values(image: Image.Image, flags: list[Flag]) -> Pixels:
    if image.mode in ("P", "PA"):
        flags.append(Flag(FlagKind.COLOURS_CONVERTED, "Its palette was expanded to colours."))
        if "transparency" not in image.info and image.mode == "P":
            return np.asarray(image.convert("RGB"))
        expanded = np.asarray(image.convert("RGBA"))
        return expanded[..., :3] if (expanded[..., 3] == 255).all() else expanded
    if image.mode == "CMYK":
        flags.append(Flag(FlagKind.COLOURS_CONVERTED, "Its inks (CMYK) were converted to RGB."))
    if image.mode.startswith("I"):
        return np.asarray(image).astype(np.uint16)
    if image.mode not in _PLAIN_MODES:
        raise ImageRefused(Reason.UNSUPPORTED_PIXELS, f"Its pixels are of the kind {image.mode!r}.")
    if "transparency" in image.info and image.mode in ("L", "RGB", "1"):
        return np.asarray(image.convert("RGBA" if image.mode == "RGB" else "LA"))
    mode = _PLAIN_MODES[image.mode]
    return np.asarray(image if image.mode == mode else image.convert(mode))


def _sixteen_bits(path: Path) -> Pixels:
    try:
        pixels: NDArray[Any] = imagecodecs.png_decode(path.read_bytes())
    except imagecodecs.PngError as error:
        raise ImageRefused(Reason.CORRUPT, f"It can't be decoded ({error}).") from error
    return pixels


def _without_needless_alpha(pixels: Pixels, flags: list[Flag]) -> Pixels:
    """Drop a fourth or second value that says that all is opaque; of grey with real transparency, make colours."""
    if pixels.ndim != 3 or pixels.shape[2] not in (2, 4):
        return pixels
    opaque = bool(np.all(pixels[..., -1] == np.iinfo(pixels.dtype).max))
    if pixels.shape[2] == 2:
        if opaque:
            flags.append(Flag(FlagKind.ALPHA_DROPPED, "Its alpha channel says that all is opaque."))
            return pixels[..., 0]
        flags.append(Flag(FlagKind.COLOURS_CONVERTED, "It is grey and in part transparent: kept as RGBA."))
        return pixels[..., [0, 0, 0, 1]]
    return pixels


def _check_png(path: Path) -> _PngHeader:
    """Check the checksum of every chunk, and that the last one is there."""
    header: _PngHeader | None = None
    with path.open("rb") as file:
        file.seek(len(_PNG))
        while head := file.read(8):
            if len(head) < 8:
                break
            length, kind = struct.unpack(">I4s", head)
            checksum, left = zlib.crc32(kind), length
            while left and (piece := file.read(min(left, 1 << 20))):
                if kind == b"IHDR" and header is None and len(piece) >= 10:
                    header = _PngHeader(piece[8], piece[9])
                checksum = zlib.crc32(piece, checksum)
                left -= len(piece)
            stored = file.read(4)
            if left or len(stored) < 4:
                break
            if int.from_bytes(stored) != checksum:
                raise ImageRefused(Reason.CORRUPT, f"The checksum of its part {kind!r} does not fit.")
            if kind == b"IEND" and header:
                return header
    raise ImageRefused(Reason.TRUNCATED, "The end of it is missing.", "Upload it again, whole.")
