"""The pages as a visitor has them: a real process, a real browser, a stand-in for the gateway."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import stand_in as made
from browsing import choose, follow, keep_screenshot, open_tab, sign_in
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from podium.platform.lifecycle import SubmissionStatus

pytestmark = pytest.mark.browser

Open = Callable[..., Page]


def _names(page: Page) -> list[str]:
    return page.locator(".podium-board tbody .name").all_inner_texts()


def _some_rows() -> list[made.LeaderboardRow]:
    names = [
        "katherine.johnson",
        "grace_hopper",
        "alan-turing",
        "lin",
        "edsger",
        "barbara.liskov",
        "tim",
        "donald-knuth",
        "margaret.hamilton",
        "radia.perlman",
        "ken",
        "dennis",
        "<b>bobby</b>",
        "a.very.long.participant.name.that.never.ends.anywhere",
    ]
    scores = [0.97, 0.94, 0.94, *(0.93 - place / 50 for place in range(len(names) - 3))]
    ranks = [1, 2, 2, *range(4, len(names) + 1)]
    models = ["ResNet", "", "TabPFN", "Boosted trees with a long story about their features"]
    ranked = [
        made.make_row(rank, name, score, 1 - score / 2, entries=rank * 3, model=models[rank % 4])
        for rank, name, score in zip(ranks, names, scores, strict=True)
    ]
    return [*ranked, made.make_row(None, "half-done", 0.5, None)]


def _no_sideways_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def _choose_of_own(page: Page, competition: str) -> None:
    """Choose a competition of “My submissions”; the list is shared for seconds, and one just made may not be in it."""
    option = page.get_by_role("option", name=competition)
    for _ in range(10):
        follow(page, "My submissions")
        page.get_by_role("combobox", name="Competition").click()
        try:
            option.click(timeout=3000)
        except PlaywrightTimeout:
            page.keyboard.press("Escape")
            follow(page, "Competitions")
        else:
            return
    raise AssertionError(f"{competition} was never offered")


def test_a_deep_link_shows_the_board_in_order(stand_in: made.StandIn, open_page: Open):
    rows = _some_rows()
    phases = (made.make_phase(1, "Warm-up", start=-30, end=-11), made.make_phase(2, "Final", start=-11, end=4.3))
    first = made.make_board(made.make_row(1, "early", 0.5, 0.5))
    stand_in.add(made.make_competition("order", "Iris, the challenge", *phases), first, made.make_board(*rows))
    page = open_page("/leaderboard?competition=order")
    expect(page.locator(".podium-board")).to_be_visible()
    assert _names(page) == [row.participant for row in rows]
    ranks = page.locator(".podium-board tbody td.rank").all_inner_texts()
    assert [re.findall(r"\w+", rank)[0].removesuffix("tie") for rank in ranks[:4]] == ["1st", "2nd", "2nd", "4"]
    expect(page.get_by_text("Not ranked: no score for Log loss.")).to_be_visible()
    keep_screenshot(page, "leaderboard-light")
    # The phase goes into the address, so that it can be passed on.
    page.get_by_role("radio", name="Warm-up").click()
    expect(page.locator(".podium-board .name")).to_have_text(["early"])
    expect(page).to_have_url(re.compile(r"phase=1"))
    again = open_page("/leaderboard?competition=order&phase=1", dark=True)
    expect(again.locator(".podium-board .name")).to_have_text(["early"])
    again.get_by_role("radio", name="Final").click()
    expect(again.get_by_text("half-done")).to_be_visible()
    keep_screenshot(again, "leaderboard-dark")


def test_the_board_refreshes_by_itself_and_stays_still_between(stand_in: made.StandIn, open_page: Open):
    before = [made.make_row(rank, f"p{rank}", 1 - rank / 100, 0.1) for rank in range(1, 41)]
    stand_in.add(made.make_competition("live", "Live"), made.make_board(*before))
    page = open_page("/leaderboard?competition=live")
    expect(page.locator(".podium-board .name")).to_have_count(40)
    page.wait_for_timeout(1000)
    page.evaluate(
        """() => {
            window.mark = Math.random(); window.changes = 0;
            new MutationObserver(all => { window.changes += all.length; }).observe(
                document.querySelector('.st-key-board-scroll'), {childList: true, subtree: true, characterData: true});
        }"""
    )
    mark = page.evaluate("window.mark")
    page.wait_for_timeout(4500)
    assert page.evaluate("window.changes") == 0
    page.locator(".st-key-board-scroll").evaluate("element => { element.scrollTop = 120; }")
    newcomer = made.make_row(1, "newcomer", 0.999, 0.05)
    stand_in.add(made.make_competition("live", "Live"), made.make_board(newcomer, *before[1:]))
    expect(page.locator(".podium-board .name").first).to_have_text("newcomer")
    expect(page.locator(".podium-board tr.changed .name")).to_have_text(["newcomer"])
    assert page.evaluate("window.mark") == mark, "the page was loaded again"
    assert page.locator(".st-key-board-scroll").evaluate("element => element.scrollTop") == 120


def test_a_silent_gateway_leaves_the_last_good_board(stand_in: made.StandIn, open_page: Open):
    stand_in.add(made.make_competition("down", "Down"), made.make_board(*_some_rows()))
    page = open_page("/leaderboard?competition=down")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    stand_in.is_down = True
    expect(page.get_by_text("Podium does not answer at the moment.")).to_be_visible()
    expect(page.get_by_text("Not live")).to_be_visible()
    expect(page.get_by_text("half-done")).to_be_visible()
    keep_screenshot(page, "leaderboard-stale")
    fresh = open_page("/leaderboard?competition=never-seen")
    expect(fresh.get_by_role("heading", name="Podium does not answer at the moment")).to_be_visible()
    stand_in.is_down = False
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    expect(page.get_by_text("Podium does not answer at the moment.")).to_have_count(0)
    expect(fresh.get_by_role("heading", name="There is no such competition")).to_be_visible()


def test_boards_without_rows_say_why_and_come_alive(stand_in: made.StandIn, open_page: Open):
    stand_in.add(made.make_competition("quiet", "Quiet"), made.make_board())
    stand_in.add(made.make_competition("secret", "Secret", leaderboard_hidden=True))
    stand_in.add(made.make_competition("later", "Later", made.make_phase(start=2)))
    page = open_page("/leaderboard?competition=quiet")
    expect(page.get_by_role("heading", name="No scored submission yet")).to_be_visible()
    expect(page.get_by_text("podium submit quiet")).to_be_visible()
    keep_screenshot(page, "leaderboard-empty")
    stand_in.add(made.make_competition("quiet", "Quiet"), made.make_board(made.make_row(1, "ada", 0.9, 0.1)))
    expect(page.locator(".podium-board .name")).to_have_text(["ada"])
    page = open_page("/leaderboard?competition=secret")
    expect(page.get_by_role("heading", name="This leaderboard is hidden")).to_be_visible()
    page = open_page("/leaderboard?competition=later")
    expect(page.get_by_role("heading", name="has not begun")).to_be_visible()
    expect(page.get_by_text("opens in 1 day 23 hours")).to_be_visible()


def test_phones_scroll_the_table_and_not_the_page(stand_in: made.StandIn, open_page: Open):
    stand_in.add(made.make_competition("phone", "Iris, the challenge"), made.make_board(*_some_rows()))
    for path, sign in (
        ("/leaderboard?competition=phone", ".podium-board"),
        ("/competition?competition=phone", ".podium-timeline"),
        ("/", ".podium-facts"),
        ("/sign-in", "form, [data-testid=stForm]"),
    ):
        page = open_page(path, width=390, height=844)
        expect(page.locator(sign).first).to_be_visible()
        assert _no_sideways_scroll(page), path
        keep_screenshot(page, f"phone-{path.strip('/').partition('?')[0] or 'competitions'}")


def test_the_own_row_is_pinned_and_marked(stand_in: made.StandIn, open_page: Open):
    stand_in.people["token-of-lin"] = made.make_person("lin")
    stand_in.add(made.make_competition("own", "Sign language"), made.make_board(*_some_rows()))
    page = open_page("/sign-in")
    sign_in(page, "token-of-lin", "lin")
    assert "token-of-lin" not in page.url
    follow(page, "Competitions")
    page.get_by_role("textbox", name="Search competitions").fill("sign lang")
    page.wait_for_timeout(400)
    expect(page.locator("[class*=st-key-card-]")).to_have_count(1)
    page.locator(".st-key-card-own").get_by_role("link", name="Leaderboard").click()
    expect(page.get_by_label("Your place")).to_contain_text("4th of 15")
    expect(page.locator("tr.own .name")).to_have_text(["lin"])
    assert "token-of-lin" not in page.url
    keep_screenshot(page, "leaderboard-own")
    follow(page, "Signed in as lin")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token", exact=True)).to_have_value("")


def test_the_board_works_by_keyboard(stand_in: made.StandIn, open_page: Open):
    stand_in.add(made.make_competition("keys", "Keys"), made.make_board(*_some_rows()))
    page = open_page("/leaderboard?competition=keys")
    search = page.get_by_role("textbox", name="Search participants")
    search.focus()
    page.keyboard.type("grace")
    expect(page.locator(".podium-board .name")).to_have_text(["grace_hopper"])
    search.fill("")
    expect(page.locator(".podium-board .name")).to_have_count(15)
    with page.expect_download() as started:
        page.get_by_role("button", name="CSV").press("Enter")
    assert started.value.suggested_filename == "keys-phase-1.csv"
    assert started.value.path().read_text().splitlines()[1] == "1,katherine.johnson,0.97,0.515"
    # A heading is a button; the unranked stay at the end, and a figure that is drawn leaves the order as it is.
    heading = page.get_by_role("columnheader", name="Log loss")
    heading.get_by_role("button").press("Enter")
    expect(heading).to_have_attribute("aria-sort", "ascending")
    heading.get_by_role("button").press("Space")
    expect(heading).to_have_attribute("aria-sort", "descending")
    by_loss = [row.participant for row in sorted(_some_rows()[:-1], key=lambda row: -(row.scores[1] or 0))]
    assert _names(page) == [*by_loss, "half-done"]
    page.get_by_text("Distribution", exact=True).click()
    expect(page.get_by_role("img", name="Distribution of Accuracy over 15 rows")).to_be_visible()
    assert _names(page) == [*by_loss, "half-done"]


def test_a_board_is_shown_as_it_stood(stand_in: made.StandIn, open_page: Open):
    rows = [made.make_row(1, "newcomer", 0.9, 0.1), made.make_row(2, "veteran", 0.8, 0.1, minutes=5 * 1440)]
    stand_in.add(made.make_competition("past", "Past"), made.make_board(*rows))
    page = open_page("/leaderboard?competition=past")
    expect(page.locator(".podium-board .name")).to_have_text(["newcomer", "veteran"])
    page.get_by_role("spinbutton", name="year, As of the end of").click()
    page.keyboard.type(f"{made.moment(days=3):%Y%m%d}")
    page.keyboard.press("Escape")  # closes the calendar, which takes the day over
    expect(page.locator(".podium-board .name")).to_have_text(["veteran"])
    expect(page.get_by_text("This is how the board stood at")).to_be_visible()
    expect(page.get_by_text("Not live")).to_be_visible()
    keep_screenshot(page, "leaderboard-as-of")


def test_quick_clicks_do_not_break_the_page(stand_in: made.StandIn, open_page: Open):
    """Large elements that Streamlit sends by reference broke it once, where runs follow each other closely."""
    rows = [made.make_row(rank, f"p{rank}", 1 - rank / 1000, 0.1, model="a long story " * 8) for rank in range(1, 101)]
    stand_in.add(made.make_competition("quick", "Quick"), made.make_board(*rows))
    page = open_page("/leaderboard?competition=quick")
    for pause in (50, 120, 300, 20, 500, 60, 200, 40, 10, 10):
        page.get_by_text("Distribution", exact=True).click()
        page.wait_for_timeout(pause)
    expect(page.locator(".podium-board .name")).to_have_count(100)


HOSTILE = """
<h1>Data</h1><p id="reached">Words stay</p>
<script>window.top.pwned = 1; parent.document.title = 'pwned'</script>
<img src=x onerror="window.pwned = 2"><svg onload="window.pwned = 3"><script>window.pwned = 4</script></svg>
<a href="javascript:window.pwned=5">a link</a> <p onclick="window.pwned = 6">a click</p>
<iframe srcdoc="<script>parent.pwned = 7</script>"></iframe>
<style>.stApp { display: none }</style><form action="https://evil.example"><input name="token"></form>
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=window.pwned=8&gt;">
<noscript><p title="</noscript><img src=x onerror=window.pwned=9>"></noscript>
<textarea><img title="</textarea><img src=x onerror=window.pwned=10>"></textarea>
"""


@pytest.mark.parametrize("is_html", [True, False], ids=["html", "markdown"])
def test_an_organizers_page_can_not_act(stand_in: made.StandIn, open_page: Open, is_html: bool):  # noqa: FBT001 - pytest passes it
    slug = f"hostile-{is_html}".lower()
    pages = (made.PageRecord("Data", HOSTILE, is_html=is_html),)
    stand_in.add(
        made.make_competition(
            slug, "<img src=x onerror='window.pwned=11'>", pages=pages, terms=HOSTILE, terms_is_html=True
        )
    )
    page = open_page(f"/competition?competition={slug}")
    if is_html:
        expect(page.get_by_text("Words stay").first).to_be_visible()
        page.get_by_text("a click").first.click()
        page.get_by_text("a link").first.click()
    else:
        expect(page.get_by_role("heading", name="<img src=x")).to_be_visible()
    open_tab(page, "Terms")
    page.wait_for_timeout(800)
    assert page.evaluate("window.pwned") is None
    assert page.title() == "Competition - Podium"
    assert (
        page.locator("iframe, .podium-organizer form, .podium-organizer input, .podium-organizer [onclick]").count()
        == 0
    )
    keep_screenshot(page, f"competition-{slug}")


def test_submissions_are_followed_live(stand_in: made.StandIn, open_page: Open):
    stand_in.people["token-of-mia"] = made.make_person("mia")
    stand_in.add(made.make_competition("mine", "Mine"))
    queued = made.make_submission(made.SubmissionStatus.QUEUED, 1, ahead=2)
    stand_in.submissions["mine"] = [queued]
    page = open_page("/sign-in")
    sign_in(page, "token-of-mia", "mia")
    _choose_of_own(page, "Mine")
    expect(page.get_by_text("2 submissions before it in the queue.").first).to_be_visible()
    running = made.replace(queued, status=made.SubmissionStatus.RUNNING, ahead=None, version=2)
    stand_in.submissions["mine"] = [running]
    stand_in.logs[queued.id] = [made.LogPiece(1, 1, "0", "stdout", "epoch 1\n")]
    expect(page.get_by_text("Your code runs.")).to_be_visible()
    expect(page.get_by_text("epoch 1")).to_be_visible()
    stand_in.logs[queued.id].append(made.LogPiece(2, 1, "0", "stdout", "epoch 2\n"))
    expect(page.get_by_text("epoch 2")).to_be_visible()
    keep_screenshot(page, "submissions")


def test_a_page_stays_with_its_competition_and_submission_while_they_change(stand_in: made.StandIn, open_page: Open):
    """A box tells its options apart by their words, so these must differ, and stay."""
    stand_in.people["token-of-lin"] = made.make_person("lin")
    for slug in ("twin-a", "twin-b"):
        stand_in.add(made.make_competition(slug, "Twins"), made.make_board())
    older = made.make_submission(SubmissionStatus.RUNNING, 801)
    stand_in.submissions["twin-b"] = [made.make_submission(SubmissionStatus.FINISHED, 802), older]
    page = open_page("/sign-in")
    sign_in(page, "token-of-lin", "lin")
    _choose_of_own(page, "Twins (twin-b)")
    expect(page.get_by_role("heading", name="Submission #802")).to_be_visible()
    choose(page, "Details of", "#801")
    expect(page.get_by_role("heading", name="Submission #801")).to_be_visible()
    stand_in.submissions["twin-b"][1] = made.replace(older, status=SubmissionStatus.SCORING, version=2)
    expect(page.get_by_text("The scoring program runs.")).to_be_visible()
    expect(page.get_by_role("heading", name="Submission #801")).to_be_visible()
    expect(page).to_have_url(re.compile("competition=twin-b"))
