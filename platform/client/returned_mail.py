"""Telling a gateway of mail that came back, signed: what a mail server's pipe does, and a service's webhook."""

from __future__ import annotations

import hashlib
import hmac
import time

import httpx

from podium.platform.client.addresses import API_PREFIX, normalized_gateway
from podium.platform.client.refusals import error_from_response, unreachable

SIGNATURE = "X-Podium-Signature"


def signature(secret: str, body: bytes, moment: float) -> str:
    """The value of `X-Podium-Signature` for a body at a moment in Unix seconds; it is good for five minutes."""
    stamp = int(moment)
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def send_returned(gateway: str, message: bytes, secret: str) -> None:
    """Tell of a message that came back, as it came.

    Raises:
        NotAuthenticated: The secret is another than the gateway's.
        InvalidInput: The message tells of nothing that Podium has sent.
        PlatformFault: The gateway can't be reached.
    """
    address = normalized_gateway(gateway)
    headers = {SIGNATURE: signature(secret, message, time.time()), "Content-Type": "message/rfc822"}
    try:
        answer = httpx.post(f"{address}{API_PREFIX}/mail/returned", content=message, headers=headers, timeout=30)
    except httpx.TransportError as error:
        raise unreachable(address, error) from error
    if not answer.is_success:
        raise error_from_response(answer, address)
