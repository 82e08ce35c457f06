"""Leaderboards of the past, searched, with their history, and verified."""

from __future__ import annotations

import io
import json
import re
import sys
from typing import TYPE_CHECKING

import pytest

from podium.platform.cli.leaderboards import board_text
from podium.platform.client.conversion import record_from_json
from podium.platform.records.leaderboards import LeaderboardRecord

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Gateway, Podium, Samples

BOARD = "GET /competitions/iris/leaderboard"
HISTORY = "GET /competitions/iris/leaderboard/history"
VERIFICATION = "GET /competitions/iris/leaderboard/verification"
REPAIR = "POST /competitions/iris/leaderboard/repair"
DAY = "2026-05-31T12:00:00+00:00"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def words(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_a_board_of_the_past_says_that_it_is(podium: Podium, gateway: Gateway, samples: type[Samples]):
    gateway.on(BOARD, samples.board(samples.row(1, "grace", 0.9), as_of=DAY))
    ran = podium("leaderboard", "iris", "--as-of", "2026-05-31T14:00+02:00")
    assert words(ran.out)[0] == "Results: Iris, phase Final, as it stood at 2026-05-31 12:00 UTC"
    assert gateway.calls[-1].query == {"limit": "50", "as_of": "2026-05-31T14:00:00+02:00"}
    gateway.on(BOARD, samples.board(as_of=DAY))
    assert "Nobody was on it." in podium("leaderboard", "iris", "--as-of", DAY).out
    ran = podium("leaderboard", "iris", "--as-of", "yesterday")
    assert (ran.code, "is not a date" in ran.err) == (2, True)


def test_a_csv_of_the_past_is_asked_of_the_gateway(podium: Podium, gateway: Gateway):
    gateway.on(f"{BOARD}.csv", "rank,participant\r\n1,ada\r\n")
    ran = podium("leaderboard", "iris", "--csv", "--as-of", "2026-05-31T12:00Z")
    assert ran.out.splitlines() == ["rank,participant", "1,ada"]
    assert gateway.calls[-1].query == {"as_of": DAY}


def test_participants_are_searched_with_the_ranks_of_the_whole_board(
    podium: Podium, gateway: Gateway, samples: type[Samples]
):
    gateway.on(BOARD, samples.board(samples.row(41, "grace", 0.9)))
    ran = podium("leaderboard", "iris", "--search", "gra", "--json")
    assert [row["rank"] for row in json.loads(ran.out)["rows"]] == [41]
    assert gateway.calls[-1].query == {"limit": "50", "search": "gra"}
    gateway.on(BOARD, samples.board())
    assert "Nobody on it has 'zoe' in their name." in podium("leaderboard", "iris", "--search", "zoe").out
    ran = podium("leaderboard", "iris", "--search", "gra", "--csv")
    assert (ran.code, "search in it" in ran.err) == (2, True)


TASKS = ("Easy to tell", "Hard", "Never seen before")


def board_by_task(samples: type[Samples]) -> dict[str, object]:
    columns = [samples.column(), samples.column(key="loss", title="Log loss", sorting="asc", is_primary=False)]
    scores = [[0.9, 0.25], [0.8, None], [0.7, 0.5]]
    rows = [
        samples.row(1, "grace-of-the-long-name", 0.8, 0.375, task_scores=scores),
        samples.row(2, "ada", 0.5, 0.5),
    ]
    return samples.board(*rows, columns=columns, tasks=list(TASKS))


def test_what_each_task_gave_is_shown_where_it_is_asked_for(podium: Podium, gateway: Gateway, samples: type[Samples]):
    gateway.on(BOARD, board_by_task(samples))
    plain = podium("leaderboard", "iris").out
    assert "Of 3 tasks: --by-task shows what each gave" in plain
    lines = words(podium("leaderboard", "iris", "--by-task").out)
    assert lines[2] == (
        "rank participant Accuracy ↑ Log loss ↓ Easy to tell Accuracy ↑ Easy to tell Log loss ↓ "
        "Hard Accuracy ↑ Hard Log loss ↓ Never seen before Accuracy ↑ Never seen before Log loss ↓"
    )
    assert lines[3:5] == [
        "1 grace-of-the-long-name 0.800 0.375 0.900 0.250 0.800 - 0.700 0.500",
        "2 ada 0.500 0.500 - - - - - -",
    ]
    gateway.on(BOARD, samples.board(samples.row(1, "grace", 0.9)))
    assert "date" in podium("leaderboard", "iris", "--by-task").out


def test_what_each_task_gave_can_be_read_on_80_columns(samples: type[Samples], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    text = re.sub(
        r"\x1b\[[0-9;]*m", "", board_text(record_from_json(LeaderboardRecord, board_by_task(samples)), by_task=True)
    )
    assert max(len(line) for line in text.splitlines()) <= 80
    # Who it is stands in each of the tables, and the tasks above their columns.
    assert text.count("grace-of-the-long-name") > 1
    assert all(text.count(task) == 2 for task in TASKS)


def point(rank: int | None, score: float | None, number: int) -> dict[str, object]:
    return {"moment": DAY, "rank": rank, "scores": [score], "submission_number": number}


def test_how_ranks_came_about_is_a_table(podium: Podium, gateway: Gateway, samples: type[Samples]):
    gateway.on(BOARD, samples.board())
    gateway.on(HISTORY, [point(None, None, 3), point(2, 0.98765, 7)])
    ran = podium("leaderboard", "history", "iris", "--participant", "ada", "--phase", "Final")
    assert ran.err == ""
    assert words(ran.out) == [
        "date rank Accuracy ↑ submission",
        "2026-05-31 12:00 UTC - - 3",
        "2026-05-31 12:00 UTC 2 0.988 7",
    ]
    assert gateway.calls[-1].query == {"phase": "Final", "participant": "ada"}
    podium("leaderboard", "history", "iris")
    assert gateway.calls[-1].query == {}
    csv = podium("leaderboard", "history", "iris", "--csv").out.splitlines()
    assert csv[-1].endswith(",2,0.98765,7")
    gateway.on(HISTORY, [])
    ran = podium("leaderboard", "history", "iris")
    assert "Nobody has been on it yet." in ran.out + ran.err


def test_a_history_that_is_not_told_says_why(podium: Podium, gateway: Gateway, samples: type[Samples]):
    gateway.on(BOARD, samples.board())
    gateway.on(HISTORY, (403, "not-allowed", "This leaderboard is anonymous."))
    ran = podium("leaderboard", "history", "iris", "--participant", "bob")
    assert ran.code != 0
    assert "This leaderboard is anonymous." in ran.err


def difference(number: int | None, message: str) -> dict[str, object]:
    return {"phase": "Final", "submission_number": number, "message": message}


@pytest.mark.parametrize(("option", "call", "code"), [((), VERIFICATION, 1), (("--repair",), REPAIR, 0)])
def test_what_differs_is_told_and_a_script_hears_of_it(
    podium: Podium, gateway: Gateway, option: tuple[str, ...], call: str, code: int
):
    gateway.on(call, [difference(3, "has scores (0.7), and should have (0.5)"), difference(None, "is counted wrong")])
    ran = podium("leaderboard", "verify", "iris", *option)
    assert ran.code == code
    assert ran.out.splitlines() == [
        "iris, phase Final: Submission 3 has scores (0.7), and should have (0.5).",
        "iris, phase Final: The board is counted wrong.",
    ]
    assert ("Repaired: 2" in ran.err) is bool(option)


def test_without_a_name_all_boards_are_verified(podium: Podium, gateway: Gateway, samples: type[Samples]):
    gateway.on("GET /competitions", [samples.summary()], [])
    gateway.on(VERIFICATION, [])
    ran = podium("leaderboard", "verify")
    assert (ran.code, ran.out, ran.err) == (0, "", "iris: as it should be\n")
