"""Whole slides that OpenSlide reads: each becomes a tiled pyramid in TIFF, a tile at a time."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tifffile import TiffWriter

from podium.platform.images.job_kinds import GroupFile
from podium.platform.images.problems import ImageRefused, Reason
from podium.platform.images.rescaling import Pixels
from podium.platform.images.tiff import open_tiff
from podium.platform.images.tiff_slides import Slide
from podium.platform.images.volumes import Volume

try:
    import openslide
except ModuleNotFoundError as error:
    # The one without the other is no use; which one is missing, it says in its own words.
    if "openslide" not in str(error).lower():
        raise
    is_installed = False
else:
    is_installed = True

_TILE = 512
_QUALITY = 90
_WHITE = (255, 255, 255)
_LARGEST = 1 << 20  # pixels of a side
_LONGEST_INDEX = 16 << 20
_ELSEWHERE = re.compile(r"=\s*[/\\]|(?:^|[=/\\\s])\.\.[/\\]", re.MULTILINE)


def open_slide(name: str, files: Sequence[GroupFile], folder: Path, *, most_bytes: int) -> Slide | Volume:
    """Convert a slide into a pyramid in TIFF, in a folder, and open that.

    Args:
        files: The one that names the others comes first.

    Raises:
        ImageRefused: It is damaged, does not say how large its pixels are, or nothing is installed that reads it.
    """
    if not is_installed:
        raise ImageRefused(
            Reason.UNSUPPORTED_FORMAT,
            "It is a whole slide in its scanner's own format, and what reads those is not installed here.",
            "Ask the operator to install podium[slides] on the hosts that import images; or convert it to TIFF.",
        )
    converted = folder / "converted.tif"
    with _damage_named(), openslide.OpenSlide(_laid_out(files, folder / "slide")) as slide:
        spacing = _spacing(slide)
        with TiffWriter(converted, bigtiff=True) as writer:
            for level, size in enumerate(slide.level_dimensions):
                _write_level(writer, slide, level, size, spacing)
    return open_tiff(name, converted, most_bytes=most_bytes)


def _laid_out(files: Sequence[GroupFile], folder: Path) -> Path:
    """Links to the files with the names that they had, as the first one looks for the others."""
    name = posixpath.basename(files[0].shown)
    own = posixpath.splitext(name)[0]
    for file in files:
        _check_names(file)
        # In a folder named like the slide, wherever that is, or beside it.
        _, within, after = f"/{file.shown}".rpartition(f"/{own}/")
        place = folder / own / after if within and file is not files[0] else folder / posixpath.basename(after)
        if ".." in place.parts or place.exists():
            raise ImageRefused(Reason.INCOMPLETE_SET, "Two of its files have the same name.", "Upload it alone.")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(file.path)
    return folder / name


def _check_names(file: GroupFile) -> None:
    """Refuse a slide whose index would have files read that were not uploaded with it."""
    if not file.shown.lower().endswith((".vms", ".vmu", ".ini")):
        return
    with Path(file.path).open("rb") as index:
        text = index.read(_LONGEST_INDEX + 1).decode("latin-1")
    if len(text) > _LONGEST_INDEX or _ELSEWHERE.search(text):
        detail = f"Its index, {posixpath.basename(file.shown)!r}, names files in other folders."
        raise ImageRefused(Reason.UNSAFE_FILE, detail)


def _spacing(slide: openslide.OpenSlide) -> tuple[float, float]:
    """From pixel to pixel, along x and y, in mm."""
    told = (slide.properties.get(openslide.PROPERTY_NAME_MPP_X), slide.properties.get(openslide.PROPERTY_NAME_MPP_Y))
    if not all(told):
        raise ImageRefused(Reason.NO_SCALE, "It does not say how large its pixels are.")
    along, down = (float(str(number)) / 1000 for number in told)
    if not all(1e-7 < step < 1e5 for step in (along, down)):
        raise ImageRefused(Reason.BAD_GEOMETRY, f"Its pixels are {along:.3g} x {down:.3g} mm large.")
    return along, down


def _write_level(
    writer: TiffWriter, slide: openslide.OpenSlide, level: int, size: tuple[int, int], spacing: tuple[float, float]
) -> None:
    width, height = size
    if not 0 < max(size) < _LARGEST:
        raise ImageRefused(Reason.TOO_LARGE, f"It has {width} x {height} pixels, which is more than allowed.")
    ratio = slide.level_downsamples[level]
    written: dict[str, Any] = {
        "shape": (height, width, 3),
        "dtype": np.uint8,
        "tile": (_TILE, _TILE),
        "photometric": "rgb",
        "compression": "jpeg",
        "compressionargs": {"level": _QUALITY, "outcolorspace": "ycbcr"},
        "subfiletype": 1 if level else 0,
        "resolution": (10 / spacing[0] / ratio, 10 / spacing[1] / ratio),
        "resolutionunit": "CENTIMETER",
        "metadata": None,
        "maxworkers": 1,
    }
    writer.write(_tiles(slide, level, size), **written)


def _tiles(slide: openslide.OpenSlide, level: int, size: tuple[int, int]) -> Iterator[Pixels]:
    ratio = slide.level_downsamples[level]
    colour = slide.properties.get(openslide.PROPERTY_NAME_BACKGROUND_COLOR)
    paper = tuple(bytes.fromhex(colour)) if colour else _WHITE
    for top in range(0, size[1], _TILE):
        for left in range(0, size[0], _TILE):
            region = slide.read_region((round(left * ratio), round(top * ratio)), level, (_TILE, _TILE))
            tile = Image.new("RGB", region.size, paper)
            tile.paste(region, mask=region.getchannel("A"))
            yield np.asarray(tile)


@contextmanager
def _damage_named() -> Iterator[None]:
    try:
        yield
    except openslide.OpenSlideUnsupportedFormatError as error:
        raise ImageRefused(Reason.CORRUPT, "Its content is not what its name says.", "Upload it again.") from error
    except openslide.OpenSlideError as error:
        # Its own words would name folders of this machine.
        detail = "It can't be read: it is damaged, or one of its files is missing."
        raise ImageRefused(Reason.CORRUPT, detail, "Upload all of its files together.") from error
