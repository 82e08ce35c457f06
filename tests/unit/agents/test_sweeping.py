"""An agent removes what dead attempts left, and nothing that is under way."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from podium.agents import post as post_module
from podium.agents.post import Post
from podium.agents.settings import AgentSettings
from podium.tasks.gateway import GatewayClient, Transfers
from podium.tasks.programs import Executor, ExecutorFault
from podium.tasks.staging import sweep_attempts
from podium.tasks.workplace import Workplace


class FakeExecutor:
    """Remembers what it was told to keep."""

    def __init__(self) -> None:
        self.kept: list[set[str]] = []
        self.fault = False

    def sweep(self, keep: set[str]) -> int:
        if self.fault:
            raise ExecutorFault("The engine is gone.")
        self.kept.append(set(keep))
        return 1


@pytest.fixture
def executor() -> FakeExecutor:
    return FakeExecutor()


@pytest.fixture
def post(tmp_path: Path, executor: FakeExecutor, monkeypatch: pytest.MonkeyPatch) -> Post:
    monkeypatch.setattr(post_module, "SWEEP_SECONDS", 0.0)
    made = Post(AgentSettings(token="x", folder=tmp_path))  # type: ignore[arg-type] -- pydantic makes a secret of it
    made._executor = cast("Executor", executor)
    made._workplace = Workplace("me", GatewayClient("http://nowhere", "x"), Transfers(), made._executor, tmp_path)
    (tmp_path / "attempts").mkdir()
    return made


def test_attempts_under_way_are_kept(tmp_path: Path) -> None:
    for name in ("held", "dead"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    assert sweep_attempts(tmp_path, {"held"}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["held"]
    assert sweep_attempts(tmp_path / "nowhere") == 0


def test_agent_sweeps_again_and_again(post: Post, executor: FakeExecutor, tmp_path: Path) -> None:
    assert post._workplace
    post._workplace.held.add("held")
    for name in ("held", "dead"):
        (tmp_path / "attempts" / name).mkdir()
    post._sweep()
    assert executor.kept == [{"held"}]
    assert [path.name for path in (tmp_path / "attempts").iterdir()] == ["held"]
    post._workplace.held.clear()
    post._sweep()
    assert executor.kept == [{"held"}, set()]
    assert list((tmp_path / "attempts").iterdir()) == []


def test_engine_that_is_gone_does_not_end_the_agent(post: Post, executor: FakeExecutor) -> None:
    executor.fault = True
    post._sweep()
    executor.fault = False
    post._sweep()
    assert executor.kept == [set()]


def test_it_does_not_do_so_all_the_time(post: Post, executor: FakeExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post_module, "SWEEP_SECONDS", 3600.0)
    post._sweep()
    post._sweep()
    assert len(executor.kept) == 1
