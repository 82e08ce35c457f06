"""A zlib stream made by several threads: blocks are packed side by side and follow each other in one stream."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import BinaryIO

from isal import isal_zlib

_LEVEL = 1  # of ISA-L's four: as quick as the least, and nearly as small as the most
_HEADER = b"\x78\x01"
_LAST_BLOCK = b"\x03\x00"


class ParallelPacker:
    """Packs blocks into one zlib stream, in order. Made by `packing_into`."""

    def __init__(self, target: BinaryIO, executor: ThreadPoolExecutor, ahead: int) -> None:
        self._target = target
        self._executor = executor
        self._ahead = ahead
        self._waiting: deque[Future[bytes]] = deque()
        self._checksum = 1
        self.written = target.write(_HEADER)

    def add(self, block: bytes | memoryview) -> None:
        """Add a block, which must not change until `finish`."""
        while len(self._waiting) >= self._ahead:
            self._take()
        self._waiting.append(self._executor.submit(_packed, block))
        self._checksum = isal_zlib.adler32(block, self._checksum)

    def finish(self) -> None:
        """Write what is still being packed, and the end of the stream."""
        while self._waiting:
            self._take()
        self.written += self._target.write(_LAST_BLOCK + self._checksum.to_bytes(4))

    def _take(self) -> None:
        self.written += self._target.write(self._waiting.popleft().result())


@contextmanager
def packing_into(target: BinaryIO, *, threads: int) -> Iterator[ParallelPacker]:
    """Pack blocks into a file with so many threads; at most two blocks for each of them wait."""
    with ThreadPoolExecutor(threads) as executor:
        yield ParallelPacker(target, executor, ahead=2 * threads)


def _packed(block: bytes | memoryview) -> bytes:
    packer = isal_zlib.compressobj(_LEVEL, wbits=-15)
    # A sync flush ends on a whole byte, so that the next block can follow.
    return packer.compress(block) + packer.flush(zlib.Z_SYNC_FLUSH)
