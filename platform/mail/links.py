"""Addresses in mail: the platform's pages, and those that are good without a sign-in because they are signed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

from itsdangerous import BadSignature, Signer, TimestampSigner

from podium.platform.errors import NotFound
from podium.platform.models import MailKind

UNSUBSCRIBE_PATH = "/mail/unsubscribe"
"""Under the API, as the next one."""
CONFIRM_PATH = "/mail/confirmation"


@dataclass(frozen=True, slots=True)
class Subscription:
    """What somebody may stop: messages of a kind, of one competition or of all."""

    person_id: UUID
    kind: MailKind
    competition_id: UUID | None = None


class MailLinks:
    """Makes the addresses that stand in mail.

    Args:
        secret: Signs those that are good by themselves. They never expire: mail is kept for years.
        gateway: The gateway's address as people reach it.
        pages: The pages' address, where there are any.
    """

    def __init__(self, secret: str, gateway: str, pages: str) -> None:
        # The key is derived once: there are many to sign.
        key = hashlib.sha256(f"podium-unsubscribe:{secret}".encode()).digest()
        self._signer = Signer(key, salt=b"", key_derivation="none", digest_method=hashlib.sha256)
        self._confirming = TimestampSigner(secret, salt="podium-confirmation")
        self._gateway = gateway.rstrip("/")
        self._pages = pages.rstrip("/")

    def of_competition(self, slug: str) -> dict[str, str]:
        """The pages of a competition, by the names of variables."""
        base = self._pages or f"{self._gateway}/api/v1"
        if not self._pages:
            found = f"{base}/competitions/{quote(slug)}"
            names = ("competition_link", "leaderboard_link", "submit_link", "submissions_link")
            return {name: f"{found}/leaderboard.html" if name == "leaderboard_link" else found for name in names}
        pages = {"competition": "competition_link", "leaderboard": "leaderboard_link", "submit": "submit_link"}
        found_pages = {name: f"{base}/{page}?competition={quote(slug)}" for page, name in pages.items()}
        return {**found_pages, "submissions_link": f"{base}/submissions?competition={quote(slug)}"}

    def unsubscribe(self, subscription: Subscription) -> str:
        """The address by which whoever has it stops these messages."""
        words = [str(subscription.kind), _short(subscription.person_id)]
        if subscription.competition_id is not None:
            words.append(_short(subscription.competition_id))
        signed = self._signer.sign("~".join(words)).decode("ascii")
        return f"{self._gateway}/api/v1{UNSUBSCRIBE_PATH}/{signed}"

    def confirmation(self, person_id: UUID, address: str) -> str:
        """The address by which whoever has it says that they get mail there; it is good for a week."""
        signed = self._confirming.sign(f"{_short(person_id)}~{_digest(address)}").decode("ascii")
        return f"{self._gateway}/api/v1{CONFIRM_PATH}/{signed}"

    def confirmed(self, token: str) -> tuple[UUID, Callable[[str], bool]]:
        """Whose address it confirms, and whether it is this one: they may have another since.

        Raises:
            NotFound: It was not made here, or is over.
        """
        try:
            person, digest = self._confirming.unsign(token, max_age=_CONFIRMING_SECONDS).decode("ascii").split("~")
            return _long(person), lambda address: _digest(address) == digest
        except (BadSignature, ValueError, TypeError):
            raise NotFound(
                "This link is not complete, or older than a week.", remedy="Ask for another: `podium mail confirm`."
            ) from None

    def harmless(self) -> MailLinks:
        """The same addresses, for whoever only looks: those that are signed stop nothing."""
        return _HarmlessLinks("", self._gateway, self._pages)

    def subscription(self, token: str) -> Subscription:
        """What an address stops.

        Raises:
            NotFound: It was not made here.
        """
        try:
            kind, person, *competition = self._signer.unsign(token).decode("ascii").split("~")
            of = _long(competition[0]) if competition else None
            return Subscription(_long(person), MailKind(kind), of)
        except (BadSignature, ValueError, TypeError):
            raise NotFound(
                "This link is not complete.", remedy="Copy it from the message as a whole, or write to the organizers."
            ) from None


class _HarmlessLinks(MailLinks):
    """Links of a message that its recipient does not get."""

    def unsubscribe(self, subscription: Subscription) -> str:  # noqa: ARG002  # of the base
        return f"{self._gateway}/api/v1{UNSUBSCRIBE_PATH}/preview"


_CONFIRMING_SECONDS = 7 * 24 * 3600


def _digest(address: str) -> str:
    return hashlib.sha256(address.lower().encode()).hexdigest()[:32]


def _short(one: UUID) -> str:
    return base64.urlsafe_b64encode(one.bytes).rstrip(b"=").decode("ascii")


def _long(text: str) -> UUID:
    return UUID(bytes=base64.urlsafe_b64decode(f"{text}=="))
