"""A SHA-256 that is computed beside what is done with the bytes."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

# A trip to another thread takes longer than to sum fewer bytes than these.
_WORTH_A_TRIP = 1 << 17


class BackgroundDigest:
    """A SHA-256 of pieces, each summed in another thread while the caller goes on.

    At most one is under way, so a piece must stay as it is until the next one was added, or the sum was asked for.
    For one thread at a time; it is a context manager, which ends its own.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="podium-sha256")
        self._digest = hashlib.sha256()
        self._under_way: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown()

    def begin_again(self) -> None:
        """Forget what was added."""
        self._settle()
        self._digest = hashlib.sha256()

    def add(self, piece: bytes | memoryview) -> None:
        """Append a piece."""
        self._settle()
        if len(piece) < _WORTH_A_TRIP:
            self._digest.update(piece)
        else:
            self._under_way = self._thread.submit(self._digest.update, piece)

    def hexdigest(self) -> str:
        """The sum of all pieces, in hex."""
        self._settle()
        return self._digest.hexdigest()

    def _settle(self) -> None:
        if self._under_way is not None:
            self._under_way.result()
            self._under_way = None
