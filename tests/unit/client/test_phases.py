"""The calls about phases, windows, extra allowances and queues, as the client makes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from podium.platform.client import Client, record_to_json
from podium.platform.client.conversion import AnotherVersion
from podium.platform.errors import PlatformFault
from podium.platform.records.competitions import CompetitionRecord
from podium.platform.records.people import ExtraAllowanceRecord
from podium.platform.records.submissions import QueueRecord

DAY = datetime(2026, 5, 31, 12, tzinfo=UTC)
THERE = datetime(2026, 5, 31, 14, tzinfo=timezone(timedelta(hours=2)))

CALLS: dict[str, tuple[Callable[[Client], object], str, str, dict[str, object] | None]] = {
    "pause": (
        lambda c: c.pause_phase("i/ris", "The 1st/2nd", "Wrong data."),
        "PATCH",
        "/competitions/i%2Fris/phases/The%201st%2F2nd",
        {"paused": True, "pause_message": "Wrong data."},
    ),
    "resume": (lambda c: c.resume_phase("iris", 2), "PATCH", "/competitions/iris/phases/2", {"paused": False}),
    "dates": (
        lambda c: c.change_phase("iris", 1, start=DAY, end=THERE),
        "PATCH",
        "/competitions/iris/phases/1",
        {"start": "2026-05-31T12:00:00+00:00", "end": "2026-05-31T14:00:00+02:00"},
    ),
    "limits": (
        lambda c: c.change_phase(
            "iris", 1, without_end=True, max_submissions_per_day=0, without_limits=("max_submissions",)
        ),
        "PATCH",
        "/competitions/iris/phases/1",
        {"without_end": True, "max_submissions_per_day": 0, "without_limits": ["max_submissions"]},
    ),
    "other limits": (
        lambda c: c.change_phase("iris", 1, max_submissions=100, max_concurrent_submissions=2),
        "PATCH",
        "/competitions/iris/phases/1",
        {"max_submissions": 100, "max_concurrent_submissions": 2},
    ),
    "windows": (
        lambda c: c.change_windows("iris", end=DAY, registration_end=DAY, unbounded=("start",)),
        "PATCH",
        "/competitions/iris/windows",
        {
            "end": "2026-05-31T12:00:00+00:00",
            "registration_end": "2026-05-31T12:00:00+00:00",
            "unbounded": ["start"],
        },
    ),
    "extra allowances": (
        lambda c: c.extra_allowances("iris", "Final"),
        "GET",
        "/competitions/iris/phases/Final/extra-allowances",
        None,
    ),
    "allow": (
        lambda c: c.allow_extra("iris", 1, "ada", reason="The power was out.", total=3),
        "PUT",
        "/competitions/iris/phases/1/extra-allowances/ada",
        {"per_window": 0, "total": 3, "concurrent": 0, "reason": "The power was out."},
    ),
    "queue": (lambda c: c.queue("iris"), "GET", "/competitions/iris/queue", None),
}


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
def test_a_call_may_be_made_again(name: str, client_for: Callable[..., Client]):
    """Each of them, made twice, has the effect of being made once."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        raise httpx.ReadError("cut off")

    with pytest.raises(PlatformFault):
        CALLS[name][0](client_for(answer))
    assert len(seen) > 1


@pytest.mark.parametrize(
    ("record_type", "call"),
    [
        (CompetitionRecord, lambda c: c.pause_phase("iris", 1, "x")),
        (CompetitionRecord, lambda c: c.change_windows("iris")),
        (ExtraAllowanceRecord, lambda c: c.allow_extra("iris", 1, "ada", reason="x")),
        (QueueRecord, lambda c: c.queue("iris")),
    ],
)
@given(data=st.data())
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_answer_becomes_its_record(
    data: st.DataObject, record_type: type, call: Callable[[Client], object], client_for: Callable[..., Client]
):
    record = data.draw(st.from_type(record_type))
    assert call(client_for(lambda _: httpx.Response(200, json=record_to_json(record)))) == record
