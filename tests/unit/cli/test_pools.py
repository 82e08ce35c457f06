"""Pools, agents and their tokens, from the command line."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from podium.platform.cli import agents as agents_cli

if TYPE_CHECKING:
    import pytest

    from tests.unit.cli.conftest import Gateway, Podium, Samples

TIME = "2026-01-02T03:04:05+00:00"
TOKEN_ID = "01a21a9e-b2a0-740a-8465-ee4c0e742af0"
POOL = {
    "name": "annas",
    "runtime": "",
    "agents": 1,
    "queued": 3,
    "owner": "anna",
    "is_yours": True,
    "sees_agents": True,
}
RUN = {"competition": "iris", "number": 7, "submission_id": TOKEN_ID, "attempt": 1, "stage": "scoring", "started": TIME}
AGENT = {
    "name": "rack 1/host",
    "pool": "annas",
    "version": "1",
    "slots": 2,
    "executor": "docker",
    "labels": {"cpus": "4", "images": "a:1,b:2", "image_aliases": "c,"},
    "trouble": "",
    "last_seen": TIME,
    "alive": True,
    "runs": [RUN],
}
TOKEN = {
    "id": TOKEN_ID,
    "name": "host",
    "hint": "pod_abcdef",
    "created": TIME,
    "expires": None,
    "last_used": TIME,
    "revoked": None,
}
PATH = "/pools/annas/agents/rack%201%2Fhost"


def test_a_pool_is_made_shared_and_set(podium: Podium, gateway: Gateway):
    gateway.on("POST /pools", POOL)
    ran = podium("pool", "create", "annas", "--public")
    assert ran.out == "annas\n"
    assert "podium agent token create --pool annas" in ran.err
    assert gateway.calls[-1].json == {"name": "annas", "public": True}
    gateway.on("PUT /pools/annas/users/ben", {})
    assert "ben may use annas" in podium("pool", "share", "annas", "ben").err
    gateway.on("DELETE /pools/annas/users/ben", {})
    assert "not use annas any more" in podium("pool", "unshare", "annas", "ben").err
    gateway.on("PATCH /pools/annas", POOL)
    assert "private" in podium("pool", "set", "annas", "--private").err
    assert gateway.calls[-1].json == {"public": False}
    assert podium("pool", "set", "annas").code == 2
    for command, cordoned in (("cordon", True), ("uncordon", False)):
        assert podium("pool", command, "annas").code == 0
        assert gateway.calls[-1].json == {"cordoned": cordoned}


def test_a_pool_is_shown_with_agents_and_history(podium: Podium, gateway: Gateway):
    past = {"competition": "iris", "number": 6, "submission_id": TOKEN_ID, "attempt": 2, "agent": "rack 1/host"}
    view = {
        "pool": {**POOL, "cordoned": TIME},
        "users": ["ben"],
        "competitions": ["iris"],
        "agents": [AGENT],
        "oldest_seconds": 95.0,
        "outcomes": {"lost": 1, "succeeded": 12},
        "median_seconds": 4.0,
        "attempts": [{**past, "status": "lost", "message": "Gone.", "started": TIME, "seconds": 61.0}],
    }
    gateway.on("GET /pools/annas", view)
    shown = podium("pool", "show", "annas").out
    for words in ("private", "cordoned", "ben", "1 lost, 12 succeeded", "iris #7", "iris #6", "1 of 2", "Gone."):
        assert words in shown
    assert json.loads(podium("pool", "show", "annas", "--json").out)["outcomes"] == {"lost": 1, "succeeded": 12}


def test_agents_are_listed_with_what_they_run(podium: Podium, gateway: Gateway):
    gateway.on("GET /agents", [AGENT, {**AGENT, "name": "gone", "alive": False, "runs": []}])
    ran = list(csv.DictReader(io.StringIO(podium("agents", "--csv").out)))
    assert [(row["state"], row["runs"], row["labels"]) for row in ran] == [
        ("ready", "iris #7", "cpus=4, image_aliases=1+, images=2"),
        ("gone", "", "cpus=4, image_aliases=1+, images=2"),
    ]


def test_an_agent_is_cordoned_and_removed(podium: Podium, gateway: Gateway):
    gateway.on("GET /agents", [AGENT, {**AGENT, "pool": "bens", "name": "two"}, {**AGENT, "name": "two"}])
    gateway.on(f"PATCH {PATH}", {})
    for command, cordoned in (("cordon", True), ("uncordon", False)):
        assert podium("agent", command, "rack 1/host").code == 0
        assert gateway.calls[-1].json == {"cordoned": cordoned}
    gateway.on(f"DELETE {PATH}", {})
    assert "is removed" in podium("agent", "remove", "rack 1/host").err
    assert "--pool" in podium("agent", "remove", "two").err
    assert "no agent" in podium("agent", "remove", "three").err


def test_draining_waits_for_what_runs(podium: Podium, gateway: Gateway, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(agents_cli, "POLL_SECONDS", 0.0)
    idle = {**AGENT, "runs": []}
    gateway.on(f"PATCH {PATH}", {})
    gateway.on("GET /agents", [AGENT], [AGENT], [idle])
    ran = podium("agent", "drain", "rack 1/host")
    assert ran.code == 0
    assert "waits for 1 submission\n" in ran.err
    assert "runs nothing" in ran.err
    gateway.on("PATCH /pools/annas", POOL)
    gateway.on("GET /agents", [AGENT])
    ran = podium("pool", "drain", "annas", "--timeout", "0")
    assert ran.code != 0
    assert "still scored" in ran.err


def test_tokens_of_agents(podium: Podium, gateway: Gateway):
    gateway.on("POST /pools/annas/tokens", {"secret": "pod_secret", "token": TOKEN})
    ran = podium("agent", "token", "create", "--pool", "annas", "--name", "host")
    assert ran.out == "pod_secret\n"
    assert f"podium agent start --gateway {gateway.url}" in ran.err
    gateway.on("GET /pools", [POOL, {**POOL, "name": "docker", "is_yours": False}])
    gateway.on("GET /pools/annas/tokens", [TOKEN])
    (row,) = csv.DictReader(io.StringIO(podium("agent", "token", "list", "--csv").out))
    assert row["last used"] == TIME
    gateway.on(f"POST /agent-tokens/{TOKEN_ID}/rotation", {"secret": "pod_new", "token": TOKEN})
    assert podium("agent", "token", "rotate", TOKEN_ID, "--hours", "2").out == "pod_new\n"
    assert gateway.calls[-1].json == {"hours": 2.0}
    gateway.on(f"DELETE /agent-tokens/{TOKEN_ID}", {**TOKEN, "revoked": TIME})
    assert "revoked since 2026-01-02" in podium("agent", "token", "revoke", TOKEN_ID).err


def test_a_competition_is_moved(podium: Podium, gateway: Gateway, samples: type[Samples]):
    gateway.on("PATCH /competitions/iris", samples.competition())
    assert "iris is scored in annas" in podium("competition", "pool", "iris", "annas").err
    assert gateway.calls[-1].json == {"pool": "annas"}
