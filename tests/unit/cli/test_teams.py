"""`podium team`, and who people are at the provider."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Gateway, Podium

WHEN = "2026-05-31T12:00:00+00:00"
TEAM = {
    "name": "Night Owls",
    "captain": "ada",
    "members": ["ada", "bea"],
    "max_members": 4,
    "deadline": WHEN,
    "created": WHEN,
}
IDENTITY = {
    "id": str(UUID(int=1)),
    "username": "ada",
    "issuer": "https://sso.example.org",
    "subject": "subject-of-ada",
    "email": "ada@uni.example",
    "created": WHEN,
    "last_used": None,
}


def test_a_team_is_made_shown_and_joined(podium: Podium, gateway: Gateway):
    gateway.on("POST /competitions/iris/teams", TEAM)
    assert "podium team code iris" in podium("team", "create", "iris", "--name", "Night Owls").err
    assert gateway.calls[-1].json == {"name": "Night Owls"}
    gateway.on("GET /competitions/iris/team", TEAM)
    shown = podium("team", "show", "iris")
    assert shown.out.splitlines() == ["Night Owls", "  ada (captain)", "  bea"]
    assert "2 of 4 who may be in it, until 2026-05-31" in shown.err
    gateway.on("POST /competitions/iris/team/code", {"code": "s3cr3t", "expires": WHEN})
    assert podium("team", "code", "iris").out.strip() == "s3cr3t"  # alone, so that it can be piped
    gateway.on("POST /competitions/iris/team/members", TEAM)
    assert "with ada, bea" in podium("team", "join", "iris", "--code", " s3cr3t ").err
    assert gateway.calls[-1].json == {"code": "s3cr3t"}


def test_a_team_is_led_and_left(podium: Podium, gateway: Gateway):
    gateway.on("PATCH /competitions/iris/team", TEAM)
    assert "Night Owls" in podium("team", "rename", "iris", "--name", "Night Owls").err
    assert "ada is the captain" in podium("team", "captain", "iris", "--username", "ada").err
    assert gateway.calls[-1].json == {"captain": "ada"}
    gateway.on("DELETE /competitions/iris/team/members/bea", "")
    assert "bea is in your team no more" in podium("team", "remove", "iris", "--username", "bea").err
    gateway.on("GET /competitions/iris/teams", [TEAM])
    assert "ada, bea" in podium("team", "list", "iris", "--csv").out


def test_administrators_link_people_to_the_provider(podium: Podium, gateway: Gateway):
    gateway.on("POST /people/ada/identities", IDENTITY)
    assert "signs in as ada" in podium("person", "link", "ada", "--subject", "subject-of-ada").err
    assert gateway.calls[-1].json == {"subject": "subject-of-ada"}
    gateway.on("GET /people/ada/identities", [IDENTITY])
    assert "subject-of-ada" in podium("person", "sign-ins", "ada", "--csv").out
    gateway.on(f"DELETE /identities/{UUID(int=1)}", IDENTITY)
    assert "does not sign in as ada any more" in podium("person", "unlink", str(UUID(int=1))).err
