"""What an agent may say to Prefect, and what it is answered."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.platform.errors import InvalidInput, NotFound
from podium.platform.prefect_calls import (
    MAX_SCHEDULED,
    Call,
    Kind,
    answer_body,
    read_call,
    request_body,
    request_path,
)

POOL = "annas"
RUN = UUID("01a21a9e-b2a0-740a-8465-ee4c0e742af0")


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "admin/version", Kind.VERSION),
        ("GET", "csrf-token", Kind.CSRF_TOKEN),
        ("GET", f"work_pools/{POOL}", Kind.POOL),
        ("POST", f"work_pools/{POOL}/workers/heartbeat", Kind.HEARTBEAT),
        ("POST", f"work_pools/{POOL}/get_scheduled_flow_runs", Kind.SCHEDULED),
        ("POST", f"flow_runs/{RUN}/set_state", Kind.SET_STATE),
    ],
)
def test_a_worker_makes_these_calls(method: str, path: str, kind: Kind) -> None:
    call = read_call(method, path, pool=POOL)
    assert call == Call(kind, RUN if kind is Kind.SET_STATE else None)
    if kind is not Kind.CSRF_TOKEN:
        assert request_path(call, pool=POOL) == f"/{path}"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "work_pools/bens"),
        ("POST", "work_pools/bens/get_scheduled_flow_runs"),
        ("POST", "work_pools/bens/workers/heartbeat"),
        ("PATCH", f"work_pools/{POOL}"),
        ("DELETE", f"work_pools/{POOL}"),
        ("POST", f"work_pools/{POOL}"),
        ("GET", f"work_pools/{POOL}/../bens"),
        ("GET", f"work_pools/{POOL}/"),
        ("GET", f"work_pools/{POOL}\n"),
        ("GET", f"/work_pools/{POOL}"),
        ("POST", "work_pools/filter"),
        ("POST", "flow_runs/filter"),
        ("GET", f"flow_runs/{RUN}"),
        ("GET", f"flow_runs/{RUN}/set_state"),
        ("POST", "flow_runs/------------------------------------/set_state"),
        ("DELETE", f"flow_runs/{RUN}"),
        ("POST", f"flow_runs/{RUN}/set_state/more"),
        ("POST", "block_documents/filter"),
        ("GET", "admin/settings"),
        ("POST", "admin/database/clear"),
        ("POST", "variables/filter"),
        ("POST", "deployments/filter"),
        ("POST", "logs/"),
        ("GET", "events/in"),
        ("GET", ""),
    ],
)
def test_and_no_others(method: str, path: str) -> None:
    with pytest.raises(NotFound):
        read_call(method, path, pool=POOL)


@given(st.sampled_from(["GET", "POST"]), st.text(max_size=80))
def test_whatever_is_asked_for_is_about_the_own_pool(method: str, path: str) -> None:
    try:
        call = read_call(method, path, pool=POOL)
    except NotFound:
        return
    assert call.kind in {Kind.VERSION, Kind.CSRF_TOKEN, Kind.POOL}


def body(call: Call, content: object) -> object:
    return request_body(call, json.dumps(content).encode())


def test_a_state_is_sent_on_without_what_could_name_other_things() -> None:
    state = {
        "type": "COMPLETED",
        "name": "Completed",
        "message": "x" * 5000,
        "data": {"storage_block_id": str(uuid4())},
        "state_details": {"child_flow_run_id": str(uuid4()), "pause_key": "k"},
    }
    sent = body(Call(Kind.SET_STATE, RUN), {"state": state, "force": True, "more": 1})
    assert sent == {"state": {"type": "COMPLETED", "name": "Completed", "message": "x" * 2000}, "force": True}


@pytest.mark.parametrize("content", [{}, {"state": {"type": "SCHEDULED"}}, {"state": {"type": "PAUSED"}}, [], 1])
def test_a_state_that_no_worker_sets_is_refused(content: object) -> None:
    with pytest.raises(InvalidInput):
        body(Call(Kind.SET_STATE, RUN), content)


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(InvalidInput):
        request_body(Call(Kind.SCHEDULED), b"{")


def test_few_runs_are_asked_for_at_once() -> None:
    assert body(Call(Kind.SCHEDULED), {"limit": 10_000, "other": "x"}) == {"limit": MAX_SCHEDULED}
    assert body(Call(Kind.SCHEDULED), {}) == {"limit": MAX_SCHEDULED}
    asked = {"work_queue_names": ["fast"], "scheduled_before": "2026-01-02T03:04:05Z", "limit": 2}
    assert body(Call(Kind.SCHEDULED), asked) == asked


def test_a_heartbeat_tells_nothing_but_that_it_beats() -> None:
    told = {"name": "host", "heartbeat_interval_seconds": 15, "return_id": True, "metadata": {"integrations": []}}
    assert body(Call(Kind.HEARTBEAT), told) == {
        "name": "host",
        "heartbeat_interval_seconds": 15,
        "return_id": True,
    }


def test_of_a_pool_nothing_is_seen_that_was_set_in_prefect() -> None:
    known = {
        "id": "1",
        "name": POOL,
        "type": "podium",
        "base_job_template": {"variables": {"properties": {"password": {"default": "secret"}}}},
        "storage_configuration": {"bundle_upload_step": {"secret": "secret"}},
        "description": "secret",
    }
    seen = answer_body(Call(Kind.POOL), known, pool=POOL)
    assert seen["name"] == POOL
    assert "secret" not in json.dumps(seen)


def test_of_scheduled_runs_only_the_own_pools_are_seen_and_no_secrets() -> None:
    def scheduled(pool: str | None) -> dict[str, object]:
        run = {"id": "1", "name": "r", "flow_id": "2", "work_pool_name": pool, "job_variables": {"env": "secret"}}
        state = {"type": "SCHEDULED", "state_details": {"x": "secret"}, "data": "secret"}
        return {"work_pool_id": "3", "work_queue_id": "4", "flow_run": {**run, "state": state}}

    seen = answer_body(Call(Kind.SCHEDULED), [scheduled(POOL), scheduled("bens"), scheduled(None)], pool=POOL)
    assert [one["flow_run"]["work_pool_name"] for one in seen] == [POOL, None]
    assert "secret" not in json.dumps(seen)


def test_what_became_of_a_state_is_seen() -> None:
    answer = {
        "status": "REJECT",
        "state": {"type": "CANCELLED", "data": "secret"},
        "details": {"type": "reject_details", "reason": "over", "more": "secret"},
    }
    seen = answer_body(Call(Kind.SET_STATE, RUN), answer, pool=POOL)
    assert seen == {
        "status": "REJECT",
        "state": {"type": "CANCELLED"},
        "details": {"type": "reject_details", "reason": "over"},
    }
