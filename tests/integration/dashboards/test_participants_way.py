"""The whole way of a participant in a browser: found, joined, submitted, followed, decided; and its accessibility."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
import stand_in as made
from browsing import faults_of, follow, keep_screenshot, open_tab
from playwright.sync_api import Page, expect

from podium.platform.bundles.content import SubmissionRule
from podium.platform.lifecycle import EvaluationStatus, SubmissionStatus
from podium.platform.records.offers import OfferedFile
from podium.platform.records.submissions import EvaluationRecord, OutputFileRecord

pytestmark = pytest.mark.browser

Open = Callable[..., Page]


def test_a_participant_finds_joins_submits_and_decides(stand_in: made.StandIn, open_page: Open, tmp_path: Path) -> None:
    stand_in.people["token-of-noor"] = made.make_person("noor")
    competition = made.make_competition("way", "The whole way", submission_rule=SubmissionRule.ADD_AND_DELETE)
    summary = made.replace(competition.summary, status="open")
    stand_in.add(made.replace(competition, summary=summary, may_share=True, fact_sheet=()))
    stand_in.files["way"] = [OfferedFile(uuid4(), "public_data", ("Development",), "", "train.zip", 6, "0" * 64)]
    stand_in.allowance = made.Allowance(
        can=True, reason="", phase="Development", left_in_window=4, left_total=96, changes=None
    )
    page = open_page("/?show=open")
    page.get_by_role("textbox", name="Search competitions").fill("whole")
    expect(page.locator("[class*=st-key-card-]")).to_have_count(1)
    keep_screenshot(page, "way-1-found")
    assert faults_of(page) == []
    follow(page, "The whole way")
    follow(page, "Sign in to take part")
    page.get_by_label("Token", exact=True).fill("token-of-noor")
    page.get_by_role("button", name="Sign in").click()
    follow(page, "Back to way")

    # The terms are read, and accepted by keyboard.
    page.get_by_role("button", name="Take part").click()
    expect(page.get_by_role("dialog")).to_contain_text("No second accounts.")
    expect(page.get_by_role("button", name="Accept and take part")).to_be_disabled()
    page.get_by_role("checkbox", name="I have read these terms").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Accept and take part")).to_be_enabled()
    page.get_by_role("button", name="Accept and take part").press("Enter")
    expect(page.get_by_text("You take part in this competition.")).to_be_visible()
    open_tab(page, "Files")
    expect(page.get_by_role("link", name="Download train.zip")).to_have_attribute("target", "_blank")
    keep_screenshot(page, "way-2-joined")
    assert faults_of(page) == []

    # A file that is no good is told before it is sent, and one that is good arrives.
    page.locator(".st-key-next-step").get_by_role("link", name="Submit").click()
    broken, good = tmp_path / "broken.zip", tmp_path / "predictions.csv"
    broken.write_bytes(b"no zip")
    good.write_bytes(b"1,2\n")
    page.locator("input[type=file]").set_input_files(broken)
    expect(page.get_by_text("is called a zip but is none")).to_be_visible()
    expect(page.get_by_role("button", name="Submit to Development")).to_be_disabled()
    page.locator("input[type=file]").set_input_files(good)
    expect(page.get_by_text("it will be packed into one by itself")).to_be_visible()
    page.get_by_label("Note to yourself").fill("more trees")
    page.get_by_label("Note to yourself").press("Tab")
    assert faults_of(page) == []
    page.get_by_role("button", name="Submit to Development").click()
    expect(page.get_by_text("has arrived and is in the queue")).to_be_visible()
    keep_screenshot(page, "way-3-sent")
    assert stand_in.received[-1].startswith(b"PK")
    follow(page, "Follow submission")

    # It is followed to its end without a click, and then decided upon.
    expect(page.get_by_text("Next in the queue.").first).to_be_visible()
    queued = stand_in.submissions["way"][0]
    outputs = (OutputFileRecord("scoring_output", 99, "0" * 64),)
    evaluation = EvaluationRecord(uuid4(), "Classify", EvaluationStatus.SUCCEEDED, None, "", (), outputs, (), {})
    ended = {"status": SubmissionStatus.FINISHED, "ended": made.moment(), "ahead": None, "version": 9}
    stand_in.submissions["way"][0] = made.replace(queued, **ended, evaluations=(evaluation,))
    expect(page.get_by_role("link", name="Output of the scoring step")).to_be_visible()
    page.get_by_role("button", name="Put on the leaderboard").click()
    expect(page.get_by_role("button", name="Take off the leaderboard")).to_be_visible()
    expect(page.get_by_text("stands on the leaderboard in the place of the one")).to_be_visible()
    page.get_by_role("button", name="Make public").click()
    page.get_by_role("button", name=re.compile("Make submission #.* public")).click()
    expect(page.get_by_text("Everybody with an account can download it now")).to_be_visible()
    assert stand_in.submissions["way"][0].shared
    keep_screenshot(page, "way-4-decided")
    assert faults_of(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    expect(page.get_by_role("columnheader", name="Status")).not_to_be_in_viewport()
    keep_screenshot(page, "way-5-phone")


def test_dark_pages_have_enough_contrast(stand_in: made.StandIn, open_page: Open) -> None:
    for slug, status in (("dark-a", "open"), ("dark-b", "over")):
        competition = made.make_competition(slug, f"Dark {status}")
        phase = competition.summary.phase if status == "open" else None
        summary = made.replace(competition.summary, status=status, phase=phase)
        stand_in.add(made.replace(competition, summary=summary, may_share=True))
    page = open_page("/", dark=True)
    expect(page.locator("[class*=st-key-card-]").first).to_be_visible()
    keep_screenshot(page, "competitions-dark")
    assert faults_of(page) == []
    stand_in.people["token-of-noor"] = made.make_person("noor")
    page = open_page("/competition?competition=dark-a", dark=True)
    follow(page, "Sign in to take part")
    page.get_by_label("Token", exact=True).fill("token-of-noor")
    page.get_by_role("button", name="Sign in").click()
    follow(page, "Back to dark-a")
    expect(page.get_by_role("button", name="Take part")).to_be_visible()
    assert faults_of(page) == []
