"""Phases, windows, queues, and what one may still submit."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Gateway, Podium, Samples

NOW = "2026-01-02T03:04:05+00:00"
EXTRA = {
    "participant": "ada",
    "phase": "Final",
    "per_window": 2,
    "total": 0,
    "concurrent": 1,
    "reason": "Your power was out.",
    "granted_by": "person:grace",
    "created": NOW,
}


def allowance(**changes: object) -> dict[str, object]:
    return {
        "can": True,
        "reason": "",
        "phase": "Final",
        "left_in_window": 3,
        "left_total": None,
        "changes": None,
        "left_at_once": 1,
        "window": "within 24 hours",
        "extra": None,
    } | changes


def test_what_is_left_is_shown(podium: Podium, gateway: Gateway):
    gateway.on("GET /competitions/iris/allowance", allowance(extra=EXTRA))
    ran = podium("allowance", "iris", "--phase", "2")
    assert ran.code == 0
    assert gateway.calls[-1].query == {"phase": "2"}
    assert ran.out.splitlines() == [
        "You may submit to iris, phase Final.",
        "  left     3 within 24 hours, 1 at a time",
        "  extra    2 more within 24 hours, 1 more at a time: Your power was out.",
    ]


def test_without_limits_that_is_said(podium: Podium, gateway: Gateway):
    gateway.on("GET /competitions/iris/allowance", allowance(left_in_window=None, left_at_once=None))
    assert "  left     no limit\n" in podium("allowance", "iris").out


def test_who_may_not_submit_learns_why_and_when(podium: Podium, gateway: Gateway):
    no = allowance(can=False, reason="Those of today are used.", left_in_window=0, changes="2026-01-03T00:00:00+00:00")
    gateway.on("GET /competitions/iris/allowance", no)
    ran = podium("allowance", "iris")
    assert ran.code == 6
    assert ran.out.splitlines() == [
        "You can't submit to iris, phase Final: Those of today are used.",
        "  left     0 within 24 hours, 1 at a time",
        "  again    2026-01-03 00:00 UTC",
    ]
    ran = podium("allowance", "iris", "--json")
    assert ran.code == 6
    assert json.loads(ran.out)["can"] is False


def test_a_participant_is_allowed_more(podium: Podium, gateway: Gateway):
    call = "PUT /competitions/iris/phases/Final/extra-allowances/ada"
    gateway.on(call, EXTRA)
    options = ("--phase", "Final", "--reason", "Your power was out.")
    ran = podium("participant", "allow", "iris", "ada", *options, "--per-day", "2", "--at-once", "1")
    assert ran.code == 0
    assert ran.err == "ada may submit 2 more a day or in its window, 1 more at a time in phase Final of iris\n"
    assert gateway.called(call)[0].json == {
        "per_window": 2,
        "total": 0,
        "concurrent": 1,
        "reason": "Your power was out.",
    }
    gateway.on(call, EXTRA | {"per_window": 0, "concurrent": 0})
    ran = podium("participant", "allow", "iris", "ada", *options, "--none")
    assert ran.err == "ada may submit no more than the others in phase Final of iris\n"
    assert gateway.called(call)[1].json == {"per_window": 0, "total": 0, "concurrent": 0, "reason": options[3]}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--phase", "1", "--reason", "x"), "--per-day, --total, --at-once, or --none"),
        (("--phase", "1", "--reason", "x", "--none", "--total", "1"), "--none can't be had together"),
        (("--phase", "1", "--total", "1"), "Missing option '--reason'"),
        (("--reason", "x", "--total", "1"), "Missing option '--phase'"),
        (("--phase", "1", "--reason", "x", "--total", "-1"), "--total"),
    ],
)
def test_what_is_allowed_must_be_said(podium: Podium, gateway: Gateway, options: tuple[str, ...], said: str):
    ran = podium("participant", "allow", "iris", "ada", *options)
    assert ran.code == 2
    assert said in ran.err
    assert gateway.calls == []


def test_who_does_not_take_part_can_not_be_allowed_more(podium: Podium, gateway: Gateway):
    gateway.on("PUT /competitions/iris/phases/1/extra-allowances/bob", (404, "not-found", "'bob' does not take part."))
    ran = podium("participant", "allow", "iris", "bob", "--phase", "1", "--total", "3", "--reason", "x")
    assert ran.code == 5
    assert "'bob' does not take part." in ran.err


def test_extra_allowances_are_listed_over_all_phases(podium: Podium, gateway: Gateway, samples: type[Samples]):
    (phase,) = samples.competition()["phases"]
    phases = [phase, phase | {"number": 2, "name": "Second"}]
    gateway.on("GET /competitions/iris", samples.competition(phases=phases))
    gateway.on("GET /competitions/iris/phases/1/extra-allowances", [EXTRA])
    gateway.on("GET /competitions/iris/phases/2/extra-allowances", [EXTRA | {"phase": "Second"}])
    rows = list(csv.DictReader(io.StringIO(podium("participant", "allowances", "iris", "--csv").out)))
    assert [(row["username"], row["phase"], row["per day"], row["by"]) for row in rows] == [
        ("ada", "Final", "2", "grace"),
        ("ada", "Second", "2", "grace"),
    ]
    gateway.on("GET /competitions/iris/phases/Second/extra-allowances", [])
    ran = podium("participant", "allowances", "iris", "--phase", "Second")
    assert ran.out == "Nobody is allowed more than the others.\n"


def queue(**changes: object) -> dict[str, object]:
    return {
        "pool": "docker",
        "agents": 2,
        "slots": 8,
        "queued": 3,
        "queued_reruns": 40,
        "under_way": 8,
        "queued_in_pool": 50,
        "oldest_seconds": 754.0,
        "typical_seconds": {"Final": 1.5},
        "reason": "",
    } | changes


def test_a_queue_is_shown_in_words(podium: Podium, gateway: Gateway):
    gateway.on("GET /competitions/iris/queue", queue())
    assert podium("queue", "iris").out.splitlines() == [
        "  pool       docker: 2 agents, 8 at the same time",
        "  queued     3",
        "  behind     40 of reruns and migrations, which wait for all others",
        "  oldest     waits for 13 min",
        "  under way  8",
        "  others     7 of other competitions are queued in the pool",
        "  takes      1.5 s in phase Final",
    ]
    assert json.loads(podium("queue", "iris", "--json").out)["slots"] == 8


def test_a_queue_that_stands_says_why_first(podium: Podium, gateway: Gateway):
    stands = queue(agents=0, slots=0, under_way=0, reason="No agent of pool 'docker' is running.")
    gateway.on("GET /competitions/iris/queue", stands)
    first, second, *_ = podium("queue", "iris").out.splitlines()
    assert first == "Nothing can be taken: No agent of pool 'docker' is running."
    assert "0 agents" in second
    gateway.on("GET /competitions/iris/queue", queue(oldest_seconds=None, reason="No agent has 2 GPUs."))
    out = podium("queue", "iris").out
    assert out.startswith("Not everything can be taken: No agent has 2 GPUs.\n")
    assert "oldest" not in out
    gateway.on("GET /competitions/iris/queue", (403, "not-allowed", "You don't organize it."))
    ran = podium("queue", "iris")
    assert ran.code == 4
    assert ran.err.splitlines() == ["Error: You may not do this", "  You don't organize it.", "  Do this."]


@pytest.fixture
def phases(samples: type[Samples]) -> list[dict[str, object]]:
    (phase,) = samples.competition()["phases"]
    return [
        phase | {"max_concurrent_submissions": 2, "time_zone": "Europe/Paris", "failed_submissions_given_back": 2},
        phase
        | {
            "number": 2,
            "name": "Second",
            "status": "upcoming",
            "max_submissions_per_day": None,
            "paused": True,
            "pause_message": "The data is wrong.",
            "auto_migrate": True,
            "migration": {"status": "running", "message": "Waits for #7.", "copied": 12, "started": NOW, "ended": None},
        },
    ]


def test_phases_are_listed(podium: Podium, gateway: Gateway, samples: type[Samples], phases: list[dict[str, object]]):
    gateway.on("GET /competitions/iris", samples.competition(phases=phases))
    out = podium("phase", "list", "iris").out
    assert "5 a day (Europe/Paris), 2 at a time; 2 failed not counted" in out
    assert "upcoming, paused" in out
    assert "no limit" in out
    assert out.endswith(
        "Second takes no submissions at the moment: The data is wrong.\n"
        "Second: submissions of the phase before are being taken over, 12 so far. Waits for #7.\n"
    )
    rows = list(csv.DictReader(io.StringIO(podium("phase", "list", "iris", "--csv").out)))
    assert [(row["paused"], row["per window"], row["at once"]) for row in rows] == [
        ("false", "5", "2"),
        ("true", "", ""),
    ]
    assert json.loads(podium("phase", "list", "iris", "--json").out)[1]["paused"] is True


def test_a_competition_shows_pauses_windows_and_migrations(
    podium: Podium, gateway: Gateway, samples: type[Samples], phases: list[dict[str, object]]
):
    gateway.on(
        "GET /competitions/iris",
        samples.competition(phases=phases, end=NOW, registration_start=NOW, registration_end=NOW),
    )
    out = podium("competition", "show", "iris").out
    assert "Submissions are taken until 2026-01-02 03:04 UTC.\n" in out
    assert "One may join from 2026-01-02 03:04 UTC until 2026-01-02 03:04 UTC.\n" in out
    assert "5 a day (Europe/Paris), 2 at a time" in out
    assert "Second takes no submissions at the moment: The data is wrong." in out
    assert "12 so far. Waits for #7." in out
    finished = {"status": "finished", "message": "", "copied": 1, "started": NOW, "ended": NOW}
    phases[1]["migration"] = finished
    gateway.on("GET /competitions/iris", samples.competition(phases=phases))
    assert "Second: 1 submission of the phase before was taken over.\n" in podium("competition", "show", "iris").out
    phases[1]["migration"] = None
    gateway.on("GET /competitions/iris", samples.competition(phases=phases))
    assert "is scored in it when it begins." in podium("competition", "show", "iris").out


def test_a_phase_is_paused_and_resumed(
    podium: Podium, gateway: Gateway, samples: type[Samples], phases: list[dict[str, object]]
):
    gateway.on("PATCH /competitions/iris/phases/second", samples.competition(phases=phases))
    ran = podium("phase", "pause", "iris", "second", "--message", "The data is wrong.")
    assert ran.code == 0
    assert ran.err == "Phase Second of iris is paused: The data is wrong.\n"
    assert gateway.calls[-1].json == {"paused": True, "pause_message": "The data is wrong."}
    gateway.on("PATCH /competitions/iris/phases/1", samples.competition(phases=phases))
    ran = podium("phase", "resume", "iris", "1")
    assert ran.err.startswith("Phase Final of iris is open: from 2026-01-02 03:04 UTC without an end; 5 a day")
    assert gateway.calls[-1].json == {"paused": False}
    assert podium("phase", "pause", "iris", "1").code == 2
    gateway.on("PATCH /competitions/iris/phases/9", (404, "not-found", "'iris' has no phase '9'."))
    assert podium("phase", "pause", "iris", "9", "-m", "x").code == 5


def test_the_competition_may_be_the_default(
    podium: Podium, gateway: Gateway, samples: type[Samples], monkeypatch: pytest.MonkeyPatch
):
    gateway.on("PATCH /competitions/iris/phases/1", samples.competition())
    ran = podium("phase", "resume", "1")
    assert ran.code == 2
    assert "podium config set competition SLUG" in ran.err
    monkeypatch.setenv("PODIUM_COMPETITION", "iris")
    ran = podium("phase", "resume", "1")
    assert ran.code == 0
    assert ran.err.startswith("Using competition: iris\nPhase Final of iris is open")
    ran = podium("phase", "resume", "iris", "The", "last")
    assert ran.code == 2
    assert "quote what has spaces in it" in ran.err


def test_a_phase_is_changed(podium: Podium, gateway: Gateway, samples: type[Samples]):
    gateway.on("PATCH /competitions/iris/phases/1", samples.competition())
    dates = ("--start", "2026-05-31T12:00+02:00", "--end", "2026-06-30")
    ran = podium("phase", "change", "iris", "1", *dates, "--per-day", "3", "--total", "none")
    assert ran.code == 0
    assert ran.err.startswith("--end 2026-06-30 has no time zone: it is taken as 2026-06-30 00:00 UTC\nPhase Final of ")
    assert gateway.calls[-1].json == {
        "start": "2026-05-31T12:00:00+02:00",
        "end": "2026-06-30T00:00:00+00:00",
        "max_submissions_per_day": 3,
        "without_limits": ["max_submissions"],
    }
    for option in (("--without-end",), ("--end", "none")):
        assert podium("phase", "change", "iris", "1", *option).code == 0
        assert gateway.calls[-1].json == {"without_end": True}
    # As the command line itself shows times.
    podium("phase", "change", "iris", "1", "--end", "2026-06-30 12:00 UTC", "--at-once", "1")
    assert gateway.calls[-1].json == {"end": "2026-06-30T12:00:00+00:00", "max_concurrent_submissions": 1}
    assert json.loads(podium("phase", "change", "iris", "1", "--per-day", "1", "--json").out)["summary"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "Say what to change"),
        (("--end", "now", "--without-end"), "can't be had together"),
        (("--end", "31.5.2026"), "'31.5.2026' is not a date"),
        (("--per-day", "some"), "'some' is neither a whole number nor `none`"),
        (("--per-day", "-1"), "neither a whole number"),
        (("--at-once", "0"), "podium phase pause"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(podium: Podium, gateway: Gateway, options: tuple[str, ...], said: str):
    ran = podium("phase", "change", "iris", "1", *options)
    assert ran.code == 2
    assert said in ran.err
    assert gateway.calls == []


def test_a_refused_change_says_every_problem(podium: Podium, gateway: Gateway):
    gateway.on("PATCH /competitions/iris/phases/1", (422, "invalid-input", "Phase 1 would end after phase 2 begins."))
    ran = podium("phase", "change", "iris", "1", "--end", "2026-06-30T00:00Z")
    assert ran.code == 2
    assert "Phase 1 would end after phase 2 begins." in ran.err


def test_windows_are_changed(podium: Podium, gateway: Gateway, samples: type[Samples]):
    gateway.on("PATCH /competitions/iris/windows", samples.competition(end=NOW))
    options = ("--end", NOW, "--start", "none", "--registration-end", "none")
    ran = podium("competition", "windows", "iris", *options)
    assert ran.err == "iris: Submissions are taken until 2026-01-02 03:04 UTC.\n"
    assert gateway.calls[-1].json == {"end": NOW, "unbounded": ["start", "registration_end"]}
    gateway.on("PATCH /competitions/iris/windows", samples.competition())
    ran = podium("competition", "windows", "iris", "--registration-start", "now")
    assert ran.err == "iris: Nothing but its phases bounds submissions, and anybody may join.\n"
    body = gateway.calls[-1].json
    assert isinstance(body, dict)
    assert list(body) == ["registration_start"]
    ran = podium("competition", "windows", "iris")
    assert ran.code == 2
    assert "--registration-start" in ran.err
