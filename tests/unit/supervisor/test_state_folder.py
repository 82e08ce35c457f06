"""The folder with everything in it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from podium.platform.errors import PlatformFault
from podium.platform.supervisor.secret_files import secret_once, write_secret
from podium.platform.supervisor.state_folder import AlreadyRunning, StateFolder, default_state_folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_can_be_passed_through_and_what_is_in_it_is_private(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "a" / "state")
    folder.make()
    folder.secret_key()
    assert mode(folder.path) == 0o755
    assert mode(folder.path / "logs") == 0o700
    assert mode(folder.private("storage")) == 0o700
    assert mode(folder.path / "secret-key") == 0o600


def test_the_secret_key_is_made_once(tmp_path: Path) -> None:
    key = secret_once(tmp_path / "key")
    assert len(key) == 43
    assert secret_once(tmp_path / "key") == key


def test_a_secret_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_secret(tmp_path / "secret", "x")
    finally:
        os.umask(before)
    assert mode(tmp_path / "secret") == 0o600


def test_there_is_one_supervisor_at_a_time(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    with folder.lock(), pytest.raises(AlreadyRunning) as refused:
        folder.lock()
    assert str(tmp_path) in refused.value.detail
    assert "podium down" in refused.value.remedy
    folder.lock().close()


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PlatformFault, match="cannot be used"):
        StateFolder(tmp_path / "file").make()


def test_the_default_is_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_state_folder({"PODIUM_STATE": "/srv/podium"}) == Path("/srv/podium")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_state_folder({}) == Path("/var/lib/podium")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert default_state_folder({"XDG_STATE_HOME": "/home/a/.state"}) == Path("/home/a/.state/podium")
    assert default_state_folder({}) == Path.home() / ".local/state/podium"
