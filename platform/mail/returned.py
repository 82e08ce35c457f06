"""Mail that came back: notices of mail servers (RFC 3464) and complaints (RFC 5965), and what follows from them.

Whoever tells of it signs what they tell. Even so, only an address is suppressed to which a message went of which the
notice knows the id: nobody can keep mail from somebody whose mail they have not seen.
"""

from __future__ import annotations

import email
import email.policy
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from podium.platform.client.returned_mail import SIGNATURE
from podium.platform.client.returned_mail import signature as sign
from podium.platform.errors import InvalidInput, NotAuthenticated
from podium.platform.lifecycle import MailStatus
from podium.platform.mail.suppressions import suppress_address
from podium.platform.mail.verdicts import Reply, says_no_mailbox
from podium.platform.models import MailCause, OutboxMessage, now

_FRESH = timedelta(minutes=5)
_SIGNED = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")
_ID = re.compile(r"([0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12})")
_OWN_ID = re.compile(r"(?im)^Message-ID:[ \t]*(?:\r?\n[ \t]+)?<([0-9a-f-]{36})@")
_STATUS = re.compile(r"([245])\.\d{1,3}\.\d{1,3}")


class Happening:
    """What became of a message."""

    BOUNCE = "bounce"
    DELAY = "delay"
    COMPLAINT = "complaint"


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told of a message.

    Attributes:
        message_id: Of our message.
        happening: `bounce`, `delay` or `complaint`.
        no_mailbox: Whether nothing need ever be sent there again.
        detail: In the words of whoever tells it.
    """

    message_id: UUID
    happening: str
    no_mailbox: bool
    detail: str


def require_signed(secret: str, signature: str, body: bytes, moment: datetime) -> None:
    """Go on only if a body was signed, a moment ago.

    Raises:
        NotAuthenticated: It was not; or there is no secret, and nobody is believed.
    """
    found = _SIGNED.fullmatch(signature.strip())
    if not secret or found is None:
        raise NotAuthenticated("This is not signed.", remedy=f"Sign it in {SIGNATURE}.")
    stamp = int(found[1])
    if not hmac.compare_digest(sign(secret, body, stamp), found[0]):
        raise NotAuthenticated("The signature is not good.", remedy="Sign with PODIUM_MAIL_SECRET.")
    if abs(moment.timestamp() - stamp) > _FRESH.total_seconds():
        raise NotAuthenticated("The signature is too old.", remedy="Set the clocks of both machines.")


def read_notice(raw: bytes) -> Notice | None:
    """What a message says that a mail server sent back; `None` for one that tells of nothing of ours.

    It says which message it is about by the address that it was sent to (`+ID`), or by the headers that it returns.
    """
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    parts = list(_parts(parsed))
    found = _message_id(parsed, raw)
    if found is None:
        return None
    for part in parts:
        if part.get_content_type() == "message/feedback-report":
            return Notice(found, Happening.COMPLAINT, no_mailbox=True, detail="The recipient complained.")
    for part in parts:
        if part.get_content_type() == "message/delivery-status":
            return _delivery_status(found, part)
    return None


def _parts(message: EmailMessage) -> Iterator[EmailMessage]:
    for number, part in enumerate(message.walk()):
        if number > 50:
            return
        if isinstance(part, EmailMessage):
            yield part


def _message_id(message: EmailMessage, raw: bytes) -> UUID | None:
    for header in ("To", "Delivered-To", "X-Original-To"):
        local = str(message.get(header, "")).partition("@")[0]
        if (tagged := _ID.search(local.partition("+")[2])) is not None:
            return UUID(tagged[1])
    # Not of the notice itself: of the message that it returns.
    returned = b"\n".join(raw.splitlines()[_first_body_line(raw) :]).decode("utf-8", "replace")
    found = _OWN_ID.search(returned)
    return UUID(found[1]) if found is not None else None


def _first_body_line(raw: bytes) -> int:
    lines = raw.splitlines()
    return next((number for number, line in enumerate(lines) if not line.strip()), len(lines))


def _delivery_status(message_id: UUID, part: EmailMessage) -> Notice:
    fields: dict[str, str] = {}
    blocks = part.get_payload()
    for block in blocks if isinstance(blocks, list) else []:
        if isinstance(block, EmailMessage):
            fields |= {name.lower(): str(value) for name, value in block.items()}
    status = _STATUS.search(fields.get("status", ""))
    said = fields.get("diagnostic-code", "").partition(";")[2].strip() or fields.get("status", "")
    enhanced = status[0] if status is not None else ""
    if fields.get("action", "").lower() != "failed" and not enhanced.startswith("5"):
        return Notice(message_id, Happening.DELAY, no_mailbox=False, detail=said[:400])
    gone = says_no_mailbox(Reply(550, f"{enhanced} {said}".strip()))
    return Notice(message_id, Happening.BOUNCE, no_mailbox=gone, detail=f"{enhanced} {said}".strip()[:400])


def take_notice(session: Session, notice: Notice) -> bool:
    """Do what follows from a notice; tell whether it was about a message of ours.

    A message that came back has failed. Of one whose recipient complained, it is known that it arrived.
    """
    message = session.get(OutboxMessage, notice.message_id, with_for_update=True)
    if message is None or not message.address:
        return False
    if notice.happening == Happening.BOUNCE:
        session.execute(
            update(OutboxMessage)
            .where(
                OutboxMessage.id == message.id,
                OutboxMessage.status.in_((MailStatus.SENT, MailStatus.UNSETTLED)),
            )
            .values(status=MailStatus.FAILED, handed=None, reply=f"It came back: {notice.detail}"[:500], ended=now())
        )
    cause = MailCause.COMPLAINT if notice.happening == Happening.COMPLAINT else MailCause.BOUNCE
    if notice.happening != Happening.DELAY and notice.no_mailbox:
        suppress_address(session, message.address, cause, detail=notice.detail, by="notice")
    return True


def told_notice(message_id: str, happening: str, status: str, detail: str) -> Notice:
    """What a service that sends mail tells in its own words.

    Raises:
        InvalidInput: It names no message.
    """
    found = _ID.search(message_id.lower())
    if found is None:
        raise InvalidInput("`message_id` is no Message-ID of ours.")
    said = " ".join(f"{status} {detail}".split())
    gone = happening == Happening.COMPLAINT or says_no_mailbox(Reply(550, said))
    return Notice(UUID(found[1]), happening, no_mailbox=gone, detail=said[:400] or happening)
