"""What `podium status` makes of what it finds."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from podium.platform.supervisor.live_state import LivePart, LiveState
from podium.platform.supervisor.parts import PartState
from podium.platform.supervisor.processes import ProcessIdentity
from podium.platform.supervisor.status import StatusReport, describe, table

ME = ProcessIdentity.of(os.getpid())
GONE = ProcessIdentity(2**22 + 1, "boot:1")


def report_on(*parts: LivePart) -> StatusReport:
    return describe(LiveState(supervisor=ME, since=time.time() - 90, parts=list(parts)), Path("/state"))


def test_all_well() -> None:
    report = report_on(LivePart("gateway", PartState.HEALTHY, process=ME, since=time.time() - 5))
    assert report.all_well
    assert report.parts[0].pid == os.getpid()
    assert report.parts[0].memory_bytes > 1_000_000
    assert "has run for 90 s" in table(report)


def test_a_step_that_is_done_is_well() -> None:
    assert report_on(LivePart("provision", PartState.DONE)).all_well


def test_a_part_is_asked_and_not_just_believed(tmp_path: Path) -> None:
    health = {"kind": "file", "file": str(tmp_path / "health"), "fresh": 20}
    report = report_on(LivePart("agent-docker", PartState.HEALTHY, process=ME, health=health))
    assert report.parts[0].state == PartState.TROUBLE
    assert not report.all_well
    assert "agent-docker: it has not said yet how it is" in table(report)


def test_a_part_that_has_just_died_is_not_shown_as_healthy() -> None:
    report = report_on(LivePart("gateway", PartState.HEALTHY, process=GONE))
    assert report.parts[0].state == PartState.RESTARTING
    assert report.parts[0].pid is None


def test_it_says_when_a_part_will_be_started_again() -> None:
    restart = LivePart("gateway", PartState.RESTARTING, "was ended by SIGKILL", restart_at=time.time() + 3.4)
    assert report_on(restart).parts[0].detail == "was ended by SIGKILL; restarting in 3 s"


def test_not_running() -> None:
    report = describe(LiveState(supervisor=GONE, parts=[LivePart("gateway")]), Path("/state"))
    assert not report.running
    assert not report.all_well
    assert "not running" in table(report)


def test_programs_get_json() -> None:
    data = json.loads(report_on(LivePart("gateway", PartState.STARTING)).as_json())
    assert data["running"] is True
    assert data["all_well"] is False
    assert data["parts"][0]["state"] == "starting"
