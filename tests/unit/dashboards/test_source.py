from __future__ import annotations

from collections.abc import Callable

import pytest
import streamlit as st
from stand_in import StandIn, make_board, make_competition, make_row

from podium.dashboards import source
from podium.dashboards.gateway import open_gateway
from podium.dashboards.source import Answer, Piece
from podium.platform.errors import NotAllowed, NotFound, PlatformFault
from podium.platform.records.leaderboards import LeaderboardRecord


@pytest.fixture
def ask(stand_in: StandIn) -> Callable[[], Answer[LeaderboardRecord]]:
    """Asks for a board when what was cached of it is too old."""

    def ask() -> Answer[LeaderboardRecord]:
        st.cache_resource.clear()
        return source.board(Piece("iris", "1"), None)

    return ask


def _asked(stand_in: StandIn) -> int:
    return sum("leaderboard" in path for path in stand_in.seen)


def test_many_viewers_cost_one_call(stand_in: StandIn):
    stand_in.add(make_competition(), make_board(make_row(1, "ada", 0.9, 0.1)))
    answers = [source.board(Piece("iris", "1"), None) for _ in range(50)]
    assert _asked(stand_in) == 1
    assert all(answer.value is answers[0].value for answer in answers)


def test_the_last_good_board_stays_while_the_gateway_is_down(
    stand_in: StandIn, ask: Callable[[], Answer[LeaderboardRecord]]
):
    stand_in.add(make_competition(), make_board(make_row(1, "ada", 0.9, 0.1)))
    good = ask()
    stand_in.is_down = True
    stale = ask()
    assert stale.is_stale
    assert stale.value == good.value
    assert stale.at == good.at
    assert isinstance(stale.trouble, PlatformFault)
    stand_in.is_down = False
    assert not ask().is_stale


def test_a_board_that_was_never_seen_has_trouble_alone(stand_in: StandIn):
    stand_in.is_down = True
    answer = source.board(Piece("never-seen", "1"), None)
    assert answer.value is None
    assert isinstance(answer.trouble, PlatformFault)


def test_what_is_refused_now_is_no_longer_shown(stand_in: StandIn, ask: Callable[[], Answer[LeaderboardRecord]]):
    stand_in.add(make_competition(), make_board(make_row(1, "ada", 0.9, 0.1)))
    assert ask().value is not None
    stand_in.add(make_competition(leaderboard_hidden=True))
    assert isinstance(ask().trouble, NotAllowed)
    stand_in.is_down = True
    assert ask().value is None


def test_an_unknown_competition_is_not_found(stand_in: StandIn):
    assert isinstance(source.competition("nothing", None).trouble, NotFound)


def test_a_board_that_has_not_changed_stays_the_same_record(
    stand_in: StandIn, ask: Callable[[], Answer[LeaderboardRecord]]
):
    stand_in.add(make_competition(), make_board(make_row(1, "ada", 0.9, 0.1)))
    first = ask().value
    assert ask().value is first
    stand_in.add(make_competition(), make_board(make_row(1, "bob", 0.9, 0.1)))
    assert ask().value is not first


def test_the_gateway_is_asked_without_a_token_for_what_is_shared(stand_in: StandIn):
    stand_in.add(make_competition(), make_board(make_row(1, "ada", 0.9, 0.1)))
    own = open_gateway("a token that the gateway does not know")
    assert source.board(Piece("iris", "1"), own).value is not None
