"""An agent's token, which may change while it works, and a gateway that refuses it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from podium.agents import post as post_module
from podium.agents.agent import of_own_pool
from podium.agents.credential import Credential
from podium.agents.post import Post
from podium.agents.prefect_access import choose_prefect, goes_by_gateway
from podium.agents.settings import AgentSettings
from podium.platform.errors import InvalidInput, NotAuthenticated, PlatformFault
from podium.platform.jobs import AgentHello, Welcome


@pytest.fixture
def settings(tmp_path: Path) -> AgentSettings:
    (tmp_path / "token").write_text("first\n")
    values = {"token_file": tmp_path / "token", "folder": tmp_path, "executor": "none", "pool": "annas"}
    return AgentSettings.model_validate(values)


def test_a_token_file_is_read_again(settings: AgentSettings, tmp_path: Path) -> None:
    credential = Credential(settings)
    heard: list[str] = []
    credential.on_change(heard.append)
    assert not credential.reread()
    (tmp_path / "token").write_text("")  # it is being written at this moment
    assert not credential.reread()
    (tmp_path / "token").unlink()
    assert not credential.reread()
    assert credential.secret == "first"
    (tmp_path / "token").write_text("second")
    assert credential.reread()
    assert (credential.secret, heard) == ("second", ["second"])
    request = next(credential.auth_flow(httpx.Request("GET", "http://x", headers={"Authorization": "Bearer first"})))
    assert request.headers["Authorization"] == "Bearer second"


class Desk:
    """A gateway that takes one token and answers what it was told to."""

    def __init__(self) -> None:
        self.good, self.token, self.told = "first", "first", Welcome(pool="annas", version="1")

    def renew(self, token: str) -> None:
        self.token = token

    def hello(self, hello: AgentHello) -> Welcome:
        assert hello.pool == "annas"
        if self.token != self.good:
            raise NotAuthenticated("This token was revoked.")
        return self.told

    def close(self) -> None:
        """Nothing is open."""


def eventually(check: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 20
    while not check():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def test_an_agent_that_is_refused_takes_no_work_says_why_and_goes_on_with_another_token(
    settings: AgentSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post_module, "HELLO_SECONDS", 0.0)
    post, desk = Post(settings), Desk()
    post.gateway.close()
    post.gateway = desk  # type: ignore[assignment] -- a stand-in
    post.take_up()
    try:
        eventually(lambda: post.ready)
        desk.good = "second"
        eventually(lambda: not post.ready)
        eventually(lambda: "revoked" in json.loads((tmp_path / "health").read_text())["detail"])
        (tmp_path / "token").write_text("second")
        eventually(lambda: post.ready)
        desk.told = Welcome(pool="annas", version="1", closed="Pool 'annas' is cordoned.")
        eventually(lambda: not post.ready)
        desk.told = Welcome(pool="annas", version="1")
        eventually(lambda: post.ready)
    finally:
        post.leave()


class Asked:
    """A gateway that is away at first."""

    def __init__(self) -> None:
        self.calls = 0

    def own_pool(self) -> Welcome:
        self.calls += 1
        if self.calls == 1:
            raise PlatformFault("The gateway can't be reached.")
        return Welcome(pool="annas", version="1")


def test_the_pool_is_the_tokens(settings: AgentSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("podium.agents.agent.ASK_SECONDS", 0.0)
    asked = Asked()
    unsaid = settings.model_copy(update={"pool": ""})
    assert of_own_pool(unsaid, asked).pool == "annas"  # type: ignore[arg-type] -- a stand-in
    assert of_own_pool(settings, asked).pool == "annas"  # type: ignore[arg-type] -- a stand-in
    assert asked.calls == 3
    other = settings.model_copy(update={"pool": "bens"})
    with pytest.raises(InvalidInput):
        of_own_pool(other, asked)  # type: ignore[arg-type] -- a stand-in


def test_prefect_is_reached_by_way_of_the_gateway_unless_its_address_is_given(
    settings: AgentSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PREFECT_API_URL", "PREFECT_API_KEY", "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:4200/api")
    assert not choose_prefect(settings)
    assert not goes_by_gateway(settings)
    monkeypatch.delenv("PREFECT_API_URL")
    assert choose_prefect(settings.model_copy(update={"gateway": "http://gateway:8400/"}))
    assert goes_by_gateway(settings.model_copy(update={"gateway": "http://gateway:8400"}))
    assert not goes_by_gateway(settings)
