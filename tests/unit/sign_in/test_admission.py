"""Who gets an account at their first sign-in, and what they are called."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.platform.errors import NotAllowed
from podium.platform.identity import USERNAME
from podium.platform.sign_in.admission import free_username, require_admitted, usernames
from podium.platform.sign_in.configuration import ProviderConfiguration
from podium.platform.sign_in.id_tokens import Claims


def provider(*domains: str, trusts_email: bool = False) -> ProviderConfiguration:
    return ProviderConfiguration(
        *("https://sso.example.org", "podium", "secret", "Example University", "openid", "https://p.example.org/back"),
        domains=domains,
        trusts_email=trusts_email,
        lifetime=timedelta(hours=1),
    )


def somebody(email: str = "ada@example.org", *, verified: bool = True, username: str = "") -> Claims:
    return Claims("https://sso.example.org", "1", email, is_email_verified=verified, username=username)


def test_the_secret_is_not_shown() -> None:
    assert "secret" not in repr(provider()).replace("client_secret", "")


def test_who_is_admitted() -> None:
    require_admitted(somebody(), provider("example.org", "example.edu"))
    require_admitted(somebody("Ada@EXAMPLE.org"), provider("example.org"))
    require_admitted(somebody("ada@anywhere.example"), provider("*"))
    require_admitted(somebody(verified=False), provider("example.org", trusts_email=True))


@pytest.mark.parametrize(
    ("who", "where", "says"),
    [
        (somebody(), provider(), "a sign-in does not make one"),
        (somebody(""), provider("*"), "does not tell your e-mail address"),
        (somebody("ada"), provider("*", trusts_email=True), "does not tell your e-mail address"),
        (somebody(verified=False), provider("*"), "has not verified"),
        (somebody("ada@evil.example"), provider("example.org"), "Addresses at evil.example"),
        (somebody("ada@notexample.org"), provider("example.org"), "Addresses at notexample.org"),
        (somebody("ada@sub.example.org"), provider("example.org"), "Addresses at sub.example.org"),
    ],
)
def test_who_is_not(who: Claims, where: ProviderConfiguration, says: str) -> None:
    with pytest.raises(NotAllowed, match=says):
        require_admitted(who, where)


@pytest.mark.parametrize(
    ("email", "username", "first"),
    [
        ("ada@example.org", "", "ada"),
        ("ada@example.org", "countess", "countess"),
        ("ada@example.org", "countess@example.org", "countess"),
        ("ada@example.org", "Ada Lövelace", "Ada-Lovelace"),
        ("-@example.org", "..", "person"),
        ("x@example.org", "a" * 80, "a" * 60),
        ("x@example.org", "李", "x"),
    ],
)
def test_what_they_are_called(email: str, username: str, first: str) -> None:
    assert free_username(somebody(email, username=username), ()) == first


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert free_username(somebody(username="Ada"), {"ada", "ada-2"}) == "Ada-3"
    tried = list(usernames(somebody()))
    with pytest.raises(NotAllowed, match="is taken"):
        free_username(somebody(), frozenset(tried))


@given(st.text(max_size=100), st.text(max_size=100))
def test_every_name_that_is_tried_is_a_username(username: str, local: str) -> None:
    for tried, _ in zip(usernames(somebody(f"{local}@example.org", username=username)), range(3), strict=False):
        assert USERNAME.fullmatch(tried)
