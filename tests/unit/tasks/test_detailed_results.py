"""The page of a scoring program, found and sent while the program may still be writing it."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from podium.platform.errors import PlatformFault
from podium.platform.jobs import SignedRequest
from podium.tasks import detailed_results
from podium.tasks.detailed_results import NAME, LivePage, first_html, shown_live

REQUEST = SignedRequest(method="PUT", url="http://store/page", expires=datetime.now(UTC), max_bytes=1000)


class StandInStore:
    """Keeps what was put; may be away."""

    def __init__(self) -> None:
        self.pages: list[bytes] = []
        self.is_away = False
        self.asked = threading.Event()

    def put(self, request: SignedRequest, path: Path, *, tries: int = 3) -> None:
        assert request is REQUEST
        self.asked.set()
        if self.is_away:
            raise PlatformFault("The store can't be reached.")
        self.pages.append(path.read_bytes())


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "output"
    folder.mkdir()
    return folder


@pytest.fixture
def store() -> StandInStore:
    return StandInStore()


@pytest.fixture
def page(output: Path, store: StandInStore, tmp_path: Path) -> LivePage:
    return LivePage(output, REQUEST, tmp_path / "scratch", store)  # type: ignore[arg-type]  # the part that it needs


def test_the_page_by_its_name_comes_before_the_first_html(output: Path) -> None:
    assert first_html(output) is None
    (output / "b.html").touch()
    (output / "a.html").symlink_to("/etc/passwd")
    (output / "c.html").mkdir()
    os.mkfifo(output / "0.html")
    (output / "1\n.html").touch()
    assert first_html(output) == "b.html"
    (output / NAME).touch()
    assert first_html(output) == NAME


def test_a_page_among_many_files_is_found_without_reading_all_names(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detailed_results, "_NAMES", 0)
    (output / "other.html").touch()
    assert first_html(output) is None
    (output / NAME).touch()
    assert first_html(output) == NAME


def test_a_page_is_sent_when_it_has_changed(output: Path, store: StandInStore, page: LivePage) -> None:
    assert not page.send_if_changed()
    (output / NAME).write_text("<p>1")
    assert page.send_if_changed()
    assert not page.send_if_changed()
    (output / NAME).write_text("<p>2")
    os.utime(output / NAME, (0, 0))
    assert page.send_if_changed()
    assert store.pages == [b"<p>1", b"<p>2"]


@pytest.mark.parametrize("kind", ["symlink", "hard link", "pipe", "folder", "too large", "empty"])
def test_what_is_no_page_is_not_sent_and_no_error(
    kind: str, output: Path, store: StandInStore, page: LivePage, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    target = output / NAME
    match kind:
        case "symlink":
            target.symlink_to(secret)
        case "hard link":
            target.hardlink_to(secret)
        case "pipe":
            os.mkfifo(target)
        case "folder":
            target.mkdir()
        case "too large":
            target.write_bytes(b"x" * 1001)
        case "empty":
            target.touch()
    assert not page.send_if_changed()
    assert store.pages == []


def test_a_store_that_is_away_is_tried_again(output: Path, store: StandInStore, page: LivePage) -> None:
    (output / NAME).write_text("<p>1")
    store.is_away = True
    with pytest.raises(PlatformFault):
        page.send_if_changed()
    store.is_away = False
    assert page.send_if_changed()


def test_the_page_is_looked_at_while_the_program_runs_and_no_longer(
    output: Path, store: StandInStore, page: LivePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detailed_results, "LOOK_SECONDS", 0.01)
    store.is_away = True  # which ends nothing
    with shown_live(page):
        (output / NAME).write_text("<p>running")
        assert store.asked.wait(10)
        store.is_away = False
        store.asked.clear()
        assert store.asked.wait(10)
    assert store.pages == [b"<p>running"]
    (output / NAME).write_text("<p>over")
    assert not [thread for thread in threading.enumerate() if thread.name == "live-page"]
    with shown_live(None):
        pass
