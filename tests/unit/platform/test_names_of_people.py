"""Names and addresses that nobody can have are refused before the database is asked."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from podium.platform.errors import InvalidInput
from podium.platform.identity import add_person


@pytest.mark.parametrize("username", ["", "-ada", "ada.", "a b", "ada\n", "a" * 61, "ädä", "../ada", "ada\x00"])
def test_names_that_are_none(username: str) -> None:
    with pytest.raises(InvalidInput, match="is not a username"):
        add_person(Session(), username=username, email="ada@example.org")


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ada",
        "ada@example",
        "a b@example.org",
        "ada@@example.org",
        "a@b.c\n",
        "a@b.c\x00",
        "a" * 310 + "@example.org",
    ],
)
def test_addresses_that_are_none(email: str) -> None:
    with pytest.raises(InvalidInput, match="is not an e-mail address"):
        add_person(Session(), username="ada", email=email)
