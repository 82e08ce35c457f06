"""A pool without agents: scaling starts one for what waits, and takes it when nothing does. All of it is real."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from conftest import NewUser, Podium, Variant

PREDICTIONS = Path(__file__).parents[3] / "examples" / "meadow-flowers" / "submissions" / "predictions"


class Scaler:
    """Has the flow run more often than it is planned, as from Prefect's pages; and looks at what comes of it."""

    def __init__(self, podium: Podium) -> None:
        self.podium = podium
        self._prefect = httpx.Client(base_url=f"{podium.addresses['Prefect UI']}/api", timeout=30)
        found = self._prefect.get("/deployments/name/scale-pool/cpu").raise_for_status().json()
        self._deployment = found["id"]

    def scaling(self) -> dict[str, Any]:
        shown: dict[str, Any] = self.podium.admin.good("scaling", "show", "gpu", "--json").json
        return shown

    def until(self, reached: Callable[[dict[str, Any]], bool], seconds: float = 60) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while not reached(shown := self.scaling()):
            assert time.monotonic() < deadline, shown
            run = f"/deployments/{self._deployment}/create_flow_run"
            self._prefect.post(run, json={"parameters": {"pool": "gpu"}}).raise_for_status()
            time.sleep(1)
        return shown

    def artifacts(self) -> list[dict[str, Any]]:
        where = {"artifacts": {"key": {"any_": ["scaling-gpu"]}}, "sort": "CREATED_DESC"}
        found: list[dict[str, Any]] = self._prefect.post("/artifacts/filter", json=where).raise_for_status().json()
        return found


def test_from_zero_and_back(podium: Podium, variant: Variant, new_user: NewUser) -> None:
    admin, scaler = podium.admin, Scaler(podium)
    bundle = variant({"title: Meadow flowers": "title: From zero\nqueue: gpu"})
    admin.good("competition", "create", str(bundle), "--slug", "from-zero", "--start", "now")
    rules = ("--max", "2", "--slots", "1", "--target-wait", "60", "--cool-down", "4", "--cool-down-up", "1")
    said = admin.good("scaling", "set", "gpu", *rules).err
    assert "Pool gpu has 0 to 2 agents of 1 slots by process, so that nobody waits longer than 1 min" in said
    try:
        ada = new_user("from-zero")
        entered = ada.good("submit", "from-zero", "-f", str(PREDICTIONS), "--json").json
        waits = ada.wait_for(entered["id"], lambda record: bool(record["status_message"]))
        assert "started" in waits["status_message"], waits
        scaler.until(lambda shown: bool(shown["agents"]))
        finished = ada.wait_for(entered["id"], lambda record: record["status"] in {"finished", "failed"})
        assert finished["status"] == "finished", finished
        shown = scaler.until(lambda shown: not shown["agents"] and shown["decisions"][0]["removed"])
    finally:
        admin.good("scaling", "off", "gpu")
    first, last = shown["decisions"][-1], shown["decisions"][0]
    assert (first["action"], len(first["started"]), first["waiting"], first["agents"]) == ("up", 1, 1, 0)
    assert "1 agent is started." in first["reasons"]
    assert (last["action"], last["removed"], last["running"]) == ("down", first["started"], 0)
    [agent] = first["started"]
    with podium.database() as database:
        tokens = database.execute("SELECT revoked FROM tokens WHERE name = %s", [agent]).fetchall()
        assert len(tokens) == 1
        assert tokens[0][0] is not None
        taken_by = "SELECT a.name FROM attempts t JOIN agents a ON a.id = t.agent_id WHERE t.submission_id = %s"
        assert database.execute(taken_by, [entered["id"]]).fetchall() == [(agent,)]
    assert not any(agent in line for line in podium.processes())
    assert not list(podium.state.glob("scaled/gpu/*"))
    texts = [found["data"] for found in scaler.artifacts()]
    assert "# Pool gpu: Fewer agents" in texts[0]
    assert "# Pool gpu: More agents" in texts[-1]
    assert agent in texts[-1]
    assert agent not in {found["name"] for found in admin.good("agents", "--json").json}
