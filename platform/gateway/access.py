"""Who may call what: one table for all routes, checked before any of them runs.

The table says which kinds of caller a route takes. Whether this caller may do it to *this* competition or submission
is checked where that is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute

from podium.platform.errors import NotAllowed, NotAuthenticated
from podium.platform.identity import Caller, authenticate
from podium.platform.models import TokenKind


class Role(StrEnum):
    """A kind of caller."""

    ANYONE = "anyone"  # also without a token
    PERSON = "person"
    ORGANIZER = "organizer"  # a person who may create competitions
    ADMINISTRATOR = "administrator"
    AGENT = "agent"
    ATTEMPT = "attempt"


_ANYONE = frozenset({Role.ANYONE})
_PERSON = frozenset({Role.PERSON})
_ORGANIZER = frozenset({Role.ORGANIZER})
_ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
_AGENT = frozenset({Role.AGENT})
_ATTEMPT = frozenset({Role.ATTEMPT})

ACCESS: Mapping[str, frozenset[Role]] = MappingProxyType(
    {
        "health": _ANYONE,
        "me": _PERSON,
        "list_people": _ADMINISTRATOR,
        "create_person": _ADMINISTRATOR,
        "create_token": _PERSON,  # one's own; an administrator for anybody
        "list_tokens": _PERSON,
        "revoke_token": _PERSON,
        "list_competitions": _ANYONE,
        "read_competition": _ANYONE,
        "change_competition": _PERSON,  # its organizers
        "relax_competition": _PERSON,  # its organizers
        "join": _PERSON,
        "list_participants": _PERSON,  # its organizers
        "change_participant": _PERSON,  # its organizers
        "create_bundle": _ORGANIZER,
        "complete_bundle": _ORGANIZER,
        "read_bundle": _ORGANIZER,
        "read_allowance": _PERSON,
        "create_submission": _PERSON,
        "complete_submission": _PERSON,
        "list_submissions": _PERSON,
        "read_submission": _PERSON,
        "cancel_submission": _PERSON,
        "read_logs": _PERSON,
        "read_file": _PERSON,
        "read_output": _PERSON,
        "list_detailed_results": _ANYONE,  # whom the leaderboard leads there; else its owner and organizers
        "read_detailed_result": _ANYONE,
        "read_leaderboard": _ANYONE,
        "read_leaderboard_csv": _ANYONE,
        "change_phase": _PERSON,  # its competition's organizers, as all of these
        "change_windows": _PERSON,
        "list_extra_allowances": _PERSON,
        "allow_extra": _PERSON,
        "read_queue": _PERSON,
        "preview_rerun": _PERSON,
        "start_rerun": _PERSON,
        "list_reruns": _PERSON,
        "read_rerun": _PERSON,
        "pause_rerun": _PERSON,
        "resume_rerun": _PERSON,
        "cancel_rerun": _PERSON,
        "adopt_rerun": _PERSON,
        "read_rerun_report": _PERSON,
        "read_rerun_report_csv": _PERSON,
        "list_task_versions": _PERSON,
        "change_task": _PERSON,
        "create_dataset": _ORGANIZER,  # one's own
        "complete_dataset": _ORGANIZER,
        "list_agents": _ADMINISTRATOR,
        "list_pools": _ADMINISTRATOR,
        "change_pool": _ADMINISTRATOR,
        "greet": _AGENT,
        "wait_for_work": _AGENT,
        "claim": _AGENT,
        "claim_several": _AGENT,
        "post_results": _AGENT,  # each result with the token of its attempt
        "beat": _ATTEMPT,
        "append_logs": _ATTEMPT,
        "post_result": _ATTEMPT,
        "hand_back": _ATTEMPT,
        "get_stored": _ANYONE,  # the signature in the address is the permission
        "put_stored": _ANYONE,
    }
)
"""Name of a route to the roles that may call it."""


def roles_of(caller: Caller | None) -> frozenset[Role]:
    """Every role that a caller has."""
    if caller is None:
        return _ANYONE
    if caller.kind is TokenKind.AGENT:
        return frozenset({Role.ANYONE, Role.AGENT})
    if caller.kind is TokenKind.ATTEMPT:
        return frozenset({Role.ANYONE, Role.ATTEMPT})
    roles = {Role.ANYONE, Role.PERSON}
    if caller.may_organize:
        roles.add(Role.ORGANIZER)
    if caller.is_administrator:
        roles.add(Role.ADMINISTRATOR)
    return frozenset(roles)


def require_table_complete(routers: Iterable[APIRouter]) -> None:
    """Stop the gateway if a route is missing from the table, or the table names one that is gone."""
    names = {route.name for router in routers for route in router.routes if isinstance(route, APIRoute)}
    if names != set(ACCESS):
        raise RuntimeError(f"the access table and the routes differ: {sorted(names ^ set(ACCESS))}")


def authorize(request: Request) -> None:
    """Find out who is calling and whether the table lets them.

    Raises:
        NotAuthenticated: The route wants a token and there is none, or the one that was sent is not good.
        NotAllowed: The caller is of another kind than the route takes.
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    caller = None
    if scheme:
        if scheme.lower() != "bearer" or not secret.strip():
            raise NotAuthenticated("The Authorization header is not 'Bearer TOKEN'.", remedy="Send it in that form.")
        with request.app.state.services.database.session() as session:
            caller = authenticate(session, secret.strip())
    request.state.caller = caller
    wanted = ACCESS[request.scope["route"].name]
    if roles_of(caller) & wanted:
        return
    if caller is None:
        raise NotAuthenticated("This needs a token.", remedy="Sign in with `podium login`.")
    raise NotAllowed(f"This is for {' or '.join(sorted(wanted))}s only, and you are none.")


def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


def _caller_or_none(request: Request) -> Caller | None:
    caller: Caller | None = request.state.caller
    return caller


WithCaller = Annotated[Caller, Depends(_caller)]
"""Parameter of a route that only callers with a token reach."""
MaybeCaller = Annotated[Caller | None, Depends(_caller_or_none)]
"""Parameter of a route that anyone reaches."""
