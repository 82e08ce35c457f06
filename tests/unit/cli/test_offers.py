"""What a competition offers, and what participants decide, on the command line."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Gateway, Podium, Samples

ID = "00000000-0000-0000-0000-000000000007"
CONTENT = b"a kit"
FILE = {
    "id": ID,
    "kind": "starting_kit",
    "phases": ["First"],
    "task": "",
    "name": "../kit.zip",
    "size": len(CONTENT),
    "sha256": hashlib.sha256(CONTENT).hexdigest(),
}


def test_files_are_listed_and_fetched(podium: Podium, gateway: Gateway, samples: type[Samples], tmp_path: Path) -> None:
    gateway.on("GET /competitions/iris/files", [FILE])
    gateway.on(f"GET /competitions/iris/files/{ID}", samples.signed(f"{gateway.url}/stored"))
    gateway.on("GET /stored", CONTENT)
    assert json.loads(podium("files", "iris", "--json").out) == [FILE]
    ran = podium("files", "iris", "--download", str(tmp_path))
    written = tmp_path / "starting_kit-000007-kit.zip"
    assert ran.out.splitlines() == [str(written)]
    assert written.read_bytes() == CONTENT
    assert podium("files", "iris", "--download", str(tmp_path / "nowhere")).code != 0


@pytest.mark.parametrize(
    ("command", "call", "changes", "words"),
    [
        (("choose", ID), f"PUT /submissions/{ID}/leaderboard", {"on_leaderboard": True}, "stands on the leaderboard."),
        (
            ("choose", ID, "--off"),
            f"DELETE /submissions/{ID}/leaderboard",
            {"on_leaderboard": False},
            "does not stand on the leaderboard.",
        ),
        (("share", ID), f"PUT /submissions/{ID}/shared", {"shared": True}, "is public."),
        (("share", ID, "--off"), f"DELETE /submissions/{ID}/shared", {}, "is private."),
    ],
)
def test_participants_decide(
    podium: Podium,
    gateway: Gateway,
    samples: type[Samples],
    command: tuple[str, ...],
    call: str,
    changes: dict[str, object],
    words: str,
) -> None:
    gateway.on(call, samples.submission("finished", **changes))
    assert words in podium("submission", *command).err
    assert len(gateway.called(call)) == 1


def test_competitions_are_filtered(podium: Podium, gateway: Gateway, samples: type[Samples]) -> None:
    gateway.on("GET /competitions", [samples.summary()])
    podium("competitions", "--search", "iris", "--status", "open", "--mine")
    assert gateway.calls[-1].query == {"search": "iris", "status": "open", "mine": "true"}


def test_what_an_organizer_keeps_off_is_told(podium: Podium, gateway: Gateway, samples: type[Samples]) -> None:
    off = samples.submission("finished", excluded=True, on_leaderboard=False)
    gateway.on("GET /competitions/iris/submissions", [off, samples.submission("finished", number=2)])
    listed = podium("submissions", "iris")
    assert ["finished, kept off" in line for line in listed.out.splitlines()] == [False, True, False]
    assert "Kept off the leaderboard by an organizer" in listed.err
    head, first, second = podium("submissions", "iris", "--csv").out.splitlines()
    assert head.endswith(",status,scores,excluded")
    assert first.endswith(",finished,accuracy=0.93,true")
    assert second.endswith(",finished,accuracy=0.93,false")
    gateway.on(f"GET /submissions/{ID}", off)
    gateway.on("GET /competitions/iris", samples.competition(contact_email="olga@example.org"))
    gateway.on("GET /competitions/iris/leaderboard", samples.board())
    shown = podium("submission", "show", ID).out
    assert "An organizer keeps this submission off the leaderboard." in shown
    assert "Ask the organizers why: olga@example.org." in shown
    assert json.loads(podium("submission", "show", ID, "--json").out)["excluded"] is True
