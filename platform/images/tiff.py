"""TIFF: flat images and pyramids, which stay TIFF, and stacks of pages, which become volumes.

What is kept is written anew: pixels alone, without descriptions, labels and thumbnails, which in files from slide
scanners tell whose slide it is.
"""

from __future__ import annotations

import logging
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tifffile import TiffFile, TiffPage

from podium.platform.images.metadata import plain_grid
from podium.platform.images.problems import Flag, FlagKind, ImageRefused, Reason
from podium.platform.images.rescaling import Pixels
from podium.platform.images.tiff_pages import (
    BLACK_IS_ZERO,
    PALETTE,
    RGB,
    WHITE_IS_ZERO,
    YCBCR,
    damage_named,
    decoded,
    page_at,
    place_of,
)
from podium.platform.images.tiff_slides import Slide
from podium.platform.images.volumes import Volume

logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # what it finds wrong is a refusal, or nothing
_INCH, _CENTIMETRE = 2, 3
_MILLIMETRES = {_INCH: 25.4, _CENTIMETRE: 10.0}
_UNITS = {
    "m": 1e3, "cm": 10.0, "mm": 1.0, "um": 1e-3, "µm": 1e-3, "μm": 1e-3, "micron": 1e-3, "microns": 1e-3,
    "\\u00b5m": 1e-3, "nm": 1e-6, "inch": 25.4, "pixel": 0.0,
}  # fmt: skip
_MOST_PAGES = 20_000
_NARROWEST = 8
_APERIO = re.compile(r"\|\s*MPP\s*=\s*([0-9.]+)")


def open_tiff(name: str, path: Path, *, most_bytes: int) -> Volume | Slide:
    """Look at a TIFF file, and make a volume of a stack, or a slide of what is flat.

    Raises:
        ImageRefused: It is damaged, or of a kind that can't be used.
    """
    with damage_named(), TiffFile(path) as tiff:
        levels, stack = _divide(tiff)
        first = levels[0] if levels else stack[0]
        _check_page(first)
        for page in [*levels, *stack]:
            _check_extent(page, path.stat().st_size)
        spacing = _spacing(tiff, first)
        if spacing is None:
            raise ImageRefused(
                Reason.NO_SCALE,
                "It does not say how large its pixels are.",
                "Write it with a resolution in inches or centimetres.",
            )
        if levels:
            flags = [Flag(FlagKind.COLOURS_CONVERTED, text) for text in _conversions(first)]
            return Slide(name, path, tuple(place_of(page) for page in levels), spacing, flags)
        return _volume(name, path, tiff, stack, spacing, most_bytes)


def _divide(tiff: TiffFile) -> tuple[list[TiffPage], list[TiffPage]]:
    """The levels of a flat image, or else the slices of a stack."""
    if not tiff.series:
        raise ImageRefused(Reason.CORRUPT, "It has no pages.")
    if len(tiff.pages) > _MOST_PAGES:
        raise ImageRefused(Reason.TOO_LARGE, f"It has more than {_MOST_PAGES} pages.")
    main = tiff.series[0]
    if len(main.pages) == 1:
        levels = [_page(level.pages[0]) for level in main.levels]
        others = [_page(series.pages[0]) for series in tiff.series[1:]]
        if len(levels) == 1 and not (tiff.is_svs or tiff.is_scn or tiff.is_ndpi):
            levels += _reductions(levels[0], others)
            left = [page for page in others if page not in levels and not page.is_reduced]
            if left:
                raise ImageRefused(
                    Reason.MIXED_SIZES, f"Its {len(left) + 1} pages are of different sizes.", "Upload each as a file."
                )
        return levels, []
    pages = [_page(page) for page in main.pages]
    if len({(page.shape, page.dtype, int(page.photometric)) for page in pages}) > 1 or len(tiff.series) > 1:
        raise ImageRefused(Reason.MIXED_SIZES, "Its pages are of different sizes.", "Upload each as a file.")
    if set(main.axes) & set("C"):
        detail = f"Its axes are {main.axes}: the channels of a microscope are no colours."
        raise ImageRefused(Reason.UNSUPPORTED_CHANNELS, detail, "Upload one channel, or RGB.")
    return [], pages


def _page(page: Any) -> TiffPage:  # noqa: ANN401 -- tifffile gives pages, frames and nothing
    if page is None:
        raise ImageRefused(Reason.CORRUPT, "A page of it is missing.")
    return page.aspage()  # type: ignore[no-any-return]


def _reductions(first: TiffPage, others: Sequence[TiffPage]) -> Iterator[TiffPage]:
    """Pages that are the first one again, smaller and smaller."""
    before = first
    for page in others:
        ratio = before.imagewidth / page.imagewidth
        same_shape = abs(before.imagelength - page.imagelength * ratio) <= max(2.0, ratio)
        if ratio < 1.5 or not same_shape or page.samplesperpixel != first.samplesperpixel:
            return
        yield page
        before = page


def _check_page(page: TiffPage) -> None:
    photometric, samples = int(page.photometric), page.samplesperpixel
    if page.imagedepth != 1 or page.dtype is None:
        raise ImageRefused(Reason.UNSUPPORTED_PIXELS, "Its pixels are of a kind that isn't read here.")
    if samples not in (1, 3, 4) or (photometric in (RGB, YCBCR) and samples < 3):
        detail = f"Each of its pixels has {samples} values; 1, 3 and 4 are supported."
        raise ImageRefused(Reason.UNSUPPORTED_CHANNELS, detail)
    grey = photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO, PALETTE)
    if not grey and photometric not in (RGB, YCBCR):
        detail = f"Its colours are of the kind {getattr(page.photometric, 'name', photometric)}."
        raise ImageRefused(Reason.UNSUPPORTED_PIXELS, detail, "Write it in grey or RGB.")
    if grey and samples != 1:
        raise ImageRefused(Reason.UNSUPPORTED_CHANNELS, f"It is grey, and each of its pixels has {samples} values.")
    if page.dtype.kind not in "biuf" or page.dtype.itemsize > 8 or page.dtype == np.float16:
        raise ImageRefused(Reason.UNSUPPORTED_PIXELS, f"Its values are of the type {page.dtype}.")


def _check_extent(page: TiffPage, size: int) -> None:
    ends = (offset + count for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True))
    if max(ends, default=0) > size:
        raise ImageRefused(Reason.TRUNCATED, "The end of it is missing.", "Upload it again, whole.")
    if not any(page.databytecounts):
        raise ImageRefused(Reason.CORRUPT, "A page of it has no pixels.")


def _spacing(tiff: TiffFile, page: TiffPage) -> tuple[float, float, float | None] | None:
    """From pixel to pixel along x, y and from page to page, in mm, by what the maker of the file wrote where."""
    for found in (_ome_spacing(tiff), _imagej_spacing(tiff, page), _aperio_spacing(tiff, page), _tag_spacing(page)):
        if found is not None:
            along, down, between = found
            if not all(1e-7 < step < 1e5 for step in (along, down)):
                raise ImageRefused(Reason.BAD_GEOMETRY, f"Its pixels are {along:.3g} x {down:.3g} mm large.")
            return along, down, between if between and between > 0 else None
    return None


def _tag_spacing(page: TiffPage) -> tuple[float, float, None] | None:
    unit = page.tags.get("ResolutionUnit")
    numbers = [_rational(page, name) for name in ("XResolution", "YResolution")]
    scale = _MILLIMETRES.get(int(unit.value)) if unit is not None else _MILLIMETRES[_INCH]
    if scale is None or not all(numbers):
        return None
    return scale / numbers[0], scale / numbers[1], None


def _rational(page: TiffPage, name: str) -> float:
    tag = page.tags.get(name)
    if tag is None:
        return 0.0
    above, below = tag.value
    return float(above) / float(below) if below else 0.0


def _imagej_spacing(tiff: TiffFile, page: TiffPage) -> tuple[float, float, float | None] | None:
    told = tiff.imagej_metadata if tiff.is_imagej else None
    scale = _UNITS.get(str((told or {}).get("unit", "")).strip().lower())
    numbers = [_rational(page, name) for name in ("XResolution", "YResolution")]
    if not told or not scale or not all(numbers):
        return None
    between = told.get("spacing")
    return scale / numbers[0], scale / numbers[1], float(between) * scale if between else None


def _aperio_spacing(tiff: TiffFile, page: TiffPage) -> tuple[float, float, None] | None:
    found = _APERIO.search(page.description) if tiff.is_svs else None
    return (float(found[1]) / 1000, float(found[1]) / 1000, None) if found else None


def _ome_spacing(tiff: TiffFile) -> tuple[float, float, float | None] | None:
    text = tiff.ome_metadata if tiff.is_ome else None
    if not text or "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    try:
        root = ET.fromstring(text)  # noqa: S314 -- without a document type, nothing in it can grow
    except ET.ParseError:
        return None
    pixels = next((element for element in root.iter() if element.tag.endswith("}Pixels")), None)
    if pixels is None:
        return None
    steps = []
    for axis in "XYZ":
        size = pixels.get(f"PhysicalSize{axis}")
        scale = _UNITS.get(pixels.get(f"PhysicalSize{axis}Unit", "µm").lower())
        steps.append(float(size) * scale if size and scale else None)
    return (steps[0], steps[1], steps[2]) if steps[0] and steps[1] else None


def _conversions(page: TiffPage) -> Iterator[str]:
    if int(page.photometric) == PALETTE:
        yield "Its palette was expanded to colours."
    if int(page.photometric) == WHITE_IS_ZERO:
        yield "Its low values are meant as white: they were turned around."


def _volume(
    name: str,
    path: Path,
    tiff: TiffFile,
    pages: Sequence[TiffPage],
    spacing: tuple[float, float, float | None],
    most_bytes: int,
) -> Volume:
    first = pages[0]
    width, height = first.imagewidth, first.imagelength
    if min(width, height) < _NARROWEST < len(pages):
        raise ImageRefused(
            Reason.UNSUPPORTED_CHANNELS,
            f"It has {len(pages)} pages of {width} x {height} pixels: that looks like channels taken for pixels.",
            "Write channels as samples of one page, or slices as pages.",
        )
    axes = tiff.series[0].axes
    times = tiff.series[0].shape[axes.index("T")] if "T" in axes and len(axes) > axes.index("T") + 3 else 1
    if axes.startswith("T") and times == 1:
        times = len(pages)
    slices = len(pages) // times
    size = (width, height, slices, times) if times > 1 else (width, height, slices)
    along, down, between = spacing
    steps = (along, down, between or 1.0, 1.0)[: len(size)]
    values = decoded(first)
    channels = values.shape[2] if values.ndim == 3 else 1
    volume = Volume(name, plain_grid(size, steps), values.dtype, channels)
    if volume.bytes > most_bytes:
        raise ImageRefused(Reason.TOO_LARGE, f"Its voxels have {volume.bytes} bytes; at most {most_bytes} are allowed.")
    if slices > 1 and not between:
        detail = "It does not say how far its pages are apart: that is taken as 1 mm."
        volume.flags.append(Flag(FlagKind.SLICE_SPACING_UNKNOWN, detail))
    volume.flags += [Flag(FlagKind.COLOURS_CONVERTED, text) for text in _conversions(first)]
    numbers = [place_of(page) for page in pages]

    def planes() -> Iterator[Pixels]:
        with damage_named(), TiffFile(path) as again:
            for number in numbers:
                yield decoded(page_at(again, number))

    volume.planes = planes
    return volume
