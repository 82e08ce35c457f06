"""The logs of the parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from podium.platform.supervisor import part_logs
from podium.platform.supervisor.part_logs import last_lines, open_log


def test_a_log_is_continued(tmp_path: Path) -> None:
    file = tmp_path / "gateway.log"
    for line in (b"one\n", b"two\n"):
        with open_log(file) as log:
            log.write(line)
    assert last_lines(file) == ["one", "two"]


def test_a_large_log_is_put_aside_and_three_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part_logs, "ROTATE_BYTES", 5)
    file = tmp_path / "gateway.log"
    for number in range(6):
        with open_log(file) as log:
            log.write(f"run number {number}\n".encode())
    kept = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert kept == {
        "gateway.log": "run number 5\n",
        "gateway.log.1": "run number 4\n",
        "gateway.log.2": "run number 3\n",
        "gateway.log.3": "run number 2\n",
    }


def test_last_words_are_those_of_this_run(tmp_path: Path) -> None:
    file = tmp_path / "gateway.log"
    file.write_bytes(b"of an earlier run\nfirst\nsecond\n\xffthird\n")
    assert last_lines(file, since=len(b"of an earlier run\n"), count=2) == ["second", "\ufffdthird"]
    assert last_lines(tmp_path / "none.log") == []
