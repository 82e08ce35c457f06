"""A listening socket inside of another network namespace.

A socket stays in the namespace that it was made in, and can be used from any thread. So a thread of its own enters the
namespace of a container, makes the socket and ends; the agent itself never leaves its network.
"""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from pathlib import Path

from podium.tasks.programs import ExecutorFault

PORT = 3128
"""Where programs find their proxy, on their own loopback."""

_CLONE_NEWNET = 0x40000000
_BACKLOG = 128
_OWN = Path("/proc/self/ns/net")


def listen_inside(pid: int, *, port: int = PORT) -> socket.socket:
    """A socket that listens on 127.0.0.1 in the network namespace of a process.

    Raises:
        ExecutorFault: The agent may not enter it, can't see the process, or it is the agent's own namespace.
    """
    made: list[socket.socket] = []
    failed: list[OSError] = []

    def enter_and_listen() -> None:
        try:
            _enter(pid)
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                listener.bind(("127.0.0.1", port))
                listener.listen(_BACKLOG)
            except OSError:
                listener.close()
                raise
            made.append(listener)
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=enter_and_listen, name="podium-door")
    thread.start()
    thread.join()
    if failed:
        raise ExecutorFault(
            f"The agent can't listen in the network of a container ({failed[0].strerror or failed[0]}).",
            remedy="An agent that offers the relaxation `network` runs as root on its engine's own host.",
        )
    return made[0]


def _enter(pid: int) -> None:
    namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if os.fstat(namespace).st_ino == _OWN.stat().st_ino:
            raise PermissionError(0, "it is the agent's own network")
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(namespace, _CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(namespace)
