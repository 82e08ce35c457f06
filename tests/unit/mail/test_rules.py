"""Answers of mail servers, waits, rates, audiences, links and settings: pure rules."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from podium.platform.errors import Conflict, InvalidInput, NotFound
from podium.platform.lifecycle import (
    CAMPAIGN_TRANSITIONS,
    MAIL_TRANSITIONS,
    CampaignStatus,
    MailStatus,
    ParticipantStatus,
)
from podium.platform.mail.audience import PEOPLE_NAMED, Audience, Who, require_question
from podium.platform.mail.configuration import mail_trouble, read_mail, require_mail
from podium.platform.mail.links import MailLinks, Subscription
from podium.platform.mail.pace import Allowance, Waiting, admitted, left_by, window
from podium.platform.mail.verdicts import Fate, Reply, Stage, ruling, settled, wait_before
from podium.platform.models import MailKind
from podium.platform.settings import ServerSettings

PERSON, COMPETITION = UUID(int=1), UUID(int=2)
LINKS = MailLinks("s" * 32, "https://podium.test/", "https://pages.podium.test/")


@pytest.mark.parametrize(
    ("stage", "code", "text", "fate", "no_mailbox"),
    [
        (Stage.CONTENT, 250, "2.0.0 queued", Fate.SENT, False),
        (Stage.RECIPIENT, 451, "4.7.1 greylisted, try again in 5 minutes", Fate.LATER, False),
        (Stage.CONTENT, 452, "4.3.1 full", Fate.LATER, False),
        (Stage.READY, 421, "4.3.2 going away", Fate.LATER, False),
        (Stage.SENDER, 421, "", Fate.LATER, False),
        (Stage.SENDER, 451, "try later", Fate.LATER, False),
        (Stage.RECIPIENT, 550, "5.1.1 no such user", Fate.NEVER, True),
        (Stage.RECIPIENT, 550, "no such user here", Fate.NEVER, True),
        (Stage.RECIPIENT, 553, "5.1.3 bad address", Fate.NEVER, True),
        (Stage.RECIPIENT, 550, "5.2.1 disabled", Fate.NEVER, True),
        (Stage.RECIPIENT, 550, "5.7.1 not wanted", Fate.NEVER, False),
        (Stage.RECIPIENT, 552, "5.2.2 mailbox full", Fate.NEVER, False),
        (Stage.CONTENT, 550, "5.1.1 said too late", Fate.NEVER, False),
        (Stage.CONTENT, 554, "5.7.1 spam", Fate.NEVER, False),
        (Stage.RECIPIENT, 554, "5.7.1 <a@b.org>: Relay access denied", Fate.HALT, False),
        (Stage.RECIPIENT, 550, "relaying denied", Fate.HALT, False),
        (Stage.RECIPIENT, 530, "5.7.0 authenticate first", Fate.HALT, False),
        (Stage.SENDER, 553, "5.7.1 not yours", Fate.HALT, False),
        (Stage.GREETING, 535, "5.7.8 bad password", Fate.HALT, False),
        (Stage.GREETING, 554, "no", Fate.HALT, False),
    ],
)
def test_what_an_answer_means(stage: Stage, code: int, text: str, fate: Fate, *, no_mailbox: bool):
    found = ruling(stage, Reply(code, text))
    assert (found.fate, found.no_mailbox) == (fate, no_mailbox)


@given(stage=st.sampled_from(Stage), code=st.integers(-1, 999), text=st.text(max_size=50))
def test_only_what_was_taken_counts_as_sent_and_only_a_refusal_is_final(stage: Stage, code: int, text: str):
    found = ruling(stage, Reply(code, text))
    assert (found.fate is Fate.SENT) == (stage is Stage.CONTENT and 200 <= code < 300)
    if found.fate in {Fate.NEVER, Fate.HALT}:
        assert 500 <= code < 600
    if found.no_mailbox:
        assert stage is Stage.RECIPIENT


def test_an_answer_for_people_is_one_line():
    assert str(Reply(550, "5.1.1 no\n such  user")) == "550 5.1.1 no such user"
    assert Reply(550, "4.1.1 x").enhanced == ""


def test_each_wait_is_twice_as_long_until_it_is_given_up():
    waits = [wait_before(number, first=300, give_up=48 * 3600) for number in range(1, 20)]
    assert waits[:7] == [300, 600, 1200, 2400, 4800, 9600, 14400]
    assert waits[-1] is None
    given = [wait for wait in waits if wait is not None]
    assert sum(given) <= 48 * 3600 < sum(given) + 4 * 3600
    assert wait_before(1000, first=0.01, give_up=1e12) == 14400


def test_what_no_server_has_goes_back_and_what_one_may_have_does_not():
    assert settled(handed=False) is MailStatus.QUEUED
    assert settled(handed=True) is MailStatus.UNSETTLED
    assert MailStatus.SENDING not in MAIL_TRANSITIONS[MailStatus.UNSETTLED]
    assert MailStatus.DEFERRED not in MAIL_TRANSITIONS[MailStatus.UNSETTLED]


def test_a_campaign_is_written_only_before_it_is_sent():
    before_draft = {status for status, after in CAMPAIGN_TRANSITIONS.items() if CampaignStatus.DRAFT in after}
    assert before_draft == {CampaignStatus.PROPOSED, CampaignStatus.APPROVED}
    before_sending = {status for status, after in CAMPAIGN_TRANSITIONS.items() if CampaignStatus.SENDING in after}
    assert before_sending == {CampaignStatus.APPROVED, CampaignStatus.PAUSED, CampaignStatus.SENT}


@given(st.integers(1, 100_000))
def test_a_rate_is_kept_within_any_minute(per_minute: int):
    found = window(per_minute)
    assert 6 <= found.seconds <= 60
    assert 1 <= found.count <= per_minute
    assert found.count / found.seconds * 60 <= per_minute + 1e-6


def test_what_may_go_out_in_its_order():
    waiting = [Waiting(number, domain) for number, domain in enumerate("aabab")]
    assert admitted(waiting, Allowance()) == [0, 1, 2, 3, 4]
    assert admitted(waiting, Allowance(3)) == [0, 1, 2]
    assert admitted(waiting, Allowance(None, 2, {"a": 1})) == [0, 2, 4]
    assert admitted(waiting, Allowance(0, 2)) == []
    assert Allowance(None, 2, {"a": 2, "b": 1}).full_domains == ("a",)


def test_what_urgent_messages_leave_for_others():
    assert left_by({}, Allowance(5, 3, {"a": 1})) == Allowance(5, 3, {"a": 1})
    assert left_by({"a": 2, "b": 1}, Allowance(5)).total == 2
    assert left_by({"a": 9}, Allowance(5)).total == 0
    assert left_by({"a": 9}, Allowance()).total is None
    # Of nine to one domain, only two may go now: the rest takes nothing from others.
    left = left_by({"a": 9}, Allowance(5, 3, {"a": 1, "b": 1}))
    assert (left.total, left.full_domains) == (3, ("a",))
    assert left_by({"a": 1}, Allowance(5, 3, {"a": 3})).total == 5


@pytest.mark.parametrize(
    ("audience", "words"),
    [
        (Audience(), "participants"),
        (Audience(status=None), "participants, and people who wait to be approved"),
        (Audience(status=ParticipantStatus.PENDING), "people who wait to be approved"),
        (Audience(phase="Final"), "participants with a submission in phase Final"),
        (Audience(submitted=False), "participants without a submission"),
        (Audience(top=10, phase="1"), "participants at the first 10 ranks in phase 1"),
        (Audience(failed=True), "participants whose latest submission has failed"),
        (Audience(who=Who.ORGANIZERS), "the organizers"),
        (Audience(who=Who.PEOPLE, usernames=("ada", "bob")), "ada, bob"),
        (Audience(who=Who.PEOPLE, usernames=tuple("abcdefghijkl")), "a, b, c, d, e, f, g, h, i, j and 2 more"),
    ],
)
def test_to_whom_in_words(audience: Audience, words: str):
    require_question(audience)
    assert audience.in_words() == words
    assert Audience.of(audience.stored()) == audience


@pytest.mark.parametrize(
    ("audience", "fault"),
    [
        (Audience(who=Who.PEOPLE), "Name the people"),
        (Audience(usernames=("ada",)), "in another way too"),
        (Audience(who=Who.ORGANIZERS, failed=True), "among participants only"),
        (Audience(who=Who.ORGANIZERS, top=3), "among participants only"),
        (Audience(status=ParticipantStatus.DENIED), "denied"),
        (Audience(top=0), "from 1 on"),
        (Audience(submitted=False, failed=True), "Nobody without a submission"),
        (Audience(who=Who.PEOPLE, usernames=("a",) * (PEOPLE_NAMED + 1)), "More than"),
    ],
)
def test_questions_that_make_no_sense(audience: Audience, fault: str):
    with pytest.raises(InvalidInput, match=fault):
        require_question(audience)


def test_a_link_that_stops_messages_is_known_again_and_no_other():
    for one in (Subscription(PERSON, MailKind.ANNOUNCEMENT, COMPETITION), Subscription(PERSON, MailKind.RANK)):
        address = LINKS.unsubscribe(one)
        assert address.startswith("https://podium.test/api/v1/mail/unsubscribe/")
        token = address.rpartition("/")[2]
        assert LINKS.subscription(token) == one
        for wrong in (token[:-1], f"{token}x", token.replace("announcement", "rank"), "", "a~b", "ä"):
            if wrong != token:
                with pytest.raises(NotFound):
                    LINKS.subscription(wrong)
    with pytest.raises(NotFound):
        MailLinks("t" * 32, "https://podium.test", "").subscription(token)


def test_links_lead_to_the_pages_and_without_any_to_the_gateway():
    pages = LINKS.of_competition("iris")
    assert pages["leaderboard_link"] == "https://pages.podium.test/leaderboard?competition=iris"
    bare = MailLinks("s" * 32, "https://podium.test", "").of_competition("iris")
    assert bare["leaderboard_link"] == "https://podium.test/api/v1/competitions/iris/leaderboard.html"
    assert set(bare) == set(pages)


def settings(**values: object) -> ServerSettings:
    needed = {"database_url": "postgresql://x", "storage_url": "file:///x", "secret_key": "s" * 32}
    given = {"mail_host": "mail.example.org", "mail_from": "podium@example.org", **values}
    return ServerSettings.model_validate({**needed, **given})


def test_a_mail_server_is_read_from_the_settings(tmp_path: Path):
    assert read_mail(settings(mail_host="")) is None
    assert mail_trouble(settings(mail_host="")) == "This platform sends no mail."
    assert "PODIUM_MAIL_FROM is no address" in mail_trouble(settings(mail_from="nobody"))
    assert mail_trouble(settings()) == ""
    with pytest.raises(Conflict, match="sends no mail"):
        require_mail(settings(mail_host=""))
    (tmp_path / "password").write_text("secret\n")
    found = require_mail(
        settings(
            mail_username="podium", mail_password_file=tmp_path / "password", mail_bounce_address="back@example.org"
        )
    )
    assert (found.password, found.security, str(found.sender)) == ("secret", "starttls", "podium@example.org")
    assert found.envelope_sender(PERSON) == f"back+{PERSON.hex}@example.org"
    assert require_mail(settings()).envelope_sender(PERSON) == "podium@example.org"


def test_all_that_is_wrong_with_a_mail_server_is_said_at_once():
    with pytest.raises(InvalidInput) as refused:
        read_mail(
            settings(
                mail_from="x",
                mail_bounce_address="y",
                mail_security="none",
                mail_password=SecretStr("p"),
                mail_password_file=Path("/nowhere"),
                mail_username="u",
            )
        )
    for part in ("MAIL_FROM", "MAIL_BOUNCE_ADDRESS", "very machine", "MAIL_PASSWORD_FILE", "belong together"):
        assert part in str(refused.value)
