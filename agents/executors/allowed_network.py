"""What an allow-list lets through: names and ports first, and then the addresses that a name really leads to.

The agent looks names up, checks what came of it, and connects to the very address that it checked: a name that leads
elsewhere at the second look gains nothing. A name never leads into the agent's own network, its link or its loopback;
a private address is reached where the organizer wrote that address and the operator allows it.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from podium.platform.bundles.destinations import (
    Address,
    BadDestination,
    Destination,
    embedded,
    is_private,
    never_reached,
    parse_destination,
)

CONNECT_SECONDS = 10.0
_ADDRESSES = 4  # of a name that are tried

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host, best first."""


class Refused(Exception):
    """The allow-list does not let this through; the message says why, for whoever reads the program's log."""


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a host, as the agent's own resolver has them.

    Raises:
        OSError: There are none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True, slots=True)
class AllowList:
    """Where programs may connect to.

    Attributes:
        private: The operator allows private addresses that the organizer wrote down.
    """

    destinations: frozenset[Destination]
    private: bool = False
    resolve: Resolve = look_up

    @classmethod
    def of(cls, texts: Sequence[str], *, private: bool) -> AllowList:
        """The list that a competition has."""
        return cls(frozenset(map(parse_destination, texts)), private=private)

    def wanted(self, host: str, port: int) -> Destination:
        """The entry that a program asks for.

        Raises:
            Refused: There is none.
        """
        try:
            asked = parse_destination(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        except BadDestination as bad:
            raise Refused(str(bad)) from None
        if asked not in self.destinations:
            raise Refused("it is not on the competition's allow-list")
        return asked

    def addresses(self, destination: Destination) -> list[str]:
        """The addresses of an entry that may be connected to.

        Raises:
            Refused: All that there are may not.
            OSError: There are none.
        """
        if destination.address is not None:
            if is_private(destination.address) and not (self.private and not never_reached(destination.address)):
                raise Refused("it is a private address, which the agent's operator does not allow")
            return [destination.host]
        found = list(self.resolve(destination.host, destination.port))
        public = [text for text in found if _is_public(text)]
        if found and not public:
            raise Refused(f"its name leads to {found[0]}, which is not an address of the internet")
        return public

    def connect(self, destination: Destination) -> socket.socket:
        """A connection to an entry, to an address that was checked.

        Raises:
            Refused: It may not be connected to.
            OSError: It can't be.
        """
        failure = OSError("it has no address")
        for address in self.addresses(destination)[:_ADDRESSES]:
            try:
                connection = socket.create_connection((address, destination.port), CONNECT_SECONDS)
            except OSError as error:
                failure = error
                continue
            if destination.address is None or not is_private(destination.address):
                _require_elsewhere(connection)
            return connection
        raise failure


def _is_public(text: str) -> bool:
    try:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and (inside := embedded(address)) is not None:
        address = inside
    return not is_private(address) and not never_reached(address)


def _require_elsewhere(connection: socket.socket) -> None:
    """Whoever talks to an address of their own does so from that address."""
    if connection.getsockname()[0] == connection.getpeername()[0]:
        connection.close()
        raise Refused("it is the agent's own host")
