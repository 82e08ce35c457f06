"""The voxels behind a header, unpacked piece by piece: exactly as many bytes as the header promises, or a refusal."""

from __future__ import annotations

import bz2
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, BinaryIO

import numpy as np
from isal import igzip, isal_zlib

from podium.platform.images.problems import ImageRefused, Reason
from podium.platform.images.rescaling import Pixels, ValueType

_PIECE = 1 << 20
_BROKEN: tuple[type[Exception], ...] = (zlib.error, isal_zlib.error, OSError, ValueError)  # type: ignore[assignment]


@contextmanager
def damage_refused(reason: Reason | None = None) -> Iterator[None]:
    """Turn what unpacking damaged bytes raises into a refusal; what the system raises, as for a full disk, stays.

    Args:
        reason: The reason to give; by itself, that the end is missing or that the content is damaged.
    """
    try:
        yield
    except EOFError as error:
        remedy = "Upload it again, whole."
        raise ImageRefused(reason or Reason.TRUNCATED, "The end of it is missing.", remedy) from error
    except _BROKEN as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise ImageRefused(reason or Reason.CORRUPT, f"It can't be unpacked ({error}).") from error


class Packing(StrEnum):
    """How voxels are packed."""

    RAW = "raw"
    ZLIB = "zlib"
    GZIP = "gzip"
    BZIP2 = "bzip2"


def unpacked(file: BinaryIO, packing: Packing, length: int) -> Iterator[bytes]:
    """Give the next `length` unpacked bytes of a file, in pieces.

    Raises:
        ImageRefused: There are fewer or more of them, or a checksum does not fit.
    """
    left = length
    with damage_refused():
        for piece in _pieces(file, packing, length):
            left -= len(piece)
            if left < 0:
                raise ImageRefused(Reason.CORRUPT, f"It has more than the {length} bytes of voxels that it promises.")
            yield piece
    if left:
        raise ImageRefused(
            Reason.TRUNCATED,
            f"It has {length - left} of the {length} bytes of voxels that it promises.",
            "Upload it again, whole.",
        )


def _pieces(file: BinaryIO, packing: Packing, length: int) -> Iterator[bytes]:
    """Give up to one byte more than wanted: enough to see that there is more, and to reach the checksum at the end."""
    if packing is Packing.ZLIB:
        yield from _zlib_pieces(file, length + 1)
        return
    source: Any = file
    if packing is Packing.GZIP:
        source = igzip.IGzipFile(fileobj=file, mode="rb")
    elif packing is Packing.BZIP2:
        source = bz2.BZ2File(file)
    left = length if packing is Packing.RAW else length + 1
    while left and (piece := source.read(min(_PIECE, left))):
        left -= len(piece)
        yield piece


def _zlib_pieces(file: BinaryIO, most: int) -> Iterator[bytes]:
    unpacker = isal_zlib.decompressobj()
    waiting = b""
    while not unpacker.eof:
        waiting = waiting or file.read(_PIECE)
        piece = unpacker.decompress(waiting, min(_PIECE, most))
        if not piece and not waiting and not unpacker.eof:
            raise EOFError
        waiting = unpacker.unconsumed_tail
        if piece:
            most -= len(piece)
            yield piece
        if not most:
            return


def in_planes(pieces: Iterator[bytes], shape: tuple[int, ...], stored: ValueType) -> Iterator[Pixels]:
    """Cut a stream of bytes into planes of pixels, in this machine's byte order."""
    size = stored.itemsize
    for length in shape:
        size *= length
    target = stored.newbyteorder("=")
    held = bytearray()
    for piece in pieces:
        held += piece
        if whole := len(held) // size * size:
            planes = np.frombuffer(bytes(held[:whole]), stored).reshape(-1, *shape)
            del held[:whole]
            yield from planes.astype(target, copy=False)
