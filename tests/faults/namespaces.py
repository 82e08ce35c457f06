"""Networks of the harness's own: nothing of them is seen on the host, and they end with the process that holds them."""

from __future__ import annotations

import ctypes
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

AnswerT = TypeVar("AnswerT")
PLATFORM, AGENT = "10.77.0.1", "10.77.0.2"
"""Addresses of the two ends of the link, each in its namespace."""
_CLONE_NEWNET = 0x40000000
_LINK = "podium0"


class Namespace:
    """A network namespace. Its holder works in `folder`, so that the guard finds it."""

    def __init__(self, folder: Path) -> None:
        self._holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"], cwd=folder)
        self.path = Path(f"/proc/{self._holder.pid}/ns/net")
        give_up = time.monotonic() + 10
        while (there := self._identity()) is None or there == str(Path("/proc/self/ns/net").readlink()):
            assert time.monotonic() < give_up, "no network namespace could be made"
            time.sleep(0.005)
        self.run("ip", "link", "set", "lo", "up")

    def command(self, *command: str) -> list[str]:
        """The command line that runs a program in it; the process is the program's own."""
        return ["nsenter", f"--net={self.path}", *command]

    def run(self, *command: str) -> None:
        subprocess.run(self.command(*command), check=True, capture_output=True)

    def call(self, function: Callable[[], AnswerT]) -> AnswerT:
        """Call a function in a thread that lives in it; so does all that the thread starts."""
        answers: list[AnswerT] = []
        errors: list[BaseException] = []

        def work() -> None:
            try:
                self._enter()
                answers.append(function())
            except BaseException as error:  # noqa: BLE001  handed on to the caller
                errors.append(error)

        thread = threading.Thread(target=work, name="faults", daemon=True)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return answers[0]

    def close(self) -> None:
        self._holder.kill()
        self._holder.wait()

    def _enter(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        with self.path.open() as namespace:
            if libc.setns(namespace.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "the network namespace can't be entered")

    def _identity(self) -> str | None:
        try:
            return str(self.path.readlink())
        except OSError:
            return None


class Network:
    """Two namespaces and the link between them: the platform in one, the agent in the other."""

    def __init__(self, folder: Path) -> None:
        self.platform, self.agent = Namespace(folder), Namespace(folder)
        other = str(self.agent._holder.pid)
        self.platform.run("ip", "link", "add", _LINK, "type", "veth", "peer", "name", _LINK, "netns", other)
        for namespace, address in ((self.platform, PLATFORM), (self.agent, AGENT)):
            namespace.run("ip", "address", "add", f"{address}/30", "dev", _LINK)
            namespace.run("ip", "link", "set", _LINK, "up")

    def show_to_agent(self, port: int) -> None:
        """Let the agent reach what listens on the platform's 127.0.0.1 alone."""
        self.platform.run("sysctl", "-qw", f"net.ipv4.conf.{_LINK}.route_localnet=1")
        where = ("-d", PLATFORM, "-p", "tcp", "--dport", str(port))
        self.platform.run(
            "iptables", "-t", "nat", "-A", "PREROUTING", *where, "-j", "DNAT", "--to", f"127.0.0.1:{port}"
        )

    def cut_link(self) -> None:
        """Nothing passes between the agent and the platform."""
        self.platform.run("ip", "link", "set", _LINK, "down")

    def restore_link(self) -> None:
        self.platform.run("ip", "link", "set", _LINK, "up")

    def cut_port(self, port: int) -> None:
        """Whatever is sent to a port, or comes from it, is lost; nobody is told."""
        for rule in _rules(port):
            self.platform.run("iptables", "-A", *rule)

    def restore_port(self, port: int) -> None:
        for rule in _rules(port):
            self.platform.run("iptables", "-D", *rule)

    def close(self) -> None:
        for namespace in (self.platform, self.agent):
            namespace.close()


def _rules(port: int) -> list[tuple[str, ...]]:
    return [("INPUT", "-p", "tcp", side, str(port), "-j", "DROP") for side in ("--dport", "--sport")]
