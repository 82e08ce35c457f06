"""Watchers wait here for news: Postgres tells every gateway, so that it matters not which one a watcher asks.

A topic is a word such as `submission:<id>`; what is new must be read from the database. Whoever changes something
calls `database.notify` in its transaction; the news goes out when that commits.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict

import psycopg
from psycopg import sql

from podium.platform.database import CHANNEL, Database

logger = logging.getLogger(__name__)
RECONNECT_SECONDS = 1.0
TOPICS = 10_000
"""Topics whose last notice is remembered; who waits for one that was forgotten may be woken for nothing."""


class Notices:
    """Listens on one connection and wakes those who wait for a topic.

    `count(topic)` grows with each notice; a waiter passes the count that it has seen, so that a notice between its
    look at the database and its wait is not missed.
    """

    def __init__(self, database: Database) -> None:
        self._conninfo = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._number = 0
        self._numbers: OrderedDict[str, int] = OrderedDict()
        self._forgotten = 0
        self._waiters: dict[str, set[asyncio.Event]] = {}
        self._task: asyncio.Task[None] | None = None
        self._dismissed = False

    async def start(self) -> None:
        """Begin to listen, in the running event loop."""
        self._task = asyncio.create_task(self._listen(), name="podium-notices")

    async def stop(self) -> None:
        """Stop listening and let every waiter go."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self.dismiss()

    def dismiss(self) -> None:
        """Let every waiter go, and make nobody wait any more: the gateway is about to stop."""
        self._dismissed = True
        self._wake_all()

    def count(self, topic: str) -> int:
        """The number of the last notice about the topic; also grows when some may have been missed or forgotten."""
        return self._numbers.get(topic, self._forgotten)

    async def wait(self, topic: str, seen: int, seconds: float) -> bool:
        """Wait until `count(topic)` differs from `seen`; tell whether it may."""
        if self.count(topic) != seen:
            return True
        if self._dismissed:
            return False
        event = asyncio.Event()
        self._waiters.setdefault(topic, set()).add(event)
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return False
        finally:
            waiting = self._waiters[topic]
            waiting.discard(event)
            if not waiting:
                del self._waiters[topic]
        return True

    async def _listen(self) -> None:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
                    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
                    self._forget_all()
                    self._wake_all()
                    async for notice in connection.notifies():
                        self._tell(notice.payload)
            except psycopg.Error as error:
                logger.warning("lost the connection that listens to Postgres: %s", error)
            await asyncio.sleep(RECONNECT_SECONDS)

    def _tell(self, topic: str) -> None:
        self._number += 1
        self._numbers[topic] = self._number
        self._numbers.move_to_end(topic)
        if len(self._numbers) > TOPICS:
            _, self._forgotten = self._numbers.popitem(last=False)
        for event in self._waiters.get(topic, ()):
            event.set()

    def _forget_all(self) -> None:
        """What came while nobody listened is not known: every count grows."""
        self._number += 1
        self._forgotten = self._number
        self._numbers.clear()

    def _wake_all(self) -> None:
        for events in self._waiters.values():
            for event in events:
                event.set()
