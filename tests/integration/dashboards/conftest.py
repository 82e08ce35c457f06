"""A real dashboards process over a stand-in gateway, and a headless Chromium that looks at it."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from headless import Pages, launch
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from world import RunningGateway

from podium.platform.supervisor.ports import free_port

_STAND_INS = Path(__file__).parents[2] / "unit" / "dashboards"
_SHARED_SECONDS = 3.0
"""For so long, pages show what others were shown: `podium.dashboards.source`, which takes a second to load."""
_LOOKED_FOR = ("/_stcore/health", "/_stcore/host-config")
# A browser that starts cold on a busy machine takes longer than the five seconds that Playwright waits by itself.
expect.set_options(timeout=60_000)


def _load(name: str) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, _STAND_INS / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


_load("stand_in_lists")
_load("stand_in_organizing")
_load("stand_in_mail")
_load("stand_in_images")
stand_in_module = _load("stand_in")


@pytest.fixture(scope="package")
def serving() -> Iterator[stand_in_module.StandIn]:
    with stand_in_module.Serving() as stand_in:
        yield stand_in


@pytest.fixture(scope="module", autouse=True)
def forgotten() -> None:
    """What the pages share among all who look is not what the tests of another module have left there."""
    time.sleep(_SHARED_SECONDS)


@pytest.fixture
def stand_in(serving: stand_in_module.StandIn) -> Iterator[stand_in_module.StandIn]:
    yield serving
    serving.is_down, serving.seconds = False, 0.0


@pytest.fixture(scope="package")
def site(serving: stand_in_module.StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dashboards process over the stand-in."""
    with _pages(serving.address, tmp_path_factory.mktemp("elsewhere")) as address:
        yield address


@pytest.fixture
def real_site(gateway: RunningGateway, tmp_path: Path) -> Iterator[str]:
    """The address of a dashboards process over a real gateway."""
    with _pages(gateway.address, tmp_path) as address:
        yield address


@pytest.fixture(scope="session")
def serve_pages() -> Callable[..., AbstractContextManager[str]]:
    """Serves the pages over a gateway, at a port."""
    return _pages


@pytest.fixture(scope="session")
def open_browser_pages() -> Callable[..., AbstractContextManager[Callable[..., Page]]]:
    """Opens pages of a site that may lead to another one."""
    return _opening


@contextmanager
def _pages(gateway: str, folder: Path, port: int | None = None) -> Iterator[str]:
    """Serve the pages over a gateway, from a folder that has nothing to do with them."""
    port = port or free_port()
    environment = {
        **os.environ,
        "PODIUM_GATEWAY": gateway,
        "PODIUM_DASHBOARDS_PORT": str(port),
        "PODIUM_DASHBOARDS_HOST": "127.0.0.1",
        "PODIUM_PUBLIC_URL": "https://podium.example.org",
        "PODIUM_PAGES_URL": f"http://127.0.0.1:{port}",
    }
    log = folder / "dashboards.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "podium.dashboards"], cwd=folder, env=environment, stdout=output, stderr=output
        )
        try:
            _wait_until_up(f"http://127.0.0.1:{port}/_stcore/health", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            # The server closes everything in good order, and then ends as the signal says.
            assert process.wait(timeout=60) == -signal.SIGTERM, log.read_text()
    assert "Traceback" not in log.read_text(), log.read_text()


def _wait_until_up(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(address, timeout=10):
                return
        except OSError:  # refused, broken off, or silent for too long
            time.sleep(0.1)
    pytest.fail(f"The dashboards did not start:\n{log.read_text()}")


# Not for the session: while Playwright runs, this thread has an event loop, and other tests start their own.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def pages(browser: Browser) -> Pages:
    """The pages that the tests have one after another."""
    return Pages(browser)


@pytest.fixture
def open_page(pages: Pages, site: str) -> Iterator[Callable[..., Page]]:
    """Opens pages; at the end of the test, none may have had an error or asked anything of another host."""
    with _opening(pages, site) as opener:
        yield opener


@pytest.fixture
def open_real_page(pages: Pages, real_site: str) -> Iterator[Callable[..., Page]]:
    """The same over a real gateway."""
    with _opening(pages, real_site) as opener:
        yield opener


@contextmanager
def _opening(pages: Pages, site: str, *others: str) -> Iterator[Callable[..., Page]]:
    complaints: list[str] = []
    broken: list[str] = []
    listeners: dict[str, Callable[[Any], None]] = {
        "console": lambda message: _note(message, complaints),
        "pageerror": lambda error: complaints.append(str(error)),
        "request": lambda request: _note_host(request.url, (site, *others), complaints),
        "requestfailed": lambda request: _note_failure(request, broken),
    }
    opened: list[Page] = []

    def open_page(path: str, *, width: int = 1280, height: int = 900, dark: bool = False) -> Page:
        page = pages.take(width=width, height=height, dark=dark)
        opened.append(page)
        for event, listener in listeners.items():
            page.on(event, listener)  # type: ignore[call-overload]
        _load(page, f"{site}{path}", broken)
        return page

    yield open_page
    for page in opened:
        for event, listener in listeners.items():
            page.remove_listener(event, listener)
        pages.give_back(page, origins=(site, *others))
    assert complaints == []


def _load(page: Page, address: str, broken: list[str]) -> None:
    """Load a page, and once more where the browser broke off: tests beside these change this host's addresses."""
    broken.clear()
    page.goto(address)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(PlaywrightTimeout):
            page.locator("[data-testid=stApp]").wait_for(state="attached", timeout=2_000)
            return
        if any("ERR_NETWORK_CHANGED" in failure for failure in broken):
            broken.clear()
            page.reload()


def _note_failure(request: Request, broken: list[str]) -> None:
    broken.append(request.failure or "")


def _note(message: ConsoleMessage, complaints: list[str]) -> None:
    # What `_load` loads again.
    if "ERR_NETWORK_CHANGED" in message.text:
        return
    # Streamlit's page looks for its server below the address first, then above: the first of these are not found.
    if message.type == "error" and not message.location.get("url", "").endswith(_LOOKED_FOR):
        complaints.append(message.text)


def _note_host(address: str, sites: tuple[str, ...], complaints: list[str]) -> None:
    if address.startswith("http") and not address.startswith(tuple(f"{site}/" for site in sites)):
        complaints.append(f"asked {address}")
