"""A connection to a mail server, by Python's `smtplib`, which tells how far a message got when something breaks."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from podium.platform.mail.configuration import MailConfiguration
from podium.platform.mail.verdicts import Reply, Stage

_GO_ON = 354
_GOING_AWAY = 421
_OFFERING = {Stage.SENDER: {250}, Stage.RECIPIENT: {250, 251}, Stage.READY: {_GO_ON}}
"""What is said before a message, and the answers after which it goes on."""
_MESSAGES = 200
"""Messages on one connection. Mail servers have limits of their own, which are rarely below."""


class ConnectionBroken(Exception):
    """The connection broke, or the server was silent for too long.

    Attributes:
        written: Whether the whole message had been written, so that the server may have taken it.
    """

    def __init__(self, why: str, *, written: bool) -> None:
        super().__init__(why)
        self.written = written


class NotHandedOver(Exception):
    """Whoever sends was told not to: the message is somebody else's now."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the mail server has answered to a message, and when."""

    stage: Stage
    reply: Reply


class MailConnection:
    """One connection. It is used by one thread.

    Args:
        configuration: Of the mail server.
    """

    def __init__(self, configuration: MailConfiguration) -> None:
        self._configuration = configuration
        self._smtp: smtplib.SMTP | None = None
        self._messages = 0

    def open(self) -> Answer | None:
        """Connect and sign in, where that is needed.

        Returns:
            The server's answer, where it does not let us in.

        Raises:
            ConnectionBroken: It can't be reached.
        """
        try:
            return self._open()
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise ConnectionBroken(_said(error), written=False) from error

    def deliver(self, sender: str, recipient: str, message: bytes, hand_over: Callable[[], bool]) -> Answer:
        """Send a message; the connection is open.

        Args:
            sender: Of the envelope.
            recipient: Of the envelope: one.
            message: With lines that end in CR LF.
            hand_over: Called when the server is ready for the message, before anything of it is written: from then on
                the server may have it. If it answers no, nothing is written.

        Raises:
            ConnectionBroken: No answer is known. The connection is made anew for the next one.
            NotHandedOver: `hand_over` answered no.
        """
        try:
            return self._transact(sender, recipient, message, hand_over)
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise ConnectionBroken(_said(error), written=False) from error

    def close(self) -> None:
        """Hang up."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            with suppress(OSError, smtplib.SMTPException):
                smtp.close()

    def quit(self) -> None:
        """Take leave, as one does."""
        if self._smtp is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._smtp.quit()
        self.close()

    def _open(self) -> Answer | None:
        if self._messages >= _MESSAGES:
            self.quit()
        if self._smtp is not None:
            return None
        self._messages = 0
        settings = self._configuration
        try:
            context = None if settings.security == "none" else ssl.create_default_context(cafile=settings.ca_file)
            if settings.security == "tls":
                self._smtp = smtplib.SMTP_SSL(
                    settings.host, settings.port, timeout=settings.timeout_seconds, context=context
                )
            else:
                self._smtp = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_seconds)
            if settings.security == "starttls":
                self._smtp.starttls(context=context)
            self._smtp.ehlo_or_helo_if_needed()
            if settings.username:
                self._smtp.login(settings.username, settings.password)
        except smtplib.SMTPResponseException as refused:
            self.close()
            return _answer(Stage.GREETING, refused.smtp_code, refused.smtp_error)
        return None

    def _transact(self, sender: str, recipient: str, message: bytes, hand_over: Callable[[], bool]) -> Answer:
        smtp = self._smtp
        assert smtp is not None
        self._messages += 1
        refused = _offer(smtp, sender, recipient)
        if refused is not None:
            self._after_refusal(smtp, refused)
            return refused.answer
        try:
            allowed = hand_over()
        except BaseException:
            self.close()  # the server waits for the message: it forgets about it when we hang up
            raise
        if not allowed:
            self.close()
            raise NotHandedOver
        smtp.send(_doubled(message) + b".\r\n")
        try:
            code, text = smtp.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise ConnectionBroken(_said(error), written=True) from error
        if code // 100 not in {2, 4, 5}:
            # No answer that says whether the server has it.
            self.close()
            raise ConnectionBroken(f"The mail server answered {code}", written=True)
        return _answer(Stage.CONTENT, code, text)

    def _after_refusal(self, smtp: smtplib.SMTP, refused: _Refused) -> None:
        """Make the server ready for the next message."""
        if refused.is_stuck or refused.answer.reply.code == _GOING_AWAY:
            self.close()
            return
        try:
            if smtp.rset()[0] != 250:
                self.close()
        except (OSError, smtplib.SMTPException):
            self.close()


@dataclass(frozen=True, slots=True)
class _Refused:
    """That a server wants no message.

    Attributes:
        is_stuck: Whether nothing but hanging up leads to the next one.
    """

    answer: Answer
    is_stuck: bool = False


def _offer(smtp: smtplib.SMTP, sender: str, recipient: str) -> _Refused | None:
    """Say who sends a message and to whom, until the server waits for it; `None` where it does."""
    # Neither has anything in it that would need quoting: see `mail_address`.
    commands = (f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", "DATA")
    if smtp.has_extn("pipelining"):
        return _offer_at_once(smtp, "".join(f"{command}\r\n" for command in commands))
    for command, stage in zip(commands, _OFFERING, strict=True):
        code, text = smtp.docmd(command)
        if code not in _OFFERING[stage]:
            return _Refused(_answer(stage, code, text))
    return None


def _offer_at_once(smtp: smtplib.SMTP, commands: str) -> _Refused | None:
    """The same by RFC 2920: each command has its answer, also those after one that was refused."""
    smtp.send(commands)
    refused: Answer | None = None
    try:
        for stage, wanted in _OFFERING.items():
            code, text = smtp.getreply()
            if code not in wanted and refused is None:
                refused = _answer(stage, code, text)
    except (OSError, smtplib.SMTPException):
        if refused is None:
            raise
        return _Refused(refused, is_stuck=True)
    # A server may wait for a message though it has refused whom it is for. It gets nothing: we hang up.
    return None if refused is None else _Refused(refused, is_stuck=code == _GO_ON)


def _doubled(message: bytes) -> bytes:
    """A message in which no line is the one that ends it: a dot that begins a line stands twice."""
    return (b"." if message.startswith(b".") else b"") + message.replace(b"\n.", b"\n..")


def _answer(stage: Stage, code: int, text: bytes | str) -> Answer:
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return Answer(stage, Reply(code, shown.replace("\x00", "")))


def _said(error: Exception) -> str:
    return f"{error}"[:300] or type(error).__name__
