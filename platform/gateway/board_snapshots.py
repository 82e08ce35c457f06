"""Public boards, made once for a crowd: each form of a board is rendered when it has changed, and then shared.

A snapshot that is `FRESH_SECONDS` old is looked after when somebody asks for it: whether the board may still be seen is
read from the database each time, and with it the board's version; its rows only when that is another. Of those who ask
meanwhile, one does this work and the others wait for it, or are given what was there where that is not yet
`STALE_SECONDS` old.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from starlette.concurrency import run_in_threadpool

from podium.platform.database import Database
from podium.platform.gateway.board_forms import Form, board_in_form, find_board
from podium.platform.gateway.board_page.page import VERSION_MARK

FRESH_SECONDS = 2.0
STALE_SECONDS = 6.0
REREAD_SECONDS = 30.0
"""After this time the rows are read again although the version is the same: names of people may have changed."""
_MOST_BYTES = 128 * 1024**2
_MOST = 1024

Key: TypeAlias = tuple[str, str | None, Form]
"""Competition, phase as it is named or `None`, form."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A board in one form, as visitors see it.

    Attributes:
        tag: Of the body, without quotes; equal bodies have equal ones in every gateway.
        body: As it is.
        packed: The same in gzip.
        updated: When the board changed last.
        state: From what it was made; another one means that it is to be made again.
        read: When its rows were read.
        looked: When somebody last looked whether it still holds.
    """

    tag: str
    body: bytes
    packed: bytes
    updated: datetime | None
    state: tuple[object, ...]
    read: float
    looked: float

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return len(self.body) + len(self.packed)


class BoardSnapshots:
    """The snapshots of one gateway process; used on its event loop alone.

    Args:
        database: Has the boards.
        clock: Seconds that only grow.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._kept: OrderedDict[Key, Snapshot] = OrderedDict()
        self._size = 0
        self._flights: dict[Key, asyncio.Task[Snapshot]] = {}
        self.rendered = 0

    async def get(self, slug: str, phase: str | None, form: Form) -> Snapshot:
        """A board in a form, at most `STALE_SECONDS` old.

        Raises:
            NotFound: There is no such competition or phase that everybody may see.
            NotAllowed: The organizers have hidden the board.
        """
        key = (slug.lower(), phase, form)
        known = self._kept.get(key)
        age = self._clock() - known.looked if known is not None else STALE_SECONDS
        if known is not None and age < FRESH_SECONDS:
            self._kept.move_to_end(key)
            return known
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(self._look(key, known), name="podium-board")
            # Where nobody waits for it, what it raised is of no more use: the next who asks is told.
            flight.add_done_callback(lambda task: task.cancelled() or task.exception())
        if known is not None and age < STALE_SECONDS:
            return known
        # Whoever goes away takes nothing from those who wait too.
        return await asyncio.shield(flight)

    def forget_all(self) -> None:
        """Forget every snapshot: whoever asks next waits for a new one."""
        self._kept.clear()
        self._size = 0

    async def _look(self, key: Key, known: Snapshot | None) -> Snapshot:
        try:
            found = await run_in_threadpool(self._refreshed, key, known)
        except BaseException:
            # What may no longer be seen is no longer shown.
            self._forget(key)
            raise
        else:
            self._keep(key, found)
            return found
        finally:
            del self._flights[key]

    def _refreshed(self, key: Key, known: Snapshot | None) -> Snapshot:
        slug, phase, form = key
        looked = self._clock()
        with self._database.session() as session:
            sight = find_board(session, slug, None, phase)
            if known is not None and known.state == sight.state and looked - known.read < REREAD_SECONDS:
                return replace(known, looked=looked)
            text, updated = board_in_form(session, sight, form)
        body = text.encode()
        tag = hashlib.sha256(form.encode() + body).hexdigest()[:32]
        if known is not None and known.tag == tag:
            return replace(known, state=sight.state, read=looked, looked=looked)
        if form is Form.HTML:
            body = body.replace(VERSION_MARK.encode(), tag.encode(), 1)
        self.rendered += 1
        return Snapshot(tag, body, gzip.compress(body, 6, mtime=0), updated, sight.state, looked, looked)

    def _keep(self, key: Key, snapshot: Snapshot) -> None:
        self._forget(key)
        self._kept[key] = snapshot
        self._size += snapshot.size
        while len(self._kept) > _MOST or (self._size > _MOST_BYTES and len(self._kept) > 1):
            self._forget(next(iter(self._kept)))

    def _forget(self, key: Key) -> None:
        gone = self._kept.pop(key, None)
        self._size -= gone.size if gone is not None else 0
