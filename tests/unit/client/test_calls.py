"""Each call of docs/api.md, as the client makes it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from podium.platform.client import Client, record_to_json
from podium.platform.client.conversion import AnotherVersion
from podium.platform.client.transfers import Fingerprint
from podium.platform.lifecycle import BundleStatus, ImportOutcome, ParticipantStatus, SubmissionStatus, Verdict
from podium.platform.records.competitions import PageRecord
from podium.platform.records.images import ImagePart
from podium.platform.records.leaderboards import LeaderboardRecord
from podium.platform.records.organizing import BulkAct

API = Path(__file__).parents[3] / "docs" / "api.md"
ONE = UUID(int=1)
TWO = UUID(int=2)
DAY = datetime(2026, 5, 31, 12, tzinfo=UTC)
FILE = Fingerprint(9, "ab" * 32)

CALLS: dict[str, tuple[Callable[[Client], object], str, dict[str, object] | None]] = {
    "GET /health": (lambda c: c.health(), "/health", None),
    "GET /me": (lambda c: c.me(), "/me", None),
    "GET /people": (lambda c: c.people(), "/people", None),
    "POST /people": (
        lambda c: c.add_person("ada", "ada@example.org", name="Ada", may_organize=True),
        "/people",
        {"username": "ada", "email": "ada@example.org", "name": "Ada", "may_organize": True},
    ),
    "POST /people/{username}/tokens": (
        lambda c: c.issue_token("ada", "laptop", days=30),
        "/people/ada/tokens",
        {"name": "laptop", "days": 30},
    ),
    "GET /tokens": (lambda c: c.tokens(), "/tokens", None),
    "DELETE /tokens/{id}": (lambda c: c.revoke_token(ONE), f"/tokens/{ONE}", None),
    "GET /sign-in": (lambda c: c.sign_in_way(), "/sign-in", None),
    "POST /sign-in": (lambda c: c.begin_sign_in("ab" * 32), "/sign-in", {"binding_sha256": "ab" * 32}),
    "POST /sign-in/completion": (
        lambda c: c.complete_sign_in(state="s", code="c", binding="b"),
        "/sign-in/completion",
        {"state": "s", "code": "c", "binding": "b"},
    ),
    "DELETE /sign-in": (lambda c: c.sign_out(), "/sign-in", None),
    "GET /identities": (lambda c: c.identities(), "/identities", None),
    "POST /identities": (lambda c: c.begin_link("ab" * 32), "/identities", {"binding_sha256": "ab" * 32}),
    "POST /identities/completion": (
        lambda c: c.complete_link(state="s", code="c", binding="b"),
        "/identities/completion",
        {"state": "s", "code": "c", "binding": "b"},
    ),
    "DELETE /identities/{id}": (lambda c: c.remove_identity(ONE), f"/identities/{ONE}", None),
    "GET /people/{username}/identities": (lambda c: c.identities("ada"), "/people/ada/identities", None),
    "POST /people/{username}/identities": (
        lambda c: c.link_identity("ada", "subject"),
        "/people/ada/identities",
        {"subject": "subject"},
    ),
    "GET /competitions/{slug}/teams": (lambda c: c.teams("iris"), "/competitions/iris/teams", None),
    "POST /competitions/{slug}/teams": (
        lambda c: c.create_team("iris", "Night Owls"),
        "/competitions/iris/teams",
        {"name": "Night Owls"},
    ),
    "GET /competitions/{slug}/team": (lambda c: c.team("iris"), "/competitions/iris/team", None),
    "PATCH /competitions/{slug}/team": (
        lambda c: c.change_team("iris", captain="ada"),
        "/competitions/iris/team",
        {"captain": "ada"},
    ),
    "POST /competitions/{slug}/team/code": (lambda c: c.create_team_code("iris"), "/competitions/iris/team/code", None),
    "POST /competitions/{slug}/team/members": (
        lambda c: c.join_team("iris", "code"),
        "/competitions/iris/team/members",
        {"code": "code"},
    ),
    "DELETE /competitions/{slug}/team/members/{username}": (
        lambda c: c.leave_team("iris", "ada"),
        "/competitions/iris/team/members/ada",
        None,
    ),
    "GET /competitions?search=&status=&mine=&limit=&offset=": (
        lambda c: c.competitions("i r&s", status="open", mine=True, limit=5, offset=10),
        "/competitions?search=i+r%26s&status=open&mine=true&limit=5&offset=10",
        None,
    ),
    "GET /competitions/{slug}": (lambda c: c.competition("i/ris"), "/competitions/i%2Fris", None),
    "PATCH /competitions/{slug}": (lambda c: c.unpublish("iris"), "/competitions/iris", {"published": False}),
    "POST /competitions/{slug}/participants": (
        lambda c: c.join("iris", "cd" * 32),
        "/competitions/iris/participants",
        {"terms_sha256": "cd" * 32},
    ),
    "GET /competitions/{slug}/participants": (
        lambda c: c.participants("iris"),
        "/competitions/iris/participants",
        None,
    ),
    "PATCH /competitions/{slug}/participants/{username}": (
        lambda c: c.decide_participant("iris", "ada", ParticipantStatus.DENIED),
        "/competitions/iris/participants/ada",
        {"status": "denied"},
    ),
    "GET /competitions/{slug}/content": (lambda c: c.content("iris"), "/competitions/iris/content", None),
    "POST /competitions/{slug}/content/preview": (
        lambda c: c.preview_content("iris", {"end": DAY}),
        "/competitions/iris/content/preview",
        {"changes": {"end": "2026-05-31T12:00:00+00:00"}},
    ),
    "PATCH /competitions/{slug}/content": (
        lambda c: c.change_content("iris", {"pages": [PageRecord("Data", "Flowers", is_html=False)]}, version="a.1"),
        "/competitions/iris/content",
        {"changes": {"pages": [{"title": "Data", "text": "Flowers", "is_html": False}]}, "version": "a.1"},
    ),
    "GET /competitions/{slug}/participants/page?search=&status=&limit=&offset=": (
        lambda c: c.participant_page("iris", search="a b", status=ParticipantStatus.PENDING, limit=5, offset=10),
        "/competitions/iris/participants/page?search=a+b&status=pending&limit=5&offset=10",
        None,
    ),
    "POST /competitions/{slug}/participants/decisions": (
        lambda c: c.decide_participants("iris", ["ada"], ParticipantStatus.APPROVED, reason="Welcome."),
        "/competitions/iris/participants/decisions",
        {"usernames": ["ada"], "status": "approved", "reason": "Welcome."},
    ),
    (
        "GET /competitions/{slug}/submissions/page"
        "?phase=&status=&verdict=&participant=&on_leaderboard=&since=&until=&limit=&offset="
    ): (
        lambda c: c.submission_page(
            "iris", phase=1, status=SubmissionStatus.FAILED, verdict=Verdict.NO_SCORES, since=DAY, limit=5, offset=5
        ),
        (
            "/competitions/iris/submissions/page?phase=1&status=failed&verdict=no_scores"
            "&since=2026-05-31T12%3A00%3A00%2B00%3A00&limit=5&offset=5"
        ),
        None,
    ),
    "POST /competitions/{slug}/submissions/bulk/preview": (
        lambda c: c.preview_bulk("iris", BulkAct.CANCEL, (3, 5)),
        "/competitions/iris/submissions/bulk/preview",
        {"act": "cancel", "submissions": [3, 5]},
    ),
    "POST /competitions/{slug}/submissions/bulk": (
        lambda c: c.act_in_bulk("iris", BulkAct.TAKE_OFF_LEADERBOARD, (3,), reason="Copied."),
        "/competitions/iris/submissions/bulk",
        {"act": "take_off_leaderboard", "submissions": [3], "reason": "Copied."},
    ),
    "GET /competitions/{slug}/health": (lambda c: c.competition_health("iris"), "/competitions/iris/health", None),
    "GET /competitions/{slug}/datasets": (
        lambda c: c.competition_datasets("iris"),
        "/competitions/iris/datasets",
        None,
    ),
    "POST /bundles": (
        lambda c: c.start_bundle("iris.zip", FILE, start="now", slug="iris", draft=False),
        "/bundles",
        {
            "filename": "iris.zip",
            "size": 9,
            "sha256": "ab" * 32,
            "start": "now",
            "slug": "iris",
            "draft": False,
        },
    ),
    "POST /bundles/{id}/complete": (lambda c: c.complete_bundle(ONE), f"/bundles/{ONE}/complete", None),
    "GET /bundles/{id}?seen=STATUS&wait=SECONDS": (
        lambda c: c.bundle(ONE, seen=BundleStatus.QUEUED, wait=20),
        f"/bundles/{ONE}?seen=queued&wait=20",
        None,
    ),
    "GET /competitions/{slug}/allowance?phase=": (
        lambda c: c.allowance("iris", 2),
        "/competitions/iris/allowance?phase=2",
        None,
    ),
    "POST /competitions/{slug}/submissions": (
        lambda c: c.start_submission("iris", "s.zip", FILE, phase=1, message="m", fact_sheet={"k": "v"}),
        "/competitions/iris/submissions",
        {
            "filename": "s.zip",
            "size": 9,
            "sha256": "ab" * 32,
            "phase": "1",
            "message": "m",
            "fact_sheet": {"k": "v"},
        },
    ),
    "POST /submissions/{id}/complete": (lambda c: c.complete_submission(ONE), f"/submissions/{ONE}/complete", None),
    "GET /competitions/{slug}/submissions?phase=&everyone=&limit=&offset=": (
        lambda c: c.submissions("iris", "Final", everyone=True, limit=3, offset=0),
        "/competitions/iris/submissions?phase=Final&everyone=true&limit=3&offset=0",
        None,
    ),
    "GET /submissions/{id}?seen=VERSION&wait=SECONDS": (
        lambda c: c.submission(ONE, seen=4, wait=20),
        f"/submissions/{ONE}?seen=4&wait=20",
        None,
    ),
    "POST /submissions/{id}/cancel": (lambda c: c.cancel(ONE), f"/submissions/{ONE}/cancel", None),
    "GET /submissions/{id}/logs?after=&wait=": (
        lambda c: c.logs(ONE, after=7, wait=20),
        f"/submissions/{ONE}/logs?after=7&wait=20",
        None,
    ),
    "GET /submissions/{id}/file": (lambda c: c.submission_file(ONE), f"/submissions/{ONE}/file", None),
    "GET /submissions/{id}/evaluations/{evaluation}/{kind}": (
        lambda c: c.output_file(ONE, TWO, "scoring_output"),
        f"/submissions/{ONE}/evaluations/{TWO}/scoring_output",
        None,
    ),
    "GET /submissions/{id}/detailed-results": (
        lambda c: c.detailed_results(ONE),
        f"/submissions/{ONE}/detailed-results",
        None,
    ),
    "GET /submissions/{id}/detailed-results/{evaluation}": (
        lambda c: c.detailed_result_page(ONE, TWO),
        f"/submissions/{ONE}/detailed-results/{TWO}",
        None,
    ),
    "GET /competitions/{slug}/leaderboard?phase=&limit=&offset=&search=&as_of=": (
        lambda c: c.leaderboard("iris", limit=10, search="ada", as_of=DAY),
        "/competitions/iris/leaderboard?limit=10&search=ada&as_of=2026-05-31T12%3A00%3A00%2B00%3A00",
        None,
    ),
    "GET /competitions/{slug}/leaderboard/history?phase=&participant=": (
        lambda c: c.leaderboard_history("iris", "Final", participant="ada"),
        "/competitions/iris/leaderboard/history?phase=Final&participant=ada",
        None,
    ),
    "GET /competitions/{slug}/leaderboard/verification": (
        lambda c: c.verify_leaderboard("iris"),
        "/competitions/iris/leaderboard/verification",
        None,
    ),
    "POST /competitions/{slug}/leaderboard/repair": (
        lambda c: c.repair_leaderboard("iris"),
        "/competitions/iris/leaderboard/repair",
        None,
    ),
    "PUT /submissions/{id}/leaderboard": (lambda c: c.put_on_leaderboard(ONE), f"/submissions/{ONE}/leaderboard", None),
    "DELETE /submissions/{id}/leaderboard": (
        lambda c: c.take_off_leaderboard(ONE),
        f"/submissions/{ONE}/leaderboard",
        None,
    ),
    "PUT /submissions/{id}/shared": (lambda c: c.share_submission(ONE), f"/submissions/{ONE}/shared", None),
    "DELETE /submissions/{id}/shared": (lambda c: c.unshare_submission(ONE), f"/submissions/{ONE}/shared", None),
    "GET /competitions/{slug}/shared-submissions?limit=&offset=": (
        lambda c: c.shared_submissions("iris", limit=5, offset=10),
        "/competitions/iris/shared-submissions?limit=5&offset=10",
        None,
    ),
    "GET /competitions/{slug}/shared-submissions/{id}/file": (
        lambda c: c.shared_submission("iris", ONE),
        f"/competitions/iris/shared-submissions/{ONE}/file",
        None,
    ),
    "GET /competitions/{slug}/files": (lambda c: c.offered_files("iris"), "/competitions/iris/files", None),
    "GET /competitions/{slug}/files/{id}": (
        lambda c: c.offered_file("iris", ONE),
        f"/competitions/iris/files/{ONE}",
        None,
    ),
    "GET /competitions/{slug}/image": (lambda c: c.competition_image("iris"), "/competitions/iris/image", None),
    "GET /competitions/{slug}/leaderboard.csv?phase=&as_of=": (
        lambda c: c.leaderboard_csv("iris", "Final"),
        "/competitions/iris/leaderboard.csv?phase=Final",
        None,
    ),
    "GET /competitions/{slug}/leaderboard.json?phase=": (
        lambda c: c.leaderboard_snapshot("iris", "Final"),
        "/competitions/iris/leaderboard.json?phase=Final",
        None,
    ),
    "GET /competitions/{slug}/leaderboard.html?phase=": (
        lambda c: c.leaderboard_page("iris", "Final"),
        "/competitions/iris/leaderboard.html?phase=Final",
        None,
    ),
    "PATCH /competitions/{slug}/relaxations": (
        lambda c: c.relax("iris", network=["example.org:443"], root=False),
        "/competitions/iris/relaxations",
        {"network": ["example.org:443"], "root": False},
    ),
    "GET /pools": (lambda c: c.pools(), "/pools", None),
    "GET /pools/{pool}/scaling": (lambda c: c.scaling("gpu"), "/pools/gpu/scaling", None),
    "PUT /pools/{pool}/scaling": (
        lambda c: c.set_scaling("gpu", maximum=4, slots=2),
        "/pools/gpu/scaling",
        {"maximum": 4, "slots": 2},
    ),
    "DELETE /pools/{pool}/scaling": (lambda c: c.switch_scaling_off("gpu"), "/pools/gpu/scaling", None),
    "PATCH /pools/{pool}": (lambda c: c.set_runtime("gpu", "runsc"), "/pools/gpu", {"runtime": "runsc"}),
    "PATCH /competitions/{slug}/phases/{phase}": (
        lambda c: c.pause_phase("iris", "Final", "Wrong data."),
        "/competitions/iris/phases/Final",
        {"paused": True, "pause_message": "Wrong data."},
    ),
    "PATCH /competitions/{slug}/windows": (
        lambda c: c.change_windows("iris", start=DAY, unbounded=("end",)),
        "/competitions/iris/windows",
        {"start": "2026-05-31T12:00:00+00:00", "unbounded": ["end"]},
    ),
    "GET /competitions/{slug}/phases/{phase}/extra-allowances": (
        lambda c: c.extra_allowances("iris", 2),
        "/competitions/iris/phases/2/extra-allowances",
        None,
    ),
    "PUT /competitions/{slug}/phases/{phase}/extra-allowances/{username}": (
        lambda c: c.allow_extra("iris", 2, "ada", reason="The power was out.", per_window=1),
        "/competitions/iris/phases/2/extra-allowances/ada",
        {"per_window": 1, "total": 0, "concurrent": 0, "reason": "The power was out."},
    ),
    "GET /competitions/{slug}/queue": (lambda c: c.queue("iris"), "/competitions/iris/queue", None),
    "POST /competitions/{slug}/reruns/preview": (
        lambda c: c.preview_rerun("iris", submissions=(3, 5)),
        "/competitions/iris/reruns/preview",
        {"submissions": [3, 5]},
    ),
    "POST /competitions/{slug}/reruns": (
        lambda c: c.start_rerun("iris", reason="A label was wrong.", phase="Final", parallel=2),
        "/competitions/iris/reruns",
        {"phase": "Final", "parallel": 2, "reason": "A label was wrong.", "adoption": "automatic"},
    ),
    "GET /competitions/{slug}/reruns": (lambda c: c.reruns("iris"), "/competitions/iris/reruns", None),
    "GET /competitions/{slug}/reruns/{number}?seen=VERSION&wait=SECONDS": (
        lambda c: c.rerun("iris", 4, seen=7, wait=20),
        "/competitions/iris/reruns/4?seen=7&wait=20",
        None,
    ),
    "POST /competitions/{slug}/reruns/{number}/pause": (
        lambda c: c.pause_rerun("iris", 4),
        "/competitions/iris/reruns/4/pause",
        None,
    ),
    "POST /competitions/{slug}/reruns/{number}/resume": (
        lambda c: c.resume_rerun("iris", 4),
        "/competitions/iris/reruns/4/resume",
        None,
    ),
    "POST /competitions/{slug}/reruns/{number}/cancel": (
        lambda c: c.cancel_rerun("iris", 4),
        "/competitions/iris/reruns/4/cancel",
        None,
    ),
    "POST /competitions/{slug}/reruns/{number}/adopt": (
        lambda c: c.adopt_rerun("iris", 4),
        "/competitions/iris/reruns/4/adopt",
        None,
    ),
    "GET /competitions/{slug}/reruns/{number}/report": (
        lambda c: c.rerun_report("iris", 4),
        "/competitions/iris/reruns/4/report",
        None,
    ),
    "GET /competitions/{slug}/reruns/{number}/report.csv": (
        lambda c: c.rerun_report_csv("iris", 4),
        "/competitions/iris/reruns/4/report.csv",
        None,
    ),
    "GET /competitions/{slug}/tasks/{index}/versions": (
        lambda c: c.task_versions("iris", "0"),
        "/competitions/iris/tasks/0/versions",
        None,
    ),
    "POST /competitions/{slug}/tasks/{index}/versions": (
        lambda c: c.change_task("iris", "0", reason="A label was wrong.", datasets={"reference_data": ONE}),
        "/competitions/iris/tasks/0/versions",
        {"reason": "A label was wrong.", "reference_data": str(ONE)},
    ),
    "POST /pools": (lambda c: c.create_pool("hosts"), "/pools", {"name": "hosts", "public": False}),
    "GET /pools/{pool}": (lambda c: c.pool("hosts"), "/pools/hosts", None),
    "PUT /pools/{pool}/users/{username}": (lambda c: c.share_pool("hosts", "ada"), "/pools/hosts/users/ada", None),
    "DELETE /pools/{pool}/users/{username}": (lambda c: c.unshare_pool("hosts", "ada"), "/pools/hosts/users/ada", None),
    "PATCH /pools/{pool}/agents/{agent}": (
        lambda c: c.set_agent_cordoned("hosts", "a", cordoned=True),
        "/pools/hosts/agents/a",
        {"cordoned": True},
    ),
    "DELETE /pools/{pool}/agents/{agent}": (lambda c: c.remove_agent("hosts", "a"), "/pools/hosts/agents/a", None),
    "GET /pools/{pool}/tokens": (lambda c: c.agent_tokens("hosts"), "/pools/hosts/tokens", None),
    "POST /pools/{pool}/tokens": (
        lambda c: c.issue_agent_token("hosts", "one", days=3),
        "/pools/hosts/tokens",
        {"name": "one", "days": 3},
    ),
    "POST /agent-tokens/{token_id}/rotation": (
        lambda c: c.rotate_agent_token(ONE, hours=2),
        f"/agent-tokens/{ONE}/rotation",
        {"hours": 2},
    ),
    "DELETE /agent-tokens/{token_id}": (lambda c: c.revoke_agent_token(ONE), f"/agent-tokens/{ONE}", None),
    "GET /agents": (lambda c: c.agents(), "/agents", None),
    "POST /uploads/{id}": (lambda c: c.announced_upload(ONE), f"/uploads/{ONE}", None),
    "GET /me/storage": (lambda c: c.storage(), "/me/storage", None),
    "GET /me/storage/files": (lambda c: c.storage_files(), "/me/storage/files", None),
    "DELETE /me/storage/files/{kind}/{id}": (
        lambda c: c.remove_file("dataset", ONE),
        f"/me/storage/files/dataset/{ONE}",
        None,
    ),
    "GET /people/{username}/storage": (lambda c: c.storage("ada"), "/people/ada/storage", None),
    "PUT /people/{username}/storage": (
        lambda c: c.set_storage_quota("ada", 9),
        "/people/ada/storage",
        {"quota": 9},
    ),
    "POST /competitions/{slug}/export": (lambda c: c.competition_parts("iris"), "/competitions/iris/export", None),
    "GET /competitions/{slug}/export/{sha256}": (
        lambda c: c.exported_file("iris", "0" * 64),
        f"/competitions/iris/export/{'0' * 64}",
        None,
    ),
    "GET /competitions/{slug}/collaborators": (
        lambda c: c.collaborators("iris"),
        "/competitions/iris/collaborators",
        None,
    ),
    "PUT /competitions/{slug}/collaborators/{username}": (
        lambda c: c.add_collaborator("iris", "ada"),
        "/competitions/iris/collaborators/ada",
        None,
    ),
    "DELETE /competitions/{slug}/collaborators/{username}": (
        lambda c: c.remove_collaborator("iris", "ada"),
        "/competitions/iris/collaborators/ada",
        None,
    ),
    "GET /competitions/{slug}/audit?before=ID&since=&until=&actor=&act=&limit=": (
        lambda c: c.audit("iris", since=DAY, until=DAY, actor="ada", act="phase", before=7, limit=5),
        (
            "/competitions/iris/audit?since=2026-05-31T12%3A00%3A00%2B00%3A00&until=2026-05-31T12%3A00%3A00%2B00%3A00"
            "&actor=ada&act=phase&before=7&limit=5"
        ),
        None,
    ),
    "GET /images/{id}/thumbnail": (lambda c: c.image_thumbnail(ONE), f"/images/{ONE}/thumbnail", None),
    "GET /images/{id}/views": (lambda c: c.image_views(ONE), f"/images/{ONE}/views", None),
    "GET /images/{id}/slices/{axis}/{index}?time=&window=&level=&auto=&overlay=&opacity=&size=": (
        lambda c: c.image_slice(
            ONE, "y", 3, time=2, window=400, level=-40.5, auto=True, overlay=ONE, opacity=0.3, size=512
        ),
        (f"/images/{ONE}/slices/y/3?time=2&window=400&level=-40.5&auto=true&overlay={ONE}&opacity=0.3&size=512"),
        None,
    ),
    "GET /datasets/{id}/images?limit=&offset=": (
        lambda c: c.images(dataset=ONE, limit=5, offset=10),
        f"/datasets/{ONE}/images?limit=5&offset=10",
        None,
    ),
    "GET /submissions/{id}/images": (
        lambda c: c.images(submission=ONE),
        f"/submissions/{ONE}/images?limit=100&offset=0",
        None,
    ),
    "GET /images/{id}": (lambda c: c.image(ONE), f"/images/{ONE}", None),
    "GET /images/{id}/files/{part}": (
        lambda c: c.image_file(ONE, ImagePart.PREVIEW),
        f"/images/{ONE}/files/preview",
        None,
    ),
    "POST /datasets/{id}/import-sessions": (
        lambda c: c.begin_import(dataset=ONE),
        f"/datasets/{ONE}/import-sessions",
        None,
    ),
    "POST /submissions/{id}/import-sessions": (
        lambda c: c.begin_import(submission=ONE),
        f"/submissions/{ONE}/import-sessions",
        None,
    ),
    "GET /datasets/{id}/import-sessions": (
        lambda c: c.import_sessions(dataset=ONE),
        f"/datasets/{ONE}/import-sessions",
        None,
    ),
    "GET /submissions/{id}/import-sessions": (
        lambda c: c.import_sessions(submission=ONE),
        f"/submissions/{ONE}/import-sessions",
        None,
    ),
    "GET /import-sessions/{id}?seen=&wait=": (
        lambda c: c.import_session(ONE, seen=3, wait=2),
        f"/import-sessions/{ONE}?seen=3&wait=2",
        None,
    ),
    "GET /import-sessions/{id}/files?outcome=&limit=&offset=": (
        lambda c: c.imported_files(ONE, outcome=ImportOutcome.REJECTED, limit=5, offset=10),
        f"/import-sessions/{ONE}/files?outcome=rejected&limit=5&offset=10",
        None,
    ),
    "POST /import-sessions/{id}/start": (lambda c: c.start_import(ONE), f"/import-sessions/{ONE}/start", None),
    "POST /import-sessions/{id}/retry": (lambda c: c.retry_import(ONE), f"/import-sessions/{ONE}/retry", None),
    "POST /import-sessions/{id}/accept": (lambda c: c.accept_import(ONE), f"/import-sessions/{ONE}/accept", None),
    "DELETE /import-sessions/{id}": (lambda c: c.remove_import(ONE), f"/import-sessions/{ONE}", None),
    "GET /audit?before=ID&since=&until=&actor=&act=&limit=": (lambda c: c.audit(limit=5), "/audit?limit=5", None),
}
STEPS = {
    "POST /datasets",
    "POST /datasets/{id}/complete",
    "POST /uploads/{id}/parts",
    "POST /import-sessions/{id}/uploads",
    "POST /import-sessions/{id}/uploads/{upload}/complete",
    "POST /competitions/{slug}/submissions/export",
}
"""Steps of `store_dataset`, of `send_images` and of uploads in parts, which have no method for each, and what is
written to a file; other tests follow them."""


NOTHING = {
    "DELETE /import-sessions/{id}",
    "DELETE /competitions/{slug}/team/members/{username}",
    "DELETE /competitions/{slug}/collaborators/{username}",
    "PUT /pools/{pool}/users/{username}",
    "DELETE /pools/{pool}/users/{username}",
    "PATCH /pools/{pool}/agents/{agent}",
    "DELETE /pools/{pool}/agents/{agent}",
}
"""Calls that are answered with nothing."""


def documented_calls() -> Iterator[str]:
    for line in API.read_text(encoding="utf-8").splitlines():
        if line.startswith("| `"):
            yield from re.findall(r"`((?:GET|POST|PATCH|DELETE|PUT) [^`]+)`", line.split(" | ")[0])


def test_every_documented_call_has_a_method():
    assert set(documented_calls()) == set(CALLS) | STEPS


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_made_as_documented(name: str, client_for: Callable[..., Client]):
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, text="null")

    call, path, body = CALLS[name]
    client = client_for(answer)
    if ".csv" in name or ".html" in name:
        assert call(client) == "null"
    elif "/slices/" in name:
        assert call(client).content == b"null"
    elif name.endswith(("detailed-results/{evaluation}", "/image", "/thumbnail")):
        assert call(client) == b"null"
    elif name in NOTHING:
        assert call(client) is None
    else:
        # `null` is no record: what comes back is looked at elsewhere.
        with pytest.raises(AnotherVersion):
            call(client)
    (request,) = seen
    assert f"{request.method} {request.url}" == f"{name.split(maxsplit=1)[0]} https://podium.example.org/api/v1{path}"
    assert request.headers["authorization"] == "Bearer secret-token"
    assert (json.loads(request.content) if request.content else None) == body


@given(board=st.from_type(LeaderboardRecord))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_answer_becomes_its_record(board: LeaderboardRecord, client_for: Callable[..., Client]):
    client = client_for(lambda _: httpx.Response(200, json=record_to_json(board)))
    assert client.leaderboard("iris") == board


def test_without_a_token_none_is_sent(client_for: Callable[..., Client]):
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=[])

    assert client_for(answer, token=None).competitions() == ()
    assert "authorization" not in seen[0].headers
