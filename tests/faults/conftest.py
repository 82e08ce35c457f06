"""A whole Podium to break, and the table of what came of it."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# Test modules are imported by their path, so what they share is found by folder.
sys.path.insert(0, str(Path(__file__).parents[1] / "integration" / "support"))

from podium.agents.images.build import build_images

from .competition import write_bundle
from .guard import Guard
from .plan import SEED
from .podium_site import Site
from .report import SECTION, Round, as_data, table


@pytest.fixture(scope="package")
def site() -> Iterator[Site]:
    """Podium, up, with the competition in it."""
    # Not in pytest's folder: PostgreSQL runs as a user of its own, and pytest's folders are closed to others.
    folder = Path(tempfile.mkdtemp(prefix="podium-faults-"))
    folder.chmod(0o711)
    with Guard(folder):
        image = build_images(lambda _: None)[0].name
        site = Site(folder)
        site.up(image)
        bundle = write_bundle(folder / "bundle", image)
        site.network.platform.call(lambda: _create(site, bundle))
        try:
            yield site
            site.down()
        finally:
            _keep_logs(site)


def _keep_logs(site: Site) -> None:
    if folder := os.environ.get("PODIUM_FAULT_LOGS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        for name, file in site.logs().items():
            shutil.copy(file, Path(folder, f"{name}.log"))


def _create(site: Site, bundle: Path) -> None:
    with site.client(site.admin_token) as client:
        assert client.create_competition(bundle, slug="faults").competition == "faults"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write the table, also where the rounds were played by another process."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    texts = [value for one in reports for name, value in getattr(one, "user_properties", []) if name == SECTION]
    rounds = sorted((Round.from_json(str(text)) for text in dict.fromkeys(texts)), key=lambda one: one.number)
    if not rounds:
        return
    terminalreporter.section("faults")
    for line in table(rounds, SEED):
        terminalreporter.write_line(line)
    if file := os.environ.get("PODIUM_FAULT_REPORT"):
        Path(file).write_text(json.dumps(as_data(rounds, SEED), indent=1))
