"""What all tests share: an environment that an operator has not set up, and properties that are tried the same way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

KEPT = frozenset({"PODIUM_CASES", "PODIUM_SCREENSHOTS"})
"""Variables that are meant for the tests themselves."""

for _name in list(os.environ):
    if _name.startswith(("PODIUM_", "PREFECT_")) and _name not in KEPT:
        del os.environ[_name]
os.environ["PREFECT_LOGGING_TO_API_ENABLED"] = "false"
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"

settings.register_profile("podium", deadline=None, derandomize=True)
settings.load_profile("podium")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository's root."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def cases(repository: Path) -> Path:
    """The folder of cases that systems of this kind were tried with."""
    folder = Path(os.environ.get("PODIUM_CASES") or repository.parent / "shared" / "cases")
    if not folder.is_dir():
        pytest.skip(f"there are no cases in {folder}: set PODIUM_CASES")
    return folder
