"""Making room on the agent's host while it works: datasets and images that nobody uses."""

from __future__ import annotations

import logging
import threading

from podium.platform.errors import PodiumError
from podium.tasks.programs import Executor
from podium.tasks.staging import trim_cache
from podium.tasks.workplace import Workplace

logger = logging.getLogger("podium.agents")
TIDY_SECONDS = 30.0


class Tidier:
    """Makes room every half minute, in a thread of its own: removing an image may take its time."""

    def __init__(self, *, cache_bytes: int, seconds: float = TIDY_SECONDS) -> None:
        self._cache_bytes = cache_bytes
        self._seconds = seconds
        self._gone = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, workplace: Workplace) -> None:
        """Begin with it; saying it again changes nothing."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._tidy_forever, args=(workplace,), name="podium-tidier", daemon=True
            )
            self._thread.start()

    def end(self) -> None:
        """End it; what is being removed is removed first."""
        self._gone.set()
        if self._thread is not None:
            self._thread.join(timeout=60)

    def _tidy_forever(self, workplace: Workplace) -> None:
        executor: Executor = workplace.executor
        while not self._gone.wait(self._seconds):
            try:
                trim_cache(workplace.cache, max_bytes=self._cache_bytes)
                executor.tidy()
            except (PodiumError, OSError) as error:
                logger.warning("could not make room: %s", error)
