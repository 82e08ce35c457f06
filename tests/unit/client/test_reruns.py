"""The calls about reruns and versions of tasks, as the client makes them, and following a rerun."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from podium.platform.client import Client, WaitedTooLong, record_to_json
from podium.platform.client.conversion import AnotherVersion
from podium.platform.errors import InvalidInput, PlatformFault
from podium.platform.lifecycle import RerunStatus
from podium.platform.records.reruns import RerunPreview, RerunRecord, RerunReport, TaskVersionRecord

ONE = UUID(int=1)
TWO = UUID(int=2)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RERUNS = "/competitions/iris/reruns"
VERSIONS = "/competitions/iris/tasks/0%2F1/versions"

CALLS: dict[str, tuple[Callable[[Client], object], str, str, dict[str, object] | None]] = {
    "preview of a phase": (
        lambda c: c.preview_rerun("iris", phase=2, parallel=4),
        "POST",
        f"{RERUNS}/preview",
        {"phase": "2", "parallel": 4},
    ),
    "preview of failures": (
        lambda c: c.preview_rerun("iris", phase="Final", platform_failures=True),
        "POST",
        f"{RERUNS}/preview",
        {"phase": "Final", "platform_failures": True},
    ),
    "start": (
        lambda c: c.start_rerun("iris", reason="A label was wrong.", submissions=(3, 5)),
        "POST",
        RERUNS,
        {"submissions": [3, 5], "reason": "A label was wrong.", "adoption": "automatic"},
    ),
    "start without adopting": (
        lambda c: c.start_rerun("iris", reason="x", platform_failures=True, adopt=False),
        "POST",
        RERUNS,
        {"platform_failures": True, "reason": "x", "adoption": "manual"},
    ),
    "reruns": (lambda c: c.reruns("i/ris"), "GET", "/competitions/i%2Fris/reruns", None),
    "rerun": (lambda c: c.rerun("iris", 4), "GET", f"{RERUNS}/4", None),
    "rerun, held": (lambda c: c.rerun("iris", 4, seen=7, wait=20), "GET", f"{RERUNS}/4?seen=7&wait=20", None),
    "pause": (lambda c: c.pause_rerun("iris", 4), "POST", f"{RERUNS}/4/pause", None),
    "resume": (lambda c: c.resume_rerun("iris", 4), "POST", f"{RERUNS}/4/resume", None),
    "cancel": (lambda c: c.cancel_rerun("iris", 4), "POST", f"{RERUNS}/4/cancel", None),
    "adopt": (lambda c: c.adopt_rerun("iris", 4), "POST", f"{RERUNS}/4/adopt", None),
    "report": (lambda c: c.rerun_report("iris", 4), "GET", f"{RERUNS}/4/report", None),
    "change of a task": (
        lambda c: c.change_task("iris", "0/1", reason="x", datasets={"scoring_program": ONE, "input_data": TWO}),
        "POST",
        VERSIONS,
        {"reason": "x", "scoring_program": str(ONE), "input_data": str(TWO)},
    ),
    "versions of a task": (lambda c: c.task_versions("iris", "0/1"), "GET", VERSIONS, None),
}
MADE_ONCE = {"start", "start without adopting", "change of a task"}
"""Made twice, they would begin or make two."""


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_made(name: str, client_for: Callable[..., Client]):
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, text="null")

    call, method, path, body = CALLS[name]
    with pytest.raises(AnotherVersion):
        call(client_for(answer))
    (request,) = seen
    assert (request.method, str(request.url)) == (method, f"https://podium.example.org/api/v1{path}")
    assert (json.loads(request.content) if request.content else None) == body


@pytest.mark.parametrize("name", CALLS)
def test_only_what_begins_something_is_made_once(name: str, client_for: Callable[..., Client]):
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        raise httpx.ReadError("cut off")

    with pytest.raises(PlatformFault):
        CALLS[name][0](client_for(answer))
    assert (len(seen) == 1) == (name in MADE_ONCE)


def test_a_report_comes_as_csv_too(client_for: Callable[..., Client]):
    client = client_for(lambda request: httpx.Response(200, text=request.url.path))
    assert client.rerun_report_csv("iris", 4) == f"/api/v1{RERUNS}/4/report.csv"


@pytest.mark.parametrize(
    ("record_type", "call"),
    [
        (RerunPreview, lambda c: c.preview_rerun("iris", phase=1)),
        (RerunRecord, lambda c: c.rerun("iris", 4)),
        (RerunReport, lambda c: c.rerun_report("iris", 4)),
        (TaskVersionRecord, lambda c: c.change_task("iris", "0", reason="x", datasets={})),
    ],
)
@given(data=st.data())
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_answer_becomes_its_record(
    data: st.DataObject, record_type: type, call: Callable[[Client], object], client_for: Callable[..., Client]
):
    record = data.draw(st.from_type(record_type))
    assert call(client_for(lambda _: httpx.Response(200, json=record_to_json(record)))) == record


@pytest.mark.parametrize("kind", ["scoring_program", "reference_data"])
def test_a_dataset_is_stored_as_a_zip(kind: str, client_for: Callable[..., Client], tmp_path: Path):
    (tmp_path / "labels.csv").write_text("1,2\n", encoding="utf-8")
    seen: list[httpx.Request] = []
    upload = {
        "method": "PUT",
        "url": "https://store.example.org/x",
        "headers": {},
        "expires": NOW.isoformat(),
    }
    stored = {"id": str(ONE), "kind": kind, "name": "x", "size": 1, "sha256": "ab" * 32}

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        seen.append(request)
        if request.url.path.endswith("/datasets"):
            return httpx.Response(200, json={"id": str(ONE), "upload": upload})
        return httpx.Response(200, json=stored if request.method == "POST" else {})

    dataset = client_for(answer).store_dataset(kind, tmp_path)
    assert dataset.id == ONE
    announced, put, completed = seen
    assert json.loads(announced.content) == {
        "kind": kind,
        "filename": f"{tmp_path.name}.zip",
        "size": len(put.content),
        "sha256": hashlib.sha256(put.content).hexdigest(),
    }
    assert "authorization" not in put.headers
    assert completed.url.path == f"/api/v1/datasets/{ONE}/complete"


def test_what_is_not_there_is_not_announced(client_for: Callable[..., Client], tmp_path: Path):
    def answer(_: httpx.Request) -> httpx.Response:
        raise AssertionError("nothing should be sent")

    with pytest.raises(InvalidInput, match="no file or folder"):
        client_for(answer).store_dataset("input_data", tmp_path / "nothing")


def rerun(status: RerunStatus = RerunStatus.RUNNING, version: int = 1, **changes: object) -> dict[str, object]:
    record = RerunRecord(
        id=ONE,
        number=4,
        competition="iris",
        reason="x",
        requested_by="grace",
        selection="all",
        adoption="automatic",
        parallel=None,
        status=status,
        status_message="",
        held_back="",
        version=version,
        total=9,
        waiting=0,
        queued=9,
        under_way=0,
        finished=0,
        failed=0,
        given_up=0,
        remaining_seconds=None,
        created=NOW,
        started=None,
        ended=None,
    )
    value = record_to_json(replace(record, **changes))  # type: ignore[arg-type]  # a test knows its fields
    assert isinstance(value, dict)
    return dict(value)


def following(*answers: dict[str, object] | httpx.Response) -> tuple[Callable[..., httpx.Response], list[str]]:
    """A gateway that answers one after the other, and the queries that came."""
    left, queries = [*answers], list[str]()

    def answer(request: httpx.Request) -> httpx.Response:
        queries.append(request.url.query.decode())
        value = left.pop(0) if len(left) > 1 else left[0]
        return value if isinstance(value, httpx.Response) else httpx.Response(200, json=value)

    return answer, queries


@pytest.mark.parametrize("end", [RerunStatus.PAUSED, RerunStatus.READY, RerunStatus.ADOPTED, RerunStatus.CANCELLED])
def test_a_rerun_is_followed_until_it_rests(client_for: Callable[..., Client], end: RerunStatus):
    answer, queries = following(
        rerun(RerunStatus.WAITING), rerun(version=2), rerun(version=2, finished=3), rerun(end, 3)
    )
    seen: list[RerunRecord] = []
    ended = client_for(answer).wait_for_rerun("iris", 4, on_change=seen.append)
    assert ended.status is end
    # How many are scored is news though the status is the same.
    assert [(one.status.value, one.finished) for one in seen] == [
        ("waiting", 0),
        ("running", 0),
        ("running", 3),
        (end.value, 0),
    ]
    assert queries == ["", "seen=1&wait=20.0", "seen=2&wait=20.0", "seen=2&wait=20.0"]


def test_what_has_not_changed_is_no_news(client_for: Callable[..., Client]):
    answer, _ = following(rerun(), rerun(), rerun(), rerun(RerunStatus.READY, 2))
    seen: list[RerunRecord] = []
    client_for(answer).wait_for_rerun("iris", 4, on_change=seen.append)
    assert len(seen) == 2


def test_following_outlasts_an_outage(client_for: Callable[..., Client]):
    answer, _ = following(rerun(), *[httpx.Response(503)] * 20, rerun(RerunStatus.READY, 2))
    assert client_for(answer).wait_for_rerun("iris", 4).status is RerunStatus.READY


def test_following_may_have_an_end(client_for: Callable[..., Client]):
    answer, _ = following(rerun())
    with pytest.raises(WaitedTooLong, match="Rerun 4 of iris is not done"):
        client_for(answer).wait_for_rerun("iris", 4, timeout=0)
