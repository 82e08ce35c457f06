"""Collaborators and the audit log on the command line."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Gateway, Podium

NOW = "2026-01-02T03:04:05+00:00"
COLLABORATOR = {"username": "cora", "name": "Cora", "added_by": "person:olga", "since": NOW}


def line(number: int = 7, **changes: object) -> dict[str, object]:
    return {
        "id": number,
        "time": NOW,
        "username": "olga",
        "role": "owner",
        "token": "laptop",
        "address": "192.0.2.7",
        "request_id": "00000000-0000-0000-0000-000000000007",
        "route": "PATCH /competitions/{slug}/phases/{phase}",
        "act": "change a phase",
        "competition": "iris",
        "object": "phase 1",
        "before": "",
        "after": "paused",
        "reason": "pause: None → A wrong label",
    } | changes


def test_collaborators_are_added_removed_and_listed(podium: Podium, gateway: Gateway):
    gateway.on("PUT /competitions/iris/collaborators/cora", COLLABORATOR)
    assert "cora organizes iris with its owner" in podium("collaborator", "add", "iris", "cora").err
    gateway.on("DELETE /competitions/iris/collaborators/cora", "")
    assert "cora organizes iris no more" in podium("collaborator", "remove", "iris", "cora").err
    gateway.on("GET /competitions/iris/collaborators", [COLLABORATOR])
    shown = podium("collaborator", "list", "iris").out
    assert "cora" in shown
    assert "olga" in shown
    gateway.on("GET /competitions/iris/collaborators", [])
    assert podium("collaborator", "list", "iris").out == "Its owner organizes it alone.\n"


def test_the_audit_log_of_a_competition(podium: Podium, gateway: Gateway):
    gateway.on("GET /competitions/iris/audit", [line(7), line(6, act="add a collaborator")], [])
    ran = podium("audit", "iris", "--since", "2026-01-01", "--actor", "olga", "--act", "a")
    assert ran.code == 0
    assert "change a phase" in ran.out
    assert "A wrong label" in ran.out
    first, second = gateway.called("GET /competitions/iris/audit")
    assert first.query == {"since": "2026-01-01T00:00:00+00:00", "actor": "olga", "act": "a", "limit": "500"}
    assert second.query["before"] == "6"


def test_the_audit_log_of_everything_for_programs(podium: Podium, gateway: Gateway):
    gateway.on("GET /audit", [line()], [])
    (row,) = csv.DictReader(io.StringIO(podium("audit", "--csv").out))
    assert (row["address"], row["token"], row["id"]) == ("192.0.2.7", "laptop", "7")
    gateway.on("GET /audit", [line(address=None)], [])
    (found,) = json.loads(podium("audit", "--json").out)
    assert (found["act"], found["address"]) == ("change a phase", None)


def test_no_more_lines_than_asked_for(podium: Podium, gateway: Gateway):
    gateway.on("GET /audit", [line(number) for number in range(9, 4, -1)], [])
    assert len(json.loads(podium("audit", "--limit", "2", "--json").out)) == 2
    assert len(gateway.calls) == 1


@pytest.mark.parametrize("words", [["--limit", "0"], ["--json", "--csv"], ["--since", "yesterday"]])
def test_what_can_not_be_asked(podium: Podium, words: list[str]):
    assert podium("audit", *words).code == 2


def test_who_calls_too_fast_is_told_when_to_come_back(podium: Podium, gateway: Gateway):
    gateway.on("GET /audit", (429, "too-many-requests", "You call faster than this platform answers."))
    ran = podium("audit")
    assert ran.code == 7
    assert "You call faster" in ran.err
