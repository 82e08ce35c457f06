"""Messages on their way from whoever makes them to the connections. Those that come next are marked already.

The disk takes some milliseconds for a mark. A connection that is free finds its next message marked, and does not wait
for the disk: that was done while the mail server had other messages.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from uuid import UUID

from podium.platform.mail.letters import Letter


@dataclass(frozen=True, slots=True)
class Marked:
    """A message whose mark was asked for.

    Attributes:
        allowed: Whether the mail server may have it: see `Ledger.hand_over`.
    """

    letter: Letter
    allowed: Future[bool]


class Line:
    """Messages, in their order.

    Args:
        mark: Asks for the mark of a message.
        room: How many may wait without one.
        ahead: How many have one before a connection is free. As many can be unsettled by a death, beside those that
            connections have.
    """

    def __init__(self, mark: Callable[[UUID], Future[bool]], *, room: int, ahead: int) -> None:
        self._mark, self._room, self._ahead = mark, room, ahead
        self._lock = threading.Lock()
        self._has_room, self._has_some = threading.Condition(self._lock), threading.Condition(self._lock)
        self._made: deque[Letter] = deque()
        self._marked: deque[Marked] = deque()
        self._taken = 0
        self._closed = False

    def put(self, letter: Letter, seconds: float) -> bool:
        """Put a message at the end; tell whether there was room for it within so many seconds."""
        with self._lock:
            if not self._has_room.wait_for(lambda: len(self._made) < self._room, seconds):
                return False
            self._made.append(letter)
            self._advance()
            return True

    def take(self) -> Marked | None:
        """Take the next message, and say `finish` after it; wait for one. `None` when the line is closed."""
        with self._lock:
            self._has_some.wait_for(lambda: self._marked or self._closed)
            if self._closed:
                return None
            self._taken += 1
            taken = self._marked.popleft()
            self._advance()
            return taken

    def finish(self) -> None:
        """Whoever took a message has done with it."""
        with self._lock:
            self._taken -= 1

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits, and nobody has anything."""
        with self._lock:
            return not (self._made or self._marked or self._taken)

    def close(self) -> Sequence[Letter]:
        """Give nothing to anybody any more; return those that have a mark, and that no mail server has."""
        with self._lock:
            self._closed = True
            self._has_some.notify_all()
            left = [one.letter for one in self._marked]
            self._marked.clear()
            self._made.clear()
            return left

    def _advance(self) -> None:
        while self._made and len(self._marked) < self._ahead:
            letter = self._made.popleft()
            self._marked.append(Marked(letter, self._mark(letter.id)))
            self._has_some.notify()
            self._has_room.notify()
