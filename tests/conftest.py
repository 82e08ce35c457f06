"""What holds for all tests."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

# What a shell starts in the background ignores SIGINT, and so would everything that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

INTEGRATION = Path(__file__).parent / "integration"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep each folder of integration tests on one worker: what its tests share takes long to start."""
    for item in items:
        if INTEGRATION in item.path.parents:
            item.add_marker(pytest.mark.xdist_group(item.path.relative_to(INTEGRATION).parts[0]))
