"""A team on the pages, over a real gateway: made, joined by its code, and on the leaderboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browsing import keep_screenshot, open_tab
from playwright.sync_api import Page, expect
from world import Known, World

pytestmark = pytest.mark.browser


def _open_team(open_page: Callable[..., Page], person: Known, slug: str) -> Page:
    page = open_page(f"/sign-in?competition={slug}")
    page.get_by_label("Token", exact=True).fill(person.token)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name=f"Back to {slug}").click()
    open_tab(page, "Team")
    return page


def test_two_become_a_team_and_stand_as_one(world: World, open_real_page: Callable[..., Page]) -> None:
    slug = world.competition(world.person("olga", organizer=True), slug="iris", teams={"max_members": 2})
    ada, bea = world.person("ada"), world.person("bea")
    for person in (ada, bea):
        world.join(person, slug)
    world.score(ada, slug, {"accuracy": 0.5})
    page = _open_team(open_real_page, ada, slug)
    page.get_by_label("Name", exact=True).fill("Night Owls")
    page.get_by_role("button", name="Make the team").click()
    expect(page.get_by_text("ada (captain)")).to_be_visible()
    page.get_by_role("button", name="Make a code for others to join").click()
    expect(page.get_by_text("Code for others to join.")).to_be_visible()
    code = page.get_by_test_id("stCode").filter(visible=True).first.inner_text().strip()
    keep_screenshot(page, "team-1-captain")

    other = _open_team(open_real_page, bea, slug)
    other.get_by_label("Code", exact=True).fill("a wrong one")
    other.get_by_role("button", name="Join the team").click()
    expect(other.get_by_text("No team has this code")).to_be_visible()
    other.get_by_label("Code", exact=True).fill(code)
    other.get_by_role("button", name="Join the team").click()
    expect(other.get_by_text("ada (captain), bea")).to_be_visible()

    board = open_real_page(f"/leaderboard?competition={slug}")
    expect(board.get_by_role("rowheader", name="Night Owls")).to_contain_text("team of ada, bea")
    keep_screenshot(board, "team-2-board")
    other.get_by_role("button", name="Leave the team").click()
    expect(other.get_by_text("What was made for the team stays the team's. You start anew")).to_be_visible()
    other.get_by_role("button", name="Leave the team").last.click()
    expect(other.get_by_role("button", name="Join the team")).to_be_visible()
