"""What a supervisor writes down, and what another process makes of it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from podium.platform.errors import NotAllowed
from podium.platform.supervisor.live_state import LivePart, LiveState, read_live_state
from podium.platform.supervisor.parts import PartState
from podium.platform.supervisor.processes import ProcessIdentity


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    me = ProcessIdentity.of(os.getpid())
    state = LiveState(
        supervisor=me,
        since=1.5,
        ports={"gateway": 8400},
        addresses={"API": "http://127.0.0.1:8400"},
        parts=[
            LivePart("gateway", PartState.RESTARTING, "was ended by SIGKILL", me, restarts=2, health={"kind": "alive"})
        ],
    )
    state.write(tmp_path / "up.json")
    assert read_live_state(tmp_path / "up.json") == state
    assert state.running()


def test_only_its_owner_reads_it_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    LiveState().write(tmp_path / "up.json")
    assert stat.S_IMODE((tmp_path / "up.json").stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["up.json"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"parts": 3}', '{"parts": [], "supervisor": {"pid": 1}}']
)
def test_what_cannot_be_read_is_a_podium_that_never_ran(tmp_path: Path, text: str) -> None:
    (tmp_path / "up.json").write_text(text)
    assert read_live_state(tmp_path / "up.json") == LiveState()


def test_a_pid_that_somebody_else_has_now_is_no_supervisor(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        LiveState(supervisor=ProcessIdentity(other.pid, "an-earlier-boot:1")).write(tmp_path / "up.json")
        assert not read_live_state(tmp_path / "up.json").running()
        LiveState(supervisor=ProcessIdentity.of(other.pid)).write(tmp_path / "up.json")
        assert read_live_state(tmp_path / "up.json").running()
    finally:
        other.communicate(b"\n")
    assert not read_live_state(tmp_path / "up.json").running()


def test_states_are_written_as_words(tmp_path: Path) -> None:
    LiveState(parts=[LivePart("gateway", PartState.HEALTHY)]).write(tmp_path / "up.json")
    assert json.loads((tmp_path / "up.json").read_text())["parts"][0]["state"] == "healthy"


def test_another_users_podium_is_not_taken_for_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(_: Path) -> str:
        raise PermissionError

    monkeypatch.setattr(Path, "read_text", closed)
    with pytest.raises(NotAllowed, match="another user"):
        read_live_state(tmp_path / "up.json")
