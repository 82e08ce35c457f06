"""Who may call what: one table for all routes, checked before any of them runs (see `podium.platform.gateway.door`).

At the door the table decides by what a token is: whose, and of which kind. What it says of *this* competition or
submission is decided where that is loaded, and `tests/integration/platform/test_access_table.py` tries both, for every
route and every role. To add a route: a row here, a sample in `tests/integration/support/samples.py`; the tests say
what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute

from podium.platform.gateway.rules import BODY_BYTES, KIB, Audited, NotAudited, Role, Rule, Scope
from podium.platform.identity import Caller
from podium.platform.jobs import MIB
from podium.platform.prefect_calls import BODY_BYTES as PREFECT_BODY_BYTES
from podium.platform.rates import Traffic

_PUBLIC = {Role.ANYONE: Scope.PUBLIC}
_OWN = {Role.PERSON: Scope.OWN}
_OWN_OR_ANY = {Role.PERSON: Scope.OWN, Role.ADMINISTRATOR: Scope.ANY}
_ADMIN = {Role.ADMINISTRATOR: Scope.ANY}
_OWNER = {Role.ORGANIZER: Scope.COMPETITION, Role.ADMINISTRATOR: Scope.ANY}
_TEAM = {**_OWNER, Role.COLLABORATOR: Scope.COMPETITION}
_MAKERS = {Role.ORGANIZER: Scope.OWN, Role.ADMINISTRATOR: Scope.OWN}
_POOLS = {Role.ORGANIZER: Scope.OWN, Role.ADMINISTRATOR: Scope.ANY}
_OWN_OR_TEAM = {Role.PERSON: Scope.OWN, **_TEAM}
_DATASETS = {Role.PERSON: Scope.OWN, **_TEAM}
_PARTICIPANTS = {Role.PARTICIPANT: Scope.COMPETITION}

# For rows that say no more.
_ANYONE = Rule(_PUBLIC)
_CROWD = Rule(_PUBLIC, traffic=Traffic.BOARDS)
_PERSON = Rule(_OWN)
_ORGANIZER = Rule(_TEAM)
_ADMINISTRATOR = Rule(_ADMIN)
_AGENT = Rule({Role.AGENT: Scope.POOL}, traffic=Traffic.AGENTS)
_ATTEMPT = Rule({Role.ATTEMPT: Scope.OWN}, traffic=Traffic.ATTEMPTS)

CONTENT_BYTES = 4 * MIB
"""Of a competition's pages, terms and all else together."""
_ANNOUNCED = NotAudited("It only announces a file: completing it leaves the line.")
_UNKNOWN_YET = NotAudited("Nobody is known yet; the token that comes of it has a name and a time.")
_PARTICIPANTS_OWN = NotAudited("It is what every participant does for themselves.")


def _change(
    who: Mapping[Role, Scope],
    act: str,
    subject: str,
    *,
    traffic: Traffic = Traffic.CHANGES,
    hidden: bool = False,
    body_bytes: int = BODY_BYTES,
) -> Rule:
    return Rule(who, Audited(act, subject), traffic, body_bytes=body_bytes, hidden=hidden)


ACCESS: Mapping[str, Rule] = MappingProxyType(
    {
        "health": _ANYONE,
        "me": _PERSON,
        "list_people": _ADMINISTRATOR,
        "create_person": _change(_ADMIN, "register a person", "person"),
        "create_token": _change(_OWN_OR_ANY, "issue a token", "token", traffic=Traffic.TOKENS),
        "list_tokens": _PERSON,
        "revoke_token": _change(_OWN_OR_ANY, "revoke a token", "token", traffic=Traffic.TOKENS, hidden=True),
        "read_sign_in": _ANYONE,
        "begin_sign_in": Rule(_PUBLIC, _UNKNOWN_YET, Traffic.SIGN_INS),
        "complete_sign_in": Rule(_PUBLIC, _UNKNOWN_YET, Traffic.SIGN_INS),
        "sign_out": Rule(_OWN, NotAudited("It ends one's own token, which says when."), Traffic.TOKENS),
        "list_own_identities": _PERSON,
        "begin_link": Rule(_OWN, NotAudited("Only what comes back from the provider is linked."), Traffic.TOKENS),
        "complete_link": _change(_OWN, "link a sign-in", "sign-in", traffic=Traffic.TOKENS),
        "remove_identity": _change(_OWN_OR_ANY, "remove a sign-in", "sign-in", traffic=Traffic.TOKENS, hidden=True),
        "list_identities": _ADMINISTRATOR,
        "add_identity": _change(_ADMIN, "link a sign-in", "sign-in", traffic=Traffic.TOKENS),
        "list_competitions": _ANYONE,
        "read_competition": _ANYONE,
        "change_competition": _change(_TEAM, "publish or withdraw", "competition"),
        "relax_competition": _change(_TEAM, "relax the sandbox", "competition"),
        "read_content": _ORGANIZER,
        "preview_content": Rule(_TEAM, NotAudited("It changes nothing."), Traffic.CHANGES, body_bytes=CONTENT_BYTES),
        "change_content": _change(_TEAM, "edit the competition", "competition", body_bytes=CONTENT_BYTES),
        "list_collaborators": _ORGANIZER,
        "add_collaborator": _change(_OWNER, "add a collaborator", "collaborator"),
        "remove_collaborator": _change(_OWNER, "remove a collaborator", "collaborator"),
        "join": Rule({Role.PERSON: Scope.PUBLIC}, _PARTICIPANTS_OWN, Traffic.CHANGES),
        "list_teams": _ORGANIZER,
        "create_team": Rule(_PARTICIPANTS, _PARTICIPANTS_OWN, Traffic.CHANGES),
        "read_own_team": Rule({Role.PERSON: Scope.PUBLIC}),  # whoever is in none is told so
        "change_own_team": Rule(_PARTICIPANTS, _PARTICIPANTS_OWN, Traffic.CHANGES, hidden=True),
        "create_team_code": Rule(_PARTICIPANTS, _PARTICIPANTS_OWN, Traffic.CHANGES, hidden=True),
        "join_team": Rule(_PARTICIPANTS, _PARTICIPANTS_OWN, Traffic.CHANGES),
        "leave_team": Rule(_PARTICIPANTS, _PARTICIPANTS_OWN, Traffic.CHANGES, hidden=True),
        "list_participants": _ORGANIZER,
        "change_participant": _change(_TEAM, "approve or deny a participant", "participant"),
        "list_participant_page": _ORGANIZER,
        "decide_participants": _change(_TEAM, "decide about participants", "participants"),
        "create_bundle": Rule(_MAKERS, _ANNOUNCED, Traffic.UPLOADS),
        "complete_bundle": _change(
            {Role.ORGANIZER: Scope.OWN, Role.ADMINISTRATOR: Scope.ANY}, "upload a bundle", "bundle", hidden=True
        ),
        "read_bundle": Rule({Role.ORGANIZER: Scope.OWN, Role.ADMINISTRATOR: Scope.ANY}, hidden=True),
        "read_allowance": Rule({Role.PERSON: Scope.PUBLIC}),
        "create_submission": Rule(_PARTICIPANTS, _PARTICIPANTS_OWN, Traffic.SUBMISSIONS),
        "complete_submission": Rule(_OWN, _PARTICIPANTS_OWN, Traffic.CHANGES, hidden=True),
        "list_submissions": Rule({Role.PERSON: Scope.PUBLIC}),  # one's own; of everyone for the team
        "list_submission_page": _ORGANIZER,
        "preview_bulk": Rule(_TEAM, NotAudited("It changes nothing."), Traffic.CHANGES),
        "act_in_bulk": _change(_TEAM, "act on several submissions", "submissions"),
        "read_submission": Rule(_OWN_OR_TEAM, hidden=True),
        "cancel_submission": _change(_OWN_OR_TEAM, "cancel a submission", "submission", hidden=True),
        "read_logs": Rule(_OWN_OR_TEAM, hidden=True),
        "read_file": Rule(_OWN_OR_TEAM, hidden=True),
        "read_output": Rule(_OWN_OR_TEAM, hidden=True),
        "list_detailed_results": Rule({Role.ANYONE: Scope.LISTED, **_OWN_OR_TEAM}, hidden=True),
        "read_detailed_result": Rule({Role.ANYONE: Scope.LISTED, **_OWN_OR_TEAM}, hidden=True),
        "list_offered_files": _ANYONE,
        "read_offered_file": Rule({**_PARTICIPANTS, **_TEAM}),
        "read_competition_image": _ANYONE,
        "list_shared_submissions": _ANYONE,
        "read_shared_submission": Rule({Role.PERSON: Scope.PUBLIC}),
        "put_on_leaderboard": Rule(_OWN, _PARTICIPANTS_OWN, Traffic.CHANGES, hidden=True),
        "take_off_leaderboard": Rule(_OWN, _PARTICIPANTS_OWN, Traffic.CHANGES, hidden=True),
        "share_submission": Rule(_OWN, _PARTICIPANTS_OWN, Traffic.CHANGES, hidden=True),
        "unshare_submission": Rule(_OWN, _PARTICIPANTS_OWN, Traffic.CHANGES, hidden=True),
        "read_leaderboard": _ANYONE,
        "read_leaderboard_history": _ANYONE,
        "verify_leaderboard": _ORGANIZER,
        "repair_leaderboard": _change(_TEAM, "repair a leaderboard", "competition"),
        "read_leaderboard_csv": _CROWD,
        "read_leaderboard_json": _CROWD,
        "read_leaderboard_page": _CROWD,
        "change_phase": _change(_TEAM, "change a phase", "phase"),
        "change_windows": _change(_TEAM, "change the windows", "competition"),
        "list_extra_allowances": _ORGANIZER,
        "allow_extra": _change(_TEAM, "allow a participant more", "allowance"),
        "read_queue": _ORGANIZER,
        "read_competition_health": _ORGANIZER,
        "list_competition_datasets": _ORGANIZER,
        "preview_rerun": Rule(_TEAM, NotAudited("It changes nothing."), Traffic.CHANGES),
        "start_rerun": _change(_TEAM, "start a rerun", "rerun"),
        "list_reruns": _ORGANIZER,
        "read_rerun": _ORGANIZER,
        "pause_rerun": _change(_TEAM, "pause a rerun", "rerun"),
        "resume_rerun": _change(_TEAM, "resume a rerun", "rerun"),
        "cancel_rerun": _change(_TEAM, "cancel a rerun", "rerun"),
        "adopt_rerun": _change(_TEAM, "adopt a rerun", "rerun"),
        "read_rerun_report": _ORGANIZER,
        "read_rerun_report_csv": _ORGANIZER,
        "list_task_versions": _ORGANIZER,
        "change_task": _change(_TEAM, "change a task", "task"),
        "create_dataset": Rule({**_MAKERS, Role.COLLABORATOR: Scope.OWN}, _ANNOUNCED, Traffic.UPLOADS),
        "complete_dataset": _change(
            {**_MAKERS, Role.COLLABORATOR: Scope.OWN}, "upload a dataset", "dataset", hidden=True
        ),
        # A dataset is its owner's, and of those who organize a competition that uses it.
        "list_dataset_images": Rule(_DATASETS, hidden=True),
        "list_submission_images": Rule(_OWN_OR_TEAM, hidden=True),
        "read_image": Rule(_OWN_OR_TEAM, hidden=True),
        "read_image_file": Rule(_OWN_OR_TEAM, hidden=True),
        "read_image_thumbnail": Rule(_OWN_OR_TEAM, hidden=True),
        "read_image_views": Rule(_OWN_OR_TEAM, hidden=True),
        "read_slice": Rule(_OWN_OR_TEAM, traffic=Traffic.SLICES, hidden=True),
        "create_dataset_import": Rule(_DATASETS, _ANNOUNCED, Traffic.UPLOADS, hidden=True),
        "create_submission_import": Rule(_OWN_OR_TEAM, _ANNOUNCED, Traffic.UPLOADS, hidden=True),
        "list_dataset_imports": Rule(_DATASETS, hidden=True),
        "list_submission_imports": Rule(_OWN_OR_TEAM, hidden=True),
        "read_import": Rule(_OWN_OR_TEAM, hidden=True),
        "list_imported_files": Rule(_OWN_OR_TEAM, hidden=True),
        "announce_import_uploads": Rule(_OWN, _ANNOUNCED, Traffic.SIGNED, hidden=True),
        "complete_import_upload": Rule(_OWN, _ANNOUNCED, Traffic.SIGNED, hidden=True),
        "start_import": _change(_OWN_OR_TEAM, "import images", "import", hidden=True),
        "retry_import": _change(_OWN_OR_TEAM, "import images again", "import", hidden=True),
        "accept_import": _change(_OWN_OR_TEAM, "accept imported images", "import", hidden=True),
        "remove_import": _change(_OWN_OR_TEAM, "remove imported images", "import", hidden=True),
        "export_competition": _change(_TEAM, "export a competition", "competition"),
        "read_exported_file": _ORGANIZER,
        "export_submissions": _change(_TEAM, "export submissions", "submissions"),
        "read_competition_audit": _ORGANIZER,
        "read_platform_audit": _ADMINISTRATOR,
        "list_agents": Rule(_POOLS),  # of their pools
        "list_pools": Rule(_POOLS),  # and those that they may use
        "create_pool": _change(_MAKERS, "make a pool", "pool"),
        "read_pool": Rule(_POOLS, hidden=True),  # and those with whom it is shared
        "change_pool": _change(_POOLS, "change a pool", "pool", hidden=True),
        "share_pool": _change(_POOLS, "share a pool", "pool", hidden=True),
        "unshare_pool": _change(_POOLS, "stop sharing a pool", "pool", hidden=True),
        "list_pool_tokens": Rule(_POOLS, hidden=True),
        "create_pool_token": _change(_POOLS, "issue an agent's token", "token", traffic=Traffic.TOKENS, hidden=True),
        "rotate_pool_token": _change(_POOLS, "rotate an agent's token", "token", traffic=Traffic.TOKENS, hidden=True),
        "revoke_pool_token": _change(_POOLS, "revoke an agent's token", "token", traffic=Traffic.TOKENS, hidden=True),
        "change_agent": _change(_POOLS, "change an agent", "agent", hidden=True),
        "remove_agent": _change(_POOLS, "remove an agent", "agent", hidden=True),
        "read_own_pool": _AGENT,
        # The calls of a worker, about its own pool.
        "ask_prefect": Rule({Role.AGENT: Scope.POOL}, traffic=Traffic.AGENTS, hidden=True),
        "tell_prefect": Rule(
            {Role.AGENT: Scope.POOL}, traffic=Traffic.AGENTS, body_bytes=PREFECT_BODY_BYTES, hidden=True
        ),
        "read_scaling": _ADMINISTRATOR,
        "set_scaling": _change(_ADMIN, "scale a pool", "pool"),
        "switch_scaling_off": _change(_ADMIN, "scale a pool no more", "pool"),
        "greet": _AGENT,
        "wait_for_work": _AGENT,
        "claim": Rule({Role.AGENT: Scope.POOL}, traffic=Traffic.AGENTS, hidden=True),
        "claim_several": Rule({Role.AGENT: Scope.POOL}, traffic=Traffic.AGENTS),  # each answered by itself
        # Each result with the token of its attempt.
        "post_results": Rule({Role.AGENT: Scope.POOL}, traffic=Traffic.AGENTS, body_bytes=16 * MIB),
        "beat": _ATTEMPT,
        "append_logs": Rule({Role.ATTEMPT: Scope.OWN}, traffic=Traffic.ATTEMPTS, body_bytes=16 * MIB),
        "post_result": Rule({Role.ATTEMPT: Scope.OWN}, traffic=Traffic.ATTEMPTS, body_bytes=16 * MIB),
        "hand_back": Rule({Role.ATTEMPT: Scope.OWN}, traffic=Traffic.ATTEMPTS, body_bytes=64 * KIB),
        "offer_upload": Rule(_OWN, _ANNOUNCED, Traffic.CHANGES, hidden=True),
        "sign_parts": Rule(_OWN, _ANNOUNCED, Traffic.SIGNED, hidden=True),
        "read_own_storage": _PERSON,
        "list_own_files": _PERSON,
        "remove_own_file": _change(_OWN, "remove a file", "file", hidden=True),
        "read_storage": _ADMINISTRATOR,
        "set_storage_quota": _change(_ADMIN, "set a storage quota", "person"),
        # The signature in the address is the permission, and says how much may be sent.
        "get_stored": Rule(_PUBLIC, traffic=Traffic.SIGNED),
        "put_stored": Rule(
            _PUBLIC, NotAudited("It stores a file that was announced."), traffic=Traffic.SIGNED, body_bytes=None
        ),
    }
)
"""Name of a route to who may call it, and how."""


def faults_of(routers: Iterable[APIRouter]) -> list[str]:
    """What is wrong between the routes and the table, each with what to do; none where all is well."""
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    names = {route.name for route in routes}
    faults = [f"the route '{name}' has no row in ACCESS: add one, `\"{name}\": ...`" for name in names - set(ACCESS)]
    faults += [f"ACCESS has a row '{name}', and no route has that name: remove it" for name in set(ACCESS) - names]
    people = {Role.PERSON, Role.PARTICIPANT, Role.COLLABORATOR, Role.ORGANIZER, Role.ADMINISTRATOR, Role.ANYONE}
    for route in routes:
        rule = ACCESS.get(route.name)
        changes = bool(set(route.methods or ()) - {"GET", "HEAD"})
        if rule is not None and changes and rule.audit is None and rule.roles & people:
            faults.append(f"'{route.name}' changes something: say in its row Audited(act, subject), or NotAudited(why)")
        if rule is not None and not changes and rule.audit is not None:
            faults.append(f"'{route.name}' changes nothing: its row needs no audit")
    return sorted(faults)


def require_table_complete(routers: Iterable[APIRouter]) -> None:
    """Stop the gateway if a route is missing from the table, or the table names one that is gone."""
    if faults := faults_of(routers):
        raise RuntimeError(f"the access table and the routes differ: {'; '.join(faults)}")


# Not in a thread, as a plain function would be: it is over sooner than a thread is found.
async def let_in(request: Request) -> None:
    """Dependency of every route: go on only if the door has let this very route's caller in.

    The door finds the route by its address, as the framework does. Should the two ever differ, nothing runs.
    """
    if request.state.door != request.scope["route"].name:
        raise RuntimeError(f"the door let '{request.state.door}' in, and '{request.scope['route'].name}' runs")


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
