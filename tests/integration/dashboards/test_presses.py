"""A press is not lost while the page is drawn: what is under the pointer stays there from its beginning to its end."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.resources import files

import pytest
import stand_in as made
import stand_in_lists as lists
import stand_in_organizing as organizing
from browsing import follow, hold_down, let_go, open_tab, sign_in
from playwright.sync_api import Browser, Page, Route, expect

from podium.platform.bundles.content import SubmissionRule
from podium.platform.lifecycle import ParticipantStatus, RerunStatus, SubmissionStatus

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
PRESSES = files("podium.dashboards") / "presses.js"


@pytest.fixture
def organized(stand_in: made.StandIn) -> made.StandIn:
    """A competition of two phases that ola organizes."""
    stand_in.people["token-of-ola"] = made.make_person("ola", may_organize=True)
    phases = (made.make_phase(1, "Development", start=-9, end=-2), made.make_phase(2, "Final", start=-2, end=3))
    competition = made.make_competition("held", "Held down", *phases, may_organize=True)
    stand_in.add(made.replace(competition, summary=made.replace(competition.summary, organizer="ola")))
    stand_in.organized.reruns.clear()
    return stand_in


def _enter(open_page: Open, slug: str, username: str, link: str) -> Page:
    """Sign in, and go to a page of that competition."""
    page = open_page(f"/leaderboard?competition={slug}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    follow(page, "Sign in")
    sign_in(page, f"token-of-{username}", username)
    follow(page, link)
    return page


def _organize(open_page: Open, section: str) -> Page:
    page = _enter(open_page, "held", "ola", "Organize")
    page.get_by_role("radio", name=section, exact=True).click()
    return page


def test_a_deed_pressed_while_another_submission_comes(stand_in: made.StandIn, open_page: Open) -> None:
    stand_in.people["token-of-noor"] = made.make_person("noor")
    competition = made.make_competition("press", "Press", submission_rule=SubmissionRule.ADD_AND_DELETE)
    stand_in.add(made.replace(competition, may_share=True, fact_sheet=()))
    sent = [
        made.make_submission(SubmissionStatus.FINISHED, number, competition="press", on_leaderboard=False)
        for number in (724, 723, 722, 721)
    ]
    stand_in.submissions["press"] = sent[1:]
    page = _enter(open_page, "press", "noor", "My submissions")
    hold_down(page.get_by_role("button", name="Put on the leaderboard"))
    # With a fourth one there are more rows above, and filters that were not there; the page is drawn piece by piece.
    stand_in.seconds = 0.3
    stand_in.submissions["press"] = sent
    expect(page.get_by_role("row", name="724 finished")).to_be_visible()
    expect(page.get_by_role("radio", name="Scored")).to_be_visible()
    stand_in.seconds = 0.0
    let_go(page)
    expect(page.get_by_text("#723 stands on the leaderboard in the place of the one")).to_be_visible()


def test_a_deed_pressed_right_after_another(stand_in: made.StandIn, open_page: Open) -> None:
    stand_in.people["token-of-noor"] = made.make_person("noor")
    competition = made.make_competition("again", "Again", submission_rule=SubmissionRule.ADD_AND_DELETE)
    stand_in.add(made.replace(competition, may_share=True, fact_sheet=()))
    stand_in.submissions["again"] = [
        made.make_submission(SubmissionStatus.FINISHED, 731, competition="again", on_leaderboard=False)
    ]
    page = _enter(open_page, "again", "noor", "My submissions")
    page.get_by_role("button", name="Put on the leaderboard").press("Enter")
    hold_down(page.get_by_role("button", name="Make public"))
    expect(page.get_by_text("stands on the leaderboard in the place of the one")).to_be_visible()
    let_go(page)
    expect(page.get_by_role("button", name="Make submission #731 public")).to_be_visible()


def button(key: str, label: str) -> str:
    return f'<div class="st-key-{key}"><button data-testid="stBaseButton-secondary">{label}</button></div>'


@pytest.mark.parametrize(
    ("change", "counted"),
    [
        pytest.param("", "Public", id="left-as-it-was"),
        pytest.param("make(`{again}`)", "Public", id="made-anew"),
        pytest.param("make(`<p>A new line.</p>{other}{again}`)", "Public", id="made-anew-elsewhere"),
        pytest.param("show('none'); setTimeout(() => show(''), 50)", "Public", id="hidden-for-a-moment"),
        pytest.param("make(`{changed}`)", None, id="another-in-its-place"),
        pytest.param("make(`{other}`)", None, id="gone"),
        pytest.param("document.querySelector('button').disabled = true", None, id="not-to-be-pressed-any-more"),
    ],
)
def test_a_press_counts_once_for_the_button_that_it_began_on(
    browser: Browser, change: str, counted: str | None
) -> None:
    again, changed, other = button("share", "Public"), button("share", "Private"), button("other", "Delete")
    page = browser.new_page()
    page.set_content(f"<!doctype html>{again}")
    page.add_script_tag(content=PRESSES.read_text())
    page.evaluate(
        """() => {
            window.pressed = [];
            addEventListener("click", ({target: one}) => { if (one.matches("button")) pressed.push(one.textContent); });
            window.make = (html) => { document.body.innerHTML = html; };
            window.show = (display) => { document.querySelector("button").style.display = display; };
        }"""
    )
    hold_down(page.get_by_role("button"))
    page.evaluate(f"() => {{ {change.format(again=again, changed=changed, other=other)} }}")
    page.wait_for_timeout(100)
    let_go(page)
    page.wait_for_timeout(100)
    assert page.evaluate("pressed") == ([] if counted is None else [counted])
    page.close()


def test_a_rerun_paused_while_another_ends(organized: made.StandIn, open_page: Open) -> None:
    reruns = organized.organized.reruns
    reruns[:] = [organizing.make_rerun(RerunStatus.RUNNING, 1), organizing.make_rerun(RerunStatus.RUNNING, 2)]
    page = _organize(open_page, "Reruns")
    hold_down(page.get_by_role("button", name="Pause", exact=True))
    reruns[0] = made.replace(reruns[0], status=RerunStatus.ADOPTED, version=9)
    expect(page.get_by_text("adopted").first).to_be_visible()
    let_go(page)
    expect(page.get_by_text("Rerun 2 is paused.")).to_be_visible()


def test_what_was_typed_last_is_saved_by_the_press_that_leaves_the_box(
    organized: made.StandIn, open_page: Open
) -> None:
    organized.organized.lists.content = lists.make_content("held")
    organized.done.clear()
    page = _organize(open_page, "Edit")
    page.get_by_label("Reward").fill("A wreath")
    hold_down(page.get_by_role("button", name="Save"))
    expect(page.get_by_text("Changed and not saved yet: reward.")).to_be_visible()
    let_go(page)
    expect(page.get_by_text("Saved: reward.")).to_be_visible()
    assert [body["changes"] for _, path, body in organized.done if path.endswith("/content")] == [
        {"reward": "A wreath"}
    ]


def test_boxes_that_the_browser_loads_late_hold_what_was_read(organized: made.StandIn, open_page: Open) -> None:
    organized.organized.lists.content = lists.make_content("held")
    organized.done.clear()
    page = _enter(open_page, "held", "ola", "Organize")
    late: list[Route] = []
    page.route(re.compile("/(TextArea|NumberInput|DateTimeInput)[^/]*[.]js"), lambda route: late.append(route))  # noqa: PLW0108 - playwright takes no builtin
    page.get_by_role("radio", name="Edit", exact=True).click()
    page.get_by_label("Reward").fill("A wreath")
    page.get_by_label("Reward").press("Enter")
    expect(page.get_by_text("Changed and not saved yet: reward.")).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    assert len(late) >= 3
    for route in late:
        route.continue_()
    expect(page.get_by_label("Description, for lists")).to_have_value(re.compile("three kinds of flowers"))
    open_tab(page, "Phases")
    expect(page.get_by_label("Submissions in all").first).to_have_value("100")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved: reward.")).to_be_visible()
    assert [body["changes"] for _, path, body in organized.done if path.endswith("/content")] == [
        {"reward": "A wreath"}
    ]


def test_a_press_that_is_moved_away_is_taken_back(organized: made.StandIn, open_page: Open) -> None:
    held = organized.organized.lists
    held.people[:] = [lists.make_participant("ben", ParticipantStatus.PENDING)]
    organized.done.clear()
    page = _organize(open_page, "Participants")
    page.get_by_role("button", name="All on this page").click()
    hold_down(page.get_by_role("button", name="Deny (1)"))
    page.mouse.move(20, 600, steps=5)
    let_go(page)
    page.get_by_role("button", name="Approve (1)").click()
    expect(page.get_by_text("Done: 1.")).to_be_visible()
    assert [body["status"] for _, _, body in organized.done] == ["approved"]
