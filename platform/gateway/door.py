"""The door of the gateway: before a route runs, and before its body is read, the access table has been asked.

In this order: how fast the address calls, how large the body says that it is, whose the token is, how fast they call,
and whether the table lets them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from podium.platform.audit import Act, acting, plain_address
from podium.platform.competitions import organizes_any
from podium.platform.database import Database
from podium.platform.errors import NotAllowed, NotAuthenticated, PodiumError
from podium.platform.gateway.access import ACCESS
from podium.platform.gateway.guards import serve_bounded, too_large
from podium.platform.gateway.pacing import Pacing, counted_as
from podium.platform.gateway.problems import answer_to
from podium.platform.gateway.rules import Audited, Role, Rule
from podium.platform.gateway.rules import Scope as Reach
from podium.platform.identity import Caller, UnknownToken, authenticate
from podium.platform.models import TokenKind

PREFIX = "/api/v1"


class Door:
    """ASGI middleware that lets in whom the table lets in; `request.state.caller` is who that is.

    Args:
        routers: Whose routes it guards. What has another address is passed on: there is nothing, or a public page.
        database: Knows tokens.
        pacing: Counts calls.
    """

    def __init__(self, app: ASGIApp, *, routers: Iterable[APIRouter], database: Database, pacing: Pacing) -> None:
        self._app = app
        self._database = database
        self._pacing = pacing
        self._routes = [
            (compile_path(PREFIX + route.path)[0], frozenset(route.methods or ()), route.path, route.name)
            for router in routers
            for route in router.routes
            if isinstance(route, APIRoute)
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        found = self._find(scope) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        name, path, names = found
        rule = ACCESS[name]
        address = scope["client"][0] if scope.get("client") else ""
        headers = Headers(scope=scope)
        try:
            _require_small(headers, rule.body_bytes)
            caller, roles = await self._who(headers, rule, address)
            _require_role(caller, roles, rule)
        except PodiumError as error:
            await answer_to(error)(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["caller"], state["door"] = caller, name
        act = _act(rule, caller, f"{scope['method']} {path}", names, address, state["request_id"])
        with acting(act) as done:

            async def send_and_end(message: Message) -> None:
                done()  # what goes on after the answer is the platform's doing
                await send(message)

            await serve_bounded(self._app, scope, receive, send_and_end, rule.body_bytes)

    def _find(self, scope: Scope) -> tuple[str, str, Mapping[str, str]] | None:
        """Name, address and names in it of the route that the framework will choose: the first that matches."""
        path, method = scope["path"], scope["method"]
        for pattern, methods, template, name in self._routes:
            if method in methods and (match := pattern.match(path)):
                return name, template, match.groupdict()
        return None

    async def _who(self, headers: Headers, rule: Rule, address: str) -> tuple[Caller | None, frozenset[Role]]:
        scheme, _, secret = headers.get("authorization", "").partition(" ")
        secret = secret.strip()
        if not scheme:
            # Who says who they are is counted by that, and not with everybody behind the same address.
            self._pacing.require(rule.traffic, counted_as(None, address))
            return None, frozenset({Role.ANYONE})
        if scheme.lower() != "bearer" or not secret:
            self._pacing.note_unknown(address)
            raise NotAuthenticated("The Authorization header is not 'Bearer TOKEN'.", remedy="Send it in that form.")
        self._pacing.require_seldom_new(address, secret)
        try:
            caller, roles = await run_in_threadpool(self._authenticate, secret, rule)
        except UnknownToken:
            self._pacing.note_unknown(address)
            raise
        except NotAuthenticated:
            self._pacing.note_spent(secret)
            raise
        self._pacing.note_good(secret)
        self._pacing.require(rule.traffic, counted_as(caller, address))
        return caller, roles

    def _authenticate(self, secret: str, rule: Rule) -> tuple[Caller, frozenset[Role]]:
        with self._database.session() as session:
            caller = authenticate(session, secret)
            roles = roles_of(caller)
            # What is one's own belongs to no competition yet, by which the route could decide.
            if rule.who.get(Role.ORGANIZER) is Reach.OWN and not caller.may_organize:
                roles -= {Role.ORGANIZER}
            if rule.who.get(Role.COLLABORATOR) is Reach.OWN and not organizes_any(session, caller.person_id):
                roles -= {Role.COLLABORATOR}
            return caller, roles


def roles_of(caller: Caller) -> frozenset[Role]:
    """Every role that a token of this kind may have; which of them it has where, depends on what is asked for."""
    if caller.kind is TokenKind.AGENT:
        return frozenset({Role.ANYONE, Role.AGENT})
    if caller.kind is TokenKind.ATTEMPT:
        return frozenset({Role.ANYONE, Role.ATTEMPT})
    roles = {Role.ANYONE, Role.PERSON, Role.PARTICIPANT, Role.COLLABORATOR, Role.ORGANIZER}
    return frozenset(roles | {Role.ADMINISTRATOR} if caller.is_administrator else roles)


def _require_role(caller: Caller | None, roles: frozenset[Role], rule: Rule) -> None:
    """Go on only if the table lets such callers in.

    Raises:
        NotAuthenticated: The route wants a token and there is none.
        NotAllowed: The caller is of another kind than the route takes.
    """
    if roles & rule.roles:
        return
    if caller is None:
        raise NotAuthenticated("This needs a token.", remedy="Sign in with `podium login`.")
    wanted = " or ".join(f"{role}s" for role in sorted(rule.roles))
    raise NotAllowed(f"This is for {wanted} only, and you are none.")


def _require_small(headers: Headers, most: int | None) -> None:
    announced = headers.get("content-length", "0")
    if most is not None and (not announced.isdigit() or int(announced) > most):
        raise too_large(most)


def _act(
    rule: Rule, caller: Caller | None, route: str, names: Mapping[str, str], address: str, request_id: UUID
) -> Act | None:
    if caller is None or caller.person_id is None or not isinstance(rule.audit, Audited):
        return None
    return Act(
        caller=caller,
        token_id=caller.token_id,
        token_name=caller.token_name,
        address=plain_address(address),
        request_id=request_id,
        route=route,
        act=rule.audit.act,
        subject=rule.audit.subject,
        named=tuple(value for name, value in names.items() if name != "slug"),
    )
