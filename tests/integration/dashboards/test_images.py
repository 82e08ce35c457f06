"""Images in a real browser, over a stand-in for the gateway that draws real slices."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import stand_in as made
import stand_in_images as imaged
from browsing import choose, follow, keep_screenshot, sign_in
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

Open = Callable[..., Page]


@pytest.fixture
def images(stand_in: made.StandIn) -> Iterator[imaged.Images]:
    """Images of a submission of lin's."""
    stand_in.people["token-of-lin"] = made.make_person("lin")
    others, submissions = dict(stand_in.competitions), dict(stand_in.submissions)
    stand_in.competitions.clear()
    stand_in.add(made.make_competition())
    submission = made.make_submission(made.SubmissionStatus.FINISHED)
    stand_in.submissions = {"iris": [submission]}
    stand_in.images.fill()
    stand_in.images.submissions.add(submission.id)
    yield stand_in.images
    stand_in.competitions, stand_in.submissions, stand_in.images = others, submissions, imaged.Images()


def _to_images(page: Page) -> None:
    sign_in(page, "token-of-lin", "lin")
    narrow = page.viewport_size is not None and page.viewport_size["width"] < 600
    if narrow:
        page.get_by_test_id("stExpandSidebarButton").click()
    follow(page, "My submissions")
    if narrow:
        page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
    page.get_by_role("link", name="2 images").click()
    expect(page.get_by_role("heading", name="Imports")).to_be_visible()


def test_a_participant_looks_at_what_was_imported(images: imaged.Images, open_page: Open):
    page = open_page("/sign-in")
    _to_images(page)
    expect(page.get_by_role("cell", name="Upload the whole series.").first).to_be_visible()
    keep_screenshot(page, "images")
    page.get_by_role("link", name="trunk", exact=True).click()
    # By keyboard, from slice to slice.
    axial = page.get_by_role("img", name="Axial slice 21 of 40; right on the left, front at the top")
    expect(axial).to_be_visible()
    page.get_by_role("slider", name="Axial slice").press("ArrowRight")
    expect(page.get_by_role("img", name="Axial slice 22 of 40")).to_be_visible()
    size = page.get_by_role("img", name="Axial slice 22 of 40").evaluate("one => [one.naturalWidth, one.naturalHeight]")
    assert size == [imaged.SIDE, imaged.SIDE]
    choose(page, "Segmentation over it", "organs")
    expect(page.get_by_role("list", name="Legend").get_by_text("Label 3")).to_be_visible()
    page.get_by_role("radio", name="All three").click()
    expect(page.get_by_role("img", name="Sagittal slice 49 of 96; front on the left, head at the top")).to_be_visible()
    keep_screenshot(page, "image-in-three-views")
    page.get_by_role("link", name="All images").click()
    expect(page.get_by_role("link", name="organs", exact=True)).to_be_visible()


def test_an_image_fits_a_phone_in_the_dark(images: imaged.Images, open_page: Open):
    page = open_page("/sign-in", width=390, height=844, dark=True)
    _to_images(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    keep_screenshot(page, "phone-images")
    page.get_by_role("link", name="trunk", exact=True).click()
    expect(page.get_by_role("img", name="Axial slice 21 of 40")).to_be_in_viewport()
    expect(page.get_by_text("Made of 1 file")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    keep_screenshot(page, "phone-image")
    # Whatever scrolls, as a box does that comes into sight, closes its list: here all is in sight.
    page.set_viewport_size({"width": 390, "height": 1300})
    page.get_by_role("combobox", name="Window").press("ArrowDown")
    page.get_by_role("option", name="Lung").click()
    expect(page.get_by_text("level -600, width 1,500")).to_be_visible()
