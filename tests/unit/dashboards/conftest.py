"""The stand-in gateway, for tests in this folder; pytest imports a conftest alone, so it is loaded by its path."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import streamlit as st


def _load_stand_in() -> ModuleType:
    if "stand_in" not in sys.modules:
        spec = importlib.util.spec_from_file_location("stand_in", Path(__file__).with_name("stand_in.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["stand_in"] = module
        spec.loader.exec_module(module)
    return sys.modules["stand_in"]


made = _load_stand_in()


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """A stand-in gateway that the pages ask, with nothing remembered from another test."""
    st.cache_resource.clear()
    with made.Serving() as stand_in:
        monkeypatch.setenv("PODIUM_GATEWAY", stand_in.address)
        monkeypatch.setenv("PODIUM_PUBLIC_URL", "https://podium.example.org")
        yield stand_in
    st.cache_resource.clear()
