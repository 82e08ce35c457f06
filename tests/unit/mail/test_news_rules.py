"""Who is told of what, and when: pure rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from podium.platform.database import Database
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.mail.agent_news import QUIET, STALE, loss_is_news, names_in_words
from podium.platform.mail.news import NewsRules, news_rules, next_digest, tell_people
from podium.platform.mail.phase_news import (
    Window,
    closing_is_news,
    closing_is_open,
    lead_of,
    opening_is_news,
    window_of,
)
from podium.platform.mail.preferences import CHOOSABLE
from podium.platform.mail.rank_rules import changed_ranks, rank_words, ranks_are_shown
from podium.platform.mail.submission_news import end_is_news
from podium.platform.models import MailFrequency
from podium.platform.records.mail import FREQUENCY_WORDS, KIND_WORDS
from podium.platform.settings import ServerSettings

NOON = datetime(2026, 5, 31, 12, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
S = SubmissionStatus


@pytest.mark.parametrize(
    ("after", "is_rerun", "is_migrated", "told"),
    [
        (S.FINISHED, False, False, True),
        (S.FAILED, False, False, True),
        (S.FINISHED, True, False, False),
        (S.FAILED, True, False, False),
        (S.FINISHED, False, True, False),
        (S.FAILED, False, True, True),
        (S.CANCELLED, False, False, False),
        (S.QUEUED, False, False, False),
        (S.SCORING, False, False, False),
    ],
)
def test_of_which_ends_participants_are_told(after: S, *, is_rerun: bool, is_migrated: bool, told: bool):
    assert end_is_news(after, is_rerun=is_rerun, is_migrated=is_migrated) is told


@given(
    moment=st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)),  # noqa: DTZ001
    hour=st.integers(0, 23),
)
def test_the_next_digest_is_the_first_time_that_it_is_the_hour(moment: datetime, hour: int):
    found = next_digest(moment, hour)
    assert (found.hour, found.minute, found.second, found.microsecond) == (hour, 0, 0, 0)
    assert timedelta(0) < found - moment <= DAY


def test_a_phase_is_open_within_its_competition():
    assert window_of(NOON, None, None, None) == Window(NOON, None)
    assert window_of(NOON, NOON + DAY, NOON + HOUR, NOON + 2 * DAY) == Window(NOON + HOUR, NOON + DAY)
    assert window_of(NOON, None, NOON - HOUR, NOON + DAY) == Window(NOON, NOON + DAY)


def test_that_a_phase_has_opened_is_news_for_a_day_and_while_it_is_open():
    window = Window(NOON, NOON + 3 * DAY)
    told = {hours: opening_is_news(window, NOON + hours * HOUR) for hours in (-1, 0, 24, 25, 80)}
    assert told == {-1: False, 0: True, 24: True, 25: False, 80: False}
    assert not opening_is_news(Window(NOON, NOON + HOUR), NOON + HOUR)


def test_a_phase_that_is_short_is_said_to_close_in_its_second_half_and_a_very_short_one_never():
    assert lead_of(Window(NOON, NOON + 30 * DAY), DAY) == DAY
    assert lead_of(Window(NOON, NOON + 12 * HOUR), DAY) == 6 * HOUR
    assert lead_of(Window(NOON, NOON + 59 * MINUTE), DAY) is None
    assert lead_of(Window(NOON, None), DAY) is None


def test_each_end_is_told_once_and_again_only_where_people_would_be_late():
    window, at = Window(NOON, NOON + 10 * DAY), NOON + 9 * DAY + HOUR
    assert not closing_is_news(window, DAY, None, at - 2 * HOUR)
    assert closing_is_news(window, DAY, None, at)
    assert not closing_is_news(window, DAY, window.closes, at)
    assert not closing_is_news(window, DAY, None, NOON + 10 * DAY)
    sooner = Window(NOON, NOON + 9 * DAY + 12 * HOUR)
    assert closing_is_news(sooner, DAY, window.closes, at)
    later = Window(NOON, NOON + 10 * DAY + 30 * MINUTE)
    assert not closing_is_news(later, DAY, window.closes, at)
    assert not closing_is_open(later, DAY, at)
    # Put off for days, it does not close soon any more; it is told anew when it does.
    much_later = Window(NOON, NOON + 20 * DAY)
    assert closing_is_open(much_later, DAY, at)
    assert closing_is_news(much_later, DAY, None, NOON + 19 * DAY + HOUR)


def board(**values: Any) -> Any:  # noqa: ANN401  # of a leaderboard
    return SimpleNamespace(**{"hidden": False, "freeze_hours": None, "unfrozen": None, **values})


@pytest.mark.parametrize(
    ("of_board", "of_phase", "published", "shown"),
    [
        ({}, {}, True, True),
        ({}, {}, False, False),
        ({"hidden": True}, {}, True, False),
        ({}, {"hide_output": True}, True, False),
        ({}, {"hide_score_output": True}, True, False),
        ({"freeze_hours": 30.0}, {}, True, False),
        ({"freeze_hours": 2.0}, {}, True, True),
        ({"freeze_hours": 30.0, "unfrozen": NOON - HOUR}, {}, True, True),
        ({"freeze_hours": 30.0}, {"ends": NOON - MINUTE}, True, True),
    ],
)
def test_nobody_is_told_of_ranks_that_they_do_not_see(
    of_board: dict[str, Any], of_phase: dict[str, Any], *, published: bool, shown: bool
):
    phase = SimpleNamespace(**{"hide_output": False, "hide_score_output": False, "ends": NOON + DAY, **of_phase})
    competition = SimpleNamespace(published=published, leaderboards=[board(**of_board)])
    assert ranks_are_shown(cast("Any", competition), cast("Any", phase), NOON) is shown


def test_only_ranks_that_have_changed_are_told():
    before = {"same": 1, "falls": 2, "gone": 3, "never": None}
    after = {"same": 1, "falls": 3, "new": 2, "never": None}
    assert changed_ranks(before, after) == {"falls": (2, 3), "gone": (3, None), "new": (None, 2)}
    assert (rank_words(None), rank_words(3)) == ("none", "3")


@pytest.mark.parametrize(
    ("silent", "told", "news"),
    [
        (5 * MINUTE, None, False),
        (10 * MINUTE, None, True),
        (STALE + HOUR, None, False),
        # Told since it was last heard of: once for each loss.
        (2 * HOUR, HOUR, False),
        # It came back, and is lost again: at once where that is long ago, else when it was quiet for long enough.
        (10 * MINUTE, QUIET + MINUTE, True),
        (10 * MINUTE, HOUR, False),
        (QUIET, QUIET + MINUTE, True),
    ],
)
def test_a_loss_is_told_once_and_not_of_what_comes_and_goes(silent: timedelta, told: timedelta | None, *, news: bool):
    before = None if told is None else NOON - told
    assert loss_is_news(NOON - silent, before, 10 * MINUTE, NOON) is news


def test_many_agents_are_named_by_the_first():
    assert names_in_words(["a", "b"]) == "a, b"
    assert names_in_words(list("abcdefg")) == "a, b, c, d, e and 2 more"


def test_each_kind_that_people_choose_for_has_its_words():
    assert list(KIND_WORDS) == [str(kind) for kind in CHOOSABLE]
    assert set(FREQUENCY_WORDS) == set(MailFrequency)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, None),
        ({"mail_host": "mail.test"}, None),  # from whom is not said: nothing could be sent
        (
            {"mail_host": "mail.test", "mail_from": "podium@podium.test", "mail_digest_hour": 5},
            NewsRules(5, timedelta(hours=24), timedelta(minutes=10)),
        ),
    ],
)
def test_people_are_told_only_where_mail_can_be_sent(values: dict[str, Any], told: NewsRules | None):
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    settings = ServerSettings(
        database_url=SecretStr("postgresql://x"), storage_url="file:///x", secret_key=SecretStr("s" * 32), **values
    )
    tell_people(database, settings)
    with database.session() as session:
        assert news_rules(session) == told
