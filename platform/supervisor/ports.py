"""TCP ports: which are free, and which to take."""

from __future__ import annotations

import socket

from podium.platform.errors import Conflict

_LOOPBACK = "127.0.0.1"
_TRIES = 200


class PortTaken(Conflict):
    """A port that was asked for by number is in use."""

    type = "port-taken"
    title = "The port is in use"


def is_free(port: int, host: str = _LOOPBACK) -> bool:
    """Whether a server could listen on this port now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do it: without this, a port counts as taken for a minute after its last server's end.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host: str = _LOOPBACK) -> int:
    """Return a port that nobody listens on now, chosen by the system."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
