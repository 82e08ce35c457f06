"""The probes are good ones: outside of a sandbox they find what they look for."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable

import pytest
import reach
from proving_ground import ProvingGround

pytestmark = pytest.mark.docker
FOUND_BY = ("gateway", "database", "prefect", "engine", "other-attempts", "agent-files", "abstract-sockets")


@pytest.mark.parametrize("name", FOUND_BY)
def test_a_probe_finds_what_is_there(name: str, grounds: Callable[[str], ProvingGround]) -> None:
    ground = grounds("docker")
    (case,) = (case for case in reach.CASES if case.name == name)
    with socket.socket(socket.AF_UNIX) as neighbour:
        neighbour.bind(f"\0{ground.marker}")
        neighbour.listen()
        # It ends with an error, as there is no output folder here.
        ran = subprocess.run(
            [sys.executable, "-c", ground.filled(case.program)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert "GOT " in ran.stdout, ran.stderr
