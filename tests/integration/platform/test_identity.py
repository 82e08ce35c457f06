"""People and tokens, in a real database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from world import World

from podium.platform import identity
from podium.platform.errors import Conflict, NotAuthenticated, NotFound
from podium.platform.identity import add_person, authenticate, find_person, issue_token, revoke_token
from podium.platform.models import Token


def test_a_token_says_who_holds_it(world: World) -> None:
    ada = world.person("Ada", organizer=True)
    caller = world.caller(ada)
    assert ("Ada", ada.id) == (caller.username, caller.person_id)
    assert (caller.may_organize, caller.is_administrator) == (True, False)
    assert caller.actor == "person:Ada"


def test_an_administrator_may_organize(world: World) -> None:
    assert world.caller(world.person("root", administrator=True)).may_organize


def test_the_database_does_not_hold_a_secret(world: World) -> None:
    ada = world.person("ada")
    with world.session() as session:
        token = session.scalars(select(Token)).one()
        assert identity.hash_secret(ada.token) == token.secret_sha256
        assert ada.token[:10] == token.hint
        assert len(ada.token) - len(token.hint) >= 32


def test_an_unknown_token_is_nobody(world: World) -> None:
    ada = world.person("ada")
    with world.session() as session, pytest.raises(NotAuthenticated, match="not known"):
        authenticate(session, ada.token + "x")


def test_a_token_is_good_until_the_moment_it_expires(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = world.person("ada")
    expires = datetime(2030, 5, 6, 7, 8, tzinfo=UTC)
    with world.session() as session:
        session.execute(update(Token).values(expires=expires))
    monkeypatch.setattr(identity, "now", lambda: expires - timedelta(microseconds=1))
    assert world.caller(ada).username == "ada"
    monkeypatch.setattr(identity, "now", lambda: expires)
    with pytest.raises(NotAuthenticated, match="expired on 2030-05-06 at 07:08 UTC"):
        world.caller(ada)


def test_a_revoked_token_is_good_for_nothing(world: World) -> None:
    ada = world.person("ada")
    with world.session() as session:
        revoke_token(session, world_token(world, ada.token), owner_id=ada.id)
    with pytest.raises(NotAuthenticated, match="revoked"):
        world.caller(ada)


def test_revoking_again_keeps_the_first_moment(world: World) -> None:
    ada = world.person("ada")
    token_id = world_token(world, ada.token)
    with world.session() as session:
        first = revoke_token(session, token_id, owner_id=ada.id).revoked
    with world.session() as session:
        assert first == revoke_token(session, token_id, owner_id=None).revoked


def test_nobody_revokes_the_token_of_another(world: World) -> None:
    ada, bob = world.person("ada"), world.person("bob")
    with world.session() as session, pytest.raises(NotFound):
        revoke_token(session, world_token(world, bob.token), owner_id=ada.id)
    assert world.caller(bob).username == "bob"


def test_the_last_use_is_noted_once_a_minute(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = world.person("ada")
    start = datetime(2030, 1, 1, tzinfo=UTC)
    seen = []
    for seconds in (0, 59, 61):
        monkeypatch.setattr(identity, "now", lambda seconds=seconds: start + timedelta(seconds=seconds))
        world.caller(ada)
        with world.session() as session:
            seen.append(session.scalars(select(Token.last_used)).one())
    assert [start, start, start + timedelta(seconds=61)] == seen


@pytest.mark.parametrize(
    ("username", "email", "what"), [("ADA", "x@example.org", "username"), ("bob", "ADA@Example.ORG", "e-mail address")]
)
def test_names_and_addresses_are_taken_in_any_case(world: World, username: str, email: str, what: str) -> None:
    world.person("ada")
    with world.session() as session, pytest.raises(Conflict, match=f"This {what} is taken"):
        add_person(session, username=username, email=email)


def test_a_conflict_leaves_the_transaction_usable(world: World) -> None:
    world.person("ada")
    with world.session() as session:
        with pytest.raises(Conflict):
            add_person(session, username="Ada", email="other@example.org")
        add_person(session, username="bob", email="bob@example.org")
    with world.session() as session:
        assert find_person(session, "BOB").username == "bob"


def test_a_token_belongs_to_exactly_one_kind_of_subject(world: World) -> None:
    world.agent_token("docker")
    with world.session() as session:
        token = session.scalars(select(Token)).one()
        assert token.pool_id is not None
        assert (token.person_id, token.attempt_id) == (None, None)


def test_days_bound_a_token(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.person("ada")
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(identity, "now", lambda: moment)
    with world.session() as session:
        _, token = issue_token(session, find_person(session, "ada"), name="ci", days=7)
        assert datetime(2030, 1, 8, tzinfo=UTC) == token.expires


def world_token(world: World, secret: str):
    """The id of the token that has this secret."""
    with world.session() as session:
        return session.scalars(select(Token.id).where(Token.secret_sha256 == identity.hash_secret(secret))).one()
