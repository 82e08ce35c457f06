"""The client stands on little, and importing it does nothing."""

from __future__ import annotations

import subprocess
import sys

import podium.platform.client

ALLOWED = {
    "podium",
    "podium.platform",
    "podium.platform.archive_rules",
    "podium.platform.bundles",
    "podium.platform.bundles.content",
    "podium.platform.bundles.folder_zips",
    "podium.platform.bundles.problems",
    "podium.platform.bundles.submission_formats",
    "podium.platform.errors",
    "podium.platform.image_archives",
    "podium.platform.image_layouts",
    "podium.platform.images",
    "podium.platform.images.metadata",
    "podium.platform.large_bodies",
    "podium.platform.lifecycle",
    "podium.platform.limits",
    "podium.platform.quantities",
    "podium.platform.records",
    "podium.platform.records.access",
    "podium.platform.records.competitions",
    "podium.platform.records.offers",
    "podium.platform.records.exports",
    "podium.platform.records.images",
    "podium.platform.records.content",
    "podium.platform.records.leaderboards",
    "podium.platform.records.organizing",
    "podium.platform.records.people",
    "podium.platform.records.pools",
    "podium.platform.records.reruns",
    "podium.platform.records.scaling",
    "podium.platform.records.service",
    "podium.platform.records.sign_in",
    "podium.platform.records.slices",
    "podium.platform.records.storage",
    "podium.platform.records.submissions",
    "podium.platform.records.teams",
    "podium.platform.tar_walk",
}


def loaded(code: str) -> set[str]:
    out = subprocess.check_output([sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"], text=True)
    return set(out.split())


def test_the_client_stands_on_little():
    modules = loaded("import podium.platform.client.api")
    ours = {name for name in modules if name.partition(".")[0] == "podium"}
    assert {name for name in ours if not name.startswith("podium.platform.client")} <= ALLOWED
    assert not modules & {"pydantic", "yaml", "sqlalchemy", "prefect", "typer"}


def test_the_package_alone_loads_no_http_library():
    assert "httpx" not in loaded("import podium.platform.client")


def test_every_public_name_is_there():
    for name in podium.platform.client.__all__:
        assert getattr(podium.platform.client, name).__name__ == name
    assert set(podium.platform.client.__all__) <= set(dir(podium.platform.client))
