"""How a pool's scaling is shown."""

from __future__ import annotations

from dataclasses import replace

from podium.dashboards.scaling_card import scaling_card
from podium.platform.records.scaling import ScalingRecord


def test_agents_and_decisions_are_shown(scaling_record: ScalingRecord) -> None:
    shown = str(scaling_card(scaling_record))
    for words in (
        "1 of 0 to 3",
        "2 min 00 s at most",
        "0 +2 -0",
        "2 slots would do | &lt;b&gt;",
        "Nothing waits that more",
    ):
        assert words in shown


def test_a_provider_that_fails_is_a_warning(scaling_record: ScalingRecord) -> None:
    assert "Provider cloud: No room." in str(scaling_card(replace(scaling_record, failures=1, failure="No room.")))
    assert "switched off" in str(scaling_card(replace(scaling_record, enabled=False)))
