"""All parts together, with the real PostgreSQL and the real Prefect server."""

from __future__ import annotations

import http.client
import json
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg

from podium.platform.supervisor.postgres import PostgresCluster

if TYPE_CHECKING:
    from conftest import StandInPodium


def get(url: str) -> tuple[int, str]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=10)
    connection.request("GET", address.path or "/")
    answer = connection.getresponse()
    return answer.status, answer.read().decode(errors="replace")


def database(podium: StandInPodium) -> psycopg.Connection:
    port = podium.live().ports["postgres"]
    return psycopg.connect(PostgresCluster(podium.state / "postgres", port=port).url(driver=""), autocommit=True)


def secrets_of(podium: StandInPodium) -> list[str]:
    passwords = json.loads((podium.state / "postgres" / "passwords.json").read_text())
    return [*passwords.values(), (podium.state / "secret-key").read_text().strip(), "callers-secret"]


def environment_of(podium: StandInPodium, part: str) -> dict[str, str]:
    text = Path("/proc", str(podium.process(part).pid), "environ").read_text()
    return dict(entry.split("=", 1) for entry in text.split("\0") if "=" in entry)


def test_it_says_how_long_each_part_took_and_where_everything_is(whole_podium: StandInPodium) -> None:
    for part in ("postgres", "prefect", "gateway", "agent-cpu", "agent-docker", "dashboards"):
        assert re.search(rf"^  {part} +healthy in [\d.]+ s", whole_podium.said, re.MULTILINE)
    assert re.search(r"^  provision +done in", whole_podium.said, re.MULTILINE)
    for name in ("Leaderboards", "API docs", "Prefect UI"):
        address = re.search(rf"^  {name} +(http\S+)$", whole_podium.said, re.MULTILINE)
        assert address is not None
        assert get(address[1])[0] == 200


def test_prefects_pages_find_their_api(whole_podium: StandInPodium) -> None:
    address = whole_podium.live().addresses["Prefect UI"]
    assert get(f"{address}/api/health") == (200, "true")
    assert "<html" in get(address)[1]
    assert f"{address}/api" in get(f"{address}/ui-settings")[1]


def test_status_is_all_well(whole_podium: StandInPodium) -> None:
    answer = whole_podium.run("status")
    assert answer.returncode == 0, answer.stdout
    status = whole_podium.status()
    assert status["all_well"]
    assert {part["state"] for part in status["parts"]} == {"healthy", "done"}
    prefect = next(part for part in status["parts"] if part["name"] == "prefect")
    assert prefect["memory_bytes"] > 50_000_000
    assert prefect["uptime_seconds"] > 0


def test_a_second_up_is_refused(whole_podium: StandInPodium) -> None:
    answer = whole_podium.run("up")
    assert answer.returncode == 1
    assert "already runs" in answer.stderr
    assert whole_podium.run("status").returncode == 0


def test_no_secret_is_on_a_command_line_or_in_a_log(whole_podium: StandInPodium) -> None:
    written = [file.read_text(errors="replace") for file in (whole_podium.state / "logs").iterdir()]
    written.append((whole_podium.state / "up.json").read_text())
    written += whole_podium.processes()
    for secret in secrets_of(whole_podium):
        assert not any(secret in text for text in written)


def test_the_agent_that_runs_participants_programs_has_no_secret_in_its_environment(
    whole_podium: StandInPodium,
) -> None:
    environment = environment_of(whole_podium, "agent-docker")
    assert "PODIUM_GATEWAY" in environment
    for secret in secrets_of(whole_podium):
        assert secret not in str(environment)
    assert "PODIUM_DATABASE_URL" in environment_of(whole_podium, "agent-cpu")


def test_everything_listens_on_loopback_alone(whole_podium: StandInPodium) -> None:
    ports = set(whole_podium.live().ports.values())
    listening = {}
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            address, port = line.split()[1].rsplit(":", 1)
            if line.split()[3] == "0A" and int(port, 16) in ports:
                listening[int(port, 16)] = address
    assert set(listening) == ports
    assert set(listening.values()) == {"0100007F"}


def test_a_part_that_is_killed_is_started_again_and_named(whole_podium: StandInPodium) -> None:
    gateway = whole_podium.process("gateway")
    gateway.send(signal.SIGKILL)
    whole_podium.wait_for_state("gateway", "healthy", restarts=1)
    assert whole_podium.process("gateway") != gateway
    said = (whole_podium.state / "logs" / "podium.log").read_text()
    assert "gateway       was ended by SIGKILL; it is started again in 0.5 s" in said
    assert "| a stand-in: web, well" in said
    assert re.search(r"gateway +healthy again in", said)


def test_a_database_that_is_killed_comes_back_with_what_was_committed(whole_podium: StandInPodium) -> None:
    with database(whole_podium) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS row")
    whole_podium.process("postgres").send(signal.SIGKILL)
    whole_podium.wait_for_state("postgres", "healthy", restarts=1)
    with database(whole_podium) as connection:
        assert connection.execute("SELECT row FROM kept").fetchone() == (1,)


def test_a_part_that_hangs_is_in_trouble(
    whole_podium: StandInPodium, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    gateway = whole_podium.process("gateway")
    gateway.send(signal.SIGSTOP)
    try:
        answer = whole_podium.run("status")
        assert answer.returncode == 1
        assert "gateway: http://127.0.0.1" in answer.stdout
        assert "does not answer" in answer.stdout
    finally:
        gateway.send(signal.SIGCONT)
    eventually(lambda: whole_podium.run("status").returncode == 0)


def test_down_leaves_nothing_and_addresses_stay(whole_podium: StandInPodium) -> None:
    """The last test of this module: it stops what the others use, and starts it once more."""
    ports = whole_podium.live().ports
    answer = whole_podium.run("down")
    assert answer.returncode == 0
    assert answer.stdout.endswith(" s.\n")
    assert whole_podium.processes() == []
    assert whole_podium.run("status").returncode == 3
    assert "not running" in whole_podium.run("down").stdout
    answer = whole_podium.run("up", "--detach")
    assert answer.returncode == 0, answer.stdout
    assert whole_podium.live().ports == ports
    with database(whole_podium) as connection:
        assert connection.execute("SELECT row FROM kept").fetchone() == (1,)
