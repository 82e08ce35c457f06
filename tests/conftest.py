"""What holds for all tests: an environment that nobody has set up, and properties that are tried the same way."""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

KEPT = ("PODIUM_CASES", "PODIUM_EXAMPLE_BUNDLES", "PODIUM_FAULT_", "PODIUM_SCREENSHOTS")
"""Beginnings of variables that are meant for the tests themselves."""
for _name in list(os.environ):
    if _name.startswith(("PODIUM_", "PREFECT_")) and not _name.startswith(KEPT):
        del os.environ[_name]
os.environ["PREFECT_LOGGING_TO_API_ENABLED"] = "false"
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"

settings.register_profile("podium", deadline=None, derandomize=True)
settings.load_profile("podium")

# What a shell starts in the background ignores SIGINT, and so would everything that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

INTEGRATION = Path(__file__).parent / "integration"
LONGEST = (INTEGRATION / "main_job", INTEGRATION.with_name("faults"))


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep each folder of integration tests on one worker: what its tests share takes long to start.

    The folders that take longest come first, and the others fill the other workers meanwhile.
    """
    items.sort(key=lambda item: not any(folder in item.path.parents for folder in LONGEST))
    for item in items:
        if INTEGRATION in item.path.parents:
            item.add_marker(pytest.mark.xdist_group(item.path.relative_to(INTEGRATION).parts[0]))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to run where a folder's tests would be spread over the workers: a version of xdist or pytest did so once.

    What is loaded by now stays until the end, and looking for garbage in it was a sixth of the time of the tests.

    Raises:
        UsageError: A test has lost the group that it was given.
    """
    if getattr(session.config.option, "loadgroup", False):
        for item in session.items:
            for mark in item.iter_markers("xdist_group"):
                if not item.nodeid.endswith(f"@{mark.args[0]}"):
                    raise pytest.UsageError(f"{item.nodeid} is not kept with the others of {mark.args[0]}.")
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session")
def cases() -> Path:
    """The folder of cases that systems of this kind were tried with."""
    folder = Path(os.environ.get("PODIUM_CASES") or Path(__file__).parents[2] / "shared" / "cases")
    if not folder.is_dir():
        pytest.skip(f"there are no cases in {folder}: set PODIUM_CASES")
    return folder
