"""Flow runs that begin while Prefect is away."""

from __future__ import annotations

from uuid import uuid4

import pytest
from prefect import flow
from prefect.client.schemas.objects import FlowRun
from prefect.flow_engine import run_flow
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Pending

from podium.agents.recording import Teller, recorded
from podium.platform.supervisor.ports import free_port


class Deaf(Teller):
    """A teller that notes what it was given, and tells nobody."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def tell(self, flow_run: FlowRun, state: object) -> None:
        self.told.append(str(getattr(state, "name", state)))


@flow(name="quick")
def quick() -> int:
    return 7


def test_a_run_begins_and_ends_although_prefect_is_not_there() -> None:
    """The first in a process asked for Prefect's version before, and failed."""
    teller = Deaf()
    run = FlowRun(id=uuid4(), name="quick", flow_id=uuid4(), state=Pending())
    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{free_port()}/api"}), recorded(run, teller):
        assert run_flow(quick, flow_run=run, return_type="result") == 7
    assert teller.told == ["Running", "Completed"]


def test_a_run_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    @flow(name="broken")
    def broken() -> None:
        raise ValueError("no")

    teller = Deaf()
    run = FlowRun(id=uuid4(), name="broken", flow_id=uuid4(), state=Pending())
    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{free_port()}/api"}), recorded(run, teller):
        state = run_flow(broken, flow_run=run, return_type="state")
    assert state.is_failed()
    assert teller.told == ["Running", "Failed"]
