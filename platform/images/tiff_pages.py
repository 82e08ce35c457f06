"""Pages of a TIFF file, and the ways in which they turn out to be damaged."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import tifffile
from tifffile import TiffFile, TiffPage

from podium.platform.images.problems import ImageRefused, Reason
from podium.platform.images.rescaling import Pixels

OF_THE_SYSTEM = frozenset({errno.EFBIG, errno.ENOSPC, errno.EDQUOT, errno.EIO})
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, YCBCR = 0, 1, 2, 3, 6


@contextmanager
def damage_named() -> Iterator[None]:
    """Turn the many ways in which a broken file fails to be read into a refusal."""
    try:
        yield
    except (ImageRefused, MemoryError):
        raise
    except OSError as error:
        if error.errno in OF_THE_SYSTEM:
            raise
        raise ImageRefused(Reason.CORRUPT, f"It can't be read ({error}).") from error
    except Exception as error:  # tifffile and its codecs raise whatever damaged data runs them into
        text = " ".join(str(error).split())[:200] or type(error).__name__
        raise ImageRefused(Reason.CORRUPT, f"It can't be read ({text}).") from error


def place_of(page: TiffPage) -> tuple[int, ...]:
    """Where a page is: its number, or that of the page that it is under, and its number there."""
    return tuple(page.treeindex)


def page_at(tiff: TiffFile, place: tuple[int, ...]) -> TiffPage:
    """The page at a place."""
    first, *rest = place
    page = tiff.pages[first].aspage()
    for number in rest:
        assert page.pages is not None
        page = page.pages[number].aspage()
    return page


def decoded(page: TiffPage) -> Pixels:
    """The pixels of a page: grey, or RGB with the colours last, in this machine's byte order."""
    values: Pixels = page.asarray()
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    if page.samplesperpixel > 1 and page.planarconfig == tifffile.PLANARCONFIG.SEPARATE:
        values = np.moveaxis(values, 0, -1)
    if values.dtype == np.bool_:
        values = values.astype(np.uint8) * 255
    if int(page.photometric) == PALETTE and page.colormap is not None:
        colours = np.moveaxis(page.colormap, 0, -1)[values.astype(np.intp)]
        return (colours >> 8).astype(np.uint8)
    if int(page.photometric) == WHITE_IS_ZERO:
        if values.dtype.kind != "u":
            raise ImageRefused(Reason.UNSUPPORTED_PIXELS, "Its low values are meant as white, and have a sign.")
        values = np.iinfo(values.dtype).max - values
    return np.ascontiguousarray(values)
