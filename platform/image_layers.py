"""The layers of an image, read whole: that each is what its digests say, and no larger than it looks.

An engine unpacks a layer before it looks at its digest, and unpacks by itself what looks packed. So a layer is let
through only where one tar comes out of it whichever way it is read, and of a size that was counted.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from podium.platform.image_archives import ImageArchive, ImageLimits, Layer
from podium.platform.image_layouts import ImageRefused, packing_of
from podium.platform.tar_walk import Stream, TarDamaged, TarWalk

_PIECE = 1 << 20


def unpack_gzip(source: Path, target: Path, *, max_bytes: int) -> None:
    """Unpack a file that was packed with gzip.

    Raises:
        ImageRefused: It is damaged, or larger than allowed.
    """
    written = 0
    try:
        with gzip.open(source) as packed, target.open("wb") as plain:
            while piece := packed.read(_PIECE):
                written += len(piece)
                if written > max_bytes:
                    raise ImageRefused([f"it has more than {max_bytes} bytes, unpacked"])
                plain.write(piece)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise ImageRefused(["its gzip is damaged, or its end is missing"]) from None


def check_layers(tar: Path, image: ImageArchive, limits: ImageLimits) -> tuple[int, ...]:
    """Read all layers of an image in a plain tar; answer how many bytes each has, unpacked.

    Raises:
        ImageRefused: One is damaged, not what its digest says, or all together are too large; with every reason.
    """
    faults: list[str] = []
    sizes: list[int] = []
    room = _Room(limits)
    for number, layer in enumerate(image.layers, start=1):
        try:
            sizes.append(_check(tar, layer, room))
        except _Fault as fault:
            faults.append(f"layer {number} of {len(image.layers)}: {fault}")
        except TarDamaged as damaged:
            faults.append(f"layer {number} of {len(image.layers)}: {damaged}")
        if room.is_used_up:
            break
    if faults:
        raise ImageRefused(faults[:10])
    return tuple(sizes)


def layer_bytes(tar: Path, layer: Layer) -> Iterator[bytes]:
    """A layer's own tar, unpacked, piece by piece; of one that was checked."""
    with tar.open("rb") as file:
        _, plain = _opened(file, layer)
        while piece := plain.read(_PIECE):
            yield piece


class _Fault(Exception):
    """What is wrong with a layer."""


class _Room:
    """What the layers that are still to come may take."""

    def __init__(self, limits: ImageLimits) -> None:
        self._limits = limits
        self.bytes = limits.bytes
        self.files = limits.files
        self.is_used_up = False

    def take(self, *, size: int = 0, files: int = 0) -> None:
        self.bytes -= size
        self.files -= files
        if self.bytes < 0 or self.files < 0:
            self.is_used_up = True
            most = self._limits
            what = f"{most.bytes} bytes, unpacked" if self.bytes < 0 else f"{most.files} files"
            raise _Fault(f"the image has more than {what}")


class _Hashed:
    """A stream that is hashed and counted while it is read, and ends where it is told to."""

    def __init__(self, stream: Stream, *, size: int | None = None, room: _Room | None = None) -> None:
        self._stream = stream
        self._left = size
        self._room = room
        self._digest = hashlib.sha256()
        self.size = 0

    def read(self, size: int = -1, /) -> bytes:
        if size < 0 or size > _PIECE:
            size = _PIECE
        if self._left is not None:
            size = min(size, self._left)
        data = self._stream.read(size) if size else b""
        if self._left is not None:
            self._left -= len(data)
        if self._room:
            self._room.take(size=len(data))
        self.size += len(data)
        self._digest.update(data)
        return data

    def rest(self) -> str:
        """Read to the end; answer the SHA-256 of all of it."""
        while self.read(_PIECE):
            pass
        return self._digest.hexdigest()


def _check(tar: Path, layer: Layer, room: _Room) -> int:
    with tar.open("rb") as file:
        raw, plain = _opened(file, layer, room)
        try:
            for _ in TarWalk(plain):
                room.take(files=1)
            diff_id = plain.rest()
            digest = raw.rest()
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise _Fault("its gzip is damaged") from None
    if diff_id != layer.diff_id or (layer.digest and digest != layer.digest):
        raise _Fault("its content is not what its digest says")
    return plain.size


def _opened(file: BinaryIO, layer: Layer, room: _Room | None = None) -> tuple[_Hashed, _Hashed]:
    """A layer as it stands in the tar, and unpacked."""
    file.seek(layer.entry.offset)
    packing = packing_of(file.read(8))
    file.seek(layer.entry.offset)
    raw = _Hashed(file, size=layer.entry.size)
    if not packing:
        return raw, _Hashed(raw, room=room)
    if packing != "gzip":
        raise _Fault(f"it is packed with {packing}; save the image with layers that are unpacked or packed with gzip")
    unpacked = gzip.GzipFile(fileobj=cast("BinaryIO", raw))  # it reads, which is all that is needed
    head = unpacked.peek(8)[:8]
    if packing_of(head):
        raise _Fault("it is packed twice")
    return raw, _Hashed(unpacked, room=room)
