"""Campaigns on the command line: what is sent, asked and shown."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Gateway, Podium

NOW = "2026-01-02T03:04:05+00:00"
CAMPAIGNS = "/competitions/iris/campaigns"
ALL = {
    "who": "participants",
    "status": "approved",
    "phase": None,
    "submitted": None,
    "failed": False,
    "top": None,
    "usernames": [],
}


def campaign(status: str = "draft", version: int = 1, **changes: object) -> dict[str, object]:
    return {
        "id": "00000000-0000-0000-0000-000000000009",
        "number": 4,
        "competition": "iris",
        "subject": "Hello {{name}}",
        "body": "Dear {{name}}",
        "audience": "participants",
        "question": ALL,
        "author": "grace",
        "approved_by": [],
        "needs_second": False,
        "status": status,
        "status_message": "",
        "version": version,
        "scheduled": None,
        "total": 0 if status == "draft" else 120,
        "left_out": {},
        "counts": {},
        "created": NOW,
        "started": None,
        "ended": None,
    } | changes


@pytest.fixture
def message(tmp_path: Path) -> Path:
    file = tmp_path / "message.md"
    file.write_text("Subject: Hello {{name}}\n\nDear {{name}}\n")
    return file


def test_a_draft_says_what_is_written_and_to_how_many(podium: Podium, gateway: Gateway, message: Path) -> None:
    gateway.on(f"POST {CAMPAIGNS}", campaign())
    gateway.on(f"POST {CAMPAIGNS}/count", {"total": 1200, "left_out": {"opted out": 3}})
    done = podium("mail", "draft", str(message), "iris", "--top", "10", "--phase", "Final")
    assert done.code == 0
    assert done.out == "4\n"
    assert "1,200 recipients" in done.err
    assert "3 who want no such mail" in done.err
    assert "podium mail approve iris 4" in done.err
    sent = gateway.called(f"POST {CAMPAIGNS}")[0].json
    assert sent == {
        "subject": "Hello {{name}}",
        "body": "Dear {{name}}\n",
        "audience": ALL | {"top": 10, "phase": "Final"},
    }


@pytest.mark.parametrize(
    ("options", "audience"),
    [
        ((), {}),
        (("--participants", "all"), {"status": None}),
        (("--participants", "pending"), {"status": "pending"}),
        (("--with-submission",), {"submitted": True}),
        (("--without-submission",), {"submitted": False}),
        (("--failed",), {"failed": True}),
        (("--organizers",), {"who": "organizers"}),
        (("--to", "ada", "--to", "bob"), {"who": "people", "usernames": ["ada", "bob"]}),
    ],
)
def test_to_whom_is_said_by_options(
    podium: Podium, gateway: Gateway, options: tuple[str, ...], audience: dict[str, object]
) -> None:
    gateway.on(f"POST {CAMPAIGNS}/count", {"total": 1, "left_out": {}})
    assert podium("mail", "count", "iris", *options).out == "1 recipient\n"
    assert gateway.called(f"POST {CAMPAIGNS}/count")[-1].json == {"audience": ALL | audience}


@pytest.mark.parametrize(
    ("options", "change"),
    [
        (("--subject", "Bye"), {"subject": "Bye"}),
        (("--participants", "approved"), {"audience": ALL}),
        (("--without-submission", "--subject", "Bye"), {"subject": "Bye", "audience": ALL | {"submitted": False}}),
        (("--participants", "all", "--top", "3"), {"audience": ALL | {"status": None, "top": 3}}),
        (("--failed", "--phase", "2"), {"audience": ALL | {"failed": True, "phase": "2"}}),
        (("--organizers",), {"audience": ALL | {"who": "organizers"}}),
        (("--to", "ada", "--to", "bob"), {"audience": ALL | {"who": "people", "usernames": ["ada", "bob"]}}),
    ],
)
def test_a_draft_is_changed_in_what_it_says_and_in_whom_it_goes_to(
    podium: Podium, gateway: Gateway, options: tuple[str, ...], change: dict[str, object]
) -> None:
    gateway.on(f"PATCH {CAMPAIGNS}/4", campaign(version=2, audience="those"))
    gateway.on(f"POST {CAMPAIGNS}/count", {"total": 12, "left_out": {"opted out": 3}})
    done = podium("mail", "edit", "iris", "4", *options)
    assert done.code == 0, done.err
    assert "to       those" in done.out
    assert gateway.called(f"PATCH {CAMPAIGNS}/4")[-1].json == change
    assert ("12 recipients" in done.err) == ("audience" in change)


def test_what_can_not_be_had_together_is_said(podium: Podium, tmp_path: Path) -> None:
    assert podium("mail", "count", "iris", "--organizers", "--to", "ada").code == 2
    assert podium("mail", "count", "iris", "--participants", "denied").code == 2
    assert podium("mail", "edit", "iris", "4").code == 2
    assert podium("mail", "edit", "iris", "4", "--organizers", "--to", "ada").code == 2
    assert podium("mail", "edit", "iris", "4", "--participants", "denied").code == 2
    assert podium("mail", "settle", "iris", "4").code == 2
    assert podium("mail", "show", "iris", "four").code == 2
    (tmp_path / "bare.md").write_text("Dear all\n")
    refused = podium("mail", "draft", str(tmp_path / "bare.md"), "iris")
    assert "has no subject" in refused.err
    assert "can't be read" in podium("mail", "draft", str(tmp_path / "none.md"), "iris").err


def test_approving_shows_what_is_approved(podium: Podium, gateway: Gateway) -> None:
    gateway.on(f"GET {CAMPAIGNS}/4", campaign(version=7))
    gateway.on(f"POST {CAMPAIGNS}/count", {"total": 120, "left_out": {}})
    gateway.on(f"POST {CAMPAIGNS}/4/approve", campaign("approved", 8, approved_by=["grace"]))
    refused = podium("mail", "approve", "iris", "4")
    assert refused.code == 2
    assert "--yes" in refused.err
    done = podium("mail", "approve", "iris", "4", "--yes")
    assert done.code == 0
    assert "Dear {{name}}" in done.err
    assert "120 recipients" in done.err
    assert gateway.called(f"POST {CAMPAIGNS}/4/approve")[-1].json == {"version": 7}
    assert "podium mail send iris 4" in done.out


def test_sending_is_followed_to_its_end(podium: Podium, gateway: Gateway) -> None:
    under_way = campaign("sending", 9, counts={"sent": 60, "queued": 60})
    over = campaign(
        "sent", 10, counts={"sent": 117, "failed": 2, "unsettled": 1}, status_message="1 message may have arrived."
    )
    gateway.on(f"GET {CAMPAIGNS}/4", campaign("approved", 8), under_way, over)
    gateway.on(f"POST {CAMPAIGNS}/4/send", under_way)
    done = podium("mail", "send", "iris", "4", "--yes", "--wait")
    assert done.code == 0
    assert "sending, 60 of 120 sent" in done.err
    assert "sent, 117 of 120 sent, 2 refused, 1 unsettled: 1 message may have arrived." in done.out
    assert "podium mail settle iris 4" in done.out


def test_a_campaign_that_did_not_go_out_is_told_by_the_exit_status(podium: Podium, gateway: Gateway) -> None:
    gateway.on(f"GET {CAMPAIGNS}/4", campaign("paused", 9, status_message="It takes nothing."))
    done = podium("mail", "show", "iris", "4", "--watch")
    assert done.code == 1
    assert "It takes nothing." in done.out
    assert "podium mail resume iris 4" in done.out


def test_a_message_that_came_back_is_told_signed(
    podium: Podium, gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gateway.on("POST /mail/returned", {})
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"It came back.\xff")))
    assert "no secret" in podium("mail", "returned").err
    secret = tmp_path / "secret"
    secret.write_text("s" * 32 + "\n")
    monkeypatch.setenv("PODIUM_MAIL_SECRET_FILE", str(secret))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"It came back.\xff")))
    assert podium("mail", "returned").code == 0
    (call,) = gateway.called("POST /mail/returned")
    assert call.body == b"It came back.\xff"
    assert call.token == ""


def test_what_mail_one_gets(podium: Podium, gateway: Gateway) -> None:
    found = {
        "address": "ada@example.org",
        "reachable": False,
        "trouble": "It came back.",
        "frequencies": {"announcement": "none", "rank": "at_once"},
        "stopped": ["iris"],
    }
    gateway.on("GET /me/mail", found)
    assert podium("mail", "mine").out == (
        "To ada@example.org: It came back.\n"
        "  announcement  none     what organizers announce\n"
        "  rank          at once  a rerun has changed my rank\n"
        "  iris: no announcements\n"
    )
    assert json.loads(podium("mail", "mine", "--json").out) == found
