"""Whatever dies, freezes, is cut off or has no disk left: no submission is lost, stuck or scored twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from .orphans import wait_until_gone
from .plan import ROUNDS, SEED, Planned, plan
from .podium_site import Site
from .report import SECTION
from .rounds import play

SWEEP_SECONDS = 45.0
pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("faults")]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("planned", plan(ROUNDS, SEED), ids=str)
def test_round(planned: Planned, site: Site, tmp_path: Path, record_property: pytest.RecordProperty) -> None:
    played = site.network.platform.call(lambda: play(planned, site, tmp_path, SEED))
    record_property(SECTION, played.as_json())
    if played.problems:
        print(site.last_words())  # shown with the failure
    assert played.problems == []


@pytest.mark.timeout(120)
def test_nothing_is_left_on_the_host(site: Site) -> None:
    assert wait_until_gone(site, seconds=SWEEP_SECONDS) == []
