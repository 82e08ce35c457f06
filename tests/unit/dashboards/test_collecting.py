from __future__ import annotations

import asyncio
import gc
import weakref
from pathlib import Path

import pytest
import streamlit as st

from podium.dashboards import collecting


class _Cycle:
    def __init__(self) -> None:
        self.own = self


def test_cycles_go_by_the_clock_while_the_application_runs(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(collecting, "COLLECT_SECONDS", 0.01)

    async def run() -> bool:
        async with collecting.collecting(st.App(Path("pages") / "entry.py")):
            gone = weakref.ref(_Cycle())
            for _ in range(200):
                await asyncio.sleep(0.01)
                if gone() is None:
                    return True
        return False

    gc.disable()
    try:
        assert asyncio.run(run())
    finally:
        gc.enable()
        gc.unfreeze()
