"""What happens when things end that should not, or should."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from podium.platform.supervisor.postgres import PostgresCluster

if TYPE_CHECKING:
    from conftest import StandInPodium

LIGHT = ("--without", "prefect", "--without", "postgres")
ELSEWHERE = {"PODIUM_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/podium"}


def rest(process: subprocess.Popen[str]) -> str:
    """Return what is still said until the end."""
    assert process.stdout is not None
    said = process.stdout.read()
    process.wait(60)
    return said


def test_ctrl_c_stops_in_reverse_order_and_leaves_nothing(podium: StandInPodium) -> None:
    process = podium.up_in_foreground(*LIGHT, environment=ELSEWHERE)
    assert len(podium.processes()) > 4
    process.send_signal(signal.SIGINT)
    assert "Everything has stopped" in rest(process)
    assert process.returncode == 0
    assert podium.processes() == []
    assert podium.live().supervisor is None


def test_a_part_waits_for_those_that_depend_on_it_before_it_stops(podium: StandInPodium) -> None:
    process = podium.up_in_foreground(*LIGHT, "--behave", "agent-cpu=stubborn", environment=ELSEWHERE)
    gateway, agent = podium.process("gateway"), podium.process("agent-cpu")
    process.send_signal(signal.SIGTERM)
    time.sleep(1)
    assert agent.alive()
    assert gateway.alive()
    begun = time.monotonic()
    rest(process)
    assert 1 < time.monotonic() - begun < 8
    assert not agent.alive()


def test_a_second_ctrl_c_ends_everything_at_once(podium: StandInPodium) -> None:
    process = podium.up_in_foreground(*LIGHT, "--behave", "agent-cpu=stubborn", environment=ELSEWHERE)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert "Ending everything at once" in rest(process)
    assert time.monotonic() - begun < 2.5
    assert podium.processes() == []


def test_ctrl_c_while_it_starts_leaves_nothing(podium: StandInPodium) -> None:
    process = podium.up_in_foreground(wait_for="postgres")
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    rest(process)
    assert podium.processes() == []


def test_a_part_in_trouble_does_not_keep_the_others_from_running(podium: StandInPodium) -> None:
    answer = podium.run("up", "--detach", *LIGHT, "--behave", "agent-docker=troubled", environment=ELSEWHERE)
    assert answer.returncode == 0
    assert "look after agent-docker" in answer.stdout
    status = podium.run("status")
    assert status.returncode == 1
    assert "agent-docker: no engine" in status.stdout


def test_a_part_that_fails_five_times_ends_everything_with_its_last_words(podium: StandInPodium) -> None:
    answer = podium.run("up", *LIGHT, "--behave", "dashboards=fails", environment=ELSEWHERE)
    assert answer.returncode == 1
    assert answer.stdout.count("dashboards    ended with exit status 3; it is started again in") == 4
    assert "dashboards ended with exit status 3, 5 times in a row." in answer.stderr
    assert "| something is wrong with the drains" in answer.stderr
    assert podium.processes() == []


@pytest.mark.parametrize("detach", [[], ["--detach"]])
def test_a_step_that_fails_ends_everything_with_its_output(podium: StandInPodium, detach: list[str]) -> None:
    answer = podium.run("up", *LIGHT, *detach, "--behave", "provision=fails", environment=ELSEWHERE)
    assert answer.returncode == 1
    assert "provision ended with exit status 3." in answer.stdout + answer.stderr
    assert "| something is wrong with the drains" in answer.stdout + answer.stderr
    assert podium.processes() == []
    assert podium.run("status").returncode == 3


def test_a_port_that_was_asked_for_and_is_taken_is_refused(podium: StandInPodium) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        answer = podium.run("up", *LIGHT, "--gateway-port", str(port), environment=ELSEWHERE)
    assert answer.returncode == 1
    assert f"Port {port} for gateway is in use by " in answer.stderr
    assert f"(pid {os.getpid()})" in answer.stderr


def test_two_podiums_live_side_by_side(podium: StandInPodium, open_folder: Path) -> None:
    other = type(podium)(open_folder / "other")
    try:
        for each in (podium, other):
            assert each.run("up", "--detach", *LIGHT, environment=ELSEWHERE).returncode == 0
        assert not set(podium.live().ports.values()) & set(other.live().ports.values())
        assert podium.run("status").returncode == other.run("status").returncode == 0
    finally:
        other.end()


def test_after_a_kill_of_the_supervisor_nothing_is_lost_and_nothing_is_in_the_way(
    podium: StandInPodium, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    light = ("--without", "prefect")
    process = podium.up_in_foreground(*light)
    cluster = PostgresCluster(podium.state / "postgres", port=podium.live().ports["postgres"])
    with psycopg.connect(cluster.url(driver=""), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS row")
    left = [podium.process(part) for part in ("postgres", "gateway", "agent-cpu")]
    process.kill()
    process.wait()
    assert podium.run("status").returncode == 3
    again = podium.up_in_foreground(*light)
    assert not any(identity.alive() for identity in left)
    with psycopg.connect(cluster.url(driver=""), autocommit=True) as connection:
        assert connection.execute("SELECT row FROM kept").fetchone() == (1,)
    again.send_signal(signal.SIGINT)
    rest(again)
    eventually(lambda: podium.processes() == [])


def test_down_ends_what_a_killed_supervisor_has_left(podium: StandInPodium) -> None:
    process = podium.up_in_foreground(*LIGHT, "--behave", "agent-cpu=stubborn", environment=ELSEWHERE)
    agent = podium.process("agent-cpu")
    process.kill()
    process.wait()
    time.sleep(0.2)
    assert agent.alive()
    answer = podium.run("down")
    assert answer.returncode == 0
    assert re.search(r"agent-cpu +is left over from a supervisor that was killed \(pid \d+\)", answer.stdout)
    assert not agent.alive()
    assert podium.processes() == []


def test_a_database_elsewhere_is_used_and_prefects_is_made_beside_it(podium: StandInPodium, open_folder: Path) -> None:
    with PostgresCluster(open_folder / "elsewhere", databases=["podium"]) as cluster:
        answer = podium.run("up", "--detach", environment={"PODIUM_DATABASE_URL": cluster.url(driver="")})
        assert answer.returncode == 0, answer.stdout
        assert "postgres" not in {part.name for part in podium.live().parts}
        with psycopg.connect(cluster.url("prefect", driver="")) as connection:
            assert connection.execute("SELECT count(*) FROM flow").fetchone() == (0,)
        podium.run("down")
