"""Flat TIFF images, perhaps with smaller levels, written anew: tiles as they are packed, or decoded where need be."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from tifffile import TiffFile, TiffPage, TiffWriter

from podium.platform.images.limits import LARGEST_PICTURE
from podium.platform.images.metadata import (
    MAXIMUM_SEGMENTS,
    ColorSpace,
    EyeChoice,
    Grid,
    ImageMetadata,
    ImageType,
    plain_grid,
)
from podium.platform.images.previews import PREVIEW, write_pictures
from podium.platform.images.problems import Flag, FlagKind, ImageRefused, Reason
from podium.platform.images.report import MadeImage
from podium.platform.images.rescaling import Pixels, ValueType
from podium.platform.images.tiff_pages import damage_named, decoded, page_at

_TILE = 512
_BIG = 3_500_000_000
_COPIED = frozenset({1, 5, 7, 8, 32946})  # none, LZW, JPEG, and Deflate by its two numbers
_KEPT_COLOURS = frozenset({1, 2, 6})  # black is zero, RGB, YCbCr
_YCBCR = 6
_JPEG = 7
_DECODED_WHOLE = 1 << 28
"""Up to how many pixels a level is decoded, to see that all of it can be; of larger ones, some tiles are."""
_SOME = 64


@dataclass(slots=True)
class Slide:
    """A flat image to be kept as TIFF.

    Attributes:
        levels: Places of its pages, from the largest to the smallest.
        spacing: Along x and y, in mm; and none, where a stack has the distance of pages.
    """

    name: str
    path: Path
    levels: tuple[tuple[int, ...], ...]
    spacing: tuple[float, float, float | None]
    flags: list[Flag] = field(default_factory=list)

    def write(self, folder: Path, *, most_bytes: int) -> MadeImage:
        """Write it, and its pictures, into a folder.

        Raises:
            ImageRefused: It is damaged, or too large.
        """
        target = folder / "image.tif"
        with damage_named(), TiffFile(self.path) as tiff:
            pages = [page_at(tiff, place) for place in self.levels]
            values, *_ = [_look_through(page) for page in pages]
            with TiffWriter(target, bigtiff=self.path.stat().st_size > _BIG, byteorder=tiff.byteorder) as writer:
                for page in pages:
                    _write_level(writer, page, self.spacing, is_first=page is pages[0], most_bytes=most_bytes)
            picture = picture_of(pages, PREVIEW)
        if any(int(page.compression) == _JPEG for page in pages):
            self.flags.append(Flag(FlagKind.LOSSY, "JPEG keeps pixels only approximately."))
        along, down, _ = self.spacing
        labels = len(values.labels or ()) > 1
        pictures = write_pictures(picture, folder, window=None, aspect=down / along, labels=labels)
        return self._made(target, pages[0], values, pictures)

    def _made(self, target: Path, page: TiffPage, values: _Values, pictures: tuple[str, str]) -> MadeImage:
        along, down, _ = self.spacing
        with target.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        sample = decoded_type(page)
        metadata = ImageMetadata(
            name=self.name,
            width=page.imagewidth,
            height=page.imagelength,
            depth=1,
            voxel_width_mm=along,
            voxel_height_mm=down,
            voxel_depth_mm=None,
            timepoints=None,
            resolution_levels=len(self.levels),
            window_center=None,
            window_width=None,
            color_space=_color_space(page),
            eye_choice=EyeChoice.NOT_APPLICABLE,
            segments=values.labels,
        )
        size = (page.imagewidth, page.imagelength)
        grid: Grid = plain_grid(size, (along, down))
        return MadeImage(
            metadata=metadata,
            type=ImageType.TIFF,
            file=target.name,
            size=target.stat().st_size,
            sha256=digest,
            value_type=sample.name,
            channels={ColorSpace.GRAY: 1, ColorSpace.RGBA: 4}.get(metadata.color_space, 3),
            grid=grid,
            low=values.low,
            high=values.high,
            flags=tuple(self.flags),
            headers={},
            attributes={},
            removed=(),
            sources=(),
            thumbnail=pictures[0],
            preview=pictures[1],
        )


@dataclass(frozen=True, slots=True)
class _Values:
    """What was seen of a level's values; nothing of one that was not looked at as a whole."""

    low: float | None = None
    high: float | None = None
    labels: tuple[int, ...] | None = None


def decoded_type(page: TiffPage) -> ValueType:
    """The type of a page's values once they are decoded."""
    assert page.dtype is not None
    return np.dtype(np.uint8) if page.dtype == np.bool_ or page.photometric == 3 else page.dtype.newbyteorder("=")


def _color_space(page: TiffPage) -> ColorSpace:
    if int(page.photometric) == _YCBCR:
        return ColorSpace.YCBCR
    if page.photometric == 3:
        return ColorSpace.RGB
    return {1: ColorSpace.GRAY, 3: ColorSpace.RGB}.get(page.samplesperpixel, ColorSpace.RGBA)


def _look_through(page: TiffPage) -> _Values:
    """Decode a level, or some tiles of a large one: what can't be decoded raises."""
    count = page.imagewidth * page.imagelength
    if count > _DECODED_WHOLE:
        for _ in _some_segments(page):
            pass
        return _Values()
    low, high, counts = np.inf, -np.inf, np.zeros(256, np.int64)
    eight_bits = page.dtype == np.uint8 and page.samplesperpixel == 1 and int(page.photometric) == 1
    for segment, _, shape in page.segments(maxworkers=os.cpu_count()):
        if segment is None:
            low = min(low, 0)
            continue
        values = segment.reshape(segment.shape[-4:])[: shape[0], : shape[1], : shape[2]]
        if values.size:
            low, high = min(low, values.min()), max(high, values.max())
        if eight_bits:
            counts += np.bincount(values.reshape(-1), minlength=256)
    labels = tuple(int(label) for label in np.flatnonzero(counts)) if eight_bits else None
    finite = np.isfinite(low) and np.isfinite(high)
    return _Values(
        float(low) if finite else None,
        float(high) if finite else None,
        labels if labels and len(labels) <= MAXIMUM_SEGMENTS else None,
    )


def _some_segments(page: TiffPage) -> Iterator[Any]:
    chosen = np.unique(np.linspace(0, len(page.dataoffsets) - 1, _SOME).astype(int))
    handle = page.parent.filehandle
    more = {"jpegtables": page.jpegtables, "jpegheader": page.jpegheader} if int(page.compression) == _JPEG else {}
    for number in chosen:
        handle.seek(page.dataoffsets[number])
        yield page.decode(handle.read(page.databytecounts[number]), int(number), **more)


def _write_level(
    writer: TiffWriter, page: TiffPage, spacing: tuple[float, float, float | None], *, is_first: bool, most_bytes: int
) -> None:
    along, down, _ = spacing
    common: dict[str, Any] = {
        "metadata": None,
        "software": "",
        "subfiletype": 0 if is_first else 1,
        "resolutionunit": "CENTIMETER",
    }
    first_along, first_down = 10 / along, 10 / down
    common["resolution"] = (first_along, first_down)
    if _can_copy(page):
        writer.write(_packed_tiles(page), **common, **_as_packed(page))
        return
    if page.nbytes > most_bytes:
        raise ImageRefused(Reason.TOO_LARGE, f"It has {page.nbytes} bytes of pixels; at most {most_bytes} are allowed.")
    values = decoded(page)
    photometric = "rgb" if values.ndim == 3 else "minisblack"
    writer.write(
        values, tile=(_TILE, _TILE), compression="adobe_deflate", photometric=photometric, predictor=False, **common
    )


def _can_copy(page: TiffPage) -> bool:
    return bool(
        page.is_tiled
        and int(page.compression) in _COPIED
        and int(page.photometric) in _KEPT_COLOURS
        and (int(page.photometric) != _YCBCR or int(page.compression) == _JPEG)
        and page.planarconfig == tifffile.PLANARCONFIG.CONTIG
        and page.bitspersample in (8, 16, 32, 64)
        and page.predictor in (1, 2, 3)
        and page.fillorder == 1
        and all(page.databytecounts)
        and page.samplesperpixel in (1, 3)
    )


def _as_packed(page: TiffPage) -> dict[str, Any]:
    shape = (page.imagelength, page.imagewidth)
    told: dict[str, Any] = {
        "shape": shape if page.samplesperpixel == 1 else (*shape, page.samplesperpixel),
        "dtype": page.dtype,
        "tile": (page.tilelength, page.tilewidth),
        "photometric": int(page.photometric),
    }
    if int(page.compression) != 1:
        told["compression"] = int(page.compression)
    if page.predictor != 1:
        told["predictor"] = int(page.predictor)
    if int(page.compression) == _JPEG:
        told["jpegtables"] = page.jpegtables
        if int(page.photometric) == _YCBCR:
            told["subsampling"] = page.subsampling
    return told


def _packed_tiles(page: TiffPage) -> Iterator[bytes]:
    handle = page.parent.filehandle
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        handle.seek(offset)
        yield handle.read(count)


def picture_of(pages: Sequence[TiffPage], side: int) -> Pixels:
    """The pixels of the smallest level that has `side` pixels along its longer one, every so manieth of a large one."""
    enough = [page for page in pages if max(page.imagewidth, page.imagelength) >= side]
    page = enough[-1] if enough else pages[0]
    if page.imagewidth * page.imagelength <= LARGEST_PICTURE:
        return decoded(page)
    step = max(page.imagewidth, page.imagelength) // side
    samples = page.samplesperpixel
    picture = np.zeros((-(-page.imagelength // step), -(-page.imagewidth // step), samples), page.dtype)
    for segment, (_, _, top, left, _), shape in page.segments(maxworkers=os.cpu_count()):
        if segment is None:
            continue
        values = segment.reshape(segment.shape[-4:])[0, : shape[1], : shape[2]]
        part = values[-top % step :: step, -left % step :: step]
        begin = -(-top // step), -(-left // step)
        picture[begin[0] : begin[0] + part.shape[0], begin[1] : begin[1] + part.shape[1]] = part
    return picture if samples > 1 else picture[..., 0]
