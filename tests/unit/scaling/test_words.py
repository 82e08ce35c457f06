"""What is said of scaling: in settings, states and reports."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from podium.platform.errors import InvalidInput
from podium.platform.records.scaling import ScalingRecord
from podium.platform.scaling.providers.settings import DockerSettings
from podium.platform.scaling.report import report_in_markdown
from podium.platform.scaling.states import NEXT, ScaledAgentStatus, may_become
from podium.platform.settings import read_settings

ROOT = Path(__file__).parents[3]


def test_a_report_says_what_was_decided_and_how_it_is(scaling_record: ScalingRecord) -> None:
    text = report_in_markdown(scaling_record)
    for said in (
        "# Pool docker: More agents",
        "* 2 slots would do \\| &lt;b>",
        "* started: a1, a2",
        "0 to 3 agents of 1 slots by provider `cloud`, for a wait of 2 min at most.",
        "| a1 | ready, takes nothing new | 1 of 1 | 11-27 12:00:00 |",
        "| 11-27 12:00:00 | up +2 -0 | 4 | 2 min | 0 | 0 | 2 | 0 |",
    ):
        assert said in text


def test_a_report_says_what_failed(scaling_record: ScalingRecord) -> None:
    failed = replace(
        scaling_record, failures=2, failure="No room.", put_off_until=scaling_record.looked, enabled=False, agents=()
    )
    text = report_in_markdown(failed)
    assert "**Provider cloud failed, 2 times in a row:** No room." in text
    assert "switched off: all go" in text


def test_an_agent_that_has_ended_stays_so() -> None:
    assert NEXT[ScaledAgentStatus.ENDED] == frozenset()
    in_order = list(ScaledAgentStatus)
    assert all(after in NEXT[before] for before, after in pairwise(in_order))
    assert may_become(ScaledAgentStatus.REQUESTED) == ()


@pytest.fixture
def required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODIUM_DATABASE_URL", "postgresql://podium@localhost/podium")
    monkeypatch.setenv("PODIUM_STORAGE_URL", "file:///tmp/podium")
    monkeypatch.setenv("PODIUM_SECRET_KEY", "x" * 32)


@pytest.mark.usefixtures("required")
def test_providers_are_written_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODIUM_SCALING_PROVIDERS", '{"hosts": {"kind": "docker", "hosts": ["ssh://one"]}}')
    found = read_settings().scaling_providers
    assert list(found) == ["hosts"]
    assert isinstance(found["hosts"], DockerSettings)
    assert (found["hosts"].hosts, found["hosts"].docker_socket) == (("ssh://one",), False)


@pytest.mark.usefixtures("required")
@pytest.mark.parametrize(
    "written",
    [
        '{"hosts": {"kind": "cluster"}}',
        '{"hosts": {"kind": "docker", "hosts": []}}',
        '{"hosts": {"kind": "docker", "sockets": true}}',
        '{"cloud": {"kind": "command", "command": []}}',
        '{"here": {"kind": "process", "environment": {"PODIUM_SECRET_KEY": "mine"}}}',
    ],
)
def test_what_is_wrong_with_a_provider_is_refused(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("PODIUM_SCALING_PROVIDERS", written)
    with pytest.raises(InvalidInput, match="PODIUM_SCALING_PROVIDERS"):
        read_settings()


def test_an_agents_image_is_made_from_the_agents_lock() -> None:
    assert (ROOT / "agents" / "images" / "agent.lock").read_bytes() == (ROOT / "requirements-agent.lock").read_bytes()
