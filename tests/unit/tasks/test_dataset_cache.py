"""The cache of datasets: what attempts use stays, and of the rest what was not used for longest goes."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import threading
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from podium.platform.jobs import SignedRequest, Source
from podium.tasks.staging import release_datasets, stage_dataset, trim_cache


def dataset(folder: Path, content: str, *, used: float = 0, holder: str = "") -> Path:
    """Stage a dataset of one file of 1000 bytes and more."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("data.txt", content.ljust(1000))
    sent = data.getvalue()
    request = SignedRequest(method="GET", url="http://example.org", expires=datetime.now(UTC))
    source = Source(request=request, sha256=hashlib.sha256(sent).hexdigest(), size=len(sent))
    transfers: Any = SimpleNamespace(fetch=lambda _, path, **__: path.write_bytes(sent))
    staged = stage_dataset(source, folder, transfers, stop=threading.Event(), holder=holder)
    if used:
        os.utime(staged, (used, used))
    return staged


def test_oldest_go_until_the_rest_fits(tmp_path: Path) -> None:
    old, middle, new = (dataset(tmp_path, name, used=at) for name, at in (("a", 1), ("b", 2), ("c", 3)))
    trim_cache(tmp_path, max_bytes=2500)
    assert [path.exists() for path in (old, middle, new)] == [False, True, True]
    assert set(tmp_path.iterdir()) == {middle, new}


def test_what_an_attempt_uses_stays_until_it_has_ended(tmp_path: Path) -> None:
    held = dataset(tmp_path, "a", used=1, holder="one")
    dataset(tmp_path, "a", used=1, holder="two")
    free = dataset(tmp_path, "b", used=2)
    trim_cache(tmp_path, max_bytes=0)
    assert held.exists()
    assert not free.exists()
    release_datasets("one")
    trim_cache(tmp_path, max_bytes=0)
    assert held.exists()
    release_datasets("two")
    trim_cache(tmp_path, max_bytes=0)
    assert not held.exists()


def test_what_was_removed_is_fetched_anew(tmp_path: Path) -> None:
    first = dataset(tmp_path, "a")
    trim_cache(tmp_path, max_bytes=0)
    again = dataset(tmp_path, "a")
    assert again == first
    assert (again / "data.txt").read_text().strip() == "a"


def test_what_a_crash_left_half_removed_goes_and_what_is_being_fetched_stays(tmp_path: Path) -> None:
    (tmp_path / ".old-abc").mkdir()
    (tmp_path / ".new-abc").mkdir()
    trim_cache(tmp_path, max_bytes=10_000)
    assert [path.name for path in tmp_path.iterdir()] == [".new-abc"]


def test_trimming_while_others_stage_takes_nothing_from_them(tmp_path: Path) -> None:
    over = threading.Event()

    def trim() -> None:
        while not over.is_set():
            trim_cache(tmp_path, max_bytes=0)

    trimmer = threading.Thread(target=trim)
    trimmer.start()
    try:
        for number in range(60):
            holder = f"attempt-{number}"
            folder = dataset(tmp_path, "shared", holder=holder)
            assert (folder / "data.txt").read_text().strip() == "shared"
            release_datasets(holder)
    finally:
        over.set()
        trimmer.join()
        shutil.rmtree(tmp_path)
