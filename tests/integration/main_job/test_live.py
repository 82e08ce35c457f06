"""What is seen of a submission while it runs: lines of its logs, and the page that its scoring program writes."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from browsing import keep_screenshot
from headless import launch
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

if TYPE_CHECKING:
    from conftest import NewUser, Podium, User, Variant

SUBMISSIONS = Path(__file__).parents[3] / "examples" / "meadow-flowers" / "submissions"
LINES = 60
TALKER = f"""
for number in range({LINES}):
    print('out', number, flush=True)
    print('err', number, file=sys.stderr, flush=True)
    time.sleep(0.05)
"""
RAW = r"""
out = sys.stdout.buffer
out.write(b'red: \x1b[31m\xff\xfe nul \x00 title: \x1b]0;owned\x07 html: <script>alert(1)</script>\n')
out.write(b''.join(b'\rprogress %d%%' % number for number in (1, 2, 3)) + b'\r\n')
out.write(b'no line end')
out.flush()
"""

PATIENT = {"execution_time_limit: 60": "execution_time_limit: 3600"}
"""For programs that wait for the test."""
Json = dict[str, Any]


def pieces_of(process: subprocess.Popen[str]) -> Iterator[Json]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def text_of(pieces: list[Json], stream: str) -> str:
    return "".join(piece["text"] for piece in pieces if piece["stream"] == stream)


def own_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.split()[:1] in (["out"], ["err"])]


def test_every_watcher_sees_a_line_while_the_program_goes_on(
    podium: Podium, new_user: NewUser, variant: Variant, model: Callable[[str], Path]
) -> None:
    bundle = variant(PATIENT)
    slug = podium.admin.good("competition", "create", str(bundle), "--slug", "live-lines", "--start", "now").out.strip()
    ada = new_user(slug)
    path = model("print('now or never', flush=True)\nprint('beware', file=sys.stderr, flush=True)\ntime.sleep(3600)")
    submission = ada.good("submit", slug, "-f", str(path)).out.strip()
    watchers = [who.start("logs", submission, "--follow") for who in (ada, podium.admin)]
    for watcher in watchers:
        assert watcher.stdout is not None
        heads, wanted = set(), {"now or never\n", "beware\n"}
        for line in watcher.stdout:
            if line.startswith("==> "):
                heads.add(line.split()[1])
            wanted.discard(line)
            if not wanted:
                break
        assert not wanted
        assert heads >= {"prediction_ingestion_stdout", "prediction_ingestion_stderr"}
    # The program sleeps for an hour after these lines, so they were seen while it ran.
    assert ada.good("submission", "show", submission, "--json").json["status"] == "running"
    ada.good("cancel", submission)
    for watcher in watchers:
        watcher.communicate(timeout=120)
        assert watcher.returncode == 0


def test_a_watcher_that_is_killed_goes_on_and_all_see_the_same(ada: User, model: Callable[[str], Path]) -> None:
    submission = ada.good("submit", "meadow-flowers", "-f", str(model(TALKER))).out.strip()
    steady = ada.start("logs", submission, "--follow", "--json")
    first = ada.start("logs", submission, "--follow", "--json")
    seen: list[Json] = []
    for piece in pieces_of(first):
        seen.append(piece)
        if "out 3" in text_of(seen, "prediction_ingestion_stdout"):
            break
    first.kill()
    first.communicate()
    second = ada.start("logs", submission, "--follow", "--json", "--after", str(seen[-1]["sequence"]))
    resumed = seen + list(pieces_of(second))
    whole = list(pieces_of(steady))
    later = [json.loads(line) for line in ada.good("logs", submission, "--json").out.splitlines()]
    assert second.wait(60) == steady.wait(60) == 0
    assert len(seen) < len(whole), "it was killed in the middle"
    assert resumed == whole == later
    assert [piece["sequence"] for piece in whole] == sorted({piece["sequence"] for piece in whole})
    assert {piece["attempt"] for piece in whole} == {1}
    for stream, word in (("stdout", "out"), ("stderr", "err")):
        text = text_of(whole, f"prediction_ingestion_{stream}")
        assert own_lines(text) == [f"{word} {number}" for number in range(LINES)]


def test_bytes_that_steer_terminals_come_out_harmless(ada: User, model: Callable[[str], Path]) -> None:
    record = ada.submit(model(RAW)).json
    assert record["status"] == "finished"
    shown = ada.good("logs", record["id"], "--stream", "prediction_ingestion_stdout").out
    assert "red: \ufffd\ufffd nul \ufffd title:  html: <script>alert(1)</script>\n" in shown
    assert "\nprogress 1%\nprogress 2%\nprogress 3%\nno line end" in shown
    assert not set(shown) & {"\x1b", "\x07", "\x00", "\r"}
    raw = [json.loads(line) for line in ada.good("logs", record["id"], "--json").out.splitlines()]
    assert "\x1b[31m" in text_of(raw, "prediction_ingestion_stdout")


SCORER = """
import json, pathlib, time
output = pathlib.Path('/app/output')
page = output / 'detailed_results.html'
page.write_text('<h1 id=at>half way</h1>')
# The folder of this program is one that the agent keeps: the test says there when to go on.
while not pathlib.Path('/app/program/go-on').exists():
    time.sleep(0.2)
page.write_text('<h1 id=at>all done</h1><script>document.getElementById("at").append(" by script")</script>')
(output / 'link').symlink_to('/etc/passwd')
(output / 'scores.json').write_text(json.dumps({'accuracy': 0.5, 'hardest': 0.5}))
"""


def open_sign_in(page: Page, address: str) -> None:
    """Open the form as a visitor does, who loads a page again that shows nothing on a busy machine."""
    form = page.get_by_label("Token", exact=True)
    for _ in range(3):
        page.goto(f"{address}/sign-in")
        with contextlib.suppress(PlaywrightTimeout):
            form.wait_for(timeout=30_000)
            return
    expect(form).to_be_visible()


def expect_shown(page: Page, text: str) -> None:
    """Wait until a frame has this text; while Streamlit draws anew, an old frame and a new one are both there."""
    deadline = time.monotonic() + 60
    while True:
        for frame in page.frames:
            with contextlib.suppress(PlaywrightError):  # it has just gone
                if frame.locator("#at").all_text_contents() == [text]:
                    return
        assert time.monotonic() < deadline, text
        page.wait_for_timeout(200)


def test_a_page_is_seen_while_the_scoring_program_writes_it(
    podium: Podium, new_user: NewUser, variant: Variant, tmp_path: Path
) -> None:
    bundle = variant(PATIENT, {"scoring_program/score.py": SCORER})
    slug = podium.admin.good("competition", "create", str(bundle), "--slug", "live-page", "--start", "now").out.strip()
    user = new_user(slug)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 1280, "height": 1400})
        page.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        open_sign_in(page, podium.addresses["Leaderboards"])
        page.get_by_label("Token", exact=True).fill(user.token)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text(f"Signed in as {user.name}").first).to_be_visible()
        page.get_by_role("link", name="My submissions").first.click()
        submission = user.good("submit", slug, "-f", str(SUBMISSIONS / "predictions")).out.strip()
        expect_shown(page, "half way")
        expect(page.get_by_text("still writing this")).to_be_visible()
        keep_screenshot(page, "live-page")
        half = tmp_path / "half.html"
        user.good("download", submission, "--what", "detailed_results", "-o", str(half))
        assert half.read_text() == "<h1 id=at>half way</h1>"
        (program,) = (found.parent for found in podium.state.rglob("score.py") if "go-on" in found.read_text())
        (program / "go-on").touch()
        expect_shown(page, "all done by script")
        expect(page.get_by_text("not all files of the scoring could be kept")).to_be_visible()
        keep_screenshot(page, "live-page-done")
        browser.close()
    record = user.wait_for(submission, lambda one: one["status"] == "finished")
    assert "`link` is refused: it is a symbolic link" in record["evaluations"][0]["message"]
    assert "`link` is refused" in user.good("submission", "show", submission).out
    saved = tmp_path / "page.html"
    user.good("download", submission, "--what", "detailed_results", "-o", str(saved))
    assert "all done" in saved.read_text()
