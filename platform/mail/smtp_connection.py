"""A connection to a mail server, by Python's `smtplib`, which tells how far a message got when something breaks."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from podium.platform.mail.configuration import MailConfiguration
from podium.platform.mail.verdicts import Reply, Stage

_DOT = re.compile(rb"(?m)^\.")
_GO_ON = 354
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
        # Neither has anything in it that would need quoting: see `mail_address`.
        code, text = smtp.docmd(f"MAIL FROM:<{sender}>")
        if code != 250:
            return self._refused(smtp, Stage.SENDER, code, text)
        code, text = smtp.docmd(f"RCPT TO:<{recipient}>")
        if code not in {250, 251}:
            return self._refused(smtp, Stage.RECIPIENT, code, text)
        code, text = smtp.docmd("data")
        if code != _GO_ON:
            return self._refused(smtp, Stage.READY, code, text)
        try:
            allowed = hand_over()
        except BaseException:
            self.close()  # the server waits for the message: it forgets about it when we hang up
            raise
        if not allowed:
            self.close()
            raise NotHandedOver
        smtp.send(_DOT.sub(b"..", message) + b".\r\n")
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

    def _refused(self, smtp: smtplib.SMTP, stage: Stage, code: int, text: bytes | str) -> Answer:
        """The server's answer, after which it is ready for the next message."""
        try:
            if code == 421 or smtp.rset()[0] != 250:
                self.close()
        except (OSError, smtplib.SMTPException):
            self.close()
        return _answer(stage, code, text)


def _answer(stage: Stage, code: int, text: bytes | str) -> Answer:
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return Answer(stage, Reply(code, shown.replace("\x00", "")))


def _said(error: Exception) -> str:
    return f"{error}"[:300] or type(error).__name__
