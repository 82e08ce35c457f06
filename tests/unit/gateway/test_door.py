"""What stands before the routes: nothing runs that it has not let in."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request

from podium.platform.gateway import access
from podium.platform.gateway.access import ACCESS, faults_of, let_in
from podium.platform.gateway.app import ROUTES
from podium.platform.gateway.rules import Audited, NotAudited, Role, Rule, Scope


def request(door: str, route: str) -> Request:
    made = Request({"type": "http", "route": SimpleNamespace(name=route)})
    made.state.door = door
    return made


def test_a_route_runs_only_if_the_door_let_in_for_that_one() -> None:
    asyncio.run(let_in(request("me", "me")))
    with pytest.raises(RuntimeError, match="let 'health' in, and 'list_people' runs"):
        asyncio.run(let_in(request("health", "list_people")))


def test_without_a_door_nothing_runs() -> None:
    app, ran = FastAPI(dependencies=[Depends(let_in)]), []

    @app.get("/me")
    def me() -> None:
        ran.append(True)

    async def ask() -> int:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
            return (await http.get("/me")).status_code

    assert asyncio.run(ask()) == 500
    assert ran == []


def test_the_table_and_the_routes_agree() -> None:
    assert faults_of(module.router for module in ROUTES) == []


def test_what_is_missing_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    router = APIRouter()

    @router.get("/new")
    def read_new() -> None: ...

    @router.post("/changing")
    def change_new() -> None: ...

    @router.get("/quiet")
    def read_quiet() -> None: ...

    monkeypatch.setattr(
        access,
        "ACCESS",
        {
            "change_new": Rule({Role.PERSON: Scope.OWN}),
            "read_quiet": Rule({Role.PERSON: Scope.OWN}, Audited("read", "thing")),
            "gone": Rule({Role.PERSON: Scope.OWN}),
        },
    )
    assert faults_of([router]) == [
        "'change_new' changes something: say in its row Audited(act, subject), or NotAudited(why)",
        "'read_quiet' changes nothing: its row needs no audit",
        "ACCESS has a row 'gone', and no route has that name: remove it",
        "the route 'read_new' has no row in ACCESS: add one, `\"read_new\": ...`",
    ]


def test_every_reason_not_to_audit_is_one() -> None:
    for name, rule in ACCESS.items():
        if isinstance(rule.audit, NotAudited):
            assert rule.audit.why.endswith("."), name
        if isinstance(rule.audit, Audited):
            assert len(rule.audit.act) <= 60
