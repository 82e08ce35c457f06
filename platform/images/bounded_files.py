"""Files that are read by libraries which believe whatever length a file declares, and would make room for it."""

from __future__ import annotations

import io
from pathlib import Path

_LITTLE = 1 << 16


class BoundedFile(io.BufferedReader):
    """A file of which no more is read at once than is left of it."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        self._length = path.stat().st_size

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to `size` bytes, without making room for more than there are."""
        if size is not None and size > _LITTLE:  # most reads are of a few bytes
            size = min(size, max(0, self._length - self.tell()))
        return super().read(size)
