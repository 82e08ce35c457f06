"""From a bundle to a scored leaderboard, by the command line, on real parts."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from world import eventually

if TYPE_CHECKING:
    from conftest import NewUser, Podium, User
    from mailing import MailServer

SUBMISSIONS = Path(__file__).parents[3] / "examples" / "meadow-flowers" / "submissions"
PREDICTIONS, MODEL = SUBMISSIONS / "predictions", SUBMISSIONS / "nearest-neighbours"


def test_everything_is_well_and_answers(podium: Podium) -> None:
    assert podium.status["all_well"]
    for name in ("API docs", "Leaderboards", "Prefect UI"):
        assert httpx.get(podium.addresses[name], follow_redirects=True, timeout=20).status_code == 200
    agents = podium.admin.good("agents", "--json").json
    assert {agent["pool"]: agent["alive"] for agent in agents} == {"cpu": True, "docker": True}
    assert next(agent["executor"] for agent in agents if agent["pool"] == "docker") == "docker"


def test_an_account_is_made_and_takes_part_by_commands(podium: Podium, competition: str, tmp_path: Path) -> None:
    podium.admin.good("person", "add", "hedy", "--email", "hedy@example.org")
    token = podium.admin.good("token", "create", "hedy", "--name", "test").out.strip()
    hedy = replace(podium.admin, name="hedy", token=token, home=tmp_path)
    hedy.good("join", competition, "--accept-terms")
    assert hedy.good("submissions", competition, "--json").json == []


def test_the_competition_is_as_the_bundle_says(competition: str, ada: User) -> None:
    listed = ada.good("competitions", "--json").json
    assert competition in {one["slug"] for one in listed}
    shown = ada.good("competition", "show", competition, "--json").json
    assert [phase["name"] for phase in shown["phases"]] == ["Practice", "Final"]
    assert [phase["status"] for phase in shown["phases"]] == ["open", "upcoming"]
    assert [column["key"] for column in shown["columns"]] == ["accuracy", "hardest"]
    assert [page["title"] for page in shown["pages"]] == ["Overview", "Data", "Submitting"]


def test_predictions_are_scored_and_that_is_told_by_mail(
    new_user: NewUser, competition: str, mail_server: MailServer
) -> None:
    eve = new_user(competition, news=True)
    ran = eve.submit(PREDICTIONS)
    assert ran.code == 0, ran.err
    assert ran.json["status"] == "finished"
    assert {score["key"]: score["value"] for score in ran.json["scores"]} == {
        "accuracy": 0.775,
        "hardest": 0.5945945945945946,
    }
    assert ran.json["rank"] is not None
    programs = ran.json["evaluations"][0]["programs"]
    assert [(one["program"], one["exit_status"]) for one in programs] == [("ingestion", 0), ("scoring", 0)]
    assert all(one["image_digest"].startswith("sha256:") for one in programs)
    address = f"{eve.name}@example.org"
    eventually(lambda: address in mail_server.recipients())
    message = mail_server.message(address).decode()
    assert f"Subject: Submission {ran.json['number']} to Meadow flowers is scored" in message
    assert "Scores: Accuracy 0.775" in message
    assert mail_server.recipients()[address] == 1


def test_code_is_run_and_scored_and_its_log_followed(ada: User) -> None:
    submission = ada.good("submit", "meadow-flowers", "-f", str(MODEL), "-m", "neighbours").out.strip()
    followed = ada.good("logs", submission, "--follow").out
    assert "Trained on 240 plants" in followed
    assert "120 plants, 90.0% named rightly" in followed
    record = ada.good("submission", "show", submission, "--json").json
    assert record["status"] == "finished"
    assert record["scores"][0] == {"key": "accuracy", "value": 0.9}
    assert [attempt["status"] for attempt in record["attempts"]] == ["succeeded"]


def test_a_long_log_is_followed_while_it_is_written(ada: User, model: Callable[[str], Path]) -> None:
    path = model("for number in range(6):\n    print('epoch', number, flush=True)\n    time.sleep(1)")
    submission = ada.good("submit", "meadow-flowers", "-f", str(path)).out.strip()
    with ada.start("logs", submission, "--follow") as following:
        assert following.stdout is not None
        for line in following.stdout:
            if "epoch 0" in line:
                break
        status = ada.good("submission", "show", submission, "--json").json["status"]
        rest = following.stdout.read()
    over = datetime.now(UTC)
    assert status in {"preparing", "running"}
    assert "epoch 5" in rest
    assert following.returncode == 0
    ended = datetime.fromisoformat(ada.good("submission", "show", submission, "--json").json["ended"])
    assert over - ended < timedelta(seconds=5), "it went on waiting for text after the end"


def test_outputs_come_back(ada: User, tmp_path: Path) -> None:
    record = ada.submit(MODEL).json
    for what, member in (
        ("file", "model.py"),
        ("prediction_output", "predictions.csv"),
        ("scoring_output", "scores.json"),
    ):
        ada.good("download", record["id"], "--what", what, "-o", str(tmp_path / f"{what}.zip"))
        with zipfile.ZipFile(tmp_path / f"{what}.zip") as archive:
            assert member in archive.namelist()
    with zipfile.ZipFile(tmp_path / "scoring_output.zip") as archive:
        assert json.loads(archive.read("scores.json"))["accuracy"] == 0.9
    page = tmp_path / "report.html"
    ada.good("download", record["id"], "--what", "detailed_results", "-o", str(page))
    assert "Named as ..." in page.read_text()


def test_two_participants_at_once(new_user: NewUser, competition: str, model: Callable[[str], Path]) -> None:
    first, second = new_user(competition), new_user(competition)
    flat = model("pass")
    started = [
        user.start("submit", competition, "-f", str(path), "--wait", "--json")
        for user in (first, second)
        for path in (PREDICTIONS, MODEL, flat)
    ]
    records = []
    for process in started:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        records.append(json.loads(out))
    accuracies = [record["scores"][0]["value"] for record in records]
    assert accuracies == [0.775, 0.9, accuracies[2], 0.775, 0.9, accuracies[2]]
    assert len({record["number"] for record in records}) == 6
    rows = {row["participant"]: row for row in first.good("leaderboard", competition, "--json").json["rows"]}
    for user in (first, second):
        assert rows[user.name]["scores"][0] == 0.9
        assert rows[user.name]["entries"] == 3


def test_the_leaderboard_in_every_form(new_user: NewUser, competition: str) -> None:
    good, fair = new_user(competition), new_user(competition)
    assert fair.submit(PREDICTIONS).code == 0
    assert good.submit(MODEL).code == 0
    board = good.good("leaderboard", competition, "--json").json
    ranks = {row["participant"]: row["rank"] for row in board["rows"]}
    assert ranks[good.name] < ranks[fair.name]
    scores = [row["scores"][0] for row in board["rows"] if row["rank"]]
    assert scores == sorted(scores, reverse=True)
    table = list(csv.DictReader(io.StringIO(good.good("leaderboard", competition, "--csv").out)))
    assert {row["participant"]: row["accuracy"] for row in table}[fair.name] == "0.775"
    shown = good.good("leaderboard", competition, "--limit", "100").out
    assert re.search(rf"^ *{ranks[good.name]}  {good.name} +0\.9000 +0\.8108", shown, re.MULTILINE)
    assert "Accuracy ↑" in shown


def test_nobody_reads_what_is_anothers(ada: User, new_user: NewUser, competition: str) -> None:
    record = ada.submit(PREDICTIONS).json
    other = new_user(competition)
    for command in (("logs", record["id"]), ("submission", "show", record["id"]), ("download", record["id"])):
        refused = other(*command)
        assert refused.code in {4, 5}, refused.err


def test_the_agent_that_runs_participants_code_holds_no_secret(podium: Podium) -> None:
    agent = podium.part("agent-docker")
    environment = Path("/proc", str(agent["pid"]), "environ").read_text()
    names = {entry.split("=", 1)[0] for entry in environment.split("\0")}
    assert {"PODIUM_GATEWAY", "PODIUM_AGENT_TOKEN_FILE"} <= names
    assert not {name for name in names if "DATABASE" in name or "SECRET" in name or "STORAGE" in name}
    for file in ("secret-key", "admin-token", "postgres/passwords.json"):
        for secret in re.findall(r"[A-Za-z0-9_-]{20,}", (podium.state / file).read_text()):
            assert secret not in environment
    assert "postgresql" not in environment
