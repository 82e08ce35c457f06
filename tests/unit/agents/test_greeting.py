"""An agent says hello for as long as it lives, whatever happens on its host."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from podium.agents import post as post_module
from podium.agents.post import Post
from podium.agents.settings import AgentSettings
from podium.platform.jobs import AgentHello, Welcome


class Desk:
    """Stands in for the gateway."""

    def __init__(self) -> None:
        self.hellos: list[AgentHello] = []

    def hello(self, hello: AgentHello) -> Welcome:
        self.hellos.append(hello)
        return Welcome(pool=hello.pool, version="1")

    def close(self) -> None:
        """Nothing is open."""


def test_an_agent_that_cannot_write_how_it_is_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post_module, "HELLO_SECONDS", 0.0)
    post = Post(AgentSettings.model_validate({"token": "t", "folder": tmp_path, "executor": "none"}))
    post.gateway.close()
    desk = Desk()
    post.gateway = desk  # type: ignore[assignment] -- a stand-in
    (tmp_path / "health.new").mkdir()  # as good as a full disk
    post.take_up()
    try:
        wait_for(desk, 2)
        assert not (tmp_path / "health").exists()
        (tmp_path / "health.new").rmdir()
        wait_for(desk, len(desk.hellos) + 2)
        assert json.loads((tmp_path / "health").read_text())["state"] == "ready"
    finally:
        post.leave()


def wait_for(desk: Desk, hellos: int) -> None:
    give_up = time.monotonic() + 20
    while len(desk.hellos) < hellos:
        assert time.monotonic() < give_up, f"the agent has fallen silent after {len(desk.hellos)} greetings"
        time.sleep(0.01)
