"""A rerun from preview to adoption, on the page of an organizer, over the real gateway."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from browsing import keep_screenshot
from playwright.sync_api import Page, expect
from sqlalchemy import select
from world import Known, World, board, phase

from podium.platform.models import Rerun, Submission
from podium.platform.reruns import driving

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
Keep = Callable[[Page, str], None]


def _sign_in(page: Page, who: Known, link: str) -> None:
    page.get_by_label("Token", exact=True).fill(who.token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text(f"Signed in as {who.username}").first).to_be_visible()
    page.get_by_role("link", name=link).first.click()


def _begin(world: World) -> UUID:
    """Do what the flow of the rerun does first."""
    with world.session() as session:
        rerun_id = session.scalars(select(Rerun.id)).one()
        assert driving.begin(session, rerun_id)
        driving.release_batch(session, rerun_id)
    return rerun_id


def _score(world: World, rerun_id: UUID, scores: dict[int, float]) -> None:
    """Do what agents do, and then the flow at its end."""
    with world.session() as session:
        made = {
            one.number: one.id for one in session.scalars(select(Submission).where(Submission.rerun_id == rerun_id))
        }
    for number, score in scores.items():
        world.finish(world.claim(made[number]), {"accuracy": score})
    with world.session() as session:
        driving.finish_if_done(session, rerun_id)


def test_a_rerun_is_previewed_followed_compared_and_adopted(world: World, open_real_page: Open):
    grace, ada, lin = world.person("grace", organizer=True), world.person("ada"), world.person("lin")
    slug = world.competition(
        grace,
        title="Iris by grace",
        slug="iris",
        phases=[phase(name="Final", max_concurrent_submissions=2)],
        leaderboards=[board({"key": "accuracy", "title": "Accuracy", "sorting": "desc"})],
    )
    for person, score in ((ada, 0.5), (lin, 0.75)):
        world.join(person, slug)
        world.score(person, slug, {"accuracy": score})
    page = open_real_page("/sign-in")
    _sign_in(page, grace, "Organize")
    expect(page.get_by_role("heading", name="Iris by grace")).to_be_visible()
    page.get_by_role("radio", name="Reruns").click()
    expect(page.get_by_role("heading", name="Nothing was scored again yet")).to_be_visible()

    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("What it would do")).to_be_visible()
    page.get_by_label("Why, for all who see the results").fill("A wrong label")
    page.get_by_text("Keep them apart until I adopt them").click()
    keep_screenshot(page, "real-rerun-preview")
    page.get_by_role("button", name="Score 2 submissions again").click()
    bar = page.get_by_role("progressbar", name="Rerun 1")
    expect(bar).to_have_attribute("aria-valuenow", "0")

    expect(page.get_by_role("heading", name="Rerun 1: all of phase Final")).to_be_visible()
    rerun_id = _begin(world)
    expect(page.get_by_text("2 queued")).to_be_visible()
    _score(world, rerun_id, {1: 0.9})
    expect(bar).to_have_attribute("aria-valuenow", "1")
    _score(world, rerun_id, {2: 0.25})
    expect(page.get_by_role("row", name="1 ada")).to_contain_text("up 1 place")
    expect(page.get_by_role("row", name="2 lin")).to_contain_text("0.25")
    keep_screenshot(page, "real-rerun-ready")
    page.get_by_role("button", name="Adopt the new results").click()
    page.get_by_role("button", name="Adopt rerun 1").click()
    expect(page.get_by_text("The results of rerun 1 count now.")).to_be_visible()
    keep_screenshot(page, "real-rerun-adopted")

    theirs = open_real_page("/sign-in")
    _sign_in(theirs, ada, "My submissions")
    expect(theirs.get_by_text("Scored again by rerun 1: A wrong label.")).to_be_visible()
    expect(theirs.get_by_text("2 at a time")).to_be_visible()
    keep_screenshot(theirs, "real-rescored")
    board_page = open_real_page(f"/leaderboard?competition={slug}")
    expect(board_page.locator(".podium-board .name")).to_have_text(["ada", "lin"])


def test_queue_phases_allowances_and_tasks_over_the_gateway(world: World, open_real_page: Open):
    grace, ada = world.person("grace", organizer=True), world.person("ada")
    slug = world.competition(grace, title="Iris by grace", slug="iris", phases=[phase(name="Final")])
    world.join(ada, slug)
    page = open_real_page("/sign-in")
    _sign_in(page, grace, "Organize")
    expect(page.get_by_text("No agent of pool").first).to_be_visible()
    keep_screenshot(page, "real-queue")

    page.get_by_role("radio", name="Phases").click()
    page.get_by_label("Submissions in all").fill("3")
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.get_by_text("100 a day (UTC), 3 in all")).to_be_visible()
    page.get_by_role("textbox", name="Pause it").fill("Back at noon")
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_text("The organizers say: Back at noon.")).to_be_visible()

    page.get_by_role("radio", name="Extra allowances").click()
    page.get_by_label("Participant", exact=True).fill("nobody")
    page.get_by_label("Why, for the participant too").fill("A broken upload")
    page.get_by_label("More in all").fill("2")
    page.get_by_role("button", name="Allow", exact=True).click()
    expect(page.locator(".podium-notice.warning")).to_contain_text("nobody")
    page.get_by_label("Participant", exact=True).fill("ada")
    page.get_by_role("button", name="Allow", exact=True).click()
    expect(page.get_by_role("row", name="ada 2 more in all A broken upload grace")).to_be_visible()
    expect(page.get_by_text("Granted to ada.")).to_be_visible()
    expect(page.get_by_label("Why, for the participant too")).to_have_value("")
    keep_screenshot(page, "real-allowances")

    page.get_by_role("radio", name="Tasks").click()
    expect(page.get_by_role("row", name="1 present")).to_be_visible()
    keep_screenshot(page, "real-tasks")

    theirs = open_real_page("/sign-in")
    _sign_in(theirs, ada, "My submissions")
    expect(theirs.get_by_text("is paused by its organizers: Back at noon")).to_be_visible()
    expect(theirs.get_by_text("2 more in all. A broken upload.")).to_be_visible()
    keep_screenshot(theirs, "real-paused")
