"""Submitting, following, and getting things back."""

from __future__ import annotations

import hashlib
import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

NOW = "2026-01-02T03:04:05+00:00"

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Gateway, Podium, Samples


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "predictions.csv"
    path.write_text("1,2\n", encoding="utf-8")
    return path


@pytest.fixture
def taking(gateway: Gateway, samples: type[Samples]) -> None:
    """A gateway that takes a submission."""
    upload = samples.signed(f"{gateway.url}/store", "PUT")
    gateway.on("GET /competitions/iris", samples.competition(phases=[samples.phase(1, "First"), samples.phase(2)]))
    gateway.on("POST /competitions/iris/submissions", {"submission": samples.submission("submitted"), "upload": upload})
    gateway.on("PUT /store", {})
    gateway.on(f"POST /submissions/{samples.ID}/complete", samples.submission("queued", 2, ahead=4))


def ends_as(gateway: Gateway, samples: type[Samples], *states: dict[str, object]) -> None:
    gateway.on(f"GET /submissions/{samples.ID}", *states)


def test_the_id_comes_first(podium: Podium, gateway: Gateway, samples: type[Samples], file: Path, taking: None):
    ran = podium("submit", "iris", "-f", str(file), "-m", "more trees", "--phase", "2", "--fact", "model=a=b")
    assert ran.code == 0
    assert ran.out == f"{samples.ID}\n"
    assert "Submission 3 of iris, phase Final" in ran.err
    assert "queued, 4 before it" in ran.err
    assert "Packing predictions.csv.zip" in ran.err
    assert "Uploading predictions.csv.zip" in ran.err
    (announced,) = gateway.called("POST /competitions/iris/submissions")
    assert announced.token == "secret-token"
    assert announced.json == {
        "filename": "predictions.csv.zip",
        "size": len(gateway.called("PUT /store")[0].body),
        "sha256": hashlib.sha256(gateway.called("PUT /store")[0].body).hexdigest(),
        "phase": "2",
        "message": "more trees",
        "fact_sheet": {"model": "a=b"},
    }
    assert gateway.called("PUT /store")[0].token == ""


def test_waiting_ends_with_scores_and_rank(
    podium: Podium, gateway: Gateway, samples: type[Samples], file: Path, taking: None
):
    ends_as(
        gateway,
        samples,
        samples.submission("queued", 2, ahead=1),
        samples.submission("running", 3),
        samples.submission("finished", 4),
    )
    gateway.on(
        "GET /competitions/iris/leaderboard",
        samples.board(samples.row(1, "grace", 0.95), samples.row(2, "ada", 0.93)),
    )
    ran = podium("submit", "iris", "-f", str(file), "--wait")
    assert ran.code == 0
    assert ran.out.splitlines()[0] == samples.ID
    assert "accuracy = 0.93" in ran.out
    assert "On the leaderboard: rank 2." in ran.out
    assert [line for line in ran.err.splitlines() if line.startswith(("queued", "running", "finished"))] == [
        "queued, 1 before it",
        "running",
        "finished",
    ]


def test_waiting_with_json_writes_one_object(
    podium: Podium, gateway: Gateway, samples: type[Samples], file: Path, taking: None
):
    ends_as(gateway, samples, samples.submission("finished", 4))
    gateway.on("GET /competitions/iris/leaderboard", samples.board(samples.row(None, "ada", None)))
    ran = podium("submit", "iris", "-f", str(file), "--wait", "--json")
    value = json.loads(ran.out)
    assert value["id"] == samples.ID
    assert value["rank"] is None
    assert samples.ID in ran.err


def test_a_hidden_leaderboard_is_no_error(
    podium: Podium, gateway: Gateway, samples: type[Samples], file: Path, taking: None
):
    ends_as(gateway, samples, samples.submission("finished", 4))
    gateway.on("GET /competitions/iris/leaderboard", (403, "not-allowed", "Hidden."))
    ran = podium("submit", "iris", "-f", str(file), "--wait")
    assert ran.code == 0
    assert "rank" not in ran.out


@pytest.mark.parametrize(
    ("status", "verdict", "code"),
    [("failed", "time_limit", 1), ("failed", None, 7), ("cancelled", None, 1), ("finished", None, 0)],
)
def test_the_exit_status_says_how_it_ended(
    podium: Podium,
    gateway: Gateway,
    samples: type[Samples],
    file: Path,
    taking: None,
    status: str,
    verdict: str | None,
    code: int,
):
    evaluation = samples.evaluation(status="failed", verdict=verdict, message="It took too long.\nFar too long.")
    ends_as(gateway, samples, samples.submission(status, 4, evaluations=[evaluation]))
    gateway.on("GET /competitions/iris/leaderboard", samples.board())
    ran = podium("submit", "iris", "-f", str(file), "--wait")
    assert ran.code == code
    if verdict:
        assert "verdict  time_limit" in ran.out
        assert "Far too long." in ran.out


def test_a_wait_may_end_before_the_work(
    podium: Podium, gateway: Gateway, samples: type[Samples], file: Path, taking: None
):
    ends_as(gateway, samples, samples.submission("queued", 2))
    ran = podium("submit", "iris", "-f", str(file), "--wait", "--timeout", "0.5")
    assert ran.code == 8
    assert ran.out == f"{samples.ID}\n"
    assert "goes on by itself" in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fact", "model"], "KEY=VALUE"),
        (["--fact", "=x"], "KEY=VALUE"),
        (["--fact", "a=1", "--fact", "a=2"], "answered twice"),
        (["--timeout", "3"], "--timeout is for --wait"),
    ],
)
def test_options_that_make_no_sense_are_refused(podium: Podium, file: Path, arguments: list[str], said: str):
    ran = podium("submit", "iris", "-f", str(file), *arguments)
    assert ran.code == 2
    assert said in ran.err


def test_a_file_that_is_not_there_is_said_before_anything_is_sent(podium: Podium, gateway: Gateway, tmp_path: Path):
    ran = podium("submit", "iris", "-f", str(tmp_path / "nothing"))
    assert ran.code == 2
    assert "no file or folder" in ran.err
    assert gateway.calls == []


def test_a_used_up_quota_says_what_to_do(podium: Podium, gateway: Gateway, samples: type[Samples], file: Path):
    gateway.on("GET /competitions/iris", samples.competition())
    gateway.on("POST /competitions/iris/submissions", (429, "quota-exceeded", "5 of 5 today."))
    ran = podium("submit", "iris", "-f", str(file))
    assert ran.code == 6
    assert ran.err.splitlines()[-3:] == ["Error: The limit of this phase is used up", "  5 of 5 today.", "  Do this."]


def test_submissions_are_listed(podium: Podium, gateway: Gateway, samples: type[Samples]):
    gateway.on("GET /competitions/iris/submissions", [samples.submission("finished", 4)])
    ran = podium("submissions", "iris", "--phase", "Final")
    assert samples.ID in ran.out
    assert "accuracy=0.93" in ran.out
    assert "participant" not in ran.out
    assert gateway.calls[-1].query == {"phase": "Final", "limit": "100"}
    ran = podium("submissions", "iris", "--everyone", "--csv")
    assert ran.out.splitlines()[0] == "number,participant,id,date,phase,file,description,status,scores,excluded"
    assert gateway.calls[-1].query["everyone"] == "true"
    assert json.loads(podium("submissions", "iris", "--json").out)[0]["number"] == 3
    assert podium("submissions", "iris", "--json", "--csv").code == 2
    gateway.on("GET /competitions/iris/submissions", [])
    assert podium("submissions", "iris").out == "There are no submissions.\n"


def test_a_submission_is_shown_by_id_or_number(podium: Podium, gateway: Gateway, samples: type[Samples]):
    program = {
        "program": "scoring",
        "step": "scoring",
        "image": "example.org/iris:1",
        "image_digest": "example.org/iris@sha256:abc",
        "exit_status": 0,
        "limit": "memory_bytes",
        "wall_seconds": 1.25,
        "cpu_seconds": 1.0,
        "peak_memory_bytes": 50_000_000,
        "peak_processes": 3,
        "note": "A process was killed.",
    }
    outputs = [{"kind": "scoring_output", "size": 1, "sha256": "x"}]
    whole = samples.submission("finished", 4, evaluations=[samples.evaluation(programs=[program], outputs=outputs)])
    ends_as(gateway, samples, whole)
    gateway.on("GET /competitions/iris/leaderboard", samples.board(samples.row(1, "ada", 0.93)))
    gateway.on("GET /competitions/iris", samples.competition())
    gateway.on("GET /competitions/iris/submissions", [samples.submission()], [])
    by_id = podium("submission", "show", samples.ID)
    assert "program  scoring (scoring): exit status 0, 1.2 s, 1.0 s of CPU, 50 MB, 3 processes; over" in by_id.out
    assert "over the limit `memory`\n           A process was killed.\n" in by_id.out
    assert "image    example.org/iris:1 (sha256:abc)\n" in by_id.out
    assert "outputs  scoring_output" in by_id.out
    assert podium("submission", "show", "3", "-c", "iris").out == by_id.out
    assert json.loads(podium("submission", "show", samples.ID, "--json").out)["evaluations"][0]["task"] == "Main task"
    ran = podium("submission", "show", "three")
    assert ran.code == 2
    assert "neither the id" in ran.err
    assert podium("submission", "show", "3").code == 2


def test_files_that_could_not_be_kept_are_told_with_the_scores(
    podium: Podium, gateway: Gateway, samples: type[Samples]
):
    message = "The scores count, but `x` is refused."
    ends_as(gateway, samples, samples.submission("finished", 4, evaluations=[samples.evaluation(message=message)]))
    gateway.on("GET /competitions/iris/leaderboard", samples.board(samples.row(1, "ada", 0.93)))
    assert f"  note     {message}" in podium("submission", "show", samples.ID).out


def test_what_is_expected_is_said_while_it_waits(
    podium: Podium, gateway: Gateway, samples: type[Samples], file: Path, taking: None
):
    expected = datetime.now(UTC) + timedelta(days=400, hours=1, seconds=30)
    when = f"scored at about {expected:%Y-%m-%d %H:%M} UTC (in 400 d 1 h)"
    waits = samples.submission("queued", 2, ahead=4, expected=expected.isoformat(), status_message="No GPU is free.")
    ends_as(gateway, samples, waits, samples.submission("cancelled", 3, expected=expected.isoformat()))
    assert f"  status   queued, 4 before it, {when}: No GPU is free.\n" in podium("submission", "show", samples.ID).out
    assert "expected" not in podium("submission", "show", samples.ID).out
    runs = samples.submission("running", 3, expected=expected.isoformat())
    ends_as(gateway, samples, waits, runs, samples.submission("cancelled", 4))
    ran = podium("submit", "iris", "-f", str(file), "--wait")
    assert [line for line in ran.err.splitlines() if "before it" in line] == [
        f"queued, 4 before it, {when}: No GPU is free."
    ]
    assert "\nrunning\n" in ran.err
    assert "scored at" not in ran.out
    ends_as(gateway, samples, runs)
    assert f"  status   running, {when}\n" in podium("submission", "show", samples.ID).out
    ends_as(gateway, samples, runs | {"expected": samples.submission()["created"]})
    assert "  status   running\n" in podium("submission", "show", samples.ID).out


def test_where_results_come_from_is_shown(podium: Podium, gateway: Gateway, samples: type[Samples]):
    told = {"rescored": "Scored again by rerun 2: a label was wrong.", "migrated_from": 17}
    evaluations = [
        samples.evaluation(task="One", task_version=2),
        samples.evaluation(task="Two", task_version=1, attempt=3),
    ]
    ends_as(gateway, samples, samples.submission("finished", 4, evaluations=evaluations, **told))
    gateway.on("GET /competitions/iris/leaderboard", samples.board())
    out = podium("submission", "show", samples.ID).out
    assert "  origin   migrated from #17, of the phase before\n" in out
    assert "  rescored Scored again by rerun 2: a label was wrong.\n" in out
    assert "  task     One: succeeded, accuracy=0.93, version 2\n" in out
    assert "  task     Two: succeeded, accuracy=0.93, attempt 3\n" in out
    only = samples.evaluation(task_version=2, attempt=2)
    ends_as(gateway, samples, samples.submission("finished", 4, evaluations=[only]))
    assert "  task     Main task: version 2, attempt 2\n" in podium("submission", "show", samples.ID).out
    ends_as(gateway, samples, samples.submission("finished", 4, evaluations=[samples.evaluation(attempt=1)]))
    assert "task" not in podium("submission", "show", samples.ID).out


def test_another_submission_may_stand_on_the_leaderboard(podium: Podium, gateway: Gateway, samples: type[Samples]):
    ends_as(gateway, samples, samples.submission("finished", 4))
    row = samples.row(1, "ada", 0.99, submission_id=samples.OTHER_ID, submission_number=2)
    gateway.on("GET /competitions/iris/leaderboard", samples.board(row))
    assert "On the leaderboard is submission 2: rank 1." in podium("submission", "show", samples.ID).out


def piece(sequence: int, stream: str, text: str) -> dict[str, object]:
    return {"sequence": sequence, "attempt": 1, "task": "Main", "stream": stream, "text": text}


def test_logs_name_their_streams(podium: Podium, gateway: Gateway, samples: type[Samples]):
    pieces = [
        piece(1, "scoring_stdout", "one\n"),
        piece(2, "scoring_stdout", "two"),
        piece(3, "scoring_stderr", "\x1b[31mred\x1b[0m\r\n"),
    ]
    gateway.on(f"GET /submissions/{samples.ID}/logs", {"pieces": pieces, "cursor": 3, "ended": True})
    assert podium("logs", samples.ID).out == (
        "==> scoring_stdout (task Main, attempt 1) <==\none\ntwo\n==> scoring_stderr (task Main, attempt 1) <==\nred\n"
    )
    assert podium("logs", samples.ID, "--stream", "scoring_stdout").out == "one\ntwo"
    ran = podium("logs", samples.ID, "--stream", "scoring")
    assert ran.out == ""
    assert "scoring_stderr, scoring_stdout" in ran.err


def test_logs_are_followed(podium: Podium, gateway: Gateway, samples: type[Samples]):
    gateway.on(
        f"GET /submissions/{samples.ID}/logs",
        {"pieces": [piece(1, "scoring_stdout", "one\n")], "cursor": 1, "ended": False},
        {"pieces": [piece(2, "scoring_stdout", "two\n")], "cursor": 2, "ended": True},
    )
    assert podium("logs", samples.ID, "--follow", "--stream", "scoring_stdout").out == "one\ntwo\n"
    assert gateway.calls[-1].query["after"] == "1"


def test_logs_go_on_where_one_was_interrupted(podium: Podium, gateway: Gateway, samples: type[Samples]):
    gateway.on(
        f"GET /submissions/{samples.ID}/logs",
        {"pieces": [piece(41, "scoring_stdout", "one\n")], "cursor": 41, "ended": False},
        (403, "not-allowed", "The organizers have hidden the logs."),
    )
    broken = podium("logs", samples.ID, "--follow")
    assert f"To go on from here: podium logs {samples.ID} --follow --after 41" in broken.err
    gateway.on(
        f"GET /submissions/{samples.ID}/logs",
        {"pieces": [piece(42, "scoring_stdout", "two\n")], "cursor": 42, "ended": True},
    )
    assert podium("logs", samples.ID, "--follow", "--after", "41", "--stream", "scoring_stdout").out == "two\n"
    assert gateway.calls[-1].query["after"] == "41"


def test_logs_as_json_have_every_character(podium: Podium, gateway: Gateway, samples: type[Samples]):
    pieces = [piece(1, "scoring_stdout", "\x1b[31mred\r\n"), piece(2, "scoring_stderr", "two")]
    gateway.on(f"GET /submissions/{samples.ID}/logs", {"pieces": pieces, "cursor": 2, "ended": True})
    out = podium("logs", samples.ID, "--json").out
    assert [json.loads(line) for line in out.splitlines()] == pieces
    assert "\x1b" not in out


def test_no_logs_are_said(podium: Podium, gateway: Gateway, samples: type[Samples]):
    gateway.on(f"GET /submissions/{samples.ID}/logs", {"pieces": [], "cursor": 0, "ended": False})
    ran = podium("logs", samples.ID)
    assert ran.code == 0
    assert "Nothing was written so far." in ran.err


def test_a_submission_is_cancelled(podium: Podium, gateway: Gateway, samples: type[Samples]):
    gateway.on(f"POST /submissions/{samples.ID}/cancel", samples.submission("cancelled", status_message="By you."))
    ran = podium("cancel", samples.ID)
    assert ran.code == 0
    assert "Submission 3 of iris is cancelled: By you." in ran.err


def test_the_submitted_file_is_downloaded(
    podium: Podium, gateway: Gateway, samples: type[Samples], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    ends_as(gateway, samples, samples.submission(filename="../../.bad\x1bname.zip"))
    gateway.on(f"GET /submissions/{samples.ID}/file", samples.signed(f"{gateway.url}/stored"))
    gateway.on("GET /stored", b"content")
    ran = podium("download", samples.ID)
    assert ran.code == 0
    assert ran.out == "bad\ufffdname.zip\n"
    assert (tmp_path / "bad\ufffdname.zip").read_bytes() == b"content"
    ran = podium("download", samples.ID)
    assert ran.code == 6
    assert "is there already" in ran.err
    assert podium("download", samples.ID, "--overwrite").code == 0
    assert podium("download", samples.ID, "-o", "mine.zip").out == "mine.zip\n"


def test_outputs_are_downloaded_and_checked(podium: Podium, gateway: Gateway, samples: type[Samples], tmp_path: Path):
    output = {"kind": "scoring_output", "size": 7, "sha256": hashlib.sha256(b"content").hexdigest()}
    page = {"kind": "detailed_results", "size": 7, "sha256": "00" * 32}
    evaluations = [
        samples.evaluation(task="Main/one", outputs=[output, page]),
        samples.evaluation(id=samples.ID, task="Two", outputs=[output]),
    ]
    ends_as(gateway, samples, samples.submission("finished", 4, evaluations=evaluations))
    for evaluation in (samples.ID, samples.OTHER_ID):
        for kind in ("scoring_output", "detailed_results"):
            gateway.on(
                f"GET /submissions/{samples.ID}/evaluations/{evaluation}/{kind}",
                samples.signed(f"{gateway.url}/stored"),
            )
    gateway.on("GET /stored", b"content")
    ran = podium("download", samples.ID, "--what", "scoring_output", "-o", str(tmp_path))
    assert ran.code == 0
    names = ["iris-3-Main-one-scoring_output.zip", "iris-3-Two-scoring_output.zip"]
    assert [Path(line).name for line in ran.out.splitlines()] == names
    assert all((tmp_path / name).read_bytes() == b"content" for name in names)
    assert podium("download", samples.ID, "--what", "scoring_output", "-o", str(tmp_path / "one")).code == 6
    ran = podium("download", samples.ID, "--what", "detailed_results", "-o", str(tmp_path))
    assert ran.code == 7
    assert "is not what was stored" in ran.err
    ran = podium("download", samples.ID, "--what", "prediction_output")
    assert ran.code == 5
    assert "detailed_results, scoring_output" in ran.err


def test_a_detailed_result_is_downloaded_while_it_is_written(
    podium: Podium, gateway: Gateway, samples: type[Samples], tmp_path: Path
):
    evaluations = [samples.evaluation(status="waiting", outputs=[])]
    gateway.on(f"GET /submissions/{samples.ID}", samples.submission("scoring", 4, evaluations=evaluations))
    page = {"evaluation_id": samples.ID, "task": "Main task", "size": 7, "version": "1", "is_live": True}
    page["evaluation_id"] = evaluations[0]["id"]
    results = {
        "submission_id": samples.ID,
        "competition": "iris",
        "phase": "First",
        "number": 3,
        "participant": "ada",
    }
    path = f"GET /submissions/{samples.ID}/detailed-results"
    gateway.on(path, {**results, "pages": []}, {**results, "pages": [page]})
    gateway.on(f"{path}/{page['evaluation_id']}", b"<p>half")
    asked = ("download", samples.ID, "--what", "detailed_results", "-o", str(tmp_path))
    assert "no detailed_results yet" in podium(*asked).err
    written = Path(podium(*asked).out.strip())
    assert written.name == "iris-3-detailed_results.html"
    assert written.read_text() == "<p>half"
    assert "is there already" in podium(*asked).err


def test_what_is_uploaded_is_a_zip(podium: Podium, gateway: Gateway, file: Path, taking: None, tmp_path: Path):
    podium("submit", "iris", "-f", str(file))
    (tmp_path / "sent.zip").write_bytes(gateway.called("PUT /store")[0].body)
    with zipfile.ZipFile(tmp_path / "sent.zip") as archive:
        assert archive.read("predictions.csv") == b"1,2\n"


def test_what_the_phase_does_not_take_is_said_before_anything_is_sent(
    podium: Podium, gateway: Gateway, samples: type[Samples], file: Path, taking: None, tmp_path: Path
):
    wanted = {"file": "predictions.csv", "kind": "csv", "columns": [_column("id"), _column("value")]}
    phases = [samples.phase(submission_format=wanted | {"rows": 2, "shape": [], "files": []})]
    gateway.on("GET /competitions/iris", samples.competition(phases=phases))
    file.write_text("id,value\n1,0.5\n2,high\n")
    ran = podium("submit", "iris", "-f", str(file))
    assert ran.code == 2
    assert "Nothing was sent: predictions.csv is not what the phase 'Final' takes" in ran.err
    assert "Column 'value' is not a number, such as 'high' (line 3)." in ran.err
    assert gateway.called("POST /competitions/iris/submissions") == []
    # The right content under a name of one's own is sent under the name that is wanted.
    own = tmp_path / "trees.csv"
    own.write_text("id,value\n1,0.5\n2,1\n")
    ran = podium("submit", "iris", "-f", str(own))
    assert (ran.code, "Submitting trees.csv as predictions.csv" in ran.err) == (0, True)
    (announced,) = gateway.called("POST /competitions/iris/submissions")
    assert isinstance(announced.json, dict)
    assert announced.json["filename"] == "trees.csv.zip"
    (tmp_path / "sent.zip").write_bytes(gateway.called("PUT /store")[0].body)
    with zipfile.ZipFile(tmp_path / "sent.zip") as archive:
        assert archive.namelist() == ["predictions.csv"]
    # Going on with an upload packs the same.
    gateway.on(f"GET /submissions/{samples.ID}", samples.submission("submitted"))
    size = len(gateway.called("PUT /store")[0].body)
    offered = {"filename": "x", "size": size, "sha256": announced.json["sha256"], "parts": None}
    offered |= {"id": samples.ID, "kind": "submission", "created": NOW}
    gateway.on(f"POST /uploads/{samples.ID}", offered | {"upload": samples.signed(f"{gateway.url}/store", "PUT")})
    assert podium("submit", "iris", "-f", str(own), "--resume", samples.ID).code == 0
    assert gateway.called("PUT /store")[1].body == gateway.called("PUT /store")[0].body


def _column(name: str) -> dict[str, object]:
    return {"name": name, "type": "number", "values": [], "may_be_empty": False}
