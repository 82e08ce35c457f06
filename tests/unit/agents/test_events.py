"""What Prefect is told of task runs: of which flow run they are, without being asked anything."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from prefect import flow, task
from prefect.client.schemas.objects import FlowRun
from prefect.events import Event
from prefect.events.clients import AssertingEventsClient
from prefect.events.worker import EventsWorker
from prefect.flow_engine import run_flow
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Pending

from podium.agents.prefect_access import UNKNOWN_FLOW, keep_events, relate_events
from podium.agents.recording import Teller, recorded
from podium.platform.supervisor.ports import free_port


class Deaf(Teller):
    """A teller that tells nobody."""

    def __init__(self) -> None: ...

    def tell(self, flow_run: FlowRun, state: object) -> None: ...


@pytest.fixture(autouse=True)
def prefect_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    own = EventsWorker.attach_related_resources_from_context
    monkeypatch.setattr(EventsWorker, "attach_related_resources_from_context", own)  # put back at the end
    AssertingEventsClient.reset()
    yield
    EventsWorker.drain_all()
    EventsWorker.set_client_override(None)
    AssertingEventsClient.reset()


def told(flow_id: UUID) -> list[Event]:
    """The events of the one task of a run, with a Prefect that is not there."""

    @task
    def step() -> None: ...

    @flow(name="one-step")
    def one_step() -> None:
        step()

    run = FlowRun(id=uuid4(), name="claimed", flow_id=flow_id, state=Pending())
    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{free_port()}/api"}), recorded(run, Deaf()):
        run_flow(one_step, flow_run=run, return_type="result")
        EventsWorker.drain_all(timeout=10)
    events = [event for client in AssertingEventsClient.all for event in client.events]
    steps = [event for event in events if event.event.startswith("prefect.task-run")]
    for event in steps:
        assert [(one.role, one.id) for one in event.related] == [("flow-run", f"prefect.flow-run.{run.id}")]
    return steps


def test_a_task_run_names_its_flow_run_though_the_flow_is_not_known() -> None:
    EventsWorker.set_client_override(AssertingEventsClient)
    relate_events()
    assert [event.event for event in told(UNKNOWN_FLOW)] == [
        "prefect.task-run.Pending",
        "prefect.task-run.Running",
        "prefect.task-run.Completed",
    ]


def test_by_way_of_the_gateway_nobody_is_told() -> None:
    keep_events()
    assert told(UNKNOWN_FLOW) == []
