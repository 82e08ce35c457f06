"""The three commands on the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from podium.platform.cli.platform_commands import app
from podium.platform.supervisor import commands
from podium.platform.supervisor.options import UpOptions


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the commands were asked for; they answer 3."""
    heard: list[Any] = []

    def answer(*arguments: object, **named: object) -> int:
        heard.append((*arguments, named) if named else arguments)
        return 3

    for name in ("up", "down", "status"):
        monkeypatch.setattr(commands, name, answer)
    return heard


def test_up_passes_on_what_was_asked_for(asked: list[Any]) -> None:
    line = "up --state /srv/podium --host 0.0.0.0 --gateway-port 80 --detach --without dashboards --without prefect"
    assert CliRunner().invoke(app, line.split()).exit_code == 3
    options = UpOptions(
        state=Path("/srv/podium"),
        host="0.0.0.0",
        gateway_port=80,
        detach=True,
        without=("dashboards", "prefect"),
    )
    assert asked == [(options,)]


def test_up_asks_for_nothing_by_default(asked: list[Any]) -> None:
    CliRunner().invoke(app, ["up"])
    assert asked == [(UpOptions(),)]


def test_down_and_status_pass_on_the_folder_and_the_exit_status(asked: list[Any]) -> None:
    assert CliRunner().invoke(app, ["down", "--state", "/srv/podium"]).exit_code == 3
    assert CliRunner().invoke(app, ["status", "--json"]).exit_code == 3
    assert asked == [(Path("/srv/podium"),), (None, {"as_json": True})]


def test_a_port_must_be_one() -> None:
    assert CliRunner().invoke(app, ["up", "--gateway-port", "65536"]).exit_code == 2


def test_the_command_line_loads_no_server() -> None:
    program = (
        "import sys, podium.platform.cli.platform_commands;"
        "sys.exit(any(name in sys.modules for name in ('psycopg', 'sqlalchemy', 'prefect', 'asyncio.subprocess')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
