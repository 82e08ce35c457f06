"""Reruns, migration and cancelling on a whole Podium, by the command line; and what Prefect shows of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from conftest import NewUser, Podium, User, Variant

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "meadow-flowers"
PREDICTIONS = EXAMPLE / "submissions" / "predictions"


class Prefect:
    """Prefect's API, as its pages use it."""

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=f"{address}/api", timeout=30)

    def find(self, what: str, **where: object) -> list[dict[str, Any]]:
        answer = self._client.post(f"/{what}/filter", json=where)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        return found

    def flow_runs(self, *tags: str) -> dict[str, dict[str, Any]]:
        found = self.find("flow_runs", flow_runs={"tags": {"all_": list(tags)}})
        return {run["name"]: run for run in found}

    def start(self, deployment: str) -> None:
        """Start a flow by hand, as its pages do."""
        made = self._client.get(f"/deployments/name/{deployment}").raise_for_status().json()
        self._client.post(f"/deployments/{made['id']}/create_flow_run", json={}).raise_for_status()


@pytest.fixture(scope="package")
def prefect(podium: Podium) -> Prefect:
    return Prefect(podium.addresses["Prefect UI"])


@pytest.fixture(scope="module")
def organized(podium: Podium, variant: Variant) -> str:
    """A competition of this module's own."""
    slug = "going-on"
    bundle = variant({"title: Meadow flowers": "title: Going on"})
    created = podium.admin("competition", "create", str(bundle), "--slug", slug, "--start", "now")
    assert created.code == 0, created.err
    return slug


def changed_program(tmp_path: Path, old: str, new: str) -> Path:
    folder = tmp_path / "scoring_program"
    shutil.copytree(EXAMPLE / "bundle" / "scoring_program", folder)
    score = folder / "score.py"
    text = score.read_text()
    assert old in text
    score.write_text(text.replace(old, new))
    return folder


def scores_of(record: dict[str, Any]) -> dict[str, float]:
    return {score["key"]: score["value"] for score in record["scores"]}


def test_a_changed_scoring_program_scores_all_again_without_a_gap(
    podium: Podium, organized: str, new_user: NewUser, prefect: Prefect, tmp_path: Path
) -> None:
    users = [new_user(organized) for _ in range(3)]
    with ThreadPoolExecutor(3) as threads:
        firsts = list(threads.map(lambda user: user.submit(PREDICTIONS, organized).json, users))
    assert all(first["status"] == "finished" for first in firsts)
    # Prefect shows the steps of each, though the agent begins without asking it anything.
    first_run = {"name": {"any_": [f"{organized} #{firsts[0]['number']}"]}}
    wait_until(lambda: len(prefect.find("task_runs", flow_runs=first_run)) == 3)
    assert "EventsWorker" not in (podium.state / "logs" / "agent-docker.log").read_text()
    organizer = podium.admin
    program = changed_program(tmp_path, '"accuracy": sum', '"accuracy": 0.5 * sum')
    why = "Counts half, as announced"
    organizer.good("task", "update", organized, "0", "--scoring-program", str(program), "--reason", why)
    previewed = organizer.good("rerun", "start", organized, "--phase", "Practice", "--dry-run", "--json").json
    assert (previewed["total"], previewed["left_out_total"]) == (3, 0)
    assert "version 2" in previewed["changed_tasks"][0]

    arguments = ("--phase", "Practice", "--reason", why, "--yes", "--wait", "--json")
    rerun = organizer.good("rerun", "start", organized, *arguments).json
    assert (rerun["status"], rerun["total"], rerun["finished"]) == ("adopted", 3, 3)

    for user, first in zip(users, firsts, strict=True):
        now = user.good("submission", "show", first["id"], "--json").json
        assert scores_of(now)["accuracy"] == pytest.approx(0.5 * scores_of(first)["accuracy"])
        assert now["rescored"] == f"Scored again by rerun {rerun['number']}: {why}"
        (evaluation,) = now["evaluations"]
        assert (evaluation["task_version"], evaluation["attempt"]) == (2, 1)
        assert evaluation["programs"][0]["image_digest"].startswith("sha256:")
        # The logs are those of the program that made the score.
        assert "named rightly" in user.good("logs", first["id"]).out
        assert len(user.good("submissions", organized, "--json").json) == 1
    board = organizer.good("leaderboard", organized, "--json").json
    assert [row["scores"][0] for row in board["rows"]] == [0.3875] * 3
    report = organizer.good("rerun", "report", organized, str(rerun["number"]), "--json").json
    assert (report["changed"], report["now_failing"]) == (3, 0)

    runs = prefect.flow_runs(f"competition:{organized}", f"rerun:{rerun['number']}")
    name = f"{organized} rerun {rerun['number']}"
    assert set(runs) == {name, f"{name} batch 1"}
    assert all("phase:1" in run["tags"] for run in runs.values())
    assert {run["work_queue_name"] for run in runs.values()} == {"rerun"}
    wait_until(lambda: {run["state_type"] for run in prefect.flow_runs("rerun:1").values()} == {"COMPLETED"})
    (artifact,) = prefect.find("artifacts", artifacts={"key": {"any_": [f"rerun-{organized}-{rerun['number']}"]}})
    assert "| 1 | Practice | 0.775 → 0.3875" in artifact["data"]
    assert users[0].name not in artifact["data"]


def wait_until(reached: Callable[[], bool], *, seconds: float = 60) -> float:
    """Wait until something holds; how long that took."""
    began = time.monotonic()
    while not reached():
        assert time.monotonic() - began < seconds
        time.sleep(0.1)
    return time.monotonic() - began


def test_a_program_that_fails_everyone_is_not_adopted_by_itself(
    podium: Podium, organized: str, new_user: NewUser, tmp_path: Path
) -> None:
    user = new_user(organized)
    first = user.submit(PREDICTIONS, organized).json
    organizer = podium.admin
    broken = changed_program(tmp_path, "named = read_species(predictions)", 'sys.exit("It is broken.")')
    organizer.good("task", "update", organized, "0", "--scoring-program", str(broken), "--reason", "A mistake")
    number = str(first["number"])
    ran = organizer("rerun", "start", organized, "--submission", number, "--reason", "Try", "--yes", "--wait", "--json")
    assert (ran.code, ran.json["status"], ran.json["failed"]) == (1, "ready", 1)
    assert "would now fail" in ran.json["held_back"]
    now = user.good("submission", "show", first["id"], "--json").json
    assert (now["status"], scores_of(now)) == ("finished", scores_of(first))
    organizer.good("rerun", "cancel", organized, str(ran.json["number"]), "--yes")
    good = EXAMPLE / "bundle" / "scoring_program"
    organizer.good("task", "update", organized, "0", "--scoring-program", str(good), "--reason", "As it was")


def test_a_rerun_whose_agents_are_killed_scores_each_submission_once(
    podium: Podium, organized: str, new_user: NewUser
) -> None:
    user = new_user(organized)
    with ThreadPoolExecutor(4) as threads:
        submitted = list(threads.map(lambda _: user.submit(PREDICTIONS, organized).json, range(8)))
    organizer = podium.admin
    numbers = [argument for one in submitted for argument in ("--submission", str(one["number"]))]
    started = organizer.good("rerun", "start", organized, *numbers, "--reason", "Killed", "--yes", "--json").json
    shown = ("rerun", "show", organized, str(started["number"]), "--json")
    wait_until(lambda: organizer.good(*shown).json["finished"] > 0)
    for name in ("agent-docker", "agent-cpu"):
        os.kill(podium.part(name)["pid"], signal.SIGKILL)
    wait_until(lambda: organizer.good(*shown).json["status"] == "adopted", seconds=150)
    assert organizer.good(*shown).json["finished"] == 8
    with podium.database() as database:
        rows = database.execute(
            "SELECT s.origin_id, count(DISTINCT s.id), count(*) FILTER (WHERE a.status = 'succeeded')"
            " FROM submissions s JOIN attempts a ON a.submission_id = s.id"
            " WHERE s.rerun_id = %s GROUP BY s.origin_id",
            (started["id"],),
        ).fetchall()
    assert [(made, succeeded) for _, made, succeeded in rows] == [(1, 1)] * 8


NAMED = "import ctypes\nctypes.CDLL(None).prctl(15, b'to-be-cancelled')\ntime.sleep(60)"


def test_cancelling_reaches_the_container_at_once(podium: Podium, ada: User, model: Callable[[str], Path]) -> None:
    submission = ada.good("submit", "meadow-flowers", "-f", str(model(NAMED))).out.strip()
    wait_until(named_processes)
    with podium.database() as database:
        row = database.execute("SELECT id FROM attempts WHERE submission_id = %s", (submission,)).fetchone()
    assert row is not None
    with httpx.Client(base_url=f"{podium.gateway}/api/v1", headers={"Authorization": f"Bearer {ada.token}"}) as gateway:
        gateway.post(f"/submissions/{submission}/cancel").raise_for_status()
        assert wait_until(lambda: not named_processes()) < 2
    assert ada.good("submission", "show", submission, "--json").json["status"] == "cancelled"
    wait_until(lambda: not any(str(row[0]) in trace for trace in podium.traces()))


def named_processes() -> bool:
    """Whether the program that is to be cancelled runs, in whatever container."""
    for comm in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            if comm.read_text().strip() == "to-be-cancelled":
                return True
    return False


def test_what_stands_on_the_board_is_scored_in_the_next_phase_too(
    podium: Podium, variant: Variant, new_user: NewUser, prefect: Prefect
) -> None:
    slug = "migrating"
    bundle = variant({"title: Meadow flowers": "title: Migrating"})
    podium.admin.good("competition", "create", str(bundle), "--slug", slug, "--start", "now")
    user = new_user(slug)
    first = user.submit(PREDICTIONS, slug).json
    organizer = podium.admin
    # The first phase ends now, and the second begins.
    soon = time.time() + 3
    organizer.good("phase", "change", slug, "1", "--end", iso(soon))
    organizer.good("phase", "change", slug, "2", "--start", iso(soon + 1))
    while time.time() < soon + 1.5:
        time.sleep(0.1)
    refused = user("submit", slug, "-f", str(PREDICTIONS), "--phase", "1")
    assert refused.code == 6
    assert "ended on" in refused.err
    prefect.start("tick/cpu")
    wait_until(lambda: any(row["status"] == "finished" for row in migrated(user, slug)), seconds=120)
    (copy,) = migrated(user, slug)
    assert (copy["migrated_from"], copy["phase"]) == (first["number"], "Final")
    assert scores_of(copy) == scores_of(first)
    assert user.good("leaderboard", slug, "--phase", "Final", "--json").json["rows"][0]["participant"] == user.name
    left = user.good("allowance", slug, "--phase", "Final", "--json").json
    assert (left["left_in_window"], left["left_total"]) == (2, 2)
    phase = organizer.good("competition", "show", slug, "--json").json["phases"][1]
    assert phase["migration"]["copied"] == 1


def iso(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def migrated(user: User, slug: str) -> list[dict[str, Any]]:
    return [row for row in user.good("submissions", slug, "--json").json if row["phase"] == "Final"]
