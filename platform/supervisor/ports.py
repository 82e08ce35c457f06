"""TCP ports: which are free, which to take, and who has the others."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Collection
from pathlib import Path

from podium.platform.errors import Conflict, InvalidInput

LOOPBACK = "127.0.0.1"
_TRIES = 500
_claims: dict[int, socket.socket] = {}
_LISTENING = "0A"


class PortTaken(Conflict):
    """A port that was asked for by its number is in use."""

    type = "port-taken"
    title = "The port is in use"


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen on this port now.

    Raises:
        InvalidInput: No server ever could: the address isn't this machine's, or the port is kept for root.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do it: without this, a port counts as taken for a minute after its last server's end.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise InvalidInput(
                f"Nothing can listen on port {port} of {host}: {error.strerror}.",
                remedy="Choose an address of this machine, and a port above 1023 unless you are root.",
            ) from error
    return True


def free_port(host: str = LOOPBACK) -> int:
    """Return a port that nobody listens on now, chosen by the system."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def claim(port: int) -> bool:
    """Claim a port among the Podiums of this machine; whether no other one has.

    A part listens only seconds after its port was chosen. In the meantime, a second Podium that starts would choose the
    same one, and take the other's part for its own. The claim ends with this process.
    """
    if port not in _claims:
        mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            # A name in the kernel, not in the file system: nothing is left behind, and all users share it.
            mark.bind(f"\0podium-port-{port}")
        except OSError:
            mark.close()
            return False
        _claims[port] = mark
    return True


def choose_port(
    part: str,
    *,
    asked: int | None = None,
    remembered: int | None = None,
    preferred: int,
    host: str = LOOPBACK,
    taken: Collection[int] = (),
) -> int:
    """Choose the port of a part: the one asked for, else last time's, else the preferred one or the next that is free.

    Args:
        part: Whose port; for the message.
        asked: This one and no other.
        remembered: What it was at the last start: addresses should stay.
        preferred: Where to begin otherwise.
        host: The address that it will listen on.
        taken: Ports that other parts have been given already.

    Raises:
        PortTaken: The port that was asked for is in use, or there is no free one.
    """
    if asked is not None:
        if asked in taken or not is_free(asked, host) or not claim(asked):
            holder = "another part of Podium" if asked in taken else port_holder(asked)
            raise PortTaken(
                f"Port {asked} for {part} is in use by {holder}.",
                remedy=f"End that program, or choose another port: --{part}-port.",
            )
        return asked
    candidates = ([remembered] if remembered else []) + list(range(preferred, min(preferred + _TRIES, 65536)))
    for port in candidates:
        if port not in taken and is_free(port, host) and claim(port):
            return port
    raise PortTaken(f"No port from {preferred} on is free for {part}.", remedy=f"Choose one: --{part}-port.")


def port_holder(port: int) -> str:
    """Return who listens on a port: `nginx (pid 123)`, or nobody in particular where we may not see it."""
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and _holds(process, inodes):
            with contextlib.suppress(OSError):
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    return "another program"


def _listening_inodes(port: int) -> list[str]:
    inodes = []
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path("/proc/net", table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rsplit(":", 1)[1], 16) == port:
                    inodes.append(fields[9])
    return inodes


def _holds(process: Path, sockets: Collection[str]) -> bool:
    with contextlib.suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                if str(descriptor.readlink()) in sockets:
                    return True
    return False
