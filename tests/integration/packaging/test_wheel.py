"""The wheel is what people install: it is tried as participants, organizers, agents and operators have it."""

from __future__ import annotations

import json
import re
import sysconfig
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from object_stores import azurite

if TYPE_CHECKING:
    from conftest import Environment

EXAMPLE = Path(__file__).parents[3] / "examples" / "meadow-flowers"


def test_the_wheel_has_every_file_that_is_no_module(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {
        "podium/flows/prefect.yaml",
        "podium/platform/migrations/script.py.mako",
        "podium/agents/images/scientific.lock",
        "podium/dashboards/podium.css",
        "podium/platform/mail/templates/submission-finished.md",
        "podium/dashboards/presses.js",
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
        (("bundle", "check", str(EXAMPLE / "bundle")), "organizer"),
        (("up",), "server"),
        (("images", "build"), "agent"),
    ):
        refused = environment.run("podium", *arguments)
        assert refused.returncode == 2, refused.stderr
        assert f"podium[{extra}]" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_an_organizer_checks_bundles_without_a_server(wheel: Path, constraints: Path, environment: Environment) -> None:
    environment.install(f"podium[organizer] @ {wheel.as_uri()}", "-c", str(constraints))
    checked = environment.run("podium", "bundle", "check", "--strict", str(EXAMPLE / "bundle"))
    assert checked.returncode == 0, checked.stderr
    assert "sqlalchemy" not in environment.packages()


def test_an_operator_runs_podium_over_azure_outside_the_checkout(wheel: Path, environment: Environment) -> None:
    environment.install("--no-deps", str(wheel))
    # The locked set is that of the tests; Podium itself comes from the wheel, which goes before it.
    (environment.site / "locked.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    state = environment.folder.parent / "state"
    assert environment.run("podium", "images", "build").returncode == 0
    with azurite() as store:
        settings = {f"PODIUM_{name.upper()}": value for name, value in store.settings.items()}
        try:
            up = environment.run("podium", "up", "--state", str(state), "--detach", **settings)
            assert up.returncode == 0, up.stdout + up.stderr
            for part in ("postgres", "prefect", "gateway", "agent-cpu", "agent-docker", "dashboards"):
                assert re.search(rf"^ +{part} +healthy in", up.stdout, re.MULTILINE)
            # Deployments and migrations were read from the wheel.
            assert "provision     done in" in up.stdout
            _take_part(environment, state)
            assert not (state / "storage").exists()
        finally:
            down = environment.run("podium", "down", "--state", str(state))
    assert down.returncode == 0, down.stdout + down.stderr


def _take_part(environment: Environment, state: Path) -> None:
    """From bundle to leaderboard, by commands; every file goes through the store by signed requests."""
    live = json.loads((state / "up.json").read_text())
    who = {
        "PODIUM_GATEWAY": f"http://127.0.0.1:{live['ports']['gateway']}",
        "PODIUM_TOKEN": (state / "admin-token").read_text().strip(),
        "PODIUM_CONFIG": str(state.parent / "config.json"),
    }

    def podium(*arguments: str) -> str:
        done = environment.run("podium", *arguments, **who)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    podium("competition", "create", str(EXAMPLE / "bundle"), "--slug", "meadow", "--start", "now")
    podium("join", "meadow", "--accept-terms")
    for name, accuracy in (("predictions", 0.775), ("nearest-neighbours", 0.9)):
        record = json.loads(podium("submit", "meadow", "-f", str(EXAMPLE / "submissions" / name), "--wait", "--json"))
        assert (record["status"], record["scores"][0]["value"]) == ("finished", accuracy)
    board = json.loads(podium("leaderboard", "meadow", "--json"))
    assert [row["scores"][0] for row in board["rows"]] == [0.9]
    target = state.parent / "output.zip"
    podium("download", record["id"], "--what", "prediction_output", "-o", str(target))
    with zipfile.ZipFile(target) as archive:
        assert "predictions.csv" in archive.namelist()
