"""One distribution, one import name: every folder is mapped, and `platform` stays the standard module."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETUPTOOLS = PROJECT["tool"]["setuptools"]
FOLDERS = {folder: package for package, folder in SETUPTOOLS["package-dir"].items()}
LOCKS = {"server": "requirements.lock", "agent": "requirements-agent.lock"}


def folders_with_modules() -> list[str]:
    found = {path.parent.relative_to(ROOT) for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")}
    return sorted(
        ".".join((FOLDERS[folder.parts[0]], *folder.parts[1:])) for folder in found if "__pycache__" not in folder.parts
    )


def test_every_folder_with_modules_is_a_package_that_is_listed():
    assert sorted(SETUPTOOLS["packages"]) == folders_with_modules()


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_every_folder_says_that_it_is_typed(folder: str):
    assert (ROOT / folder / "py.typed").exists()


def test_every_other_file_is_packaged():
    patterns = SETUPTOOLS["package-data"]["*"]
    others = [
        path
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts
    ]
    # What a lock is made from is needed in the checkout alone.
    assert [path for path in others if not any(map(path.match, patterns)) and path.suffix != ".in"] == []


def test_platform_is_the_standard_module_also_from_the_checkout():
    code = "import platform; print(platform.python_implementation(), platform.__file__)"
    answer = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert answer.startswith("CPython ")
    assert str(ROOT) not in answer
    assert not (ROOT / "platform" / "__init__.py").exists()


@pytest.mark.parametrize("extra", sorted(LOCKS))
def test_the_lock_has_all_that_is_asked_for(extra: str):
    locked = set(re.findall(r"^([a-z0-9._-]+)(?:\[[^]]*])?==", (ROOT / LOCKS[extra]).read_text(), re.MULTILINE))
    asked = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"][extra]]
    if extra == "server":
        asked += PROJECT["dependency-groups"]["dev"]
    names = {re.split(r"[^A-Za-z0-9._-]", line)[0].lower() for line in asked}
    assert names <= locked


@pytest.mark.parametrize("lock", [*LOCKS.values(), "agents/images/scientific.lock"])
def test_a_lock_names_no_address(lock: str):
    text = (ROOT / lock).read_text()
    assert "--hash=sha256:" in text
    assert "://" not in text
