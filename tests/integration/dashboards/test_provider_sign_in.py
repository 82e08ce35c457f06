"""The whole way of signing in at a provider, in a browser, from the page to the provider and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from browsing import keep_screenshot
from headless import Pages
from playwright.sync_api import BrowserContext, Page, expect
from provider_process import ProviderProcess, gateway_with, running_provider
from sqlalchemy import select
from world import World

from podium.platform.models import Person, Token
from podium.platform.settings import ServerSettings
from podium.platform.supervisor.ports import free_port

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def way(
    settings: ServerSettings,
    serve_pages: Callable[..., AbstractContextManager[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, ProviderProcess]]:
    port = free_port()
    pages = f"http://127.0.0.1:{port}"
    with (
        running_provider(f"{pages}/provider/back") as provider,
        gateway_with(settings, provider, pages) as gateway,
        serve_pages(gateway.address, tmp_path_factory.mktemp("pages"), port) as site,
    ):
        yield site, provider


@pytest.fixture
def page(
    pages: Pages,
    way: tuple[str, ProviderProcess],
    open_browser_pages: Callable[..., AbstractContextManager[Callable[[str], Page]]],
    world: World,
) -> Iterator[Callable[[str], Page]]:
    with open_browser_pages(pages, way[0], way[1].issuer) as opener:
        yield opener


def _sign_in_there(page: Page, name: str) -> None:
    expect(page).to_have_title("Example University")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Continue").click()


def _cookies(context: BrowserContext, address: str) -> dict[str, Any]:
    return {cookie["name"]: cookie for cookie in context.cookies(address)}


def test_one_signs_in_stays_signed_in_and_signs_out(
    page: Callable[[str], Page],
    way: tuple[str, ProviderProcess],
    world: World,
) -> None:
    world.competition(world.person("olga", organizer=True), slug="iris")
    opened = page("/competition?competition=iris")
    opened.get_by_role("link", name="Sign in to take part").click()
    link = opened.get_by_role("link", name="Sign in with Example University")
    expect(link).to_be_visible()
    keep_screenshot(opened, "provider-1-sign-in")
    before = _cookies(opened.context, way[0])["podium"]
    assert (before["httpOnly"], before["sameSite"]) == (True, "Lax")
    link.click()
    _sign_in_there(opened, "ada")

    # A first sign-in lands at the account, a later one where it began.
    expect(opened.get_by_text("Welcome. Your account here is ada.")).to_be_visible()
    expect(opened.get_by_role("heading", name="Ada")).to_be_visible()
    keep_screenshot(opened, "provider-2-account")
    assert "?" not in opened.url
    assert _cookies(opened.context, way[0])["podium"]["value"] != before["value"]
    with world.session() as session:
        token = session.scalars(select(Token).join(Person).where(Person.username == "ada")).one()
        assert token.revoked is None
    stored = str(opened.context.storage_state()) + str(opened.evaluate("JSON.stringify({...sessionStorage})"))
    assert token.hint not in stored

    opened.reload()
    expect(opened.get_by_role("link", name="Signed in as ada")).to_be_visible()
    opened.get_by_role("button", name="Make a token").click()
    expect(opened.get_by_text("podium login https://podium.example.org")).to_be_visible()
    opened.get_by_role("button", name="Sign out").click()
    expect(opened.get_by_role("link", name="Sign in with Example University")).to_be_visible()
    opened.reload()
    expect(opened.get_by_role("link", name="Sign in with Example University")).to_be_visible()
    with world.session() as session:
        assert session.get_one(Token, token.id).revoked is not None

    opened.goto(f"{way[0]}/sign-in?competition=iris")
    opened.get_by_role("link", name="Sign in with Example University").click()
    _sign_in_there(opened, "ada")
    expect(opened.get_by_role("link", name="Signed in as ada")).to_be_visible()
    expect(opened).to_have_url(f"{way[0]}/competition?competition=iris")


def test_refusals_are_said_on_the_page(page: Callable[[str], Page], way: tuple[str, ProviderProcess]) -> None:
    opened = page("/sign-in")
    opened.get_by_role("link", name="Sign in with Example University").click()
    opened.get_by_role("button", name="Cancel").click()
    expect(opened.get_by_text("You did not sign in there.")).to_be_visible()
    opened.get_by_role("link", name="Sign in with Example University").click()
    _sign_in_there(opened, "eve@elsewhere.example")
    expect(opened.get_by_text("Addresses at elsewhere.example get no account here by themselves.")).to_be_visible()
    # As somebody would be sent who is to sign in as another, with an address that the other has opened elsewhere.
    opened.goto(f"{way[0]}/provider/back?code=stolen&state=stolen")
    expect(opened.get_by_text("This sign-in was not begun in this browser")).to_be_visible()


def test_an_account_is_linked_by_whoever_is_signed_in(
    page: Callable[[str], Page],
    way: tuple[str, ProviderProcess],
    world: World,
) -> None:
    ada = world.person("ada")
    opened = page("/sign-in")
    opened.get_by_label("Token", exact=True).fill(ada.token)
    opened.get_by_role("button", name="Sign in").click()
    opened.get_by_role("button", name="Link Example University to this account").click()
    opened.get_by_role("link", name="Go to Example University and sign in there").click()
    _sign_in_there(opened, "countess")
    expect(opened.get_by_text("From now on you can sign in there.")).to_be_visible()
    expect(opened.get_by_text("countess@uni.example at")).to_be_visible()
    keep_screenshot(opened, "provider-3-linked")
    opened.goto(f"{way[0]}/sign-in")
    expect(opened.get_by_label("Token", exact=True)).to_be_visible()  # a token that was pasted is for its tab alone
    opened.get_by_role("link", name="Sign in with Example University").click()
    _sign_in_there(opened, "countess")
    expect(opened.get_by_role("link", name="Signed in as ada")).to_be_visible()
