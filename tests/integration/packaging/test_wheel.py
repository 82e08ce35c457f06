"""The wheel is what people install: it is tried as participants, organizers, agents and operators have it."""

from __future__ import annotations

import re
import sysconfig
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Environment

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "meadow-flowers" / "bundle"


def test_the_wheel_has_every_file_that_is_no_module(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {
        "podium/flows/prefect.yaml",
        "podium/platform/migrations/script.py.mako",
        "podium/agents/images/scientific.lock",
        "podium/dashboards/podium.css",
        *(f"podium/{folder}/py.typed" for folder in ("agents", "client", "dashboards", "flows", "platform", "tasks")),
    } <= names
    assert any(name.startswith("podium/platform/migrations/versions/v0001") for name in names)
    assert {name.split("/")[0] for name in names} == {"podium", wheel.name.split("-py3")[0] + ".dist-info"}


def test_a_participant_installs_little(wheel: Path, constraints: Path, environment: Environment) -> None:
    environment.install(str(wheel), "-c", str(constraints))
    assert {"podium", "httpx", "typer", "rich"} <= environment.packages()
    assert not {"prefect", "prefect_client", "sqlalchemy", "docker", "pyyaml", "fastapi"} & environment.packages()
    assert environment.megabytes() < 30
    helped = environment.run("podium", "--help")
    assert helped.returncode == 0
    assert "Taking part" in helped.stdout
    used = environment.run("python", "-c", "import podium.client as c; c.Competition('iris').submit([1])")
    assert "NotAuthenticated: No gateway is known yet." in used.stderr
    for arguments, extra in (
        (("bundle", "check", str(EXAMPLE)), "organizer"),
        (("up",), "server"),
        (("images", "build"), "agent"),
    ):
        refused = environment.run("podium", *arguments)
        assert refused.returncode == 2, refused.stderr
        assert f"podium[{extra}]" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_an_organizer_checks_bundles_without_a_server(wheel: Path, constraints: Path, environment: Environment) -> None:
    environment.install(f"podium[organizer] @ {wheel.as_uri()}", "-c", str(constraints))
    checked = environment.run("podium", "bundle", "check", "--strict", str(EXAMPLE))
    assert checked.returncode == 0, checked.stderr
    assert "sqlalchemy" not in environment.packages()


def test_an_agent_is_slim(wheel: Path, environment: Environment) -> None:
    environment.install("--require-hashes", "-r", str(ROOT / "requirements-agent.lock"))
    environment.install("--no-deps", str(wheel))
    assert environment.megabytes() < 100
    assert not {"sqlalchemy", "psycopg", "prefect", "streamlit", "s3fs", "adlfs"} & environment.packages()
    started = environment.run("python", "-c", "import podium.agents.worker, podium.flows.scoring, podium.agents.agent")
    assert started.returncode == 0, started.stderr
    # The worker type is found by its entry point, as `prefect worker start --type podium` finds it.
    code = """
from prefect.plugins import load_prefect_collections
from prefect.workers.base import BaseWorker
load_prefect_collections()
print(BaseWorker.get_worker_class_from_type("podium"))
"""
    found = environment.run("python", "-c", code)
    assert "podium.agents.worker.PodiumWorker" in found.stdout, found.stderr
    nobody = environment.run("python", "-m", "podium.agents")
    assert nobody.returncode == 2
    assert "PODIUM_AGENT_TOKEN" in nobody.stderr


def test_an_operator_starts_podium_outside_the_checkout(wheel: Path, environment: Environment) -> None:
    environment.install("--no-deps", str(wheel))
    # The locked set is that of the tests; Podium itself comes from the wheel, which goes before it.
    (environment.site / "locked.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    state = environment.folder.parent / "state"
    options = ("--detach", "--without", "agent-cpu", "--without", "agent-docker")
    try:
        up = environment.run("podium", "up", "--state", str(state), *options)
        assert up.returncode == 0, up.stdout + up.stderr
        for part in ("postgres", "prefect", "gateway", "dashboards"):
            assert re.search(rf"^ +{part} +healthy in", up.stdout, re.MULTILINE)
        # Deployments and migrations were read from the wheel.
        assert "provision     done in" in up.stdout
    finally:
        down = environment.run("podium", "down", "--state", str(state))
    assert down.returncode == 0, down.stdout + down.stderr
