"""What files take, and removing them, on the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Gateway, Podium

ID = "00000000-0000-0000-0000-000000000007"
USAGE = {
    "username": "ada",
    "quota": 4_000_000,
    "used": 1_000_000,
    "own_quota": None,
    "by_kind": {"submissions": 400_000, "outputs": 600_000},
}
FILE = {
    "kind": "submission",
    "id": ID,
    "name": "iris #3: large.zip",
    "size": 1_500_000,
    "created": "2026-01-02T03:04:05+00:00",
    "in_use": "it stands on the leaderboard",
}


def test_what_ones_files_take(podium: Podium, gateway: Gateway) -> None:
    gateway.on("GET /me/storage", USAGE)
    lines = podium("storage", "usage").out.splitlines()
    assert lines[0] == "1.0 MB of 4.0 MB used (25 %)"
    assert [line.split() for line in lines[1:]] == [["outputs", "600", "kB"], ["submissions", "400", "kB"]]
    assert json.loads(podium("storage", "usage", "--json").out) == USAGE


def test_what_somebody_elses_take(podium: Podium, gateway: Gateway) -> None:
    gateway.on("GET /people/ada/storage", {**USAGE, "quota": 0})
    assert podium("storage", "usage", "ada").out.splitlines()[0] == "1.0 MB of 0 B used"


def test_files_are_listed_with_what_keeps_them(podium: Podium, gateway: Gateway) -> None:
    gateway.on("GET /me/storage/files", [FILE])
    ran = podium("storage", "files", "--csv")
    assert ",1500000," in ran.out
    assert "it stands on the leaderboard" in ran.out
    gateway.on("GET /me/storage/files", [])
    assert "You have no files here." in podium("storage", "files").out


def test_a_file_is_removed(podium: Podium, gateway: Gateway) -> None:
    gateway.on(f"DELETE /me/storage/files/submission/{ID}", USAGE)
    ran = podium("storage", "remove", "submission", ID)
    assert (ran.code, ran.err.strip()) == (0, "Removed. 1.0 MB of 4.0 MB used (25 %)")
    assert podium("storage", "remove", "picture", ID).code == 2


@pytest.mark.parametrize(("written", "sent"), [("2 MB", {"quota": 2_000_000}), ("default", {})])
def test_a_quota_is_set(podium: Podium, gateway: Gateway, written: str, sent: dict[str, int]) -> None:
    gateway.on("PUT /people/ada/storage", USAGE)
    ran = podium("person", "set-storage-quota", "ada", written)
    assert ran.code == 0
    assert gateway.calls[-1].json == sent
    assert podium("person", "set-storage-quota", "ada", "much").code == 2


def test_a_submission_that_is_gone_on_with_has_its_options_already(podium: Podium, gateway: Gateway) -> None:
    ran = podium("submit", "iris", "--file", "x.zip", "--resume", ID, "--message", "again")
    assert ran.code == 2
    assert "has its phase, message and answers already" in " ".join(ran.err.split())
