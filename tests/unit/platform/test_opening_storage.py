"""Which store the settings name, and what is said where they name none."""

from __future__ import annotations

from pathlib import Path

import pytest

from podium.platform.errors import InvalidInput
from podium.platform.settings import ServerSettings
from podium.platform.storage import FileStorage, open_storage
from podium.platform.uploads import MOST_PARTS, part_bytes_for, part_sizes

MIB = 1024 * 1024


def settings(url: str, **values: object) -> ServerSettings:
    return ServerSettings.model_validate(
        {"database_url": "postgresql://x", "secret_key": "x" * 32, "storage_url": url, **values}
    )


@pytest.mark.parametrize(
    "url", ["/folder", "file://host/folder", "file:relative", "http://x", "", "s3://", "abfs:///x"]
)
def test_stores_that_there_are_not(url: str) -> None:
    with pytest.raises(InvalidInput, match="is not a store that Podium can use"):
        open_storage(settings(url))


def test_a_folder(tmp_path: Path) -> None:
    opened = open_storage(settings((tmp_path / "a store").as_uri()))
    assert isinstance(opened, FileStorage)
    assert opened.root == tmp_path / "a store"


def test_half_a_key_is_not_taken_for_none() -> None:
    for half in ({"storage_key_id": "AKIA"}, {"storage_secret": "x"}):
        with pytest.raises(InvalidInput, match="there is only one half"):
            open_storage(settings("s3://bucket", **half))


def test_azure_needs_its_key(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="its account's name and key"):
        open_storage(settings("abfs://container@account"))
    with pytest.raises(InvalidInput, match="can't be read from"):
        open_storage(settings("abfs://container@account", storage_secret_file=tmp_path / "missing"))


def test_s3_is_addressed_as_it_is_told(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from a file\n")
    key = {"storage_key_id": "AKIA", "storage_secret_file": secret}
    aws = open_storage(settings("s3://bucket/some/prefix", storage_region="eu-west-1", **key))
    request = aws.sign_put("incoming/a/b", max_bytes=7, is_exact=True)
    assert request.url.startswith("https://bucket.s3.eu-west-1.amazonaws.com/some/prefix/incoming/a/b?")
    assert "X-Amz-SignedHeaders=content-length%3Bhost" in request.url
    inside = {"storage_endpoint": "http://minio:9000", "storage_public_endpoint": "https://files.example.org"}
    own = open_storage(settings("s3://bucket", **inside, **key))
    assert own.sign_get("incoming/a/b", filename="x").url.startswith("https://files.example.org/bucket/incoming/a/b?")
    virtual = open_storage(settings("s3://bucket", storage_path_style=False, **inside, **key))
    assert virtual.sign_get("incoming/a/b", filename="x").url.startswith("https://bucket.files.example.org/incoming/")
    week = aws.sign_get("incoming/a/b", filename="x", work_seconds=10**7)
    assert "X-Amz-Expires=604800" in week.url


@pytest.mark.parametrize(
    ("size", "part", "sizes"), [(10, 4, [4, 4, 2]), (8, 4, [4, 4]), (3, 4, [3]), (5, 1, [1, 1, 1, 1, 1])]
)
def test_parts_make_up_the_file(size: int, part: int, sizes: list[int]) -> None:
    assert part_sizes(size, part) == sizes


@pytest.mark.parametrize("size", [1, 64 * MIB, 640_000 * MIB, 640_000 * MIB + 1, 5_000_000 * MIB])
def test_there_are_never_too_many_parts(size: int) -> None:
    part = part_bytes_for(size, 64 * MIB)
    assert part >= 64 * MIB
    assert part % MIB == 0
    assert len(part_sizes(size, part)) <= MOST_PARTS
