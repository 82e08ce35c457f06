"""Sends what waits in a queue of the outbox, over a few connections. It may be killed at any point, and begun again.

One thread claims rows and makes messages of them; others have a connection to the mail server each, and one writes
down what they do. A message is marked, and the mark committed, before anything of it is written to the mail server: of
whatever a dead sender leaves behind it is known whether the mail server can have it. Those that come next are marked
while the mail server has others, so that no connection waits for the disk.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from podium.platform.database import Database
from podium.platform.identifiers import new_id
from podium.platform.lifecycle import MailStatus
from podium.platform.mail import outbox
from podium.platform.mail.allowances import Rates
from podium.platform.mail.configuration import MailConfiguration
from podium.platform.mail.ledger import Ledger, Outcome
from podium.platform.mail.letters import Letters
from podium.platform.mail.line import Line
from podium.platform.mail.post import Post, State
from podium.platform.models import now

logger = logging.getLogger(__name__)
AT_ONCE = 200
"""Rows that are claimed at a time."""
ROOM = 50
"""Messages that wait, made and not marked: enough for the time that it takes to claim more."""
PATIENCE_SECONDS = 10.0
"""For what is due within this, the sender waits; for what is due later it is begun again."""
LOOK_SECONDS = 0.2
SWITCH_SECONDS = 0.0005
"""How long a thread keeps the others waiting at most, while it sends."""
TELL_SECONDS = 1.0
"""How often watchers are told how far it is."""
TROUBLE_SECONDS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""How long nothing is sent after a mail server could not be reached, the first time and again."""
AGAIN = timedelta(minutes=1)
"""When it is begun again after that."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Why a sender has ended.

    Attributes:
        due: When the next message is due, where some wait; `None` where none is left.
        halted: Why nothing can be sent until somebody has seen to it; empty where all is well.
        unreachable: Whether the mail server could not be reached.
    """

    due: datetime | None = None
    halted: str = ""
    unreachable: bool = False


class Sender:
    """Sends what waits in one queue. There is one sender of a queue at a time; see `outbox.settle_left`.

    Args:
        campaign_id: Whose queue; `None` for messages outside of campaigns.
        letters: Makes messages of rows.
        on_progress: Told every second, and of trouble with the mail server in words; empty where there is none.
        may_go_on: Asked before more is claimed.
    """

    def __init__(
        self,
        database: Database,
        configuration: MailConfiguration,
        campaign_id: UUID | None,
        letters: Letters,
        *,
        may_go_on: Callable[[], bool],
        on_progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._database = database
        self._configuration = configuration
        self._campaign_id = campaign_id
        self._letters = letters
        self._may_go_on = may_go_on
        self._on_progress = on_progress
        self._claim_id = new_id()
        self._rates = Rates(configuration.per_minute, configuration.domain_per_minute)
        self._ledger = Ledger(database, self._claim_id, enough=-(-configuration.connections // 2))
        self._line = Line(self._ledger.hand_over, room=ROOM, ahead=configuration.connections)
        self._state = State()
        self._told = self._asked = float("-inf")
        self._stopped = False

    def run(self) -> Ended:
        """Send until nothing is left, or nothing is due soon, or it may not go on."""
        with self._database.session() as session:
            if unsettled := outbox.settle_left(session, self._campaign_id, but=self._claim_id):
                logger.warning("%d messages may have arrived or not: their sender had ended", unsettled)
        interval = sys.getswitchinterval()
        # Else a connection that hears from its server waits up to 5 ms, until a message is made, before it answers.
        sys.setswitchinterval(SWITCH_SECONDS)
        try:
            with self._ledger:
                return self._send_all()
        finally:
            sys.setswitchinterval(interval)
            with self._database.session() as session:
                outbox.settle_left(session, self._campaign_id, by=self._claim_id)

    def _send_all(self) -> Ended:
        threads = [
            threading.Thread(target=self._deliver_all, name=f"mail-{number}", daemon=True)
            for number in range(self._configuration.connections)
        ]
        for thread in threads:
            thread.start()
        try:
            return self._feed()
        finally:
            for letter in self._line.close():
                self._ledger.record(Outcome(letter.id, MailStatus.QUEUED, tried=False))
            for thread in threads:
                thread.join()

    def _feed(self) -> Ended:
        """Claim, and make messages, for as long as there is something to send."""
        troubles, answered = 0, 0
        while True:
            if self._state.halted:
                return Ended(halted=self._state.halted)
            if self._state.answered > answered:
                troubles, answered = 0, self._state.answered
            if self._state.trouble:
                if troubles >= len(TROUBLE_SECONDS):
                    return Ended(due=now() + AGAIN, unreachable=True)
                self._sit_out(TROUBLE_SECONDS[troubles])
                troubles += 1
            if self._is_stopped():
                return Ended(due=now())
            self._tell()
            if not self._put_next() and (ended := self._rest()) is not None:
                return ended

    def _is_stopped(self) -> bool:
        """Ask, and not too often."""
        if time.monotonic() - self._asked >= LOOK_SECONDS:
            self._asked = time.monotonic()
            self._stopped = not self._may_go_on()
        return self._stopped

    def _put_next(self) -> bool:
        """Put the next messages before the connections; tell whether there were any."""
        with self._database.session() as session:
            taken = outbox.claim(session, self._campaign_id, self._claim_id, self._rates, most=AT_ONCE)
        with self._database.session() as session:
            letters = list(self._letters.written(session, taken.messages)) if taken.messages else []
        for letter in letters:
            while not (is_over := self._is_over()) and not self._line.put(letter, LOOK_SECONDS):
                self._tell()
            if is_over:
                break  # the rest goes back into the queue
            self._tell()
        return bool(taken.messages or taken.settled)

    def _is_over(self) -> bool:
        return bool(self._state.trouble or self._state.halted or self._is_stopped())

    def _rest(self) -> Ended | None:
        """Wait a moment for the next; tell whether there is nothing to wait for."""
        if not (self._line.is_idle and self._ledger.is_written):
            time.sleep(LOOK_SECONDS / 10)
            return None
        if self._state.halted or self._state.trouble:
            return None
        with self._database.session() as session:
            left = outbox.what_is_left(session, self._campaign_id)
        if left.due is None:
            return Ended()
        seconds = (left.due - now()).total_seconds()
        if seconds > PATIENCE_SECONDS:
            return Ended(due=left.due)
        # What is due and was not claimed waits for its turn in the minute.
        time.sleep(min(seconds, LOOK_SECONDS) if seconds > 0 else LOOK_SECONDS)
        return None

    def _sit_out(self, seconds: float) -> None:
        """Nothing is sent for a while; what was claimed goes back into the queue."""
        self._on_progress(self._state.trouble)
        while not self._line.is_idle:
            time.sleep(LOOK_SECONDS / 10)
        with self._database.session() as session:
            outbox.release(session, self._campaign_id, self._claim_id)
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._is_stopped():
            time.sleep(LOOK_SECONDS)
        self._state.trouble = ""
        self._on_progress("")

    def _tell(self) -> None:
        if time.monotonic() - self._told >= TELL_SECONDS:
            self._told = time.monotonic()
            self._on_progress("")

    def _deliver_all(self) -> None:
        """What each thread with a connection does."""
        post = Post(self._database, self._configuration, self._ledger, self._state)
        try:
            while (marked := self._line.take()) is not None:
                try:
                    post.deliver(marked)
                except Exception:
                    # Its row stays as it is, and is settled by whoever sends next.
                    logger.exception("message %s could not be sent", marked.letter.id)
                    self._state.trouble = "Something went wrong on Podium's side; the operators find it in the log."
                finally:
                    self._line.finish()
        finally:
            post.close()
