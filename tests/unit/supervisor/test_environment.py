"""Nothing of the caller's environment reaches a part unless it is meant to."""

from __future__ import annotations

from podium.platform.supervisor.environment import agent_environment, server_environment, system_environment

CALLER = {
    "PATH": "/usr/bin",
    "HOME": "/home/someone",
    "LC_ALL": "C.UTF-8",
    "PODIUM_DATABASE_URL": "postgresql://u:hidden@db/podium",
    "PODIUM_PREFECT_DATABASE_URL": "postgresql://u:hidden@db/prefect",
    "PODIUM_STORAGE_URL": "s3://bucket",
    "PODIUM_SECRET_KEY": "hidden" * 8,
    "PODIUM_SMTP_PASSWORD": "hidden",
    "PODIUM_TOKEN": "hidden",
    "PODIUM_GATEWAY": "https://elsewhere",
    "PODIUM_AGENT_TOKEN": "hidden",
    "PODIUM_AGENT_POLL_SECONDS": "1",
    "PGPASSWORD": "hidden",
    "PGHOST": "db",
    "AWS_SECRET_ACCESS_KEY": "hidden",
    "AZURE_STORAGE_KEY": "hidden",
    "PREFECT_API_KEY": "hidden",
    "PREFECT_API_URL": "https://elsewhere",
    "DOCKER_HOST": "unix:///run/docker.sock",
    "GITHUB_TOKEN": "hidden",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONPATH": "/elsewhere",
}


def test_every_program_gets_the_system_and_nothing_else() -> None:
    given = system_environment(CALLER)
    assert set(given) == {"PATH", "HOME", "LC_ALL", "NO_PROXY", "no_proxy", "PYTHONUNBUFFERED"}
    assert "hidden" not in str(given)


def test_an_agent_gets_its_own_settings_and_the_docker_engine() -> None:
    given = agent_environment(CALLER, docker=True)
    assert set(given) - set(system_environment(CALLER)) == {"DOCKER_HOST", "PODIUM_AGENT_POLL_SECONDS"}
    assert "hidden" not in str(given)


def test_the_server_gets_settings_and_storage_keys_but_not_the_callers_way_in() -> None:
    given = server_environment(CALLER)
    assert given["PODIUM_SMTP_PASSWORD"] == given["AWS_SECRET_ACCESS_KEY"] == "hidden"
    assert not {"PODIUM_TOKEN", "PODIUM_GATEWAY", "PODIUM_AGENT_TOKEN", "PGPASSWORD", "PREFECT_API_KEY"} & set(given)


def test_parts_never_talk_to_each_other_through_a_proxy() -> None:
    given = system_environment({"http_proxy": "http://proxy", "no_proxy": "internal"})
    assert given["no_proxy"] == "internal,127.0.0.1,localhost"
    assert given["NO_PROXY"] == "127.0.0.1,localhost"
