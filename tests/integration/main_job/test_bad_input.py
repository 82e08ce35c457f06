"""What goes wrong says so once and clearly, by message and exit status, and leaves nothing half made."""

from __future__ import annotations

import hashlib
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from real_registry import Registry, running

if TYPE_CHECKING:
    from conftest import NewUser, Podium, User, Variant

PREDICTIONS = Path(__file__).parents[3] / "examples" / "meadow-flowers" / "submissions" / "predictions"


def counted(podium: Podium, table: str) -> int:
    with podium.database() as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # type: ignore[arg-type]  # a name of ours
        assert row is not None
        return int(row[0])


def evaluation(record: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = record["evaluations"][0]
    return found


def create(podium: Podium, path: Path, slug: str) -> str:
    podium.admin.good("competition", "create", str(path), "--slug", slug, "--start", "now")
    return slug


def test_a_bundle_that_is_no_zip(podium: Podium, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(b"PK\x03\x04 this was cut off")
    refused = podium.admin("competition", "create", str(path))
    assert refused.code == 2
    assert "neither a folder nor a zip" in refused.err


def test_a_broken_zip_that_arrives_anyway(podium: Podium, tmp_path: Path, variant: Variant) -> None:
    """The directory of the zip is whole, its content is not."""
    path = tmp_path / "bundle.zip"
    source = variant()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in source.rglob("*"):
            archive.write(file, file.relative_to(source))
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        begin = archive.getinfo("competition.yaml").header_offset + 30 + len("competition.yaml")
    content[begin + 20 : begin + 120] = bytes(100)
    path.write_bytes(content)
    before = counted(podium, "competitions")
    refused = podium.admin("competition", "create", str(path))
    assert refused.code == 1, refused.err
    assert "competition.yaml" in refused.err
    assert counted(podium, "competitions") == before


def test_every_problem_of_a_bundle_is_shown_with_its_line(podium: Podium, variant: Variant) -> None:
    path = variant(
        {
            "image: logo.png": "image: logo.jpg",
            "end: 2026-03-31 23:59:59": "end: 31-3-2026",
            "sorting: desc": "sortin: desc",
            "precision: 4": "precision: many",
            "reference_data: reference_data/": "reference_data: truth/",
        }
    )
    checked = podium.admin("bundle", "check", str(path))
    assert checked.code == 1
    before = counted(podium, "competitions"), counted(podium, "datasets")
    refused = podium.admin("competition", "create", str(path))
    assert refused.code == 1
    for said in (checked.out + checked.err, refused.out + refused.err):
        for part in ("line 4, image", "logo.jpg", "31-3-2026", "truth/", "sortin", "many", "sorting"):
            assert part in said, said
    assert (counted(podium, "competitions"), counted(podium, "datasets")) == before


def test_a_slug_that_is_taken(podium: Podium, competition: str, variant: Variant) -> None:
    refused = podium.admin("competition", "create", str(variant()), "--slug", competition)
    assert refused.code in {1, 6}
    assert competition in refused.err


def test_participants_make_no_competitions(ada: User, podium: Podium, variant: Variant) -> None:
    before = counted(podium, "bundles")
    refused = ada("competition", "create", str(variant()))
    assert refused.code == 4
    assert counted(podium, "bundles") == before


def test_an_unknown_competition(ada: User) -> None:
    for command in (
        ("submit", "meadow-flours", "-f", str(PREDICTIONS)),
        ("join", "meadow-flours"),
        ("leaderboard", "meadow-flours"),
    ):
        refused = ada(*command)
        assert refused.code == 5, refused.err
        assert "meadow-flours" in refused.err


def test_problems_are_problem_json(podium: Podium) -> None:
    answer = httpx.get(f"{podium.gateway}/api/v1/competitions/none/leaderboard")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert {"type", "title", "status", "detail"} <= set(answer.json())


def test_whoever_has_not_joined(new_user: NewUser, competition: str, podium: Podium) -> None:
    before = counted(podium, "submissions")
    refused = new_user()("submit", competition, "-f", str(PREDICTIONS))
    assert refused.code == 4
    assert "join" in refused.err
    assert counted(podium, "submissions") == before


def test_a_token_that_was_revoked(ada: User, podium: Podium, competition: str) -> None:
    token = ada.good("token", "list", "--json").json[0]
    ada.good("token", "revoke", token["id"])
    refused = ada("submit", competition, "-f", str(PREDICTIONS))
    assert refused.code == 3
    assert "revoked" in refused.err or "token" in refused.err


def test_a_token_that_has_expired(ada: User, podium: Podium, competition: str) -> None:
    token = ada.good("token", "list", "--json").json[0]
    with podium.database() as connection:
        connection.execute("UPDATE tokens SET expires = now() - interval '1 minute' WHERE id = %s", [token["id"]])
    refused = ada("whoami")
    assert refused.code == 3
    assert "expired" in refused.err


def test_a_quota_that_is_used_up(podium: Podium, variant: Variant, new_user: NewUser) -> None:
    slug = create(podium, variant({"max_submissions_per_day: 50": "max_submissions_per_day: 1"}), "one-a-day")
    user = new_user(slug)
    assert user.submit(PREDICTIONS, slug).code == 0
    refused = user.submit(PREDICTIONS, slug)
    assert refused.code == 6
    assert "1" in refused.err
    assert len(user.good("submissions", slug, "--json").json) == 1


def test_something_that_is_not_what_the_phase_asks_for(ada: User, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("I have a plan.")
    ran = ada.submit(notes)
    assert ran.code == 1
    assert ran.json["status"] == "failed"
    assert evaluation(ran.json)["verdict"] == "exit_status"
    assert "neither predictions.csv nor a model.py" in ada.good("logs", ran.json["id"]).out
    assert not ran.json["on_leaderboard"]


def test_a_submission_that_is_no_zip(ada: User, competition: str, podium: Podium) -> None:
    """The command line packs what is no zip; other clients may send anything."""
    content = b"not a zip at all"
    with httpx.Client(
        base_url=f"{podium.gateway}/api/v1", headers={"Authorization": f"Bearer {ada.token}"}, timeout=30
    ) as client:
        body = {"filename": "x.zip", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        made = client.post(f"/competitions/{competition}/submissions", json=body).raise_for_status().json()
        upload = made["upload"]
        httpx.request(
            upload["method"], upload["url"], headers=upload["headers"], content=content, timeout=30
        ).raise_for_status()
        client.post(f"/submissions/{made['submission']['id']}/complete").raise_for_status()
    record = ada.wait_for(made["submission"]["id"], lambda one: one["status"] in {"failed", "finished"})
    assert record["status"] == "failed"
    assert evaluation(record)["verdict"] == "bad_submission"
    assert "zip" in record["status_message"]


def test_an_upload_that_is_not_what_was_announced(ada: User, competition: str, podium: Podium) -> None:
    with httpx.Client(
        base_url=f"{podium.gateway}/api/v1", headers={"Authorization": f"Bearer {ada.token}"}, timeout=30
    ) as client:
        body = {"filename": "x.zip", "size": 5, "sha256": "0" * 64}
        made = client.post(f"/competitions/{competition}/submissions", json=body).raise_for_status().json()
        upload = made["upload"]
        httpx.request(upload["method"], upload["url"], headers=upload["headers"], content=b"12345", timeout=30)
        refused = client.post(f"/submissions/{made['submission']['id']}/complete")
    assert refused.status_code in {409, 422}
    assert "sha" in refused.text.lower()


def slipping(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../../../tmp/podium-slipped", "here")


def linking(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("predictions.csv")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")


def bombing(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("predictions.csv", bytes(300 * 1024 * 1024))


@pytest.mark.parametrize("make", [slipping, linking, bombing])
def test_archives_that_mean_harm(ada: User, tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "harm.zip"
    make(path)
    record = ada.send(path)
    assert record["status"] == "failed"
    assert evaluation(record)["verdict"] == "bad_submission"
    assert record["status_message"]
    assert not Path("/tmp/podium-slipped").exists()


def test_a_model_that_fails_keeps_its_log(ada: User, model: Callable[[str], Path]) -> None:
    ran = ada.submit(model("print('so far so good')\nraise ValueError('petals are missing')"))
    assert ran.code == 1
    assert evaluation(ran.json)["verdict"] == "exit_status"
    assert "1" in ran.json["status_message"]
    log = ada.good("logs", ran.json["id"]).out
    assert "so far so good" in log
    assert "ValueError: petals are missing" in log
    assert "neither predictions.csv nor a model.py" in log


def test_a_model_that_takes_too_long(
    podium: Podium, variant: Variant, new_user: NewUser, model: Callable[[str], Path]
) -> None:
    slug = create(podium, variant({"execution_time_limit: 60": "execution_time_limit: 3"}), "three-seconds")
    user = new_user(slug)
    ran = user.submit(model("print('begun', flush=True)\ntime.sleep(60)"), slug)
    assert ran.code == 1
    assert evaluation(ran.json)["verdict"] == "time_limit"
    assert "3 s" in ran.json["status_message"]
    assert "begun" in user.good("logs", ran.json["id"]).out
    assert [name for name in podium.containers() if not name.startswith("/podium-ready-")] == []


LIMITED = "execution_time_limit: 60\n    limits: {memory: 200 MiB, processes: 40, cpu_time: 3 s}"


@pytest.fixture(scope="module")
def limited(podium: Podium, variant: Variant) -> str:
    """A competition that allows little."""
    return create(podium, variant({"execution_time_limit: 60": LIMITED}), "little")


@pytest.mark.parametrize(
    ("fit", "verdict", "says"),
    [
        ("bytearray(b'1' * (300 << 20))", "memory_limit", "needed more memory than its limit of 200 MiB"),
        ("import subprocess\n[subprocess.Popen(['sleep', '9']) for _ in range(99)]", "process_limit", "limit of 40"),
        ("while True: pass", "time_limit", "used more CPU time than its limit of 3 s"),
        ("raise ValueError('petals are missing')", "exit_status", '"ValueError: petals are missing"'),
        ("os.abort()", "exit_status", "signal SIGABRT"),
    ],
)
def test_a_model_that_needs_more_than_there_is(
    limited: str, new_user: NewUser, model: Callable[[str], Path], fit: str, verdict: str, says: str
) -> None:
    user = new_user(limited)
    shown = user.good("competition", "show", limited).out
    assert "wall 60 s, cpu_time 3 s, cpus 2 cores" in shown
    assert "memory 200 MiB, processes 40" in shown
    ran = user.submit(model(fit), limited)
    assert ran.code == 1
    assert evaluation(ran.json)["verdict"] == verdict
    assert says in ran.json["status_message"]
    program = evaluation(ran.json)["programs"][0]
    assert program["wall_seconds"] > 0
    assert program["cpu_seconds"] > 0
    assert program["peak_memory_bytes"] > 0
    assert len(ran.json["attempts"]) == 1
    assert "of CPU" in user.good("submission", "show", ran.json["id"]).out


def test_a_model_that_kills_itself_is_tried_again_once(
    limited: str, new_user: NewUser, model: Callable[[str], Path]
) -> None:
    ran = new_user(limited).submit(model("os.kill(os.getpid(), 9)"), limited)
    assert ran.code == 1
    assert evaluation(ran.json)["verdict"] == "exit_status"
    assert "signal SIGKILL" in ran.json["status_message"]
    assert [attempt["status"] for attempt in ran.json["attempts"]] == ["platform_error", "user_error"]


def test_a_bundle_that_asks_for_more_than_may_be(podium: Podium, variant: Variant) -> None:
    path = variant({"execution_time_limit: 60": "execution_time_limit: 90000\n    limits: {memory: 1 TiB}"})
    assert podium.admin("bundle", "check", str(path)).code == 0
    refused = podium.admin("competition", "create", str(path))
    assert refused.code == 1
    for said in ("`wall` of 1 d 1 h", "up to 1 d", "`memory` of 1 TiB", "up to 64 GiB"):
        assert said in refused.err


def test_a_scoring_program_without_scores(podium: Podium, variant: Variant, new_user: NewUser) -> None:
    path = variant(files={"scoring_program/score.py": "print('I forgot what I came for')\n"})
    slug = create(podium, path, "no-scores")
    user = new_user(slug)
    ran = user.submit(PREDICTIONS, slug)
    assert ran.code == 1
    assert evaluation(ran.json)["verdict"] == "no_scores"
    assert "scores.json" in ran.json["status_message"]
    assert "I forgot what I came for" in user.good("logs", ran.json["id"]).out


def test_an_image_that_the_registry_does_not_have(
    podium: Podium, variant: Variant, new_user: NewUser, tmp_path: Path
) -> None:
    with running(Registry(tmp_path / "registry")) as registry:
        name = f"{registry.address}/team/none:1"
        slug = create(podium, variant({"podium/python:latest": name}), "no-image")
        user = new_user(slug)
        ran = user.submit(PREDICTIONS, slug)
    assert ran.code == 1
    assert evaluation(ran.json)["verdict"] == "image_unavailable"
    assert f"no image {name} and could not pull it" in ran.json["status_message"]
    assert f"[podium: pulling image {name}]" in user.good("logs", ran.json["id"]).out
