"""Imports go one way, and an agent never loads what only the platform has."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAY_IMPORT = {
    "platform": {"platform"},
    "tasks": {"tasks", "platform"},
    "flows": {"flows", "tasks", "platform"},
    "agents": {"agents", "flows", "tasks", "platform"},
    "dashboards": {"dashboards", "platform"},
    "client": {"client", "platform"},
}
# The command line starts the others' programs: inside the functions that need them.
EXCEPTIONS = {("platform/cli/images.py", "podium.agents.images.build")}
DASHBOARDS_STAND_ON = (
    "client",
    "records",
    "rerun_records",
    "access_records",
    "scaling_records",
    "errors",
    "lifecycle",
    "limits",
    "bundles",
)
AGENT_MODULES = (
    "podium.agents.worker",
    "podium.agents.agent",
    "podium.agents.post",
    "podium.agents.executors.choice",
    "podium.flows.scoring",
    "podium.tasks.staging",
    "podium.tasks.containers",
    "podium.tasks.scores",
    "podium.platform.jobs",
)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


@pytest.mark.parametrize("folder", sorted(MAY_IMPORT))
def test_imports_go_one_way(folder: str):
    wrong = []
    for path in (ROOT / folder).rglob("*.py"):
        where = path.relative_to(ROOT).as_posix()
        for name in imports(path):
            package, _, rest = name.partition(".")
            if package == "podium" and rest.split(".")[0] not in MAY_IMPORT[folder] and (where, name) not in EXCEPTIONS:
                wrong.append(f"{where}: {name}")
    assert wrong == []


# Of mail, pages have the names of variables alone: tests/unit/dashboards/test_imports.py.
@pytest.mark.parametrize(("folder", "more"), [("dashboards", ("mail",)), ("client", ("archives", "image_archives"))])
def test_what_people_use_stands_on_the_client(folder: str, more: tuple[str, ...]):
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / folder).rglob("*.py")
        for name in imports(path)
        if name.startswith("podium.platform.") and name.split(".")[2] not in (*DASHBOARDS_STAND_ON, *more)
    ]
    assert wrong == []


def test_the_platform_knows_prefect_in_one_module():
    """Prefect takes a second to load, and what it answers is one module's business."""
    users = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "platform").rglob("*.py")
        if any(name.split(".")[0] == "prefect" for name in imports(path))
    }
    assert users <= {"platform/orchestration.py"}


def test_an_agent_loads_no_database_and_no_store():
    code = f"""
import importlib, sys
for name in {AGENT_MODULES}:
    importlib.import_module(name)
print([name for name in ("sqlalchemy", "psycopg", "s3fs", "adlfs", "fsspec", "fastapi") if name in sys.modules])
"""
    # Prefect's own full package, which is here in the slim one's place, loads some of these itself.
    blocked = """
import importlib.abc, sys
class Slim(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"sqlalchemy", "psycopg", "s3fs", "adlfs"} and podium_asks():
            raise ImportError(f"an agent has no {name}")
def podium_asks():
    frame = sys._getframe(2)
    while frame and frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    return frame is not None and frame.f_globals.get("__name__", "").startswith("podium.")
sys.meta_path.insert(0, Slim())
"""
    answer = subprocess.run([sys.executable, "-c", blocked + code], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
