"""Signing in at a provider, over HTTP, with a real one; what it says wrong is refused."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from provider_process import CLIENT_ID, CLIENT_SECRET, ProviderProcess, gateway_with, running_provider
from sqlalchemy import func, select, update
from world import RunningGateway, World

from podium.platform.client import Client
from podium.platform.client.retries import Patience
from podium.platform.errors import Conflict, NotAllowed, NotAuthenticated, NotFound, PodiumError
from podium.platform.models import AuditEntry, Identity, PendingSignIn, Person, Token, now
from podium.platform.records.sign_in import IdentityRecord, SignedIn
from podium.platform.settings import ServerSettings
from podium.platform.supervisor.ports import free_port

PAGES = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def provider_process() -> Iterator[ProviderProcess]:
    with running_provider(f"{PAGES}/provider/back") as running:
        yield running


@pytest.fixture
def provider(provider_process: ProviderProcess) -> Iterator[ProviderProcess]:
    yield provider_process
    provider_process.go_wrong()


@pytest.fixture(scope="module")
def site(settings: ServerSettings, provider_process: ProviderProcess) -> Iterator[RunningGateway]:
    with gateway_with(settings, provider_process, PAGES) as running:
        yield running


@pytest.fixture
def visitor(site: RunningGateway, world: World) -> Iterator[Client]:
    with Client(site.address) as client:
        yield client


class Browser:
    """What the pages keep for a browser."""

    def __init__(self, client: Client, provider: ProviderProcess) -> None:
        self.client = client
        self.provider = provider
        self.binding = secrets.token_urlsafe(32)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.binding.encode()).hexdigest()

    def come_back(self, name: str) -> dict[str, str]:
        return self.provider.come_back(self.client.begin_sign_in(self.digest).address, name)

    def sign_in(self, name: str) -> SignedIn:
        return self.client.complete_sign_in(binding=self.binding, **self.come_back(name))

    def link(self, as_whom: Client, name: str) -> IdentityRecord:
        back = self.provider.come_back(as_whom.begin_link(self.digest).address, name)
        return as_whom.complete_link(binding=self.binding, **back)


@pytest.fixture
def browser(visitor: Client, provider: ProviderProcess) -> Browser:
    return Browser(visitor, provider)


def count(world: World, model: type[Any]) -> int:
    with world.session() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_a_first_sign_in_makes_an_account_and_later_ones_find_it(
    browser: Browser, site: RunningGateway, world: World
) -> None:
    way = browser.client.sign_in_way()
    assert (way.provider, way.pages) == ("Example University", PAGES)
    first = browser.sign_in("ada")
    assert first.is_new
    assert (first.person.username, first.person.email) == ("ada", "ada@uni.example")
    assert not first.person.may_organize
    assert timedelta(hours=11.9) < first.expires - now() < timedelta(hours=12.1)
    with Client(site.address, first.secret) as ada:
        assert ada.me().username == "ada"
        assert [one.subject for one in ada.identities()] == ["subject-of-ada"]
    again = browser.sign_in("ada")
    assert not again.is_new
    assert again.person == first.person
    assert (count(world, Person), count(world, Identity), count(world, PendingSignIn)) == (1, 1, 0)
    with world.session() as session:
        kept = str([row._asdict() for row in session.execute(select(Token.__table__))])
    assert first.secret not in kept


def test_what_goes_through_addresses_is_no_secret(browser: Browser) -> None:
    address = browser.client.begin_sign_in(browser.digest).address
    query = parse_qs(urlsplit(address).query)
    assert set(query) == {
        *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
        *("code_challenge", "code_challenge_method"),
    }
    assert query["code_challenge_method"] == ["S256"]
    assert browser.binding not in address
    assert CLIENT_SECRET not in address


def test_signing_out_ends_the_token_at_once(browser: Browser, site: RunningGateway) -> None:
    secret = browser.sign_in("ada").secret
    with Client(site.address, secret) as ada:
        ada.sign_out()
        with pytest.raises(NotAuthenticated, match="revoked"):
            ada.me()


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"claims": {"nonce": "another"}}, "belongs to another sign-in"),
        ({"claims": {"nonce": None}}, "belongs to another sign-in"),
        ({"claims": {"aud": "another"}}, "is for somebody else"),
        ({"claims": {"aud": [CLIENT_ID, "another"], "azp": "another"}}, "issued to somebody else"),
        ({"claims": {"iss": "https://evil.example"}}, "somebody else has issued it"),
        ({"claims": {"exp": 1_700_000_000}}, "has expired"),
        ({"claims": {"exp": None}}, "lacks 'exp'"),
        ({"claims": {"iat": 4_000_000_000, "exp": 4_000_000_300}}, "not good yet"),
        ({"signed": "none"}, "not signed in a way that can be trusted"),
        ({"signed": "HS256"}, "not signed in a way that can be trusted"),
        ({"signed": "another key"}, "unknown key"),
    ],
)
def test_what_is_not_rightly_said_makes_nobody_known(
    browser: Browser, provider: ProviderProcess, world: World, how: dict[str, Any], says: str
) -> None:
    provider.go_wrong(**how)
    with pytest.raises(NotAuthenticated, match=says):
        browser.sign_in("ada")
    assert (count(world, Person), count(world, Token)) == (0, 0)


def test_new_keys_of_the_provider_are_fetched_when_they_are_met(browser: Browser, provider: ProviderProcess) -> None:
    browser.sign_in("ada")
    provider.go_wrong(rotate=True)
    assert not browser.sign_in("ada").is_new


def test_a_sign_in_is_taken_up_once_in_time_and_by_the_browser_that_began_it(browser: Browser, world: World) -> None:
    back = browser.come_back("ada")
    with pytest.raises(NotAuthenticated, match="not begun in this browser"):
        browser.client.complete_sign_in(binding="of another browser", **back)
    with pytest.raises(NotAuthenticated, match="not begun in this browser"):
        browser.client.complete_sign_in(binding=browser.binding, **{**back, "state": "guessed"})
    browser.client.complete_sign_in(binding=browser.binding, **back)
    with pytest.raises(NotAuthenticated, match="not begun in this browser"):
        browser.client.complete_sign_in(binding=browser.binding, **back)
    back = browser.come_back("ada")
    with world.session() as session:
        session.execute(update(PendingSignIn).values(expires=now()))
    with pytest.raises(NotAuthenticated, match="ten minutes"):
        browser.client.complete_sign_in(binding=browser.binding, **back)
    browser.client.begin_sign_in(browser.digest)
    assert count(world, PendingSignIn) == 1  # the one that was too late is gone


def test_a_code_of_another_sign_in_is_refused_by_the_provider(browser: Browser) -> None:
    """As somebody would try who has stolen a code: PKCE binds it to the sign-in for which it was given."""
    stolen, own = browser.come_back("ada"), browser.come_back("eve")
    with pytest.raises(NotAuthenticated, match="does not know this sign-in"):
        browser.client.complete_sign_in(binding=browser.binding, state=own["state"], code=stolen["code"])


def test_who_gets_an_account(browser: Browser, provider: ProviderProcess, world: World) -> None:
    with pytest.raises(NotAllowed, match=r"Addresses at elsewhere\.example get no account"):
        browser.sign_in("ada@elsewhere.example")
    provider.go_wrong(claims={"email_verified": False})
    with pytest.raises(NotAllowed, match="has not verified"):
        browser.sign_in("ada")
    provider.go_wrong(claims={"email": None})
    with pytest.raises(NotAllowed, match="does not tell your e-mail address"):
        browser.sign_in("ada")
    provider.go_wrong(claims={"email": None}, userinfo={"sub": "subject-of-eve", "email": "ada@uni.example"})
    with pytest.raises(NotAllowed, match="does not tell"):
        browser.sign_in("ada")
    assert count(world, Person) == 0
    verified = {"sub": "subject-of-ada", "email": "ada@uni.example", "email_verified": True}
    provider.go_wrong(claims={"email": None}, userinfo=verified)
    assert browser.sign_in("ada").person.email == "ada@uni.example"


def test_nobody_gets_an_account_where_the_operator_says_nothing(
    settings: ServerSettings, provider: ProviderProcess, world: World
) -> None:
    with (
        gateway_with(settings, provider, PAGES, oidc_new_people="") as running,
        Client(running.address) as client,
        pytest.raises(NotAllowed, match="a sign-in does not make one"),
    ):
        Browser(client, provider).sign_in("ada")


def test_an_address_makes_nobody_somebody_else(browser: Browser, site: RunningGateway, world: World) -> None:
    ada = world.person("ada", organizer=True)
    with world.session() as session:
        session.execute(update(Person).values(email="Ada@uni.example"))
    with pytest.raises(Conflict, match="There is an account with your e-mail address already"):
        browser.sign_in("ada")
    with Client(site.address, ada.token) as client:
        browser.link(client, "ada")
        with pytest.raises(Conflict, match="belongs to you already"):
            browser.link(client, "ada")
    assert browser.sign_in("ada").person.username == "ada"
    with world.session() as session:
        acts = session.scalars(select(AuditEntry)).all()
        assert [(line.act, line.username, line.after) for line in acts] == [("link a sign-in", "ada", "linked")]


def test_a_username_that_somebody_has_gets_a_number(browser: Browser, world: World) -> None:
    world.person("Ada")
    assert browser.sign_in("ada").person.username == "ada-2"


def test_nobody_links_for_somebody_else(browser: Browser, site: RunningGateway, world: World) -> None:
    """Neither does a sign-in become a link, nor a link that one person began another person's."""
    ada, eve = world.person("ada"), world.person("eve")
    with Client(site.address, ada.token) as as_ada, Client(site.address, eve.token) as as_eve:
        back = browser.provider.come_back(as_eve.begin_link(browser.digest).address, "eve")
        for wrong in (as_ada.complete_link, browser.client.complete_sign_in):
            with pytest.raises(NotAuthenticated, match="not begun in this browser"):
                wrong(binding=browser.binding, **back)
        with pytest.raises(NotAuthenticated, match="not begun in this browser"):
            as_eve.complete_link(binding=browser.binding, **browser.come_back("eve"))
        as_eve.complete_link(binding=browser.binding, **back)
        with pytest.raises(Conflict, match="belongs to somebody else"):
            browser.link(as_ada, "eve")


def test_an_administrator_links_and_removes_and_that_signs_out(
    browser: Browser, site: RunningGateway, world: World
) -> None:
    world.person("ada")
    root = world.person("root", administrator=True)
    with Client(site.address, root.token) as as_root:
        as_root.link_identity("ada", "subject-of-ada")
        signed_in = browser.sign_in("ada")
        assert signed_in.person.username == "ada"
        (identity,) = as_root.identities("ada")
        assert identity.last_used is not None
        with Client(site.address, signed_in.secret) as as_ada:
            with pytest.raises(NotAllowed):
                as_ada.link_identity("ada", "another")
            as_root.remove_identity(identity.id)
            with pytest.raises(NotAuthenticated, match="not known"):
                as_ada.me()
        with pytest.raises(NotFound, match="no sign-in of that id"):
            as_root.remove_identity(identity.id)
    with world.session() as session:
        acts = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [(line.act, line.object) for line in acts] == [
            ("link a sign-in", "sign-in 'subject-of-ada' of ada"),
            ("remove a sign-in", "sign-in 'subject-of-ada' of ada"),
        ]


def test_one_person_is_made_when_one_identity_signs_in_many_times_at_once(browser: Browser, world: World) -> None:
    def sign_in(number: int) -> str:
        own = Browser(browser.client, browser.provider)
        return own.sign_in("ada" if number % 2 else "grace").person.username

    with ThreadPoolExecutor(8) as pool:
        names = sorted(pool.map(sign_in, range(8)))
    assert names == ["ada"] * 4 + ["grace"] * 4
    assert count(world, Person) == 2


def test_without_a_provider_there_is_nothing_to_sign_in_at(
    connect: Callable[[str | None], Client], world: World
) -> None:
    client = connect(None)
    assert client.sign_in_way().provider is None
    with pytest.raises(NotFound, match="Nobody signs in at a provider here"):
        client.begin_sign_in("0" * 64)


def test_a_provider_that_is_away_is_said_to_be(
    settings: ServerSettings, provider: ProviderProcess, world: World
) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    with gateway_with(settings, provider, PAGES, oidc_issuer=away) as running, Client(running.address) as client:
        with (
            Client(running.address, patience=Patience(tries=1)) as impatient,
            pytest.raises(PodiumError, match="Example University does not answer"),
        ):
            impatient.begin_sign_in("0" * 64)
        assert client.sign_in_way().provider == "Example University"
