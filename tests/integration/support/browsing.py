"""What a person does with a page in a browser: signs in, follows links, presses, and what is in the way of some."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout


def sign_in(page: Page, token: str, username: str) -> None:
    """On the page for it."""
    page.get_by_label("Token", exact=True).fill(token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text(f"Signed in as {username}").first).to_be_attached()


def follow(page: Page, link: str) -> None:
    """The first link of that name."""
    page.get_by_role("link", name=link).first.click()


def faults_of(page: Page) -> list[str]:
    """What axe finds against WCAG 2.1, levels A and AA, on a page that stands still.

    While its script runs, what that is about to take away is faded, and Streamlit says that it runs, in pale letters.
    """
    options = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
    moves = page.locator("[data-stale=true], [data-testid=stStatusWidget]")
    while True:
        expect(moves).to_have_count(0)
        found = Axe().run(page, options=options).response["violations"]
        if not found or moves.count() == 0:
            return [f"{one['id']}: {[node['html'][:160] for node in one['nodes'][:3]]}" for one in found]


def keep_screenshot(page: Page, name: str) -> None:
    """Keep what a page looks like, where `PODIUM_SCREENSHOTS` names a folder for it."""
    expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0)
    folder = os.environ.get("PODIUM_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def choose(page: Page, field: str, option: str) -> None:
    """From a list. Whatever moves the page meanwhile closes it, and a person opens it again."""
    for _ in range(20):
        page.get_by_role("combobox", name=field).click()
        try:
            page.get_by_role("option", name=option).click(timeout=3000)
        except PlaywrightTimeout:
            page.keyboard.press("Escape")
        else:
            return
    pytest.fail(f"{option} is not offered as {field}.")


def open_tab(page: Page, name: str) -> None:
    """A tab. Streamlit refuses presses for the moment in which it draws its tabs again, and a person presses again."""
    tab = page.get_by_role("tab", name=name)
    for _ in range(20):
        tab.click()
        try:
            expect(tab).to_have_attribute("aria-selected", "true", timeout=1000)
        except AssertionError:
            continue
        return
    pytest.fail(f"The tab {name} never opens.")


def hold_down(button: Locator) -> None:
    """Begin a press and do not end it. Where the button moved away just before, the press is begun again."""
    expect(button).to_be_enabled()
    for _ in range(20):
        button.hover()
        button.page.mouse.down()
        if button.evaluate("button => button.matches(':active')"):
            return
        button.page.mouse.up()
    pytest.fail("The button never stands still.")


def let_go(page: Page) -> None:
    """End the press that was begun, wherever the pointer is."""
    page.mouse.up()
