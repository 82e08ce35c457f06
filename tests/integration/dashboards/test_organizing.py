"""The organizers' page in a real browser, over a stand-in for the gateway."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import stand_in as made
import stand_in_organizing as organizing
from browsing import keep_screenshot, sign_in
from playwright.sync_api import Page, expect

from podium.platform.lifecycle import RerunStatus, SubmissionStatus

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
SLUG = "organized"


@pytest.fixture
def organized(stand_in: made.StandIn) -> Iterator[organizing.Organized]:
    """A competition that ada organizes, with a rerun that runs and one whose results were held back."""
    stand_in.people["token-of-ada"] = made.make_person("ada", may_organize=True)
    # What other tests have left would be the competition that pages lead to.
    others = dict(stand_in.competitions)
    stand_in.competitions.clear()
    phases = (made.make_phase(1, "Development", start=-9, end=-2), made.make_phase(2, "Final", start=-2, end=3))
    stand_in.add(made.make_competition(SLUG, "Organized by ada", *phases, may_organize=True))
    ready = organizing.make_rerun(
        RerunStatus.READY, 1, finished=119, failed=1, waiting=0, queued=0, under_way=0, held_back="#7 would now fail"
    )
    stand_in.organized = organizing.Organized(reruns=[ready, organizing.make_rerun(number=2)])
    stand_in.organized.reports[1] = organizing.make_report(
        ready,
        (made.ACCURACY,),
        organizing.make_difference(7, "lin", (0.9,), (None,), (1, None), new_status=SubmissionStatus.FAILED),
        organizing.make_difference(8, "grace_hopper", (0.7,), (0.8,), (4, 2)),
    )
    stand_in.done.clear()
    yield stand_in.organized
    stand_in.competitions.pop(SLUG)
    stand_in.competitions.update(others)
    stand_in.organized = organizing.Organized()


def _organize(page: Page, section: str) -> None:
    sign_in(page, "token-of-ada", "ada")
    if page.viewport_size is not None and page.viewport_size["width"] < 600:
        page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("link", name="Organize").click()
    if page.viewport_size is not None and page.viewport_size["width"] < 600:
        page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
    expect(page.get_by_role("heading", name="Organized by ada")).to_be_visible()
    page.get_by_role("radio", name=section, exact=True).click()


def test_bars_move_by_themselves_while_something_is_typed(
    stand_in: made.StandIn, organized: organizing.Organized, open_page: Open
):
    page = open_page("/sign-in")
    _organize(page, "Reruns")
    bar = page.get_by_role("progressbar", name="Rerun 2")
    expect(bar).to_have_attribute("aria-valuenow", "40")
    page.get_by_text("Score submissions again").click()
    page.get_by_role("button", name="Preview").click()
    why = page.get_by_label("Why, for all who see the results")
    why.fill("The reference data")
    organized.reruns[1] = replace(organized.reruns[1], finished=98, waiting=0, queued=16)
    expect(bar).to_have_attribute("aria-valuenow", "100")
    organized.reruns[1] = replace(organized.reruns[1], status=RerunStatus.PAUSED, version=2)
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    expect(why).to_have_value("The reference data")
    keep_screenshot(page, "organize-reruns")
    page.get_by_role("button", name="Score 120 submissions again").click()
    expect(page.get_by_text("The rerun has been asked for.")).to_be_visible()
    expect(page.get_by_role("progressbar", name="Rerun 3")).to_be_visible()
    assert stand_in.done[-1][2]["reason"] == "The reference data"


def test_results_are_adopted_by_keyboard(stand_in: made.StandIn, organized: organizing.Organized, open_page: Open):
    organized.reruns.pop()
    page = open_page("/sign-in")
    _organize(page, "Reruns")
    expect(page.get_by_text("The new results were held back. #7 would now fail.")).to_be_visible()
    expect(page.get_by_role("row", name="8 grace_hopper")).to_contain_text("up 2 places")
    with page.expect_download() as started:
        page.get_by_role("button", name="CSV").press("Enter")
    assert started.value.suggested_filename == f"{SLUG}-rerun-1.csv"
    page.get_by_role("button", name="Adopt the new results").press("Enter")
    expect(page.get_by_text("all at once, on the leaderboard too")).to_be_visible()
    keep_screenshot(page, "organize-adopting")
    page.get_by_role("button", name="Adopt rerun 1").press("Enter")
    expect(page.get_by_text("The results of rerun 1 count now.")).to_be_visible()
    assert stand_in.done == [("POST", f"/competitions/{SLUG}/reruns/1/adopt", {})]


def test_a_limit_is_lifted_by_emptying_its_field(
    stand_in: made.StandIn, organized: organizing.Organized, open_page: Open
):
    page = open_page("/sign-in")
    _organize(page, "Phases")
    page.get_by_label("Submissions in all").fill("")
    page.get_by_label("Submissions at a time").fill("2")
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.get_by_text("Final is changed.")).to_be_visible()
    expect(page.get_by_text("5 a day (UTC), 2 at a time")).to_be_visible()
    changes = {"max_concurrent_submissions": 2, "without_limits": ["max_submissions"]}
    assert stand_in.done == [("PATCH", f"/competitions/{SLUG}/phases/2", changes)]
    page.get_by_role("textbox", name="Pause it").fill("Back at noon")
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_text("The organizers say: Back at noon.")).to_be_visible()
    keep_screenshot(page, "organize-phases")


def test_no_section_scrolls_sideways_on_a_phone(organized: organizing.Organized, open_page: Open):
    page = open_page("/sign-in", width=390, height=844, dark=True)
    _organize(page, "Queue")
    for section, sign in (
        ("Queue", "Agents take what is queued."),
        ("Phases", "End and limits"),
        ("Extra allowances", "Allow a participant more"),
        ("Reruns", "The new results were held back."),
        ("Tasks", "as in the bundle"),
    ):
        page.get_by_role("radio", name=section, exact=True).click()
        expect(page.get_by_text(sign).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), section
        keep_screenshot(page, f"phone-organize-{section.lower().replace(' ', '-')}")


def test_nothing_of_a_section_stays_while_another_is_fetched(
    stand_in: made.StandIn, organized: organizing.Organized, open_page: Open
) -> None:
    page = open_page("/sign-in")
    _organize(page, "Reruns")
    expect(page.get_by_role("heading", name="Rerun 2")).to_be_visible()
    stand_in.seconds = 3
    try:
        page.get_by_role("radio", name="Audit log", exact=True).click()
        expect(page.get_by_text("Fetching it…")).to_be_visible()
        assert page.get_by_role("heading", name="Rerun 2").count() == 0
        expect(page.get_by_text("Fetching it…")).to_have_count(0)
    finally:
        stand_in.seconds = 0
