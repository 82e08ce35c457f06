"""One connection's part in sending: a message is sent, and what became of it is written down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from podium.platform.database import Database
from podium.platform.lifecycle import MailStatus
from podium.platform.mail.configuration import MailConfiguration
from podium.platform.mail.ledger import Ledger, Outcome
from podium.platform.mail.letters import Letter
from podium.platform.mail.line import Marked
from podium.platform.mail.smtp_connection import Answer, ConnectionBroken, MailConnection, NotHandedOver
from podium.platform.mail.suppressions import suppress_address
from podium.platform.mail.verdicts import Fate, ruling, wait_before
from podium.platform.models import MailCause, now

HAND_OVER_SECONDS = 60.0
"""How long a mail server that is ready for a message waits, while the database is away."""
HOPELESS = 20
"""After so many refusals, and nothing sent, a campaign is stopped: the mail server does not want it."""


@dataclass(slots=True)
class State:
    """What the connections tell whoever feeds them."""

    answered: int = 0
    sent: int = 0
    refused: int = 0
    trouble: str = ""
    halted: str = ""


class Post:
    """One connection to the mail server, for one thread.

    Args:
        ledger: Where it is written down.
        state: What all connections have to say.
    """

    def __init__(self, database: Database, configuration: MailConfiguration, ledger: Ledger, state: State) -> None:
        self._database = database
        self._configuration = configuration
        self._ledger = ledger
        self._state = state
        self._mail = MailConnection(configuration)

    def close(self) -> None:
        """Take leave of the mail server."""
        self._mail.quit()

    def deliver(self, marked: Marked) -> None:
        """Send a message, and write down what became of it."""
        letter, allowed = marked.letter, marked.allowed
        if self._state.trouble or self._state.halted:
            self._record(letter, MailStatus.QUEUED, tried=False)
            return
        if allowed.done() and not allowed.result():
            return  # the mail server need not even hear of it
        try:
            answer = self._mail.open() or self._mail.deliver(
                letter.envelope_sender, letter.to, letter.message, lambda: allowed.result(HAND_OVER_SECONDS)
            )
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
