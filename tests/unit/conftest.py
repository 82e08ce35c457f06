"""What tests of several parts begin with."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from podium.platform.records.scaling import ScaledAgentRecord, ScalingDecisionRecord, ScalingRecord

# Test modules are imported by their path, so what they share is found by folder.
sys.path.insert(0, str(Path(__file__).parent / "support"))

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture
def scaling_record() -> ScalingRecord:
    """A pool of one agent, which drains, after a decision that started two."""
    reasons = ("2 slots would do | <b>", "2 agents are started.")
    return ScalingRecord(
        pool="docker",
        enabled=True,
        provider="cloud",
        minimum=0,
        maximum=3,
        target_wait=120,
        cool_down_up=60,
        cool_down_down=600,
        slots=1,
        patience=300,
        failures=0,
        failure="",
        put_off_until=None,
        looked=NOW,
        reasons=("Nothing waits that more agents would help.",),
        agents=(ScaledAgentRecord("a1", "started", "ready", 1, 1, draining=True, started=NOW),),
        decisions=(ScalingDecisionRecord(NOW, "up", 4, 130.0, 0, 0, 2, 0, ("a1", "a2"), (), (), (), reasons),),
    )
