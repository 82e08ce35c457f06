"""Sends what waits in a queue of the outbox, over a few connections. It may be killed at any point, and begun again.

One thread claims rows and makes messages of them; others have a connection to the mail server each, and one writes
down what they do. A message is marked, and the mark committed, before anything of it is written to the mail server. So
of whatever a dead sender leaves behind it is known whether the mail server can have it.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from queue import Queue
from uuid import UUID

from podium.platform.database import Database
from podium.platform.identifiers import new_id
from podium.platform.lifecycle import MailStatus
from podium.platform.mail import outbox
from podium.platform.mail.configuration import MailConfiguration
from podium.platform.mail.ledger import Ledger, Outcome
from podium.platform.mail.letters import Letter, Letters
from podium.platform.mail.outbox import Rates
from podium.platform.mail.smtp_connection import Answer, ConnectionBroken, MailConnection, NotHandedOver
from podium.platform.mail.suppressions import suppress_address
from podium.platform.mail.verdicts import Fate, ruling, wait_before
from podium.platform.models import MailCause, now

logger = logging.getLogger(__name__)
AT_ONCE = 200
"""Rows that are claimed at a time."""
PATIENCE_SECONDS = 10.0
"""For what is due within this, the sender waits; for what is due later it is begun again."""
LOOK_SECONDS = 0.2
SWITCH_SECONDS = 0.0005
"""How long a thread keeps the others waiting at most, while it sends."""
TELL_SECONDS = 1.0
"""How often watchers are told how far it is."""
TROUBLE_SECONDS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""How long nothing is sent after a mail server could not be reached, the first time and again."""
HAND_OVER_SECONDS = 60.0
"""How long a mail server that is ready for a message waits, while the database is away."""
AGAIN = timedelta(minutes=1)
"""When it is begun again after that."""
HOPELESS = 20
"""After so many refusals, and nothing sent, a campaign is stopped: the mail server does not want it."""


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


@dataclass(slots=True)
class _State:
    """What the threads tell each other, under its lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    outstanding: int = 0
    answered: int = 0
    sent: int = 0
    refused: int = 0
    trouble: str = ""
    halted: str = ""


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
        self._ready: Queue[Letter | None] = Queue(maxsize=2 * configuration.connections)
        self._state = _State()
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
        ledger = Ledger(self._database, self._claim_id)
        threads = [
            threading.Thread(target=self._deliver_all, args=(ledger,), name=f"mail-{number}", daemon=True)
            for number in range(self._configuration.connections)
        ]
        for thread in threads:
            thread.start()
        try:
            return self._feed(ledger)
        finally:
            for _ in threads:
                self._ready.put(None)
            for thread in threads:
                thread.join()
            ledger.close()
            sys.setswitchinterval(interval)
            with self._database.session() as session:
                outbox.settle_left(session, self._campaign_id, by=self._claim_id)

    def _feed(self, ledger: Ledger) -> Ended:
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
            if not self._put_next() and (ended := self._rest(ledger)) is not None:
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
            if self._state.trouble or self._state.halted:
                break  # the rest goes back into the queue
            with self._state.lock:
                self._state.outstanding += 1
            self._ready.put(letter)
            self._tell()
        return bool(taken.messages or taken.settled)

    def _rest(self, ledger: Ledger) -> Ended | None:
        """Wait a moment for the next; tell whether there is nothing to wait for."""
        if self._state.outstanding or not ledger.is_written:
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
        while self._state.outstanding:
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

    def _deliver_all(self, ledger: Ledger) -> None:
        """What each thread with a connection does."""
        post = _Post(self._database, self._configuration, ledger, self._state)
        try:
            while (letter := self._ready.get()) is not None:
                try:
                    post.deliver(letter)
                except Exception:
                    # Its row stays as it is, and is settled by whoever sends next.
                    logger.exception("message %s could not be sent", letter.id)
                    self._state.trouble = "Something went wrong on Podium's side; the operators find it in the log."
                finally:
                    with self._state.lock:
                        self._state.outstanding -= 1
        finally:
            post.close()


class _Post:
    """One connection to the mail server, for one thread."""

    def __init__(self, database: Database, configuration: MailConfiguration, ledger: Ledger, state: _State) -> None:
        self._database = database
        self._configuration = configuration
        self._ledger = ledger
        self._state = state
        self._mail = MailConnection(configuration)

    def close(self) -> None:
        self._mail.quit()

    def deliver(self, letter: Letter) -> None:
        """Send a message, and write down what became of it."""
        if self._state.trouble or self._state.halted:
            self._record(letter, MailStatus.QUEUED, tried=False)
            return
        try:
            answer = self._send(letter)
        except NotHandedOver:
            return
        except ConnectionBroken as broken:
            if broken.written:
                reply = f"The mail server has the message, and never said so: {broken}"
                self._record(letter, MailStatus.UNSETTLED, reply=reply)
            else:
                self._record(letter, MailStatus.QUEUED, tried=False)
                self._state.trouble = f"The mail server can't be reached: {broken}"
            return
        self._settle(letter, answer)

    def _send(self, letter: Letter) -> Answer:
        """Send a message. While the mail server hears who sends it and to whom, that is written down."""
        answer = self._mail.open()
        if answer is not None:
            return answer
        allowed = self._ledger.hand_over(letter.id)
        return self._mail.deliver(
            letter.envelope_sender, letter.to, letter.message, lambda: allowed.result(HAND_OVER_SECONDS)
        )

    def _settle(self, letter: Letter, answer: Answer) -> None:
        ruled, reply = ruling(answer.stage, answer.reply), str(answer.reply)
        self._state.answered += ruled.fate is not Fate.HALT
        match ruled.fate:
            case Fate.SENT:
                self._record(letter, MailStatus.SENT, reply=reply)
                self._state.sent += 1
            case Fate.LATER:
                self._put_off(letter, reply)
            case Fate.NEVER:
                self._record(letter, MailStatus.FAILED, reply=reply)
                if ruled.no_mailbox:
                    with self._database.session() as session:
                        suppress_address(session, letter.to, MailCause.BOUNCE, detail=reply, by="mail server")
                else:
                    self._note_refusal(reply)
            case Fate.HALT:
                self._record(letter, MailStatus.QUEUED, reply=reply, tried=False)
                self._state.halted = f"The mail server takes nothing from us: {reply}"
        if ruled.ends_connection:
            self._mail.close()

    def _put_off(self, letter: Letter, reply: str) -> None:
        settings = self._configuration
        seconds = wait_before(letter.attempts + 1, first=settings.retry_seconds, give_up=settings.give_up_seconds)
        if seconds is None:
            self._record(letter, MailStatus.FAILED, reply=f"Given up after {letter.attempts + 1} tries: {reply}")
        else:
            self._record(letter, MailStatus.DEFERRED, reply=reply, due=now() + timedelta(seconds=seconds))

    def _note_refusal(self, reply: str) -> None:
        self._state.refused += 1
        if not self._state.sent and self._state.refused >= HOPELESS:
            self._state.halted = f"The mail server refused the first {HOPELESS} messages: {reply}"

    def _record(
        self,
        letter: Letter,
        status: MailStatus,
        *,
        reply: str = "",
        due: datetime | None = None,
        tried: bool = True,
    ) -> None:
        self._ledger.record(Outcome(letter.id, status, reply, due, tried))
