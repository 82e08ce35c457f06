"""Lists on a terminal, where there is never enough room."""

from __future__ import annotations

import io
import re
import sys
from uuid import UUID

import pytest

from podium.platform.cli.listings import Field, csv_text, form_of, table_text
from podium.platform.cli.terminal import printable

ROW = {"id": UUID(int=7), "name": "[bold]Zoë[/bold] 東京", "note": "one two three " * 5, "score": 0.123456}
FIELDS: tuple[Field[dict[str, object]], ...] = (
    Field("id", lambda row: row["id"]),
    Field("name", lambda row: row["name"]),
    Field("note", lambda row: row["note"], may_wrap=True),
    Field("score", lambda row: row["score"], is_number=True, precision=2),
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.mark.parametrize("columns", ["20", "80", "200"])
def test_nothing_is_cut_off_at_any_width(terminal: None, monkeypatch: pytest.MonkeyPatch, columns: str):
    monkeypatch.setenv("COLUMNS", columns)
    text = table_text([ROW], FIELDS)
    assert str(ROW["id"]) in text
    assert str(ROW["name"]) in text
    assert "0.12" in text
    assert "\N{HORIZONTAL ELLIPSIS}" not in text
    assert text.count("three") == 5


def test_no_color_is_heeded(terminal: None, monkeypatch: pytest.MonkeyPatch):
    coloured = re.compile(r"\x1b\[[0-9;]*3[0-7]")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not coloured.search(table_text([ROW], FIELDS))


def test_a_pipe_gets_plain_columns(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    head, line = table_text([ROW], FIELDS).splitlines()
    assert head.split() == ["id", "name", "note", "score"]
    assert line.startswith(f"{ROW['id']}  [bold]Zoë[/bold] 東京  one two three")
    assert line.endswith("  0.12")


def test_csv_keeps_every_digit_and_no_formula():
    text = csv_text([ROW | {"name": "=1+1"}], FIELDS)
    assert "0.123456" in text
    assert ",'=1+1," in text


def test_one_form_at_a_time():
    assert form_of(as_json=False).value == "table"
    with pytest.raises(Exception, match="together"):
        form_of(as_json=True, as_csv=True)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\tb\nc", "a\tb\nc"), ("a\r\nb\rc", "a\nb\nc"), ("\x1b[31m\u202eabc\x07", "\ufffd[31m\ufffdabc\ufffd")],
)
def test_a_terminal_is_not_steered(text: str, shown: str):
    assert printable(text) == shown
