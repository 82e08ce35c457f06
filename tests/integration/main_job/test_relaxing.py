"""A competition that relaxes rules: what its operator does not allow is waited for, the rest is had and told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from private_site import private_address, serving_site

if TYPE_CHECKING:
    from conftest import NewUser, Podium, Variant

ASK = """
import urllib.request
for url in ('http://SITE/', 'http://10.0.0.1/', 'GATEWAY'):
    try:
        print(urllib.request.urlopen(url, timeout=20).read().decode())
    except OSError as error:
        print(error)
"""


@pytest.fixture
def site() -> Iterator[str]:
    """`host:port` of a server at a private address of this host."""
    with private_address(232) as address, serving_site(address) as served:
        yield served


def test_what_nobody_allows_is_waited_for_and_what_is_allowed_is_had(
    podium: Podium, new_user: NewUser, variant: Variant, model: Callable[[str], Path], site: str
) -> None:
    asks = f"relaxations: {{network: ['{site}'], root: true}}\n"
    bundle = variant({"title: Meadow flowers\n": f"title: Relaxed\n{asks}"})
    slug = podium.admin.good("competition", "create", str(bundle), "--start", "now").out.strip()
    ada = new_user(slug)
    shown = ada.good("competition", "show", slug).out
    assert f"may connect to {site}; what they can read can leave that way." in shown
    assert "run as root inside of their container" in shown
    path = model(ASK.replace("SITE", site).replace("GATEWAY", f"{podium.gateway}/api/v1/health"))
    submission = ada.good("submit", slug, "-f", str(path)).out.strip()
    waiting = ada.wait_for(submission, lambda record: "root" in record["status_message"])
    assert waiting["status_message"] == (
        "No agent of pool 'docker' allows the relaxation `root`; it is scored as soon as one does."
    )
    assert waiting["status"] == "queued"
    assert waiting["attempts"] == []
    podium.admin.good("competition", "relax", slug, "--no-root")
    record = ada.wait_for(submission, lambda record: record["ended"] is not None)
    assert record["status"] == "finished", record
    assert len(record["attempts"]) == 1
    log = ada.good("logs", submission).out
    assert "the site\n" in log
    assert "HTTP Error 403: podium: 10.0.0.1:80 is refused: it is not on the competition's allow-list." in log
    assert "Connection refused" in log  # the gateway is at an address of the host's own
    assert f"[podium: network: 1 connection to {site}, 1 refused to 10.0.0.1:80]" in log


def test_a_pool_has_the_runtime_that_the_operator_sets(
    podium: Podium, new_user: NewUser, competition: str, model: Callable[[str], Path]
) -> None:
    ada = new_user(competition)
    podium.admin.good("pool", "set", "docker", "--runtime", "runsc")
    try:
        submission = ada.good("submit", competition, "-f", str(model("pass"))).out.strip()
        waiting = ada.wait_for(submission, lambda record: "runsc" in record["status_message"])
        assert waiting["status"] == "queued"
        assert any("runsc" in line for line in podium.admin.good("pools").out.splitlines())
        podium.admin.good("pool", "set", "docker", "--runtime", "runc")
        assert ada.wait_for(submission, lambda record: record["ended"] is not None)["status"] == "finished"
    finally:
        podium.admin.good("pool", "set", "docker", "--runtime", "")
