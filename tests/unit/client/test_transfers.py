"""Files go and come whole, over connections that break."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from podium.platform.client.connection import Connection
from podium.platform.client.downloads import download
from podium.platform.client.progress import Progress, Step, silent
from podium.platform.client.retries import Patience
from podium.platform.client.transfers import fingerprint, upload
from podium.platform.errors import Conflict, InvalidInput, PlatformFault, TooLarge
from podium.platform.records.storage import SignedRequestRecord

if TYPE_CHECKING:
    from tests.unit.client.conftest import Pauses, Store

CONTENT = bytes(range(256)) * 10_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def connection(pauses: Pauses) -> Iterator[Connection]:
    it = Connection("http://localhost:1", "secret-token", timeout=5, patience=Patience(sleep=pauses.sleep))
    yield it
    it.close()


def signed(store: Store, method: str = "GET", **changes: object) -> SignedRequestRecord:
    values = {"method": method, "url": store.url, "headers": {}, "expires": datetime.now(UTC), "max_bytes": None}
    return SignedRequestRecord(**(values | changes))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file.zip"
    path.write_bytes(CONTENT)
    return path


def fetch(connection: Connection, store: Store, path: Path, **changes: object) -> Path:
    options = {"sha256": SHA256, "overwrite": False, "on_progress": silent} | changes
    return download(connection, lambda: signed(store), path, **options)


def test_a_fingerprint_is_size_and_checksum(file: Path):
    told: list[Progress] = []
    made = fingerprint(file, "file.zip", told.append)
    assert (made.size, made.sha256) == (len(CONTENT), SHA256)
    assert told[-1] == Progress(Step.FINGERPRINTING, "file.zip", len(CONTENT), len(CONTENT))


def test_an_upload_is_made_as_signed_and_without_the_token(connection: Connection, store: Store, file: Path):
    told: list[Progress] = []
    request = signed(store, "PUT", headers={"x-ms-blob-type": "BlockBlob"}, max_bytes=len(CONTENT))
    upload(connection, request, file, "file.zip", told.append)
    ((headers, body),) = store.uploads
    assert body == CONTENT
    assert headers["Content-Length"] == str(len(CONTENT))
    assert headers["x-ms-blob-type"] == "BlockBlob"
    assert not {name.lower() for name in headers} & {"authorization", "transfer-encoding"}
    assert [one.done for one in told] == sorted(one.done for one in told)
    assert told[-1].done == told[-1].total == len(CONTENT)


def test_an_empty_file_is_uploaded_too(connection: Connection, store: Store, tmp_path: Path):
    path = tmp_path / "empty"
    path.touch()
    upload(connection, signed(store, "PUT"), path, "empty", silent)
    assert store.uploads[0][1] == b""


def test_a_relative_address_is_the_gateways(store: Store, file: Path, pauses: Pauses):
    here = Connection(store.url.removesuffix("/file"), None, timeout=5, patience=Patience(sleep=pauses.sleep))
    upload(here, signed(store, "PUT", url="/file?signature=x"), file, "file.zip", silent)
    assert len(store.uploads) == 1
    here.close()


def test_a_broken_upload_is_made_again_from_the_start(connection: Connection, store: Store, file: Path, pauses: Pauses):
    store.breaks = [100_000, 1]
    upload(connection, signed(store, "PUT"), file, "file.zip", silent)
    assert [body for _, body in store.uploads] == [CONTENT]
    assert len(pauses.seconds) == 2


def test_a_store_in_trouble_is_tried_again(connection: Connection, store: Store, file: Path):
    store.upload_statuses = [503, 500, 200]
    upload(connection, signed(store, "PUT"), file, "file.zip", silent)
    assert len(store.uploads) == 3


def test_a_refused_upload_is_not_tried_again_and_its_signature_not_shown(
    connection: Connection, store: Store, file: Path
):
    store.upload_statuses = [403]
    with pytest.raises(PlatformFault, match=r"refused the upload of file\.zip with 403") as caught:
        upload(connection, signed(store, "PUT", url=store.url + "?signature=secret"), file, "file.zip", silent)
    assert "secret" not in str(caught.value)
    assert len(store.uploads) == 1


def test_a_file_that_is_too_large_is_not_sent(connection: Connection, store: Store, file: Path):
    with pytest.raises(TooLarge, match="2,560,000 bytes; no more than 9"):
        upload(connection, signed(store, "PUT", max_bytes=9), file, "file.zip", silent)
    store.upload_statuses = [413]
    with pytest.raises(TooLarge):
        upload(connection, signed(store, "PUT"), file, "file.zip", silent)


@pytest.mark.parametrize("change", ["shorter", "longer"])
def test_a_file_that_changes_meanwhile_is_refused(connection: Connection, store: Store, file: Path, change: str):
    def meddle(_: Progress) -> None:
        file.write_bytes(CONTENT[:9] if change == "shorter" else CONTENT + b"more")

    with pytest.raises(InvalidInput, match="changed while it was uploaded"):
        upload(connection, signed(store, "PUT"), file, "file.zip", meddle)


def test_a_store_that_is_not_there_is_named(connection: Connection, file: Path, store: Store):
    with pytest.raises(PlatformFault, match=r"http://127\.0\.0\.1:9 can't be reached"):
        upload(connection, signed(store, "PUT", url="http://127.0.0.1:9/x"), file, "file.zip", silent)


def test_a_download_arrives_whole(connection: Connection, store: Store, tmp_path: Path):
    store.content = CONTENT
    told: list[Progress] = []
    path = fetch(connection, store, tmp_path / "out.zip", on_progress=told.append)
    assert path.read_bytes() == CONTENT
    assert told[-1] == Progress(Step.DOWNLOADING, "out.zip", len(CONTENT), len(CONTENT))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("sha256", [SHA256, None])
def test_a_broken_download_goes_on_where_it_was(
    connection: Connection, store: Store, tmp_path: Path, sha256: str | None
):
    store.content = CONTENT
    # More breaks than tries: each one that brings something starts the count again.
    store.breaks = [100_000] * 9
    path = fetch(connection, store, tmp_path / "out.zip", sha256=sha256)
    assert path.read_bytes() == CONTENT
    assert store.ranges[0] is None
    assert all(wanted and wanted != "bytes=0-" for wanted in store.ranges[1:])


def test_a_store_without_ranges_sends_everything_again(connection: Connection, store: Store, tmp_path: Path):
    store.content, store.breaks, store.ignores_ranges = CONTENT, [100_000], True
    assert fetch(connection, store, tmp_path / "out.zip").read_bytes() == CONTENT


def test_an_interrupted_download_goes_on_in_the_next_call(connection: Connection, store: Store, tmp_path: Path):
    store.content = CONTENT

    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(connection, store, tmp_path / "out.zip", on_progress=interrupt)
    assert fetch(connection, store, tmp_path / "out.zip").read_bytes() == CONTENT
    assert store.ranges[1] != "bytes=0-"
    assert [path.name for path in tmp_path.iterdir()] == ["out.zip"]


def test_without_a_checksum_nothing_is_left_of_an_interrupted_download(
    connection: Connection, store: Store, tmp_path: Path
):
    store.content = CONTENT

    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(connection, store, tmp_path / "out.zip", sha256=None, on_progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_is_whole_already_is_used(connection: Connection, store: Store, tmp_path: Path):
    store.content = CONTENT
    (tmp_path / f".out.zip.{SHA256[:16]}.part").write_bytes(CONTENT)
    assert fetch(connection, store, tmp_path / "out.zip").read_bytes() == CONTENT


def test_something_else_than_was_stored_is_not_kept(connection: Connection, store: Store, tmp_path: Path):
    store.content = b"something else"
    with pytest.raises(PlatformFault, match="is not what was stored"):
        fetch(connection, store, tmp_path / "out.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_is_longer_than_the_file_is_thrown_away(connection: Connection, store: Store, tmp_path: Path):
    store.content = CONTENT
    (tmp_path / f".out.zip.{SHA256[:16]}.part").write_bytes(CONTENT + b"more")
    assert fetch(connection, store, tmp_path / "out.zip").read_bytes() == CONTENT


def test_a_file_that_is_there_is_kept_unless_asked(connection: Connection, store: Store, tmp_path: Path):
    store.content = CONTENT
    path = tmp_path / "out.zip"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(Conflict, match="is there already"):
        fetch(connection, store, path)
    assert store.ranges == []
    assert fetch(connection, store, path, overwrite=True).read_bytes() == CONTENT


def test_a_file_that_comes_meanwhile_is_kept(connection: Connection, store: Store, tmp_path: Path):
    store.content = CONTENT
    path = tmp_path / "out.zip"
    with pytest.raises(Conflict):
        fetch(connection, store, path, on_progress=lambda _: path.write_text("mine", encoding="utf-8"))
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_destination_must_be_possible(connection: Connection, store: Store, tmp_path: Path):
    with pytest.raises(InvalidInput, match="no folder"):
        fetch(connection, store, tmp_path / "nowhere" / "out.zip")
    with pytest.raises(Conflict, match="is a folder"):
        fetch(connection, store, tmp_path)


def test_an_expired_link_is_signed_again(connection: Connection, store: Store, tmp_path: Path):
    store.content, store.download_statuses = CONTENT, [403, 503]
    asked: list[int] = []

    def sign() -> SignedRequestRecord:
        asked.append(1)
        return signed(store)

    path = download(connection, sign, tmp_path / "out.zip", sha256=SHA256, overwrite=False, on_progress=silent)
    assert path.read_bytes() == CONTENT
    assert len(asked) == 3


def test_a_file_that_is_gone_is_said_at_once(connection: Connection, store: Store, tmp_path: Path, pauses: Pauses):
    store.download_statuses = [404]
    with pytest.raises(PlatformFault, match=r"refused the download of out\.zip with 404"):
        fetch(connection, store, tmp_path / "out.zip")
    assert pauses.seconds == []
