"""The whole way of an organizer in a real browser, over a real gateway: see, approve, edit, and act on several."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browsing import choose, faults_of, follow, keep_screenshot, sign_in
from playwright.sync_api import Page, expect
from world import World

from podium.platform.client import Client

pytestmark = pytest.mark.browser


def test_an_organizer_sees_approves_edits_and_acts(
    world: World,
    connect: Callable[[str | None], Client],
    open_real_page: Callable[..., Page],
):
    olga, ada = world.person("olga", organizer=True), world.person("ada")
    slug = world.competition(olga, registration_auto_approve=True)
    owner = connect(olga.token)
    world.join(ada, slug)
    world.score(ada, slug, {"accuracy": 0.75})
    owner.change_content(slug, {"registration_auto_approve": False}, version=owner.content(slug).version)
    bob = connect(world.person("bob").token)
    bob.join(slug, bob.competition(slug).terms_sha256)

    page = open_real_page("/sign-in")
    sign_in(page, olga.token, "olga")
    follow(page, "Organize")
    expect(page.get_by_text("1 person waits for your approval.")).to_be_visible()
    assert faults_of(page) == []
    page.get_by_role("button", name="Go to Participants").click()
    expect(page.get_by_role("row", name="bob")).to_contain_text("Waiting")
    page.get_by_role("button", name="All on this page").click()
    page.get_by_role("button", name="Approve (2)").click()
    expect(page.get_by_text("Done: 1. Left out: 1")).to_be_visible()
    expect(page.get_by_role("region", name="Participants").get_by_role("row", name="bob")).to_contain_text("Approved")
    assert faults_of(page) == []
    keep_screenshot(page, "organize-participants")

    # What is wrong is said below its box, and nothing is saved; what was typed last is taken by the press itself.
    page.get_by_role("radio", name="Edit", exact=True).click()
    page.get_by_label("Title", exact=False).first.fill("Irises of the meadow")
    page.get_by_label("E-mail address for questions").fill("nobody")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("'nobody' is not an e-mail address.")).to_be_visible()
    assert owner.content(slug).content.title != "Irises of the meadow"
    assert faults_of(page) == []
    keep_screenshot(page, "organize-edit-refused")
    page.get_by_label("E-mail address for questions").fill("olga@example.org")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("region", name="What it would change")).to_contain_text("Irises of the meadow")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Irises of the meadow")).to_be_visible()

    page.get_by_role("radio", name="Submissions", exact=True).click()
    page.get_by_role("button", name="All on this page").click()
    choose(page, "Do what", "Take off the leaderboard")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("Would be done: 1.")).to_be_visible()
    page.get_by_label("Why, for the record").fill("It was copied.")
    page.get_by_role("button", name="Take off the leaderboard: 1").click()
    # As a whole: the preview says "Would be done: 1."
    expect(page.get_by_text("Done: 1.", exact=True)).to_be_visible()
    assert owner.leaderboard(slug).total == 0
    assert owner.audit(slug)[0].reason == "It was copied."
    assert faults_of(page) == []
    keep_screenshot(page, "organize-submissions")
