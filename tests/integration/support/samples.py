"""One request for each route, to things that belong to others: what `test_access_table.py` tries every role with.

The things are those of `People` and `Things`: the competition `iris` is olga's, the submissions in it are carl's, and
none of it is any business of bob's. A sample is asked of everybody; who is let in must get an answer of its `status`.
To add one: the method, the address with the names of `Things` in braces, and a body that works for whoever may.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from world import PREDICTIONS, sha256_of

_FILE = {"filename": "p.zip", "size": len(PREDICTIONS), "sha256": sha256_of(PREDICTIONS)}
_HELLO = {"name": "a", "pool": "docker", "version": "1", "slots": 1, "executor": "docker"}
_RETURNED = {"state": "x", "code": "x", "binding": "x"}
_RERUN = {"phase": "1", "reason": "The truth was wrong."}


@dataclass(frozen=True, slots=True)
class Sample:
    """A request.

    Attributes:
        path: Under `/api/v1`, with the fields of `Things` in braces.
        body: Sent as JSON; texts in it may have the same fields.
        status: Of the answer to those who are let in.
        of: Whose thing it is that the request names: `carl`, who takes part, `olga`, who organizes, `attempt` or
            `agent`; `nobody` for one that names nothing that is anybody's, or a competition.
        seen_by_team: Whether organizers, who may not do it either, are told so, since they see the thing.
    """

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    status: int = 200
    of: str = "nobody"
    seen_by_team: bool = False


SAMPLES: Mapping[str, Sample] = MappingProxyType(
    {
        "health": Sample("GET", "/health"),
        "me": Sample("GET", "/me"),
        "list_people": Sample("GET", "/people"),
        "create_person": Sample("POST", "/people", {"username": "new", "email": "new@example.org"}, 201),
        "create_token": Sample("POST", "/people/carl/tokens", {"name": "x"}, 201, of="carl"),
        "list_tokens": Sample("GET", "/tokens"),
        "revoke_token": Sample("DELETE", "/tokens/{token}", of="carl"),
        "read_sign_in": Sample("GET", "/sign-in"),
        # There is no provider here: whoever is let in is told so.
        "begin_sign_in": Sample("POST", "/sign-in", {"binding_sha256": "0" * 64}, 404),
        "complete_sign_in": Sample("POST", "/sign-in/completion", _RETURNED, 404),
        "begin_link": Sample("POST", "/identities", {"binding_sha256": "0" * 64}, 404),
        "complete_link": Sample("POST", "/identities/completion", _RETURNED, 404),
        "add_identity": Sample("POST", "/people/carl/identities", {"subject": "somebody"}, 404),
        "sign_out": Sample("DELETE", "/sign-in"),
        "list_own_identities": Sample("GET", "/identities"),
        "remove_identity": Sample("DELETE", "/identities/{identity}", of="carl"),
        "list_identities": Sample("GET", "/people/carl/identities"),
        "list_competitions": Sample("GET", "/competitions"),
        "read_competition": Sample("GET", "/competitions/iris"),
        "change_competition": Sample("PATCH", "/competitions/iris", {"published": False}),
        "relax_competition": Sample("PATCH", "/competitions/iris/relaxations", {"network": ["data.example:443"]}),
        "read_content": Sample("GET", "/competitions/iris/content"),
        "preview_content": Sample("POST", "/competitions/iris/content/preview", {"changes": {"title": "Irises"}}),
        "change_content": Sample(
            "PATCH", "/competitions/iris/content", {"changes": {"title": "Irises"}, "version": "{content}"}
        ),
        "list_collaborators": Sample("GET", "/competitions/iris/collaborators"),
        "add_collaborator": Sample("PUT", "/competitions/iris/collaborators/bob"),
        "remove_collaborator": Sample("DELETE", "/competitions/iris/collaborators/cora", status=204),
        "join": Sample("POST", "/competitions/iris/participants", {"terms_sha256": "{terms}"}, 201),
        "list_teams": Sample("GET", "/competitions/iris/teams"),
        "create_team": Sample("POST", "/competitions/iris/teams", {"name": "Ours"}, 201),
        # Whoever is in no team is told that there is none of theirs.
        "read_own_team": Sample("GET", "/competitions/iris/team", status=404),
        "change_own_team": Sample("PATCH", "/competitions/iris/team", {"name": "Ours"}, 404),
        "create_team_code": Sample("POST", "/competitions/iris/team/code", status=404),
        "join_team": Sample("POST", "/competitions/iris/team/members", {"code": "{team_code}"}, 201),
        "leave_team": Sample("DELETE", "/competitions/iris/team/members/tim", status=404),
        "list_participants": Sample("GET", "/competitions/iris/participants"),
        "change_participant": Sample("PATCH", "/competitions/iris/participants/carl", {"status": "denied"}),
        "list_participant_page": Sample("GET", "/competitions/iris/participants/page?search=c&status=approved"),
        "decide_participants": Sample(
            "POST", "/competitions/iris/participants/decisions", {"usernames": ["carl"], "status": "denied"}
        ),
        "create_bundle": Sample("POST", "/bundles", _FILE, 201),
        "complete_bundle": Sample("POST", "/bundles/{bundle}/complete", of="olga"),
        "read_bundle": Sample("GET", "/bundles/{bundle}", of="olga"),
        "read_allowance": Sample("GET", "/competitions/iris/allowance"),
        "create_submission": Sample("POST", "/competitions/iris/submissions", _FILE, 201),
        "complete_submission": Sample("POST", "/submissions/{announced}/complete", of="carl", seen_by_team=True),
        "list_submissions": Sample("GET", "/competitions/iris/submissions"),
        "list_submission_page": Sample("GET", "/competitions/iris/submissions/page?status=finished"),
        "preview_bulk": Sample(
            "POST", "/competitions/iris/submissions/bulk/preview", {"act": "cancel", "submissions": [1]}
        ),
        "act_in_bulk": Sample(
            "POST",
            "/competitions/iris/submissions/bulk",
            {"act": "take_off_leaderboard", "submissions": [1, 2, 3, 4], "reason": "It was a mistake."},
        ),
        "read_submission": Sample("GET", "/submissions/{submission}", of="carl"),
        "cancel_submission": Sample("POST", "/submissions/{submission}/cancel", of="carl"),
        "read_logs": Sample("GET", "/submissions/{submission}/logs", of="carl"),
        "read_file": Sample("GET", "/submissions/{submission}/file", of="carl"),
        "read_output": Sample("GET", "/submissions/{scored}/evaluations/{evaluation}/scoring_output", of="carl"),
        "list_detailed_results": Sample("GET", "/submissions/{scored}/detailed-results", of="carl"),
        "read_detailed_result": Sample("GET", "/submissions/{scored}/detailed-results/{evaluation}", of="carl"),
        "list_offered_files": Sample("GET", "/competitions/iris/files"),
        "read_offered_file": Sample("GET", "/competitions/iris/files/{offered}"),
        "read_competition_image": Sample("GET", "/competitions/iris/image"),
        "list_shared_submissions": Sample("GET", "/competitions/iris/shared-submissions"),
        "read_shared_submission": Sample("GET", "/competitions/iris/shared-submissions/{shared}/file"),
        "put_on_leaderboard": Sample("PUT", "/submissions/{scored}/leaderboard", of="carl", seen_by_team=True),
        "take_off_leaderboard": Sample("DELETE", "/submissions/{scored}/leaderboard", of="carl", seen_by_team=True),
        "share_submission": Sample("PUT", "/submissions/{scored}/shared", of="carl", seen_by_team=True),
        "unshare_submission": Sample("DELETE", "/submissions/{scored}/shared", of="carl", seen_by_team=True),
        "read_leaderboard": Sample("GET", "/competitions/iris/leaderboard"),
        "read_leaderboard_csv": Sample("GET", "/competitions/iris/leaderboard.csv"),
        "read_leaderboard_history": Sample("GET", "/competitions/iris/leaderboard/history"),
        "verify_leaderboard": Sample("GET", "/competitions/iris/leaderboard/verification"),
        "repair_leaderboard": Sample("POST", "/competitions/iris/leaderboard/repair"),
        "read_leaderboard_json": Sample("GET", "/competitions/iris/leaderboard.json"),
        "read_leaderboard_page": Sample("GET", "/competitions/iris/leaderboard.html"),
        "change_phase": Sample("PATCH", "/competitions/iris/phases/1", {"max_submissions": 7}),
        "change_windows": Sample("PATCH", "/competitions/iris/windows", {"registration_end": "2099-01-01"}),
        "list_extra_allowances": Sample("GET", "/competitions/iris/phases/1/extra-allowances"),
        "allow_extra": Sample(
            "PUT", "/competitions/iris/phases/1/extra-allowances/carl", {"total": 3, "reason": "The upload broke."}
        ),
        "read_queue": Sample("GET", "/competitions/iris/queue"),
        "read_competition_health": Sample("GET", "/competitions/iris/health"),
        "list_competition_datasets": Sample("GET", "/competitions/iris/datasets"),
        "preview_rerun": Sample("POST", "/competitions/iris/reruns/preview", {"phase": "1"}),
        "start_rerun": Sample("POST", "/competitions/iris/reruns", {**_RERUN, "submissions": None}, 201),
        "list_reruns": Sample("GET", "/competitions/iris/reruns"),
        "read_rerun": Sample("GET", "/competitions/iris/reruns/{running}"),
        "pause_rerun": Sample("POST", "/competitions/iris/reruns/{running}/pause"),
        "resume_rerun": Sample("POST", "/competitions/iris/reruns/{paused}/resume"),
        "cancel_rerun": Sample("POST", "/competitions/iris/reruns/{running}/cancel"),
        "adopt_rerun": Sample("POST", "/competitions/iris/reruns/{ready}/adopt"),
        "read_rerun_report": Sample("GET", "/competitions/iris/reruns/{ready}/report"),
        "read_rerun_report_csv": Sample("GET", "/competitions/iris/reruns/{ready}/report.csv"),
        "draft_campaign": Sample("POST", "/competitions/iris/campaigns", {"subject": "x", "body": "x"}, 201),
        "count_recipients": Sample("POST", "/competitions/iris/campaigns/count", {}),
        "list_campaigns": Sample("GET", "/competitions/iris/campaigns"),
        "read_campaign": Sample("GET", "/competitions/iris/campaigns/{drafted}"),
        "change_campaign": Sample("PATCH", "/competitions/iris/campaigns/{drafted}", {"subject": "Another"}),
        "preview_campaign": Sample("POST", "/competitions/iris/campaigns/{drafted}/preview", {"username": "carl"}),
        "test_campaign": Sample("POST", "/competitions/iris/campaigns/{drafted}/test"),
        "approve_campaign": Sample("POST", "/competitions/iris/campaigns/{drafted}/approve", {"version": 1}),
        "withdraw_campaign": Sample("POST", "/competitions/iris/campaigns/{approved}/withdraw"),
        "schedule_campaign": Sample("PUT", "/competitions/iris/campaigns/{approved}/schedule", {"when": "2099-01-01"}),
        "send_campaign": Sample("POST", "/competitions/iris/campaigns/{approved}/send"),
        "pause_campaign": Sample("POST", "/competitions/iris/campaigns/{sending}/pause"),
        "resume_campaign": Sample("POST", "/competitions/iris/campaigns/{held}/resume"),
        "cancel_campaign": Sample("POST", "/competitions/iris/campaigns/{sending}/cancel"),
        "settle_campaign": Sample(
            "POST", "/competitions/iris/campaigns/{unsettled}/settle", {"send_again": False, "usernames": ["carl"]}
        ),
        "list_outbox": Sample("GET", "/competitions/iris/campaigns/{sending}/outbox?status=queued&search=c"),
        "read_own_mail": Sample("GET", "/me/mail"),
        "choose_own_mail": Sample("PUT", "/me/mail/kinds/submission", {"frequency": "daily"}),
        "stop_own_mail": Sample("PUT", "/me/mail/competitions/iris", {"stopped": True}),
        "read_unsubscribe": Sample("GET", "/mail/unsubscribe/{stop}"),
        "unsubscribe": Sample("POST", "/mail/unsubscribe/{stop}"),
        # Everybody's address here is known to be theirs.
        "ask_for_confirmation": Sample("POST", "/me/mail/confirmation", status=409),
        "read_confirmation": Sample("GET", "/mail/confirmation/{confirm}"),
        "confirm_address": Sample("POST", "/mail/confirmation/{confirm}"),
        # Nobody here has the secret that they are signed with.
        "tell_of_mail": Sample("POST", "/mail/notices", {"event": "bounce", "message_id": "x"}, 401),
        "return_mail": Sample("POST", "/mail/returned", {}, 401),
        "list_suppressions": Sample("GET", "/mail/suppressions"),
        "allow_address": Sample("DELETE", "/mail/suppressions/gone@example.org", status=204),
        "list_task_versions": Sample("GET", "/competitions/iris/tasks/0/versions"),
        "change_task": Sample(
            "POST", "/competitions/iris/tasks/0/versions", {"reason": "x", "reference_data": "{own_dataset}"}, 201
        ),
        "create_dataset": Sample("POST", "/datasets", {**_FILE, "kind": "reference_data"}, 201),
        "complete_dataset": Sample("POST", "/datasets/{dataset}/complete", of="olga"),
        "list_dataset_images": Sample("GET", "/datasets/{used_dataset}/images", of="olga"),
        "list_submission_images": Sample("GET", "/submissions/{scored}/images", of="carl"),
        "read_image": Sample("GET", "/images/{image}", of="carl"),
        "read_image_file": Sample("GET", "/images/{image}/files/preview", of="carl"),
        # Its file is no picture: whoever is let in is told so.
        "read_image_thumbnail": Sample("GET", "/images/{image}/thumbnail", status=404, of="carl"),
        "read_image_views": Sample("GET", "/images/{image}/views", of="carl"),
        # It has three slices: whoever is let in is told that there are no more.
        "read_slice": Sample("GET", "/images/{image}/slices/z/3?overlay={image}", status=422, of="carl"),
        "create_dataset_import": Sample("POST", "/datasets/{used_dataset}/import-sessions", status=201, of="olga"),
        "create_submission_import": Sample("POST", "/submissions/{scored}/import-sessions", status=201, of="carl"),
        "list_dataset_imports": Sample("GET", "/datasets/{used_dataset}/import-sessions", of="olga"),
        "list_submission_imports": Sample("GET", "/submissions/{scored}/import-sessions", of="carl"),
        "read_import": Sample("GET", "/import-sessions/{import}", of="carl"),
        "list_imported_files": Sample("GET", "/import-sessions/{import}/files", of="carl"),
        "announce_import_uploads": Sample(
            "POST",
            "/import-sessions/{import}/uploads",
            {"files": [{"path": "a.mha", "size": len(PREDICTIONS), "sha256": sha256_of(PREDICTIONS)}]},
            201,
            of="carl",
            seen_by_team=True,
        ),
        "complete_import_upload": Sample(
            "POST",
            "/import-sessions/{import}/uploads/{import_upload}/complete",
            status=204,
            of="carl",
            seen_by_team=True,
        ),
        "start_import": Sample("POST", "/import-sessions/{sent_import}/start", of="carl"),
        "retry_import": Sample("POST", "/import-sessions/{import}/retry", of="carl"),
        "accept_import": Sample("POST", "/import-sessions/{import}/accept", of="carl"),
        "remove_import": Sample("DELETE", "/import-sessions/{import}", status=204, of="carl"),
        "export_competition": Sample("POST", "/competitions/iris/export"),
        "read_exported_file": Sample("GET", "/competitions/iris/export/{picture}"),
        "export_submissions": Sample("POST", "/competitions/iris/submissions/export", {}),
        "read_competition_audit": Sample("GET", "/competitions/iris/audit"),
        "read_platform_audit": Sample("GET", "/audit"),
        "list_agents": Sample("GET", "/agents"),
        "list_pools": Sample("GET", "/pools"),
        "create_pool": Sample("POST", "/pools", {"name": "new-hosts"}, 201),
        "read_pool": Sample("GET", "/pools/olgas-hosts", of="olga"),
        "change_pool": Sample("PATCH", "/pools/olgas-hosts", {"runtime": "runsc"}, of="olga"),
        "share_pool": Sample("PUT", "/pools/olgas-hosts/users/otto", status=204, of="olga"),
        "unshare_pool": Sample("DELETE", "/pools/olgas-hosts/users/oscar", status=204, of="olga"),
        "list_pool_tokens": Sample("GET", "/pools/olgas-hosts/tokens", of="olga"),
        "create_pool_token": Sample("POST", "/pools/olgas-hosts/tokens", {"name": "x"}, 201, of="olga"),
        "rotate_pool_token": Sample("POST", "/agent-tokens/{pool_token}/rotation", {}, 201, of="olga"),
        "revoke_pool_token": Sample("DELETE", "/agent-tokens/{pool_token}", of="olga"),
        "change_agent": Sample("PATCH", "/pools/olgas-hosts/agents/host-1", {"cordoned": True}, 204, of="olga"),
        "remove_agent": Sample("DELETE", "/pools/olgas-hosts/agents/host-1", status=204, of="olga"),
        "read_scaling": Sample("GET", "/pools/docker/scaling"),
        "set_scaling": Sample("PUT", "/pools/docker/scaling", {"maximum": 3}),
        "switch_scaling_off": Sample("DELETE", "/pools/gpu/scaling"),
        "read_own_pool": Sample("GET", "/agent/self"),
        "ask_prefect": Sample("GET", "/agent/prefect/work_pools/docker", of="agent"),
        "tell_prefect": Sample(
            "POST", "/agent/prefect/work_pools/docker/get_scheduled_flow_runs", {"work_queue_names": []}, of="agent"
        ),
        "greet": Sample("POST", "/agent/hello", _HELLO, of="agent"),
        "wait_for_work": Sample("GET", "/agent/wake"),
        "claim": Sample(
            "POST", "/agent/claims", {"submission_id": "{queued}", "flow_run_id": "{queued}"}, 201, of="agent"
        ),
        "claim_several": Sample(
            "POST", "/agent/claims/several", {"claims": [{"submission_id": "{queued}", "flow_run_id": "{queued}"}]}
        ),
        "post_results": Sample(
            "POST",
            "/agent/results",
            {"results": [{"token": "a", "result": {"attempt_id": "{attempt}", "evaluations": ["{result}"]}}]},
        ),
        "beat": Sample("POST", "/attempts/{attempt}/heartbeat", {"stage": "running"}, of="attempt"),
        "append_logs": Sample("POST", "/attempts/{attempt}/logs", {"chunks": []}, 204, of="attempt"),
        "post_result": Sample(
            "POST",
            "/attempts/{attempt}/result",
            {"attempt_id": "{attempt}", "evaluations": ["{result}"]},
            204,
            of="attempt",
        ),
        "hand_back": Sample("POST", "/attempts/{attempt}/handback", {"reason": "The disk is full."}, 204, of="attempt"),
        "offer_upload": Sample("POST", "/uploads/{announced}", of="carl"),
        "sign_parts": Sample("POST", "/uploads/{in_parts}/parts", {"numbers": [1]}, of="carl"),
        "read_own_storage": Sample("GET", "/me/storage"),
        "list_own_files": Sample("GET", "/me/storage/files"),
        "remove_own_file": Sample("DELETE", "/me/storage/files/dataset/{olgas_dataset}", of="olga"),
        "read_storage": Sample("GET", "/people/carl/storage"),
        "set_storage_quota": Sample("PUT", "/people/carl/storage", {"quota": 1000}),
        "get_stored": Sample("GET", "/storage/{get}"),
        "put_stored": Sample("PUT", "/storage/{put}", status=201),
    }
)
"""Name of a route to its request."""
