"""Signing in, and the settings that go with it."""

from __future__ import annotations

import io
import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from podium.platform.client import Client
from podium.platform.client.saved_login import Settings, load_settings, save_settings
from podium.platform.errors import InvalidInput, NotAuthenticated

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Gateway, Podium, Samples


@pytest.fixture(autouse=True)
def signed_out(monkeypatch: pytest.MonkeyPatch, podium: Podium, config: Path):
    monkeypatch.delenv("PODIUM_GATEWAY")
    monkeypatch.delenv("PODIUM_TOKEN")


@pytest.fixture
def me(gateway: Gateway, samples: type[Samples]) -> None:
    gateway.on("GET /me", samples.person())


def test_signing_in_checks_and_keeps_the_token(podium: Podium, gateway: Gateway, config: Path, me: None):
    ran = podium("login", gateway.url, "--token", "abc")
    assert ran.code == 0
    assert ran.out == ""
    assert "as ada" in ran.err
    assert json.loads(config.read_text()) == {
        "gateway": gateway.url,
        "competition": None,
        "tokens": {gateway.url: "abc"},
    }
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert stat.S_IMODE(config.parent.stat().st_mode) == 0o700
    assert podium("whoami").out == "ada (Ada L, ada@example.org): may organize\n"
    assert gateway.calls[-1].token == "abc"


def test_a_token_that_is_not_good_is_not_kept(podium: Podium, gateway: Gateway, config: Path):
    gateway.on("GET /me", (401, "not-authenticated", "The token is unknown."))
    assert podium("login", gateway.url, "--token", "abc").code == 3
    assert not config.exists()


def test_a_token_comes_from_stdin_or_a_file(
    podium: Podium, gateway: Gateway, me: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr("sys.stdin", io.StringIO("from-stdin\n"))
    assert podium("login", gateway.url, "--token", "-").code == 0
    assert gateway.calls[-1].token == "from-stdin"
    (tmp_path / "token").write_text("  from-file\n")
    assert podium("login", gateway.url, "--token-file", str(tmp_path / "token")).code == 0
    assert gateway.calls[-1].token == "from-file"
    assert podium("--token-file", str(tmp_path / "token"), "whoami").code == 0
    assert podium("--token-file", str(tmp_path / "no"), "whoami").code == 2


def test_nobody_is_asked_without_a_terminal(podium: Podium, gateway: Gateway):
    ran = podium("login", gateway.url)
    assert ran.code == 2
    assert "no terminal" in ran.err


@pytest.mark.parametrize("token", ["", "two words", "schlüssel"])
def test_what_can_not_be_a_token_is_not_sent(podium: Podium, gateway: Gateway, token: str):
    assert podium("login", gateway.url, "--token", token).code == 2
    assert gateway.calls == []


def test_a_token_is_not_given_twice(podium: Podium, gateway: Gateway):
    assert podium("login", gateway.url, "--token", "a", "--token-file", "b").code == 2


def test_a_token_never_goes_to_another_gateway(podium: Podium, gateway: Gateway, config: Path, me: None):
    save_settings(Settings(gateway="http://elsewhere.example.org", tokens={"http://elsewhere.example.org": "abc"}))
    podium("--gateway", gateway.url, "whoami")
    assert gateway.calls[-1].token == ""


def test_an_unencrypted_gateway_is_warned_of(podium: Podium, config: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("podium.platform.client.retries.Patience.pauses", lambda _: iter(()))
    assert "not encrypted" in podium("login", "http://podium.invalid", "--token", "abc").err


def test_signing_out_forgets_the_token(podium: Podium, gateway: Gateway, me: None):
    podium("login", gateway.url, "--token", "abc")
    assert podium("logout").code == 0
    assert load_settings().tokens == {}
    assert "not signed in" in podium("logout").err


def test_without_a_gateway_one_is_told_to_sign_in(podium: Podium):
    ran = podium("whoami")
    assert ran.code == 3
    assert "podium login" in ran.err
    with pytest.raises(NotAuthenticated):
        Client.from_saved_login()


def test_settings_that_others_can_read_are_warned_of(podium: Podium, gateway: Gateway, config: Path, me: None):
    podium("login", gateway.url, "--token", "abc")
    config.chmod(0o644)
    ran = podium("whoami")
    assert ran.code == 0
    assert f"chmod 600 {config}" in ran.err


@pytest.mark.parametrize("content", ["{", "[]", '{"tokens": 3}', "\xff"])
def test_settings_that_are_none_are_said(podium: Podium, config: Path, content: str):
    config.parent.mkdir(parents=True)
    config.write_text(content, encoding="latin-1")
    ran = podium("whoami")
    assert ran.code == 2
    assert str(config) in ran.err
    with pytest.raises(InvalidInput):
        load_settings()


def test_a_competition_can_be_set_for_all_commands(podium: Podium, gateway: Gateway, samples: type[Samples]):
    assert podium("config", "get", "competition").code == 5
    assert podium("config", "set", "competition", "iris").code == 0
    assert podium("config", "get", "competition").out == "iris\n"
    assert podium("config", "set", "gateway", gateway.url + "/").code == 0
    assert podium("config", "get", "gateway").out == f"{gateway.url}\n"
    gateway.on("GET /competitions/iris/submissions", [])
    ran = podium("submissions")
    assert ran.code == 0
    assert "Using competition: iris" in ran.err
    assert podium("config", "unset", "competition").code == 0
    ran = podium("submissions")
    assert ran.code == 2
    assert "podium config set competition" in ran.err


def test_the_environment_goes_before_the_settings(podium: Podium, gateway: Gateway, monkeypatch: pytest.MonkeyPatch):
    save_settings(Settings(gateway="http://elsewhere.example.org", competition="other"))
    monkeypatch.setenv("PODIUM_GATEWAY", gateway.url)
    monkeypatch.setenv("PODIUM_COMPETITION", "iris")
    monkeypatch.setenv("PODIUM_TOKEN", "from-environment")
    gateway.on("GET /competitions/iris/submissions", [])
    assert podium("submissions").code == 0
    assert gateway.calls[-1].token == "from-environment"


def test_the_xdg_folder_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("PODIUM_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert save_settings(Settings(gateway="http://x")) == tmp_path / "podium" / "config.json"
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert save_settings(Settings()) == tmp_path / "home" / ".config" / "podium" / "config.json"


def test_settings_that_can_not_be_written_are_said(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match="can't be written"):
        save_settings(Settings(), tmp_path / "file" / "config.json")
