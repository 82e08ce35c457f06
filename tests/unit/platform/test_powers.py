"""What owners, collaborators and administrators may do: the table, and who is what."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from podium.platform.errors import NotAllowed
from podium.platform.identity import Caller
from podium.platform.models import Collaborator, Competition, TokenKind
from podium.platform.powers import POWERS, Power, Standing, require_power, standing_of

OWNER, FRIEND, STRANGER = uuid4(), uuid4(), uuid4()


def person(person_id: UUID, *, administrator: bool = False, organizer: bool = False) -> Caller:
    return Caller(
        TokenKind.PERSON, uuid4(), person_id=person_id, is_administrator=administrator, may_organize=organizer
    )


@pytest.fixture
def iris() -> Competition:
    return Competition(slug="iris", organizer_id=OWNER, collaborators=[Collaborator(person_id=FRIEND)])


@pytest.mark.parametrize(
    ("caller", "standing"),
    [
        (None, Standing.NONE),
        (person(OWNER), Standing.OWNER),
        (person(FRIEND), Standing.COLLABORATOR),
        (person(STRANGER, organizer=True), Standing.NONE),
        (person(STRANGER, administrator=True), Standing.ADMINISTRATOR),
        (Caller(TokenKind.AGENT, uuid4(), pool_id=OWNER), Standing.NONE),
        (Caller(TokenKind.ATTEMPT, uuid4(), attempt_id=OWNER), Standing.NONE),
    ],
)
def test_who_is_what(iris: Competition, caller: Caller | None, standing: Standing) -> None:
    assert standing_of(iris, caller) is standing


def test_where_there_is_no_competition_yet() -> None:
    assert standing_of(None, person(STRANGER, organizer=True)) is Standing.OWNER
    assert standing_of(None, person(FRIEND)) is Standing.NONE


def test_collaborators_do_all_but_choose_collaborators(iris: Competition) -> None:
    require_power(iris, person(FRIEND), Power.ORGANIZE)
    with pytest.raises(NotAllowed, match="Only the owner of 'iris'"):
        require_power(iris, person(FRIEND), Power.SHARE)
    with pytest.raises(NotAllowed, match="Only the organizers of 'iris'"):
        require_power(iris, person(STRANGER), Power.ORGANIZE)


def test_the_table_has_a_row_for_everybody() -> None:
    assert set(POWERS) == set(Standing)
    assert POWERS[Standing.COLLABORATOR] == {Power.ORGANIZE}
