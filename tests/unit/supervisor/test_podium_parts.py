"""Who runs, who knows what, and who waits for whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from podium.platform.errors import InvalidInput
from podium.platform.supervisor.options import Plan, UpOptions
from podium.platform.supervisor.parts import Part, PartFailed
from podium.platform.supervisor.podium_parts import plan_podium
from podium.platform.supervisor.ports import free_port
from podium.platform.supervisor.state_folder import StateFolder

DATABASE = "postgresql://podium:hidden-password@db.example/podium"
SERVER_SETTINGS = {"PODIUM_DATABASE_URL", "PODIUM_STORAGE_URL", "PODIUM_SECRET_KEY"}
CALLER = {
    "PATH": "/usr/bin",
    "PODIUM_DATABASE_URL": DATABASE,
    "PODIUM_SECRET_KEY": "hidden-key-" * 4,
    "AWS_SECRET_ACCESS_KEY": "hidden-storage",
    "PGPASSWORD": "hidden-pg",
    "PODIUM_SMTP_PASSWORD": "hidden-mail",
    "PODIUM_LEASE_SECONDS": "30",
}


@pytest.fixture
def plan(open_folder: Path) -> Callable[..., Plan]:
    def make(
        options: UpOptions | None = None,
        environment: Mapping[str, str] = CALLER,
        remembered: Mapping[str, int] | None = None,
    ) -> Plan:
        folder = StateFolder(open_folder / "state")
        folder.make()
        return plan_podium(options or UpOptions(), folder, environment=environment, remembered=remembered or {})

    return make


def parts_of(plan: Plan) -> dict[str, Part]:
    return {part.name: part for part in plan.parts}


def test_the_agent_that_runs_participants_programs_knows_no_secret_of_the_server(plan: Callable[..., Plan]) -> None:
    environment = parts_of(plan())["agent-docker"].environment
    assert not SERVER_SETTINGS & set(environment)
    assert "hidden" not in str(dict(environment))
    assert environment["PODIUM_AGENT_TOKEN_FILE"].endswith("/agent-docker-token")


@pytest.mark.parametrize("name", ["gateway", "provision", "agent-cpu"])
def test_the_platforms_own_parts_have_the_servers_settings(plan: Callable[..., Plan], name: str) -> None:
    environment = parts_of(plan())[name].environment
    assert set(environment) >= SERVER_SETTINGS
    assert environment["PODIUM_DATABASE_URL"] == DATABASE
    assert environment["PODIUM_SECRET_KEY"] == CALLER["PODIUM_SECRET_KEY"]
    assert environment["PODIUM_LEASE_SECONDS"] == "30"
    assert environment["PREFECT_API_URL"] == environment["PODIUM_PREFECT_API_URL"]


@pytest.mark.parametrize("name", ["dashboards", "prefect"])
def test_pages_and_prefect_do_not_know_podiums_secrets(plan: Callable[..., Plan], name: str) -> None:
    environment = parts_of(plan())[name].environment
    assert not SERVER_SETTINGS & set(environment)
    assert "hidden-key" not in str(dict(environment))
    assert "hidden-storage" not in str(dict(environment))


def test_no_secret_stands_on_a_command_line_or_shows_when_a_part_is_printed(plan: Callable[..., Plan]) -> None:
    for part in plan().parts:
        assert "hidden" not in str(part.command)
        assert "hidden" not in repr(part)


def test_a_part_comes_after_those_it_waits_for(plan: Callable[..., Plan]) -> None:
    seen: set[str] = set()
    for part in plan(environment={**CALLER, "PODIUM_DATABASE_URL": ""}).parts:
        assert set(part.depends_on) <= seen
        seen.add(part.name)
    assert seen == {"postgres", "prefect", "provision", "gateway", "agent-cpu", "agent-docker", "dashboards"}


def test_a_named_database_is_not_supervised(plan: Callable[..., Plan]) -> None:
    made = plan()
    assert "postgres" not in parts_of(made)
    assert "postgres" not in made.ports


def test_the_secret_key_is_made_and_kept(plan: Callable[..., Plan]) -> None:
    environment = {"PODIUM_DATABASE_URL": DATABASE}
    keys = {parts_of(plan(environment=environment))["gateway"].environment["PODIUM_SECRET_KEY"] for _ in range(2)}
    assert len(keys) == 1
    assert len(keys.pop()) >= 32


def test_ports_are_stable_and_distinct(plan: Callable[..., Plan]) -> None:
    first = plan().ports
    assert len(set(first.values())) == len(first)
    assert plan(remembered=first).ports == first


def test_a_port_that_is_asked_for_is_not_given_to_another_part(plan: Callable[..., Plan]) -> None:
    remembered = {"prefect": free_port()}
    made = plan(UpOptions(gateway_port=remembered["prefect"]), remembered=remembered)
    assert made.ports["gateway"] == remembered["prefect"]
    assert made.ports["prefect"] != remembered["prefect"]


def test_everything_is_on_loopback_unless_asked_otherwise(plan: Callable[..., Plan]) -> None:
    parts = parts_of(plan())
    assert parts["gateway"].environment["PODIUM_HOST"] == "127.0.0.1"
    assert parts["dashboards"].environment["PODIUM_DASHBOARDS_HOST"] == "127.0.0.1"
    assert parts["prefect"].command[-3] == "127.0.0.1"


def test_with_a_host_the_gateway_and_the_pages_are_open_and_prefect_is_not(plan: Callable[..., Plan]) -> None:
    parts = parts_of(plan(UpOptions(host="0.0.0.0")))
    assert parts["gateway"].environment["PODIUM_HOST"] == "0.0.0.0"
    assert parts["dashboards"].environment["PODIUM_DASHBOARDS_HOST"] == "0.0.0.0"
    assert "0.0.0.0" not in parts["prefect"].command
    assert "0.0.0.0" not in parts["gateway"].environment["PODIUM_PUBLIC_URL"]
    assert parts["agent-docker"].environment["PODIUM_GATEWAY"].startswith("http://127.0.0.1:")


def test_an_operators_public_address_is_used(plan: Callable[..., Plan]) -> None:
    made = plan(environment={**CALLER, "PODIUM_PUBLIC_URL": "https://podium.example/"})
    assert parts_of(made)["gateway"].environment["PODIUM_PUBLIC_URL"] == "https://podium.example"
    assert made.addresses["API docs"] == "https://podium.example/api/docs"


def test_parts_can_be_left_out(plan: Callable[..., Plan]) -> None:
    made = plan(UpOptions(without=("dashboards", "agent-docker")))
    assert not {"dashboards", "agent-docker"} & set(parts_of(made))
    assert "Leaderboards" not in made.addresses
    assert "dashboards" not in made.ports


def test_a_prefect_elsewhere_can_be_used(plan: Callable[..., Plan]) -> None:
    made = plan(
        UpOptions(without=("prefect",)), environment={**CALLER, "PODIUM_PREFECT_API_URL": "http://prefect:4200/api"}
    )
    assert parts_of(made)["agent-cpu"].environment["PREFECT_API_URL"] == "http://prefect:4200/api"


def test_a_part_that_does_not_exist_is_named(plan: Callable[..., Plan]) -> None:
    with pytest.raises(PartFailed, match="dashbords") as refused:
        plan(UpOptions(without=("dashbords",)))
    assert "dashboards" in refused.value.remedy


def test_without_any_database_there_is_no_podium(plan: Callable[..., Plan]) -> None:
    with pytest.raises(InvalidInput) as refused:
        plan(UpOptions(without=("postgres",)), environment={})
    assert "PODIUM_DATABASE_URL" in refused.value.remedy
