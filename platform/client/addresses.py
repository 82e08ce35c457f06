"""Addresses of gateways, in one form."""

from __future__ import annotations

from urllib.parse import urlsplit

from podium.platform.errors import InvalidInput

API_PREFIX = "/api/v1"
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


def normalized_gateway(address: str) -> str:
    """The address of a gateway in the one form that is stored and shown: no path of the API, no slash at the end.

    A name without a scheme gets `https`, or `http` on this machine.

    Raises:
        InvalidInput: It is not an address.
    """
    text = address.strip()
    if "://" not in text:
        host = urlsplit(f"//{text}").hostname or ""
        text = f"{'http' if host in _LOCAL_HOSTS else 'https'}://{text}"
    text = text.rstrip("/").removesuffix(API_PREFIX).rstrip("/")
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or parts.query or parts.fragment or parts.username is not None:
        raise InvalidInput(
            f"{address!r} is not the address of a gateway.", remedy="It looks like https://podium.example.org."
        )
    return text


def is_local(gateway: str) -> bool:
    """Whether a gateway is on this machine, so that nobody on the way can read a token."""
    return urlsplit(gateway).hostname in _LOCAL_HOSTS
