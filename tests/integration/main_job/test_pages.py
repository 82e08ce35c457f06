"""The pages over the real gateway, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from browsing import keep_screenshot
from headless import launch
from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from conftest import NewUser, Podium

SUBMISSIONS = Path(__file__).parents[3] / "examples" / "meadow-flowers" / "submissions"


def test_the_leaderboard_page_shows_real_scores_as_they_come(
    podium: Podium, new_user: NewUser, competition: str
) -> None:
    fair, good = new_user(competition), new_user(competition)
    assert fair.submit(SUBMISSIONS / "predictions").code == 0
    address = f"{podium.addresses['Leaderboards']}/leaderboard?competition={competition}"
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        expect(page.get_by_text("Meadow flowers").first).to_be_visible(timeout=60_000)
        expect(page.get_by_text(re.compile(r"0\.7750")).first).to_be_visible(timeout=60_000)
        expect(page.get_by_text(fair.name).first).to_be_visible()
        # Nobody touches the page: it finds out by itself.
        assert good.submit(SUBMISSIONS / "nearest-neighbours").code == 0
        expect(page.get_by_text(good.name).first).to_be_visible(timeout=60_000)
        expect(page.get_by_text(re.compile(r"0\.9000")).first).to_be_visible()
        keep_screenshot(page, "main-job-leaderboard")
        browser.close()
