"""Mail on the page for organizers: written, looked at, approved, sent, followed and settled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from stand_in import StandIn, make_competition, make_person, make_phase
from stand_in_mail import make_campaign, make_message
from streamlit.testing.v1 import AppTest

from podium.dashboards.mail_wish import Wish, audience_of, named_in, wish_of
from podium.dashboards.mail_words import cancelling_words, deeds_of, left_out_words, progress_words
from podium.platform.errors import PlatformFault
from podium.platform.lifecycle import CampaignStatus, MailStatus
from podium.platform.records.mail import AudienceRecord, RecipientCount

Visit = Callable[..., AppTest]
NEW = "new-campaign-iris-0"
HERE = {"competition": "iris", "section": "mail"}


def _html(test: AppTest) -> str:
    return "\n".join(element.proto.body for element in test.get("html"))


def _paths(stand_in: StandIn) -> list[str]:
    """What was done, save what was counted and looked at."""
    passive = ("/count", "/preview")
    return [
        f"{how} {path.removeprefix('/competitions/iris')}"
        for how, path, _ in stand_in.done
        if not path.endswith(passive)
    ]


def _sent(stand_in: StandIn, ending: str) -> dict[str, Any]:
    """The body of the latest such call."""
    return next(body for _, path, body in reversed(stand_in.done) if path.endswith(ending))


@pytest.fixture
def organized(stand_in: StandIn) -> StandIn:
    """A competition of two phases that ada owns, in which cora collaborates."""
    stand_in.people["ada"] = make_person("ada", may_organize=True)
    stand_in.people["cora"] = make_person("cora", organizes=True)
    phases = (make_phase(1, "Development", start=-9, end=-2), make_phase(2, "Final", start=-2, end=3))
    competition = make_competition("iris", "Iris", *phases, may_organize=True)
    stand_in.add(replace(competition, summary=replace(competition.summary, may_organize=True, organizer="ada")))
    return stand_in


def test_a_first_message_is_counted_written_and_shown(organized: StandIn, visit: Visit):
    test = visit("organize", "ada", **HERE)
    shown = _html(test)
    assert "Nothing was written to anybody yet" in shown
    assert "It would go to 118 people now. Left out: 4 who want no such mail, 1 whose address" in shown
    test.selectbox(key=f"mail-submitted-{NEW}").select("without").run()
    test.selectbox(key=f"mail-phase-{NEW}").select(2).run()
    asked = organized.done[-1][2]["audience"]
    assert (asked["submitted"], asked["phase"], asked["status"]) == (False, "Final", "approved")
    test.text_input(key=f"mail-subject-{NEW}").set_value("One week left")
    test.text_area(key=f"mail-body-{NEW}").set_value("Hello {{name}}")
    test.button(key=f"save-{NEW}").click().run()
    assert not test.exception
    sent = _sent(organized, "/campaigns")
    assert (sent["subject"], sent["body"]) == ("One week left", "Hello {{name}}")
    assert sent["audience"] == asked
    assert "Campaign 1 is saved as a draft" in _html(test)
    assert test.text_input(key="mail-subject-new-campaign-iris-1").value == ""
    assert test.selectbox(key="campaign-of-iris").value == 1


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_lost(organized: StandIn, visit: Visit):
    test = visit("organize", "ada", **HERE)
    test.radio(key=f"mail-who-{NEW}").set_value("people").run()
    test.button(key=f"save-{NEW}").click().run()
    assert "It has no subject. It says nothing. Name the people to write to. Nothing was saved." in _html(test)
    test.text_area(key=f"mail-names-{NEW}").set_value("ben, nobody")
    test.text_input(key=f"mail-subject-{NEW}").set_value("Hello")
    test.text_area(key=f"mail-body-{NEW}").set_value("Dear {{nmae}}")
    test.button(key=f"save-{NEW}").click().run()
    shown = _html(test)
    assert "There is no variable &#x27;nmae&#x27;. Did you mean &#x27;name&#x27;?" in shown
    assert "Nobody takes part who is named &#x27;nobody&#x27;." in shown
    assert test.text_area(key=f"mail-body-{NEW}").value == "Dear {{nmae}}"
    assert organized.mailing.campaigns == []


def test_what_is_typed_stays_while_another_section_is_shown(organized: StandIn, visit: Visit):
    test = visit("organize", "ada", **HERE)
    test.text_input(key=f"mail-subject-{NEW}").set_value("Half of it").run()
    test.button_group(key="organize-section").set_value("Queue").run()
    test.button_group(key="organize-section").set_value("Mail").run()
    assert test.text_input(key=f"mail-subject-{NEW}").value == "Half of it"


def test_a_draft_is_changed_only_as_it_was_read(organized: StandIn, visit: Visit):
    organized.mailing.campaigns = [make_campaign()]
    test = visit("organize", "ada", **HERE)
    place = "campaign-iris-1"
    assert test.selectbox(key=f"mail-submitted-{place}").value == "with"
    test.button(key=f"save-{place}").click().run()
    assert "Nothing was changed." in _html(test)
    test.text_input(key=f"mail-subject-{place}").set_value("Two weeks left").run()
    assert "Changed and not saved yet." in _html(test)
    organized.mailing.campaigns = [make_campaign(version=4, body="Of cora", author="cora")]
    test.button(key=f"save-{place}").click().run()
    assert "Campaign 1 has changed since you read it." in _html(test)
    assert "cora has changed this meanwhile" in _html(test)
    assert test.text_input(key=f"mail-subject-{place}").value == "Two weeks left"
    test.button(key=f"reread-{place}").click().run()
    assert test.text_area(key=f"mail-body-{place}").value == "Of cora"
    test.text_input(key=f"mail-subject-{place}").set_value("Two weeks left").run()
    test.button(key=f"save-{place}").click().run()
    assert organized.mailing.campaigns[0].subject == "Two weeks left"
    assert _sent(organized, "/campaigns/1")["version"] == 4
    assert "Saved." in _html(test)


def test_a_message_is_previewed_without_an_origin_and_tested(organized: StandIn, visit: Visit):
    organized.mailing.campaigns = [make_campaign()]
    test = visit("organize", "ada", **HERE)
    test.text_input(key="name-mail-preview-iris-1").set_value("zoe")
    test.button(key="look-mail-preview-iris-1").click().run()
    frames = [element.proto.srcdoc for element in test.get("iframe")]
    assert len(frames) == 1
    assert 'sandbox=""' in frames[0]
    assert "<script>" not in frames[0]
    assert "This person gets none: one who want no such mail" in _html(test)
    assert any("Hello zoe" in one.value for one in test.code)
    test.button(key="test-mail-preview-iris-1").click().run()
    assert _paths(organized) == ["POST /campaigns/1/test"]
    assert "A test is on its way to lin@example.org." in _html(test)


def test_a_campaign_is_approved_scheduled_and_sent(organized: StandIn, visit: Visit):
    organized.mailing.campaigns = [make_campaign()]
    test = visit("organize", "ada", **HERE)
    test.button(key="approve-mail-iris-1").click().run()
    assert _paths(organized) == []
    assert "Approve campaign 1 as it is? It would go to 118 people now." in _html(test)
    test.button(key="yes-mail-iris-1").click().run()
    assert _sent(organized, "/approve") == {"version": 3}
    assert organized.mailing.campaigns[0].status is CampaignStatus.APPROVED
    at = (datetime.now(UTC) + timedelta(days=2)).replace(second=0, microsecond=0, tzinfo=None)
    key = "mail-time-of-iris-1-None"
    test.datetime_input(key=f"at-{key}").set_value(at)
    test.button(key=f"schedule-{key}").click().run()
    assert organized.mailing.campaigns[0].scheduled == at.replace(tzinfo=UTC)
    assert "Is sent by itself on" in _html(test)
    test.button(key="send-mail-iris-1").click().run()
    assert "to 118 people now? It can be paused, but what was sent can&#x27;t be taken back." in _html(test)
    test.button(key="yes-mail-iris-1").click().run()
    test.button(key="pause-mail-iris-1").click().run()
    test.button(key="resume-mail-iris-1").click().run()
    test.button(key="cancel-mail-iris-1").click().run()
    assert _paths(organized)[-1] == "POST /campaigns/1/resume"
    test.button(key="yes-mail-iris-1").click().run()
    assert _paths(organized) == [
        "POST /campaigns/1/approve",
        "PUT /campaigns/1/schedule",
        *(f"POST /campaigns/1/{what}" for what in ("send", "pause", "resume", "cancel")),
    ]


def test_where_two_must_approve_the_author_proposes_and_another_approves(organized: StandIn, visit: Visit):
    organized.mailing.campaigns = [make_campaign(needs_second=True)]
    test = visit("organize", "ada", **HERE)
    test.button(key="approve-mail-iris-1").click().run()
    assert "Another organizer must approve it" in _html(test)
    test.button(key="yes-mail-iris-1").click().run()
    assert organized.mailing.campaigns[0].status is CampaignStatus.PROPOSED
    assert not [one for one in test.button if one.key == "approve-mail-iris-1"]
    other = visit("organize", "cora", **HERE)
    other.button(key="approve-mail-iris-1").click().run()
    other.button(key="yes-mail-iris-1").click().run()
    assert organized.mailing.campaigns[0].approved_by == ("ada", "cora")
    assert organized.mailing.campaigns[0].status is CampaignStatus.APPROVED


def test_messages_are_listed_and_unsettled_ones_decided_about(organized: StandIn, visit: Visit):
    counts = {"sent": 117, "failed": 1, "unsettled": 2}
    organized.mailing.campaigns = [make_campaign(CampaignStatus.SENT, counts=counts)]
    organized.mailing.messages[1] = [
        make_message("ben"),
        make_message("eve", MailStatus.FAILED),
        make_message("fay", MailStatus.UNSETTLED),
        make_message("gus", MailStatus.UNSETTLED),
    ]
    test = visit("organize", "ada", **HERE)
    shown = _html(test)
    assert "117 of 120 sent; 1 failed, 2 unsettled" in shown
    assert "550 5.1.1 &lt;b&gt;No such&lt;/b&gt; mailbox" in shown
    assert "2 people may have got it, or not" in shown
    test.button(key="as-sent-unsettled-iris-1").click().run()
    assert "Choose whom you mean first" in _html(test)
    assert _paths(organized) == []
    test.multiselect(key="chosen-unsettled-iris-1-0").set_value(["gus"]).run()
    test.button(key="send-again-unsettled-iris-1").click().run()
    assert "Send it again to 1 person? Who has got it gets it twice." in _html(test)
    test.button(key="yes-unsettled-iris-1").click().run()
    assert _sent(organized, "/settle") == {"send_again": True, "usernames": ["gus"]}
    assert [one.status.value for one in organized.mailing.messages[1]][2:] == ["unsettled", "queued"]
    test.selectbox(key="status-outbox-iris-1").select("Failed").run()
    assert "status=failed" in [path for path in organized.seen if "/outbox?" in path and "limit=50" in path][-1]
    assert any("Failed for good" in one.value for one in test.caption)


def test_unsettled_messages_are_paged_through_and_chosen_on_several_pages(organized: StandIn, visit: Visit):
    names = [f"p{number:03}" for number in range(120)]
    organized.mailing.campaigns = [make_campaign(CampaignStatus.SENT, counts={"unsettled": 120})]
    organized.mailing.messages[1] = [make_message(name, MailStatus.UNSETTLED) for name in names]
    test = visit("organize", "ada", **HERE)
    place = "unsettled-iris-1"
    assert any(one.value == "120 messages, page 1 of 3" for one in test.caption)
    test.button(key=f"all-{place}").click().run()
    test.button(key=f"next-{place}").click().run()
    test.button(key=f"next-{place}").click().run()
    box = test.multiselect(key=f"chosen-{place}-1")
    assert (box.value, box.options) == (names[:50], [*names[:50], *names[100:]])
    test.button(key=f"all-{place}").click().run()
    test.button(key=f"as-sent-{place}").click().run()
    assert _sent(organized, "/settle") == {"send_again": False, "usernames": [*names[:50], *names[100:]]}
    assert "50 people may have got it, or not" in _html(test)
    assert test.multiselect(key=f"chosen-{place}-3").options == names[50:100]


def test_without_a_mail_server_it_is_said_with_what_to_set(organized: StandIn, visit: Visit):
    organized.mailing.count = RecipientCount(118, {}, "This platform sends no mail.")
    organized.mailing.campaigns = [make_campaign(CampaignStatus.APPROVED)]
    test = visit("organize", "ada", **HERE)
    assert (
        "This platform sends no mail. The operator of this platform names a mail server in PODIUM_MAIL_HOST"
        in _html(test)
    )
    test.button(key="send-mail-iris-1").click().run()
    test.button(key="yes-mail-iris-1").click().run()
    assert "Ask its operators for it." in _html(test)
    test.button(key="look-mail-preview-iris-1").click().run()
    assert not test.exception
    assert not test.get("iframe")


def test_what_the_gateway_refuses_or_does_not_answer_is_said(organized: StandIn, visit: Visit):
    organized.mailing.campaigns = [make_campaign(CampaignStatus.SENDING, counts={"queued": 100, "sent": 20})]
    test = visit("organize", "ada", **HERE)
    organized.refusal = PlatformFault("Podium is busy.", remedy="Try again.")
    test.button(key="pause-mail-iris-1").click().run()
    assert "Podium is busy. Try again." in _html(test)


@pytest.mark.parametrize(
    "question",
    [
        AudienceRecord(),
        AudienceRecord(status=None, phase="Final", submitted=True, failed=True, top=3),
        AudienceRecord(status="pending", submitted=False),
        AudienceRecord(who="organizers"),
        AudienceRecord(who="people", usernames=("ben", "eve")),
    ],
)
def test_an_audience_comes_back_from_the_form_as_it_was(question: AudienceRecord):
    phases = (make_phase(1, "Development"), make_phase(2, "Final"))
    assert audience_of(wish_of(make_campaign(question=question), phases), phases) == question


def test_a_phase_given_by_its_number_is_found():
    phases = (make_phase(1, "2"), make_phase(2, "Final"))
    wish = wish_of(make_campaign(question=AudienceRecord(phase="2")), phases)
    assert wish.phase == 2
    assert audience_of(replace(wish, phase=1), phases).phase == "1"


def test_names_are_read_once_each():
    assert named_in(" ben,eve;\nben  zoe ") == ("ben", "eve", "zoe")
    assert Wish() == Wish(who="participants")


@pytest.mark.parametrize(
    ("status", "deeds"),
    [
        (CampaignStatus.DRAFT, ("approve", "cancel")),
        (CampaignStatus.PROPOSED, ("approve", "withdraw", "cancel")),
        (CampaignStatus.APPROVED, ("send", "withdraw", "cancel")),
        (CampaignStatus.SENDING, ("pause", "cancel")),
        (CampaignStatus.PAUSED, ("resume", "cancel")),
        (CampaignStatus.SENT, ()),
        (CampaignStatus.CANCELLED, ()),
    ],
)
def test_what_can_be_done(status: CampaignStatus, deeds: tuple[str, ...]):
    assert deeds_of(make_campaign(status), "ada") == deeds


def test_words():
    campaign = make_campaign(CampaignStatus.PAUSED, counts={"sent": 1, "queued": 117, "deferred": 2})
    assert progress_words(campaign) == "1 of 120 sent; 117 queued, 2 put off"
    assert progress_words(make_campaign()) == ""
    assert cancelling_words(campaign) == (
        "Cancel campaign 1 for good? It never gets to 119 people. What 1 person got stays with them."
    )
    assert left_out_words({}) == ""


def test_on_ones_account_one_chooses_what_mail_one_gets(stand_in: StandIn, visit: Visit):
    stand_in.people["lin"] = make_person("lin")
    test = visit("sign-in", "lin")
    assert "agent" not in {str(box.key) for box in test.selectbox}
    assert test.selectbox(key="own-mail-announcement").options == ["At once", "Never"]
    test.selectbox(key="own-mail-rank").select("daily").run()
    assert stand_in.done == [("PUT", "/me/mail/kinds/rank", {"frequency": "daily"})]
    assert "A rerun has changed my rank: once a day, in one message." in _html(test)
    test.button(key="again-own-mail-iris").click().run()
    assert stand_in.mailing.preferences.stopped == ()
    stand_in.refusal = PlatformFault("Podium is busy.", remedy="Try again.")
    test.selectbox(key="own-mail-rank").select("none").run()
    assert "Podium is busy." in _html(test)
    assert test.selectbox(key="own-mail-rank").value == "daily"


def test_an_address_that_is_not_known_to_be_ones_own_is_confirmed(stand_in: StandIn, visit: Visit):
    stand_in.people["lin"] = make_person("lin")
    trouble = "It is not known whether this address is yours."
    stand_in.mailing.preferences = replace(stand_in.mailing.preferences, reachable=False, trouble=trouble)
    test = visit("sign-in", "lin")
    assert trouble in _html(test)
    test.button(key="confirm-own-mail-address").click().run()
    assert stand_in.done[-1][:2] == ("POST", "/me/mail/confirmation")
    assert "A message is on its way to lin@example.org" in _html(test)
