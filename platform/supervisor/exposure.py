"""Whether anybody on the network could use Prefect's API, which knows nobody: it must be asked for a password there.

Whoever reaches it may read, start and cancel every flow run, of all organizers. Podium's own Prefect listens on
loopback alone; a proxy in front of it, or one that runs elsewhere, is for operators to guard.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

_SECONDS = 2.0
# One that needs the password where there is one; Prefect's health does not.
_ASKED = "/admin/version"


def exposed_prefect(api_url: str) -> list[str]:
    """Warnings about the Prefect at this address, such as `http://127.0.0.1:4200/api`; none where all is well.

    One on loopback is asked for at this machine's own address on the network.
    """
    address = urlsplit(api_url)
    host, port = address.hostname or "", address.port or (443 if address.scheme == "https" else 80)
    hosts: Sequence[str] = own_addresses() if _is_loopback(host) else (host,)
    return [
        f"Prefect answers whoever asks at {one}:{port}, without a password: anybody on that network can read, start "
        "and cancel everything. Bind it to 127.0.0.1, or put it behind authentication of your own"
        for one in hosts
        if _answers_strangers(one, port, f"{address.path.rstrip('/')}{_ASKED}", secure=address.scheme == "https")
    ]


def own_addresses() -> list[str]:
    """The addresses of this machine by which others most likely reach it. Nothing is sent: a route is looked up."""
    found = []
    for family, far in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((far, 9))
                found.append(str(probe.getsockname()[0]))
        except OSError:
            continue
    return [one for one in found if not _is_loopback(one)]


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _answers_strangers(host: str, port: int, path: str, *, secure: bool) -> bool:
    if secure:
        # Whose certificate it is does not matter: no secret is sent.
        trusting = ssl._create_unverified_context()  # noqa: S323, SLF001
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, port, timeout=_SECONDS, context=trusting
        )
    else:
        connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
