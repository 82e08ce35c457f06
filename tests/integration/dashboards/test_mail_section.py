"""Mail on the organizers' pages in a browser: written, looked at, approved by two, sent, and seen to move by itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import stand_in as made
import stand_in_mail as mail
from browsing import choose, faults_of, follow, keep_screenshot, open_tab, sign_in
from playwright.sync_api import Page, expect

from podium.platform.lifecycle import CampaignStatus, MailStatus

pytestmark = pytest.mark.browser

Open = Callable[..., Page]


@pytest.fixture
def mailing(stand_in: made.StandIn) -> mail.Mailing:
    """A competition that ola organizes, with nothing written yet."""
    stand_in.people["token-of-ola"] = made.make_person("ola", may_organize=True)
    competition = made.make_competition("post", "Post", made.make_phase(1, "Final", start=-2, end=3), may_organize=True)
    stand_in.add(made.replace(competition, summary=made.replace(competition.summary, organizer="ola")))
    stand_in.mailing = mail.Mailing(page="<!DOCTYPE html><h1>Post</h1><p>Hello Ben, you are at rank <b>3</b>.</p>")
    return stand_in.mailing


def _organize(open_page: Open) -> Page:
    page = open_page("/leaderboard?competition=post")
    follow(page, "Sign in")
    sign_in(page, "token-of-ola", "ola")
    follow(page, "Organize")
    page.get_by_role("radio", name="Mail", exact=True).click()
    return page


def test_a_campaign_from_its_first_word_to_its_last_message(mailing: mail.Mailing, open_page: Open) -> None:
    page = _organize(open_page)
    expect(page.get_by_text("It would go to 118 people now.")).to_be_visible()
    page.get_by_label("Subject").first.fill("{{competition}}: one week left")
    page.get_by_label("Message, in Markdown").fill("Hello {{name}},\n\nyou are at rank **{{rank}}**.")
    # Pressed from within the box: what was typed last arrives with the press.
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_text("Campaign 1 is saved as a draft.")).to_be_visible()
    assert mailing.campaigns[0].body == "Hello {{name}},\n\nyou are at rank **{{rank}}**."

    open_tab(page, "Preview")
    page.get_by_role("button", name="Preview", exact=True).click()
    inner = page.frame_locator("iframe[srcdoc]").frame_locator("iframe")
    expect(inner.get_by_text("Hello Ben, you are at rank 3.")).to_be_visible()
    assert inner.locator("body").evaluate("() => window.origin") == "null"
    keep_screenshot(page, "mail-preview")
    assert faults_of(page) == []

    page.get_by_role("button", name="Approve", exact=True).click()
    page.get_by_role("button", name="Approve campaign 1").click()
    expect(page.get_by_text("Campaign 1 is approved.")).to_be_visible()
    page.get_by_role("button", name="Send", exact=True).press("Enter")
    page.get_by_role("button", name="Send campaign 1 now").press("Enter")
    expect(page.get_by_text("Campaign 1 is being sent.")).to_be_visible()

    counts = {"sent": 80, "queued": 30, "deferred": 5, "failed": 1, "unsettled": 2}
    mailing.messages[1] = [
        mail.make_message("ben"),
        mail.make_message("eve", MailStatus.FAILED),
        mail.make_message("fay", MailStatus.UNSETTLED, reply="The connection broke off."),
    ]
    mailing.campaigns[0] = made.replace(mailing.campaigns[0], counts=counts, version=9)
    expect(page.get_by_text("80 of 118 sent; 30 queued, 5 put off, 1 failed, 2 unsettled")).to_be_visible()
    expect(page.get_by_text("2 people may have got it, or not")).to_be_visible()
    open_tab(page, "Recipients")
    expect(page.get_by_role("cell", name="550 5.1.1 <b>No such</b> mailbox")).to_be_visible()
    keep_screenshot(page, "mail-sending")
    mailing.campaigns[0] = made.replace(mailing.campaigns[0], status=CampaignStatus.SENT, version=10)
    expect(page.get_by_text("Nothing of it is left to be sent.")).to_be_visible()

    mailing.count = made.replace(mailing.count, trouble="This platform sends no mail.")
    mailing.campaigns.insert(0, mail.make_campaign(number=2, needs_second=True, author="ola"))
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    expect(page.get_by_text("Campaign 2: {{competition}}: one week left").first).to_be_visible()
    choose(page, "Details of", "Campaign 2")
    page.get_by_role("button", name="Propose", exact=True).click()
    expect(page.get_by_text("Another organizer must approve it before it can be sent.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    keep_screenshot(page, "mail-phone-dark")
    assert faults_of(page) == []
