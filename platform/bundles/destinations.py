"""The network allow-list of a competition: `host:port`, checked, and written in one way.

Which addresses a name leads to is looked at when a program asks for it, by the agent. What can be refused without
asking anybody is refused here, where the organizer sees it.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from podium.platform.bundles.content import Relaxations

HTTPS = 443
MAX_DESTINATIONS = 20
"""Entries of an allow-list."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
# A last label of digits would be an address in one of its older ways of writing.
_NAME = re.compile(rf"(?:{_LABEL}\.)*(?!\d+\Z|0x[0-9a-f]*\Z){_LABEL}")
_BRACKETED = re.compile(r"\[(?P<host>[^]]*)\](?::(?P<port>.*))?", re.DOTALL)
_MAX_NAME = 253
_LARGEST_PORT = 65535
_HERE = frozenset({"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"})


class BadDestination(ValueError):
    """An entry that can't stand in an allow-list; the message says why."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A host and a port that programs may connect to. `host` is a name in small letters, or an address."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def address(self) -> Address | None:
        """The address that the organizer wrote; `None` for a name."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None


def parse_destination(text: str) -> Destination:
    """Read `host:port`; without a port it is 443.

    Raises:
        BadDestination: It is not of that form, or can't be reached by any program.
    """
    host, port = _split(text.strip())
    return Destination(_host(host), _port(port))


def is_private(address: Address) -> bool:
    """Whether an address is of somebody's own network: reached from the agent's side, and not from everywhere."""
    site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return not address.is_global or address.is_multicast or site_local


def never_reached(address: Address) -> bool:
    """Whether no allow-list may name an address: the agent's own loopback, its link, many hosts at once, or none."""
    return (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or (isinstance(address, ipaddress.IPv4Address) and address.is_reserved)
        or (isinstance(address, ipaddress.IPv6Address) and embedded(address) is not None)
    )


def embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for: mapped, by 6to4, by Teredo, or by NAT64."""
    nat64 = ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48")
    if any(address in network for network in nat64):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour


def relaxation_names(relaxations: Relaxations) -> tuple[str, ...]:
    """What an operator has to allow for these: `network`, `private_network`, `root`."""
    destinations = [parse_destination(text) for text in relaxations.network]
    names = []
    if destinations:
        names.append("network")
    if any(one.address is not None and is_private(one.address) for one in destinations):
        names.append("private_network")
    if relaxations.root:
        names.append("root")
    return tuple(names)


def _split(text: str) -> tuple[str, str | None]:
    if "://" in text or "/" in text:
        raise BadDestination("it is an address of a page; write the host and the port alone, such as data.example:443")
    if "@" in text:
        raise BadDestination("it names a user; write the host and the port alone")
    if found := _BRACKETED.fullmatch(text):
        return found["host"], found["port"]
    if text.count(":") > 1:
        return text, None  # an IPv6 address without brackets, and so without a port
    host, colon, port = text.partition(":")
    return host, port if colon else None


def _host(host: str) -> str:
    name = host.lower().rstrip(".")
    if "*" in name:
        raise BadDestination("it has a wildcard; name each host")
    try:
        address: Address | None = ipaddress.ip_address(name)
    except ValueError:
        address = None
    if address is not None:
        if never_reached(address):
            raise BadDestination(f"{address} is an address that no program may ever reach")
        return str(address)
    if name in _HERE or name.endswith(".localhost"):
        raise BadDestination("no program may ever reach the agent's own host by this name")
    if len(name) > _MAX_NAME or not _NAME.fullmatch(name):
        raise BadDestination("it is not the name or the address of a host")
    return name


def _port(text: str | None) -> int:
    if text is None:
        return HTTPS
    if not re.fullmatch(r"\d{1,5}", text, re.ASCII) or not 1 <= int(text) <= _LARGEST_PORT:
        raise BadDestination(f"the port is a number from 1 to {_LARGEST_PORT}")
    return int(text)
