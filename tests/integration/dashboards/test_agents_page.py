"""The page of agents and pools in a real browser, over a stand-in for the gateway."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import stand_in as made
import stand_in_organizing as organizing
from browsing import keep_screenshot
from playwright.sync_api import Page, expect

from podium.platform.records.pools import AgentRecord, AgentRun, PastAttempt, PoolRecord, PoolView

pytestmark = pytest.mark.browser


@pytest.fixture
def pools(stand_in: made.StandIn) -> Iterator[dict[str, PoolView | PoolRecord]]:
    """A pool of anna's with agents of all kinds, another one that is shared with her, and the platform's."""
    stand_in.people["token-of-anna"] = made.make_person("anna", may_organize=True)
    labels = {"cpus": "16", "memory_bytes": str(64 * 1024**3), "gpus": "2", "engine": "docker 26.1", "images": "a,b"}
    run = AgentRun("flower-species-from-leaf-shapes", 1204, uuid4(), 1, "scoring", organizing.ago(minutes=2))
    agents = tuple(
        AgentRecord(name, "annas-hosts", version, 4, "docker", labels, trouble, datetime.now(UTC), alive, runs=runs)
        for name, version, trouble, alive, runs in (
            ("rack-1", "0.1.0", "", True, (run,)),
            ("rack-2", "0.0.9", "The disk of the agent's folder has 120 MiB left.", True, ()),
            ("rack-3-with-a-long-name.example.org", "0.1.0", "", False, ()),
        )
    )
    past = tuple(
        PastAttempt("flower-species", number, uuid4(), 1, "rack-1", status, message, organizing.ago(hours=1), 4.2)
        for number, status, message in ((12, "succeeded", ""), (11, "lost", "Its agent was not heard of any more."))
    )
    pool = PoolRecord("annas-hosts", "", 2, 3, owner="anna", sees_agents=True, is_yours=True)
    outcomes = {"lost": 1, "succeeded": 212, "user_error": 9}
    view = PoolView(pool, ("ben",), ("flower-species",), agents, 95.0, outcomes, 4.5, past)
    shared = PoolRecord("bens-hosts", "", 0, 0, owner="ben", sees_agents=True)
    found = stand_in.organized.pools
    found |= {
        "annas-hosts": view,
        "bens-hosts": PoolView(shared, ("anna",), (), (), None, {}, None, ()),
        "docker": PoolRecord("docker", "", 2, 5),
    }
    yield found
    found.clear()


@pytest.mark.parametrize("width", [1280, 390])
def test_agents_and_what_they_do_are_seen(
    open_page: Callable[..., Page],
    pools: dict[str, PoolView | PoolRecord],
    width: int,
) -> None:
    page = open_page("/sign-in", width=width)
    page.get_by_label("Token", exact=True).fill("token-of-anna")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Signed in as anna").first).to_be_attached()
    if width < 600:
        page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("link", name="Agents").click()
    if width < 600:
        page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
    expect(page.get_by_role("heading", name="Agents and pools")).to_be_visible()
    expect(page.get_by_role("rowheader", name="rack-1").first).to_be_visible()
    expect(page.get_by_text("212 succeeded")).to_be_visible()
    keep_screenshot(page, f"agents-{width}")
    # What is wide scrolls by itself, and the page does not.
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("radio", name="bens-hosts").click()
    expect(page.get_by_text("No agent of this pool is running.")).to_be_visible()
    assert "pool=bens-hosts" in page.url
    assert set(pools) == {"annas-hosts", "bens-hosts", "docker"}
