"""What the tests of the supervisor share."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user of the machine can enter: PostgreSQL runs as one of its own. pytest's are closed."""
    folder = Path(tempfile.mkdtemp(prefix="podium-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)
