"""The stand-in gateway, for tests in this folder; pytest imports a conftest alone, so it is loaded by its path."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from podium.dashboards.gateway import open_gateway
from podium.dashboards.session import Viewer


def _load(name: str) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


_load("stand_in_lists")
_load("stand_in_organizing")
_load("stand_in_mail")
_load("stand_in_images")
made = _load("stand_in")


@pytest.fixture(scope="session", autouse=True)
def components() -> Iterator[None]:
    """What is installed of components, which Streamlit's tests would look for anew, in all packages, at each run."""
    found = manifest_scanner.scan_component_manifests()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", lambda *_, **__: found)
        yield


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """A stand-in gateway that the pages ask, with nothing remembered from another test."""
    st.cache_resource.clear()
    with made.Serving() as stand_in:
        monkeypatch.setenv("PODIUM_GATEWAY", stand_in.address)
        monkeypatch.setenv("PODIUM_PUBLIC_URL", "https://podium.example.org")
        yield stand_in
    st.cache_resource.clear()


_SCRIPT = (
    "from podium.dashboards.app import main\nfrom podium.dashboards.navigation import PageName\nmain(PageName({!r}))\n"
)


@pytest.fixture
def visit(stand_in: object) -> Callable[..., AppTest]:  # the gateway that the pages ask
    """Runs a page; with a token, as somebody who signed in before."""

    def visit(page: str, token: str = "", **query: str) -> AppTest:
        test = AppTest.from_string(_SCRIPT.format(page), default_timeout=60)
        if token:
            gateway = open_gateway(token)
            test.session_state["podium-viewer"] = Viewer(gateway.me(), gateway, gateway)
        for name, value in query.items():
            test.query_params[name] = value
        test.run()
        assert not test.exception
        return test

    return visit
