"""Networks of the harness's own: nothing of them is seen on the host, and they end with the process that holds them."""

from __future__ import annotations

from pathlib import Path

from network_namespace import Namespace, link

PLATFORM, AGENT = "10.77.0.1", "10.77.0.2"
"""Addresses of the two ends of the link, each in its namespace."""
_LINK = "podium0"


class Network:
    """Two namespaces and the link between them: the platform in one, the agent in the other."""

    def __init__(self, folder: Path) -> None:
        self.platform, self.agent = Namespace(folder), Namespace(folder)
        link(self.platform, self.agent, _LINK, (f"{PLATFORM}/30", f"{AGENT}/30"))

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
