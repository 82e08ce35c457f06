"""The browser of the tests: Debian's headless shell of Chromium, which has no windows, tabs or menus to draw."""

from __future__ import annotations

from playwright.sync_api import Browser, Playwright


def launch(playwright: Playwright) -> Browser:
    """Start the browser; as root, as in a container, it can have no sandbox of its own."""
    return playwright.chromium.launch(
        executable_path="/usr/bin/chromium-headless-shell",
        args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
    )
