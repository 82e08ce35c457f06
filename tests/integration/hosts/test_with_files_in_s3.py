"""A competition whose every file is in an S3 that verifies signatures, scored on an organizer's host."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from .conftest import Participant, Site

EXAMPLE = Path(__file__).parents[3] / "examples" / "meadow-flowers"


def test_from_bundle_to_leaderboard(site: Site, pat: Participant, tmp_path: Path) -> None:
    anna = site.hosts[0]
    bundle = tmp_path / "bundle"
    shutil.copytree(EXAMPLE / "bundle", bundle)
    written = (bundle / "competition.yaml").read_text()
    (bundle / "competition.yaml").write_text(f"{written}\nqueue: {anna.pool}\n")
    site.person(anna.token, "competition", "create", str(bundle), "--slug", "meadow", "--start", "now")
    site.person(pat.token, "join", "meadow", "--accept-terms")
    for name, accuracy in (("predictions", 0.775), ("nearest-neighbours", 0.9)):
        path = str(EXAMPLE / "submissions" / name)
        record = json.loads(site.person(pat.token, "submit", "meadow", "-f", path, "--wait", "--json"))
        assert (record["status"], record["scores"][0]["value"]) == ("finished", accuracy), anna.log()
        assert record["attempts"][0]["agent"] == "host"
    board = json.loads(site.person(pat.token, "leaderboard", "meadow", "--json"))
    assert [row["scores"][0] for row in board["rows"]] == [0.9]

    for what, member in (("file", "model.py"), ("prediction_output", "predictions.csv")):
        target = tmp_path / f"{what}.zip"
        site.person(pat.token, "download", record["id"], "--what", what, "-o", str(target))
        with zipfile.ZipFile(target) as archive:
            assert member in archive.namelist()
    request = site.ask(pat.token, lambda client: client.submission_file(UUID(record["id"])))
    assert urlsplit(request.url).netloc == urlsplit(site.store.endpoint).netloc
    assert not (site.state / "storage").exists()
