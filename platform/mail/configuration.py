"""The mail server that an operator has set, read at the edge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from uuid import UUID

from pydantic import SecretStr

from podium.platform.errors import Conflict, InvalidInput
from podium.platform.mail.addresses import MailAddress, mail_address
from podium.platform.settings import ServerSettings


@dataclass(frozen=True, slots=True)
class MailConfiguration:
    """How mail goes out.

    Attributes:
        sender: Whom it comes from.
        bounces: Where it comes back to; `None` for the sender.
        per_minute: Messages in all; `None` without a limit.
        retry_seconds: Before the second try of what was put off.
        give_up_seconds: After the first try.
    """

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    username: str
    password: str
    ca_file: Path | None
    sender: MailAddress
    bounces: MailAddress | None
    connections: int
    per_minute: int | None
    domain_per_minute: int | None
    timeout_seconds: float
    retry_seconds: float
    give_up_seconds: float

    def envelope_sender(self, outbox_id: UUID) -> str:
        """Where a message comes back to: an address of its own, by which it is known again."""
        if self.bounces is None:
            return str(self.sender)
        return f"{self.bounces.local}+{outbox_id.hex}@{self.bounces.domain}"


def read_mail(settings: ServerSettings) -> MailConfiguration | None:
    """The mail server of the settings; `None` where there is none.

    Raises:
        InvalidInput: What is set does not suffice; the message names all that is wrong.
    """
    if not settings.mail_host:
        return None
    sender, bounces = mail_address(settings.mail_from), mail_address(settings.mail_bounce_address)
    faults = list(_faults(settings, sender, bounces))
    password = read_secret("MAIL_PASSWORD_FILE", settings.mail_password, settings.mail_password_file, faults)
    if bool(password) != bool(settings.mail_username):
        faults.append("PODIUM_MAIL_USERNAME and PODIUM_MAIL_PASSWORD belong together")
    if faults or sender is None:
        raise InvalidInput(f"No mail can be sent: {'; '.join(faults)}.")
    return MailConfiguration(
        host=settings.mail_host,
        port=settings.mail_port,
        security=settings.mail_security,
        username=settings.mail_username,
        password=password,
        ca_file=settings.mail_ca_file,
        sender=sender,
        bounces=bounces,
        connections=settings.mail_connections,
        per_minute=settings.mail_per_minute,
        domain_per_minute=settings.mail_domain_per_minute,
        timeout_seconds=settings.mail_timeout_seconds,
        retry_seconds=settings.mail_retry_seconds,
        give_up_seconds=settings.mail_give_up_hours * 3600,
    )


def require_mail(settings: ServerSettings) -> MailConfiguration:
    """The mail server of the settings.

    Raises:
        Conflict: There is none.
    """
    found = read_mail(settings)
    if found is None:
        raise Conflict("This platform sends no mail.", remedy="Ask its operators for it.")
    return found


def _faults(settings: ServerSettings, sender: MailAddress | None, bounces: MailAddress | None) -> Iterator[str]:
    if sender is None:
        yield "PODIUM_MAIL_FROM is no address; write such as podium@example.org"
    if settings.mail_bounce_address and bounces is None:
        yield "PODIUM_MAIL_BOUNCE_ADDRESS is no address; write such as bounces@example.org"
    if settings.mail_security == "none" and not _is_this_machine(settings.mail_host):
        yield "PODIUM_MAIL_SECURITY=none is for a mail server on this very machine alone"


def read_secret(variable: str, secret: SecretStr | None, file: Path | None, faults: list[str]) -> str:
    """A secret, or the content of its file; what is wrong with that is added to the faults."""
    if file is None:
        return secret.get_secret_value() if secret is not None else ""
    try:
        return file.read_text().strip()
    except OSError as error:
        faults.append(f"PODIUM_{variable} can't be read: {error.strerror}")
        return ""


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
