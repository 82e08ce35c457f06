"""Names of modules: none hides a standard one."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("agents", "client", "dashboards", "flows", "platform", "tasks")
FILES = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")]


def test_no_module_has_the_name_of_a_standard_one():
    names = {file: file.parent.name if file.stem == "__init__" else file.stem for file in FILES}
    wrong = [file for file, name in names.items() if name in sys.stdlib_module_names and name != "__main__"]
    assert wrong == []


def test_the_platform_folder_alone_is_no_package_by_itself():
    folders = {file.parent for file in FILES}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == [ROOT / "platform"]
