"""The browser of the tests: Debian's headless shell of Chromium, which has no windows, tabs or menus to draw."""

from __future__ import annotations

from collections.abc import Sequence

from playwright.sync_api import Browser, Page, Playwright
from playwright.sync_api import Error as PlaywrightError


def launch(playwright: Playwright) -> Browser:
    """Start the browser; as root, as in a container, it can have no sandbox of its own."""
    return playwright.chromium.launch(
        executable_path="/usr/bin/chromium-headless-shell",
        args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
    )


class Pages:
    """Pages that tests have one after another, each as if it were new.

    What the browser has made of the pages' scripts stays with it: a new page costs three times as much. Each has a
    context of its own, with its own cookies: two at once are two people.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: list[Page] = []

    def take(self, *, width: int, height: int, dark: bool) -> Page:
        """A page that has seen nothing, of a size in pixels."""
        page = self._free.pop() if self._free else self._browser.new_context().new_page()
        page.set_default_timeout(60_000)
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if dark else "light")
        return page

    def give_back(self, page: Page, *, origins: Sequence[str]) -> None:
        """Make a page forget what it has seen of some origins, and keep it for the next; one that fails at it goes."""
        context = page.context
        try:
            for other in context.pages:
                if other != page:
                    other.close()
            page.unroute_all(behavior="ignoreErrors")
            page.evaluate("sessionStorage.clear()")
            page.goto("about:blank")
            context.clear_cookies()
            context.clear_permissions()
            devtools = context.new_cdp_session(page)
            for origin in origins:
                devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
            devtools.detach()
        except PlaywrightError:
            context.close()
        else:
            self._free.append(page)
