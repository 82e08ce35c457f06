from __future__ import annotations

import dataclasses
import os
import shlex
import subprocess
import sys

import pytest
from stand_in import make_phase

from podium.dashboards.submitting import first_commands, submit_command, update_task_command


@pytest.fixture(autouse=True)
def _gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODIUM_GATEWAY", "http://127.0.0.1:8400")
    monkeypatch.setenv("PODIUM_PUBLIC_URL", "https://podium.example.org")


def test_the_first_commands_name_the_public_gateway():
    assert "podium login https://podium.example.org" in first_commands("iris")
    assert submit_command("iris", make_phase(2)) == ("podium submit iris --file my-submission.zip --phase 2 --wait",)


def test_a_phase_that_takes_containers_is_told_how_to_make_one():
    phase = dataclasses.replace(make_phase(2), container_submissions=True)
    assert submit_command("iris", phase) == (
        "docker save my-image | gzip > my-image.tar.gz",
        "podium submit iris --file my-image.tar.gz --phase 2 --wait",
    )


@pytest.mark.parametrize("command", ["login", "join", "submit", "task update"])
def test_the_commands_that_pages_show_are_the_command_lines(command: str):
    lines = (*first_commands("iris")[:3], *submit_command("iris", make_phase(2)), *update_task_command("iris", "0"))
    (words,) = [shlex.split(line) for line in lines if line.startswith(f"podium {command} ")]
    shown = subprocess.run(
        [sys.executable, "-c", "from podium.platform.cli.app import main; main()", *command.split(), "--help"],
        env={**os.environ, "COLUMNS": "200", "TERM": "dumb"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert [word for word in words if word.startswith("--") and word not in shown] == []
