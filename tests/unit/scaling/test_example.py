"""The example of a command for scaling, with stand-ins for SSH and systemd that run here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podium.platform.scaling.providers.commands import CommandProvider
from podium.platform.scaling.providers.orders import AgentOrder, ProviderFault
from podium.platform.scaling.providers.settings import CommandSettings

EXAMPLE = Path(__file__).parents[3] / "examples" / "scale_over_ssh.py"
SSH = """#!/bin/sh
while [ "$1" = -o ]; do shift 2; done
[ "$1" = down ] && { echo "ssh: no route to host" >&2; exit 255; }
export HOME="$HOSTS/$1"; mkdir -p "$HOME"; exec sh -c "$2"
"""
SYSTEMD_RUN = """#!/bin/sh
for word in "$@"; do case "$word" in --unit=*) touch "$HOME/${word#--unit=}.service";; esac; done
"""
SYSTEMCTL = """#!/bin/sh
case "$2" in
  list-units) cd "$HOME" && for unit in ${6%\\*}*.service; do [ -e "$unit" ] && echo "$unit loaded active"; done; true;;
  stop) rm -f "$HOME/$3.service";;
esac
"""


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandProvider:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (("ssh", SSH), ("systemd-run", SYSTEMD_RUN), ("systemctl", SYSTEMCTL)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("HOSTS", str(tmp_path / "hosts"))
    monkeypatch.setenv("SCALE_HOSTS", "one two")
    own = CommandSettings(kind="command", command=(str(EXAMPLE),), inherit=("SCALE_HOSTS", "HOSTS"))
    return CommandProvider(own, "site")


def order(name: str) -> AgentOrder:
    return AgentOrder(name, "docker", f"secret-{name}", "https://podium.example.org", "http://prefect/api", 2)


def test_agents_are_spread_listed_and_stopped(provider: CommandProvider, tmp_path: Path) -> None:
    for name in ("a1", "a2", "a2", "a3"):
        provider.start(order(name))
    assert provider.list_own("docker").running == {"a1", "a2", "a3"}
    assert provider.list_own("gpu").running == set()
    on_hosts = {host.name: len(list(host.glob("*.service"))) for host in (tmp_path / "hosts").iterdir()}
    assert on_hosts == {"one": 2, "two": 1}
    settings = tmp_path / "hosts" / "one" / "podium-agents" / "a1" / "settings"
    assert "PODIUM_AGENT_TOKEN=secret-a1\n" in settings.read_text()
    assert settings.stat().st_mode & 0o077 == 0
    provider.stop("docker", "a2")
    provider.stop("docker", "a2")
    assert provider.list_own("docker").running == {"a1", "a3"}


def test_a_host_that_is_down_is_said(provider: CommandProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALE_HOSTS", "one down")
    with pytest.raises(ProviderFault, match="no route to host"):
        provider.list_own("docker")
