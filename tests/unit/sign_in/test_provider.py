"""How the provider is called: what is kept, what is fetched again, and what it may not answer."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from podium.platform.errors import InvalidInput, NotAuthenticated, PlatformFault
from podium.platform.settings import ServerSettings
from podium.platform.sign_in.configuration import is_safe, read_provider
from podium.platform.sign_in.id_tokens import UnknownKey
from podium.platform.sign_in.provider import METADATA_SECONDS, Provider

ISSUER = "https://sso.example.org"


def settings(**fields: object) -> ServerSettings:
    given = {
        "database_url": "postgresql://x",
        "storage_url": "file:///x",
        "secret_key": "x" * 32,
        "oidc_issuer": ISSUER,
        "oidc_client_id": "podium",
        "oidc_client_secret": "s: €",
        "pages_url": "https://podium.example.org/",
        **fields,
    }
    return ServerSettings.model_validate(given)


class Site:
    """What answers for the provider."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.last: httpx.Request | None = None
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.described: dict[str, Any] = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize?tenant=1",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
        }
        self.token: httpx.Response | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked[request.url.path] += 1
        if request.url.path == "/.well-known/openid-configuration":
            return httpx.Response(200, json=self.described)
        if request.url.path == "/keys":
            made = jwt.get_algorithm_by_name("RS256").to_jwk(self.key.public_key())
            return httpx.Response(200, json={"keys": [made if isinstance(made, dict) else json.loads(made), "no key"]})
        self.last = request
        return self.token or httpx.Response(200, json={"id_token": self.id_token()})

    def id_token(self) -> str:
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": "1", "aud": "podium", "exp": now + 60, "iat": now, "nonce": "n"}
        return jwt.encode(claims, self.key, "RS256")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def site() -> Site:
    return Site()


def provider(site: Site, clock: Clock | None = None, **fields: object) -> Provider:
    configuration = read_provider(settings(**fields))
    assert configuration is not None
    return Provider(configuration, clock=clock or Clock(), transport=httpx.MockTransport(site))


def redeem(one: Provider) -> str:
    return one.redeem("code", nonce="n", verifier="v").subject


def test_what_a_provider_says_of_itself_is_kept_for_an_hour(site: Site) -> None:
    clock = Clock()
    one = provider(site, clock)
    for _ in range(3):
        redeem(one)
    assert site.asked == {"/.well-known/openid-configuration": 1, "/keys": 1, "/token": 3}
    clock.now = METADATA_SECONDS
    redeem(one)
    assert (site.asked["/.well-known/openid-configuration"], site.asked["/keys"]) == (2, 2)


def test_new_keys_are_fetched_once_and_no_more(site: Site) -> None:
    one = provider(site)
    redeem(one)
    site.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert redeem(one) == "1"
    assert site.asked["/keys"] == 2
    forged = site.id_token().rpartition(".")[0] + ".AAAA"
    site.token = httpx.Response(200, json={"id_token": forged})
    with pytest.raises(UnknownKey):
        redeem(one)
    assert site.asked["/keys"] == 3


def test_an_address_with_a_query_keeps_it(site: Site) -> None:
    address = provider(site).address_for(state="s", nonce="n", verifier="v" * 43)
    query = dict(httpx.URL(address).params)
    assert address.startswith(f"{ISSUER}/authorize?tenant=1&response_type=code&")
    assert query["redirect_uri"] == "https://podium.example.org/provider/back"
    assert "v" * 43 not in address


def test_the_secret_goes_as_the_provider_wants_it(site: Site) -> None:
    redeem(provider(site))
    assert site.last is not None
    assert site.last.headers["authorization"] == "Basic cG9kaXVtOnMlM0ElMjAlRTIlODIlQUM="
    assert b"secret" not in site.last.content
    site.described["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    redeem(provider(site))
    assert b"client_secret=s%3A+%E2%82%AC" in site.last.content
    redeem(provider(site, oidc_client_secret=None))
    assert "authorization" not in site.last.headers
    assert b"client_id=podium" in site.last.content
    assert b"client_secret" not in site.last.content


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (httpx.Response(400, json={"error": "invalid_grant"}), NotAuthenticated, "does not know this sign-in"),
        (httpx.Response(401, json={"error": "invalid_client"}), PlatformFault, "answers 401"),
        (httpx.Response(302, headers={"location": "https://evil.example"}), PlatformFault, "302 and no JSON"),
        (httpx.Response(200, text="<html>"), PlatformFault, "no JSON"),
        (httpx.Response(200, json=[1]), PlatformFault, "something else"),
        (httpx.Response(200, json={"access_token": "x"}), PlatformFault, "no id token"),
        (httpx.Response(200, json={"x": "x" * 2_000_000}), PlatformFault, "too much"),
    ],
)
def test_what_is_no_good_answer_is_told_as_such(
    site: Site, answer: httpx.Response, error: type[Exception], says: str
) -> None:
    site.token = answer
    with pytest.raises(error, match=says):
        redeem(provider(site))


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://sso.example.org/token"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
def test_a_provider_that_describes_itself_unsafely_is_not_used(site: Site, changes: dict[str, Any]) -> None:
    site.described |= changes
    with pytest.raises(PlatformFault):
        provider(site).address_for(state="s", nonce="n", verifier="v")


def test_addresses_on_which_nobody_listens() -> None:
    safe = ("https://a.example", "http://localhost:1", "http://127.0.0.1/x", "http://[::1]:80")
    assert all(is_safe(address) for address in safe)
    unsafe = ("http://a.example", "http://127.0.0.1.evil.example", "ftp://a.example", "https://", "", "http://10.0.0.1")
    assert not any(is_safe(address) for address in unsafe)


def test_settings_are_complete_or_say_all_that_is_wrong(tmp_path: Path) -> None:
    assert read_provider(settings(oidc_issuer="")) is None
    with pytest.raises(InvalidInput) as error:
        read_provider(
            settings(
                oidc_issuer="http://sso.example.org",
                oidc_client_id="",
                pages_url="",
                oidc_scopes="email",
                oidc_client_secret_file=tmp_path / "none",
            )
        )
    for variable in ("OIDC_CLIENT_ID", "PAGES_URL", "OIDC_SCOPES", "OIDC_ISSUER", "OIDC_CLIENT_SECRET_FILE"):
        assert f"PODIUM_{variable}" in str(error.value)
    (tmp_path / "secret").write_text(" from a file\n")
    configuration = read_provider(settings(oidc_client_secret_file=tmp_path / "secret"))
    assert configuration is not None
    assert configuration.client_secret == "from a file"


def test_domains_are_read_with_commas_between() -> None:
    assert settings(oidc_new_people=" Example.org, @example.edu ,").oidc_new_people == ("example.org", "example.edu")
    assert settings(oidc_new_people="*").oidc_new_people == ("*",)
    for wrong in ("example", "*.example.org", "ada@example.org"):
        with pytest.raises(ValueError, match="is no domain"):
            settings(oidc_new_people=wrong)
