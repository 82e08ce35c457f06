"""Scoring again: what is shown before, while and after, and what must be said."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

from podium.platform.cli.rerun_progress import follow
from podium.platform.client import Client

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Gateway, Podium, Samples

NOW = "2026-01-02T03:04:05+00:00"
RERUNS = "/competitions/iris/reruns"
TOTALS = (
    "3 of 120 submissions have other results; 3 are of participants whose rank changes; 1 was finished and fails now"
)
START = ("rerun", "start", "iris", "--reason", "A label was wrong.")


def preview(total: int = 120, **changes: object) -> dict[str, object]:
    return {
        "competition": "iris",
        "total": total,
        "phases": [{"phase": "Final", "submissions": total, "typical_seconds": 1.5}] if total else [],
        "left_out": [],
        "left_out_total": 0,
        "expected_seconds": 754.0 if total else None,
        "slots": 8,
        "parallel": None,
        "changed_tasks": [],
    } | changes


def rerun(status: str = "running", version: int = 1, **changes: object) -> dict[str, object]:
    return {
        "id": "00000000-0000-0000-0000-000000000009",
        "number": 4,
        "competition": "iris",
        "reason": "A label was wrong.",
        "requested_by": "grace",
        "selection": "all of phase Final",
        "adoption": "automatic",
        "parallel": None,
        "status": status,
        "status_message": "",
        "held_back": "",
        "version": version,
        "total": 120,
        "waiting": 0,
        "queued": 100,
        "under_way": 8,
        "finished": 10,
        "failed": 1,
        "given_up": 1,
        "remaining_seconds": 600.0,
        "created": NOW,
        "started": NOW,
        "ended": None,
    } | changes


DONE = {"queued": 0, "under_way": 0, "finished": 118, "remaining_seconds": None}


@pytest.fixture
def ready(gateway: Gateway) -> None:
    """A gateway that starts what was looked at."""
    gateway.on(f"POST {RERUNS}/preview", preview())
    gateway.on(f"POST {RERUNS}", rerun("waiting"))


def test_what_would_be_done_is_shown_first(podium: Podium, gateway: Gateway):
    left_out = [{"number": n, "participant": "ada", "reason": "It was cancelled."} for n in range(1, 13)]
    left_out.append({"number": 40, "participant": "bob", "reason": "Rerun 3 has it."})
    gateway.on(
        f"POST {RERUNS}/preview",
        preview(
            left_out=left_out,
            left_out_total=20,
            parallel=4,
            changed_tasks=["Main task: version 2 instead of version 1"],
        ),
    )
    ran = podium("rerun", "start", "iris", "--phase", "Final", "--parallel", "4", "--dry-run")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "120 submissions of iris would be scored again",
        "  phase    Final: 120 submissions, about 1.5 s each",
        "  takes    about 13 min on 4 of 8 slots, behind what is submitted meanwhile",
        "  changed  Main task: version 2 instead of version 1",
        "  not      1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more: It was cancelled.",
        "  not      40: Rerun 3 has it.",
        "  not      7 others",
    ]
    assert [call.json for call in gateway.calls] == [{"phase": "Final", "parallel": 4}]
    ran = podium("rerun", "start", "iris", "--phase", "Final", "--dry-run", "--json")
    assert json.loads(ran.out)["left_out"][-1]["number"] == 40


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"slots": 0, "expected_seconds": None}, "no agent of the pool is running"),
        ({"expected_seconds": None, "slots": 1}, "nobody can say yet, on 1 slot\n"),
        ({}, "  changed  no task"),
    ],
)
def test_a_preview_says_what_is_not_known(podium: Podium, gateway: Gateway, changes: dict[str, object], said: str):
    gateway.on(f"POST {RERUNS}/preview", preview(**changes))
    assert said in podium("rerun", "start", "iris", "--phase", "1", "--dry-run").out


def test_without_a_terminal_it_wants_yes(podium: Podium, gateway: Gateway, ready: None):
    ran = podium(*START, "--phase", "Final")
    assert ran.code == 2
    assert "120 submissions of iris would be scored again" in ran.err
    assert "give --yes to go on" in ran.err
    assert not gateway.called(f"POST {RERUNS}")
    ran = podium(*START, "--phase", "Final", "--yes")
    assert ran.code == 0
    assert ran.out == "4\n"
    assert ran.err.endswith("Rerun 4 of iris. Follow it: podium rerun show iris 4 --watch\n")
    assert gateway.calls[-1].json == {"phase": "Final", "reason": "A label was wrong.", "adoption": "automatic"}


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_on_a_terminal_one_is_asked(
    podium: Podium, gateway: Gateway, ready: None, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
):
    monkeypatch.setattr("podium.platform.cli.terminal.can_ask", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    ran = podium(*START, "--submission", "3", "--submission", "5", "--no-adopt")
    assert ran.code == code
    assert "Score 120 submissions again?" in ran.err
    bodies = [call.json for call in gateway.called(f"POST {RERUNS}")]
    assert bodies == [{"submissions": [3, 5], "reason": "A label was wrong.", "adoption": "manual"}][: code == 0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "Say what to score again: --phase PHASE, --submission NUMBER (once for each), or --platform-failures."),
        (("--phase", "1", "--submission", "3"), "--submission and --phase can't be had together"),
        (("--platform-failures", "--submission", "3"), "--submission and --platform-failures can't be had together"),
        (("--submission", "three"), "--submission"),
        (("--submission", "0"), "--submission"),
        (("--phase", "1", "--parallel", "0"), "--parallel"),
        (("--phase", "1", "--timeout", "3"), "--timeout is for --wait"),
    ],
)
def test_what_is_scored_again_must_be_said_once(podium: Podium, gateway: Gateway, options: tuple[str, ...], said: str):
    ran = podium(*START, *options)
    assert ran.code == 2
    assert said in ran.err
    assert gateway.calls == []


def test_a_reason_is_needed_where_something_is_done(podium: Podium, gateway: Gateway):
    ran = podium("rerun", "start", "iris", "--phase", "1", "--yes")
    assert ran.code == 2
    assert "--reason TEXT" in ran.err
    assert gateway.calls == []


def test_platform_failures_may_be_those_of_a_phase(podium: Podium, gateway: Gateway, ready: None):
    podium(*START, "--platform-failures", "--phase", "2", "--yes")
    assert gateway.calls[0].json == {"phase": "2", "platform_failures": True}
    podium(*START, "--platform-failures", "--dry-run")
    assert gateway.calls[-1].json == {"platform_failures": True}


def test_nothing_to_score_is_said_with_why(podium: Podium, gateway: Gateway):
    left_out = [{"number": 7, "participant": "ada", "reason": "It is still under way."}]
    gateway.on(f"POST {RERUNS}/preview", preview(0, left_out=left_out, left_out_total=1))
    ran = podium(*START, "--submission", "7", "--yes")
    assert ran.code == 6
    assert "0 submissions of iris would be scored again\n  not      7: It is still under way.\n" in ran.err
    assert "There is nothing to score again." in ran.err


def test_who_does_not_organize_learns_it(podium: Podium, gateway: Gateway):
    gateway.on(f"POST {RERUNS}/preview", (403, "not-allowed", "You don't organize 'iris'."))
    ran = podium(*START, "--phase", "1", "--yes")
    assert ran.code == 4
    assert ran.err.splitlines() == ["Error: You may not do this", "  You don't organize 'iris'.", "  Do this."]


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (rerun("adopted", 3, **DONE), 0),
        (rerun("ready", 3, adoption="manual", **DONE), 0),
        (rerun("ready", 3, held_back="2 that were finished would fail.", **DONE), 1),
        (rerun("paused", 3), 1),
        (rerun("cancelled", 3), 1),
    ],
)
def test_waiting_ends_as_the_rerun_does(
    podium: Podium, gateway: Gateway, ready: None, end: dict[str, object], code: int
):
    gateway.on(f"GET {RERUNS}/4", rerun("waiting", waiting=120, queued=0, finished=0), rerun(version=2), end)
    ran = podium(*START, "--phase", "1", "--yes", "--wait")
    assert ran.code == code
    assert ran.out.startswith("4\nRerun 4 of iris, by grace: all of phase Final\n  reason   A label was wrong.\n")
    assert "running, 12 of 120 scored, 1 failed, 1 given up, 8 under way, about 10 min left\n" in ran.err
    ran = podium(*START, "--phase", "1", "--yes", "--wait", "--json")
    assert ran.code == code
    assert json.loads(ran.out)["status"] == end["status"]


def test_a_wait_may_end_before_the_work(podium: Podium, gateway: Gateway, ready: None):
    gateway.on(f"GET {RERUNS}/4", rerun())
    ran = podium(*START, "--phase", "1", "--yes", "--wait", "--timeout", "0.5")
    assert ran.code == 8
    assert ran.out == "4\n"


def test_the_same_is_not_said_twice(podium: Podium, gateway: Gateway):
    states = [rerun(remaining_seconds=seconds) for seconds in (600.0, 590.0, 580.0)]
    gateway.on(f"GET {RERUNS}/4", *states, rerun("adopted", 2, **DONE))
    ran = podium("rerun", "show", "iris", "4", "--watch")
    assert ran.code == 0
    assert [line.partition(",")[0] for line in ran.err.splitlines()] == ["running", "adopted"]


def test_on_a_terminal_there_is_a_bar(
    gateway: Gateway, config: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("podium.platform.cli.rerun_progress.is_shown_live", lambda: True)
    gateway.on(f"GET {RERUNS}/4", rerun(), rerun("adopted", 2, **DONE))
    with Client(gateway.url, "t") as client:
        assert follow(client, "iris", 4, None).status == "adopted"
    assert "running, 12 of 120" not in capsys.readouterr().out


def test_a_rerun_is_shown_with_what_to_do_next(podium: Podium, gateway: Gateway):
    gateway.on(f"GET {RERUNS}/4", rerun("ready", held_back="2 that were finished would fail.", parallel=4, **DONE))
    ran = podium("rerun", "show", "iris", "4")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "Rerun 4 of iris, by grace: all of phase Final",
        "  reason   A label was wrong.",
        "  status   ready, 120 of 120 scored, 1 failed, 1 given up",
        "  held     2 that were finished would fail.",
        "  created  2026-01-02 03:04 UTC",
        "  limit    4 at the same time",
        "  next     compare: podium rerun report iris 4",
        "  next     let the new results count: podium rerun adopt iris 4",
        "  next     or throw them away: podium rerun cancel iris 4",
    ]
    assert json.loads(podium("rerun", "show", "iris", "4", "--json").out)["number"] == 4
    gateway.on(f"GET {RERUNS}/4", rerun("paused"))
    assert "podium rerun resume iris 4" in podium("rerun", "show", "iris", "4").out
    gateway.on(f"GET {RERUNS}/4", rerun("adopted", ended=NOW))
    assert "next" not in podium("rerun", "show", "iris", "4").out


def test_a_wrong_number_is_said(podium: Podium, gateway: Gateway, monkeypatch: pytest.MonkeyPatch):
    ran = podium("rerun", "show", "iris")
    assert ran.code == 2
    assert "'iris' is not a rerun's number" in ran.err
    monkeypatch.setenv("PODIUM_COMPETITION", "iris")
    gateway.on(f"GET {RERUNS}/9", (404, "not-found", "'iris' has no rerun 9."))
    ran = podium("rerun", "show", "9")
    assert ran.code == 5
    assert "'iris' has no rerun 9." in ran.err
    assert podium("rerun", "show", "iris", "4", "--timeout", "3").code == 2


def test_reruns_are_listed(podium: Podium, gateway: Gateway):
    gateway.on(f"GET {RERUNS}", [rerun(), rerun("adopted", number=3, **DONE)])
    assert "10 min" in podium("rerun", "list", "iris").out
    rows = list(csv.DictReader(io.StringIO(podium("rerun", "list", "iris", "--csv").out)))
    assert [(row["number"], row["status"], row["given up"]) for row in rows] == [
        ("4", "running", "1"),
        ("3", "adopted", "1"),
    ]
    assert json.loads(podium("rerun", "list", "iris", "--json").out)[1]["number"] == 3
    gateway.on(f"GET {RERUNS}", [])
    assert podium("rerun", "list", "iris").out == "Nothing was scored again.\n"


def test_a_rerun_is_paused_and_resumed(podium: Podium, gateway: Gateway):
    gateway.on(f"GET {RERUNS}/4", rerun())
    gateway.on(f"POST {RERUNS}/4/pause", rerun("paused", status_message="By grace."))
    ran = podium("rerun", "pause", "iris", "4")
    assert ran.code == 0
    assert ran.err.startswith("Rerun 4 of iris is paused, 12 of 120 scored, ")
    assert ran.err.endswith("8 under way: By grace.\n")
    gateway.on(f"GET {RERUNS}/4", rerun("paused"))
    gateway.on(f"POST {RERUNS}/4/resume", rerun())
    assert "Rerun 4 of iris is running" in podium("rerun", "resume", "iris", "4").err
    # Saying it again changes nothing.
    assert podium("rerun", "pause", "iris", "4", "--json").code == 0


@pytest.mark.parametrize("what", ["pause", "resume"])
@pytest.mark.parametrize("status", ["ready", "adopted", "cancelled"])
def test_what_is_scored_is_neither_paused_nor_resumed(podium: Podium, gateway: Gateway, what: str, status: str):
    gateway.on(f"GET {RERUNS}/4", rerun(status))
    ran = podium("rerun", what, "iris", "4")
    assert ran.code == 6
    assert f"Rerun 4 is {status}, so it can't " in ran.err
    assert "podium rerun show iris 4" in ran.err
    assert len(gateway.calls) == 1


def difference(number: int, **changes: object) -> dict[str, object]:
    return {
        "number": number,
        "participant": f"p{number}",
        "phase": "Final",
        "old_status": "finished",
        "new_status": "finished",
        "message": "",
        "old_scores": [0.5],
        "new_scores": [0.5],
        "old_rank": 2,
        "new_rank": 2,
    } | changes


@pytest.fixture
def report(gateway: Gateway, samples: type[Samples]) -> dict[str, object]:
    differences = [
        difference(7, new_scores=[0.75], old_rank=5, new_rank=1),
        difference(8, new_status="failed", new_scores=[None], new_rank=None, message="Exit status 1."),
        difference(9, old_scores=[0.5], new_scores=[0.5000001]),
        difference(10, old_rank=1, new_rank=3),
        difference(11),
        difference(12, new_status=None, new_scores=[None], new_rank=2),
    ]
    value = {
        "rerun": rerun("ready", held_back="1 that was finished would fail.", **DONE),
        "columns": [samples.column()],
        "differences": differences,
        "changed": 3,
        "moved": 3,
        "now_failing": 1,
        "now_finished": 0,
    }
    gateway.on(f"GET {RERUNS}/4/report", value)
    return value


def test_a_report_shows_what_changes(podium: Podium, report: dict[str, object]):
    ran = podium("rerun", "report", "iris", "4")
    assert ran.code == 0
    assert [" ".join(line.split()) for line in ran.out.splitlines()] == [
        "submission participant phase rank Accuracy ↑ status message",
        "7 p7 Final 5 → 1 0.500 → 0.750 finished -",
        "8 p8 Final 2 → - 0.500 → - finished → failed Exit status 1.",
        "9 p9 Final 2 0.5 → 0.5000001 finished -",
        "10 p10 Final 1 → 3 0.500 finished -",
        "",
        f"{TOTALS}; 1 was given up by Podium and stays.",
    ]
    everything = podium("rerun", "report", "iris", "4", "--all").out
    assert "p11" in everything
    assert "p12" in everything
    assert len(json.loads(podium("rerun", "report", "iris", "4", "--json").out)["differences"]) == 6


def test_a_report_as_csv_is_the_gateways(podium: Podium, gateway: Gateway):
    gateway.on(f"GET {RERUNS}/4/report.csv", "submission,old,new\r\n7,0.5,0.75\r\n")
    assert podium("rerun", "report", "iris", "4", "--csv").out.splitlines() == ["submission,old,new", "7,0.5,0.75"]
    assert podium("rerun", "report", "iris", "4", "--csv", "--json").code == 2


def test_a_report_of_no_difference_says_so(podium: Podium, gateway: Gateway, report: dict[str, object]):
    same = report | {"differences": [difference(11)], "changed": 0, "moved": 0, "now_failing": 0, "rerun": rerun()}
    gateway.on(f"GET {RERUNS}/4/report", same)
    assert podium("rerun", "report", "iris", "4").out == (
        "All of 12 submissions that were scored have the same results; 1 was given up by Podium and stays;"
        " 108 are not scored yet.\n"
    )


def test_adopting_says_what_was_held_back_and_asks(podium: Podium, gateway: Gateway, report: dict[str, object]):
    gateway.on(f"GET {RERUNS}/4", report["rerun"])
    gateway.on(f"POST {RERUNS}/4/adopt", rerun("adopted", **DONE))
    ran = podium("rerun", "adopt", "iris", "4")
    assert ran.code == 2
    assert ran.err.startswith(f"The new results were held back: 1 that was finished would fail.\n{TOTALS};")
    assert "give --yes" in ran.err
    assert not gateway.called(f"POST {RERUNS}/4/adopt")
    ran = podium("rerun", "adopt", "iris", "4", "--yes")
    assert ran.code == 0
    assert ran.err.endswith("The results of rerun 4 of iris are the ones that count now\n")
    assert json.loads(podium("rerun", "adopt", "iris", "4", "--yes", "--json").out)["status"] == "adopted"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("running", "podium rerun show iris 4 --watch"),
        ("paused", "podium rerun resume iris 4"),
        ("adopted", "Its results count already."),
        ("cancelled", "Start another"),
    ],
)
def test_only_what_is_ready_can_be_adopted(podium: Podium, gateway: Gateway, status: str, said: str):
    gateway.on(f"GET {RERUNS}/4", rerun(status))
    ran = podium("rerun", "adopt", "iris", "4", "--yes")
    assert ran.code == 6
    assert f"Rerun 4 is {status}" in ran.err
    assert said in ran.err
    assert len(gateway.calls) == 1


def test_cancelling_says_what_is_thrown_away(podium: Podium, gateway: Gateway):
    gateway.on(f"GET {RERUNS}/4", rerun(under_way=1))
    gateway.on(f"POST {RERUNS}/4/cancel", rerun("cancelled"))
    ran = podium("rerun", "cancel", "iris", "4")
    assert ran.code == 2
    assert ran.err.splitlines()[:3] == [
        "The new results of 12 submissions are thrown away.",
        "1 submission under way is stopped.",
        "100 submissions are not scored again.",
    ]
    assert not gateway.called(f"POST {RERUNS}/4/cancel")
    ran = podium("rerun", "cancel", "iris", "4", "--yes")
    assert ran.code == 0
    assert ran.err.endswith("Rerun 4 of iris is cancelled; the old results stay\n")


@pytest.mark.parametrize("status", ["adopted", "cancelled"])
def test_what_has_ended_can_not_be_cancelled(podium: Podium, gateway: Gateway, status: str):
    gateway.on(f"GET {RERUNS}/4", rerun(status))
    ran = podium("rerun", "cancel", "iris", "4", "--yes")
    assert ran.code == 6
    assert f"Rerun 4 is {status}: there is nothing to cancel." in ran.err
    assert len(gateway.calls) == 1
