from __future__ import annotations

import ast
from pathlib import Path

import podium.dashboards

_ALLOWED = (
    "podium.dashboards",
    "podium.platform.bundles.content",
    "podium.platform.bundles.problems",
    "podium.platform.client",
    "podium.platform.errors",
    "podium.platform.lifecycle",
    "podium.platform.limits",
    "podium.platform.mail.variables",
    "podium.platform.records",
    "podium.platform.records.access",
    "podium.platform.records.reruns",
    "podium.platform.records.scaling",
)


def _imported(module: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(module.read_text(encoding="utf-8"))))
    whole = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    return whole | {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}


def test_the_pages_stand_on_the_client_alone():
    modules = sorted(Path(podium.dashboards.__file__).parent.rglob("*.py"))
    assert len(modules) > 20
    for module in modules:
        ours = {name for name in _imported(module) if name.split(".")[0] == "podium"}
        assert not {name for name in ours if not name.startswith(_ALLOWED)}, module
