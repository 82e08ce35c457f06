"""Parts that die, and a Podium that is stopped in the middle: no submission is lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Podium, User

SLOW = "print('begun', flush=True)\ntime.sleep(8)"


def test_an_agent_that_is_killed_costs_an_attempt(podium: Podium, ada: User, model: Callable[[str], Path]) -> None:
    submission = ada.good("submit", "meadow-flowers", "-f", str(model(SLOW))).out.strip()
    ada.wait_for(submission, lambda one: one["status"] == "running")
    agent = podium.part("agent-docker")
    left = set(podium.traces())
    assert left
    os.kill(agent["pid"], signal.SIGKILL)
    again = podium.wait_for_part("agent-docker", restarts=agent["restarts"] + 1)
    assert again["pid"] != agent["pid"]
    record = ada.wait_for(submission, lambda one: one["status"] in {"finished", "failed"}, seconds=90)
    assert record["status"] == "finished"
    assert [attempt["status"] for attempt in record["attempts"]] == ["lost", "succeeded"]
    # It cost no quota, and nothing is left of it.
    assert len(ada.good("submissions", "meadow-flowers", "--json").json) == 1
    deadline = time.monotonic() + 20  # a container is removed after its result was sent
    while time.monotonic() < deadline and (of_attempts(podium.traces()) or left & set(podium.traces())):
        time.sleep(0.2)
    assert of_attempts(podium.traces()) == []
    assert left.isdisjoint(podium.traces())


def of_attempts(traces: list[str]) -> list[str]:
    """All but the containers that this life of the agent has made ahead."""
    return [trace for trace in traces if not Path(trace).name.startswith("podium-ready-")]


def test_a_gateway_that_is_killed_is_missed_by_nobody(podium: Podium, ada: User, model: Callable[[str], Path]) -> None:
    submission = ada.good("submit", "meadow-flowers", "-f", str(model(SLOW))).out.strip()
    ada.wait_for(submission, lambda one: one["status"] == "running")
    gateway = podium.part("gateway")
    with ada.start("logs", submission, "--follow") as following:
        os.kill(gateway["pid"], signal.SIGKILL)
        out, err = following.communicate(timeout=90)
    assert following.returncode == 0, err
    assert "named rightly" in out
    assert podium.part("gateway")["restarts"] == gateway["restarts"] + 1
    record = ada.good("submission", "show", submission, "--json").json
    assert record["status"] == "finished"


def test_down_leaves_nothing_and_up_goes_on(podium: Podium, ada: User, model: Callable[[str], Path]) -> None:
    submission = ada.good("submit", "meadow-flowers", "-f", str(model(SLOW))).out.strip()
    ada.wait_for(submission, lambda one: one["status"] == "running")
    addresses = podium.addresses
    stopped = podium("down")
    assert stopped.code == 0, stopped.out + stopped.err
    assert podium.processes() == []
    assert podium.containers() == []
    assert podium("status").code == 3
    podium.up()
    assert podium.addresses == addresses
    record = ada.wait_for(submission, lambda one: one["status"] in {"finished", "failed"}, seconds=90)
    assert record["status"] == "finished"
