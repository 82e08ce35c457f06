"""How a pool's scaling is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from podium.dashboards.scaling_card import scaling_card
from podium.platform.records.scaling import ScaledAgentRecord, ScalingDecisionRecord, ScalingRecord

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
RECORD = ScalingRecord(
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
    agents=(ScaledAgentRecord("a1", "started", "ready", 1, 1, draining=False, started=NOW),),
    decisions=(ScalingDecisionRecord(NOW, "up", 4, 130.0, 0, 0, 2, 0, ("a1",), (), (), (), ("<b>1 agent</b>",)),),
)


def test_agents_and_decisions_are_shown():
    shown = str(scaling_card(RECORD))
    for words in ("1 of 0 to 3", "2 min 00 s at most", "0 +1 -0", "&lt;b&gt;1 agent", "Nothing waits that more"):
        assert words in shown


def test_a_provider_that_fails_is_a_warning():
    assert "Provider cloud: No room." in str(scaling_card(replace(RECORD, failures=1, failure="No room.")))
    assert "switched off" in str(scaling_card(replace(RECORD, enabled=False)))
