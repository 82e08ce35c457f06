"""What a mail server's answer means for a message: pure.

The server answers at four points. Whoever is refused where the recipient is named is refused as a recipient; a server
that refuses the sender refuses everybody, and to go on would only make every message fail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from podium.platform.lifecycle import MailStatus

_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})\b")
_NO_MAILBOX = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
_NO_MAILBOX_CODES = frozenset({550, 551, 553})
_NOT_LET_IN = frozenset({530, 534, 535, 538})
_GOING_AWAY = 421
LONGEST_WAIT = 4 * 3600.0
"""Between two tries, in seconds."""


class Stage(StrEnum):
    """What was said to the mail server when it answered."""

    GREETING = "greeting"  # connecting, TLS and signing in
    SENDER = "sender"
    RECIPIENT = "recipient"
    READY = "ready"  # that the message comes
    CONTENT = "content"  # the message itself


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of a mail server."""

    code: int
    text: str

    @property
    def enhanced(self) -> str:
        """Its status by RFC 3463, such as `5.1.1`; empty where it has none."""
        found = _ENHANCED.match(self.text)
        return found[0] if found and found[1] == str(self.code)[:1] else ""

    def __str__(self) -> str:
        return f"{self.code} {' '.join(self.text.split())}"[:500]


class Fate(StrEnum):
    """What becomes of a message."""

    SENT = "sent"
    LATER = "later"
    NEVER = "never"
    HALT = "halt"  # it waits, and so does everything else, until an operator has seen to it


@dataclass(frozen=True, slots=True)
class Ruling:
    """What an answer means.

    Attributes:
        no_mailbox: Whether nothing need ever be sent to this address again.
        ends_connection: Whether the server takes nothing more on this connection.
    """

    fate: Fate
    no_mailbox: bool = False
    ends_connection: bool = False


def ruling(stage: Stage, reply: Reply) -> Ruling:
    """What an answer means for a message, and for what comes after it."""
    if 200 <= reply.code < 300 and stage is Stage.CONTENT:
        return Ruling(Fate.SENT)
    if reply.code == _GOING_AWAY:
        return Ruling(Fate.LATER, ends_connection=True)
    if not 500 <= reply.code < 600:
        # 4xx, which greylisting answers too; or what makes no sense, and may the next time.
        return Ruling(Fate.LATER, ends_connection=not 400 <= reply.code < 500)
    if stage in {Stage.GREETING, Stage.SENDER} or reply.code in _NOT_LET_IN or _refuses_to_relay(reply):
        return Ruling(Fate.HALT, ends_connection=True)
    return Ruling(Fate.NEVER, no_mailbox=stage is Stage.RECIPIENT and says_no_mailbox(reply))


def says_no_mailbox(reply: Reply) -> bool:
    """Whether an answer says that there is no such mailbox, rather than that this message was not wanted."""
    if enhanced := reply.enhanced:
        return enhanced in _NO_MAILBOX
    return reply.code in _NO_MAILBOX_CODES


def _refuses_to_relay(reply: Reply) -> bool:
    return reply.enhanced in {"", "5.7.1"} and "relay" in reply.text.lower()


def wait_before(attempt: int, *, first: float, give_up: float) -> float | None:
    """Seconds until the next try, after `attempt` tries that were put off; each wait is twice as long as the last.

    Args:
        first: Seconds before the second try. Greylisting wants some minutes.
        give_up: Seconds after the first try from which on nothing is tried again.

    Returns:
        The seconds; `None` to give up.
    """
    waits = [min(first * 2.0 ** min(number, 40), LONGEST_WAIT) for number in range(attempt)]
    return None if sum(waits) > give_up else waits[-1]


def settled(*, handed: bool) -> MailStatus:
    """What becomes of a message whose sender died, or lost its connection, before the server's answer was known.

    Until the message itself is written, the server has nothing, and it goes back to the queue. From then on the server
    may have it, even if it has never said so: then it is unsettled, and nobody but a person has it sent again.
    """
    return MailStatus.UNSETTLED if handed else MailStatus.QUEUED
