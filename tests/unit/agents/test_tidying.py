"""Making room goes on while the agent works, whatever goes wrong with it."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from podium.agents.tidying import Tidier
from podium.tasks.programs import ExecutorFault


def test_room_is_made_again_and_again_also_after_trouble(tmp_path: Path) -> None:
    (tmp_path / "old-dataset").mkdir()
    (tmp_path / "old-dataset" / "data").write_bytes(b"x" * 1000)
    turns, enough = [], threading.Event()

    def tidy() -> None:
        turns.append(len(turns))
        if len(turns) == 3:
            enough.set()
        raise ExecutorFault("The engine is gone.")

    workplace: Any = SimpleNamespace(cache=tmp_path, executor=SimpleNamespace(tidy=tidy))
    tidier = Tidier(cache_bytes=10, seconds=0.01)
    tidier.begin(workplace)
    tidier.begin(workplace)
    assert enough.wait(60)
    tidier.end()
    assert not (tmp_path / "old-dataset").exists()
    assert not any(one.name == "podium-tidier" for one in threading.enumerate())
