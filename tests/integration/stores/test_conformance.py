"""What every store must do, over real requests: the same tests for a folder, an S3 and Azure."""

from __future__ import annotations

import base64
import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from world import HTTP, sha256_of

from podium.platform.errors import InvalidInput, NotFound
from podium.platform.jobs import SignedRequest
from podium.platform.models import now
from podium.platform.settings import ServerSettings
from podium.platform.storage import Storage, StoredContent, incoming_key, open_storage
from podium.platform.storage.checking import _altered, check_storage

PART = 5 << 20
DATA = bytes(range(256)) * 40
LARGE = os.urandom(PART) + b"the end"
SIZES = [PART, 7]


def send(request: SignedRequest, body: bytes | None = None, **headers: str) -> httpx.Response:
    return HTTP.request(request.method, request.url, content=body, headers={**request.headers, **headers})


def new_key() -> str:
    return incoming_key(uuid4())


def put(store: Storage, data: bytes = DATA) -> str:
    """The key of an upload that has arrived."""
    key = new_key()
    assert send(store.sign_put(key, max_bytes=len(data), is_exact=True), data).is_success
    return key


def kept(store: Storage, data: bytes = DATA) -> StoredContent:
    """Content of the store."""
    key = put(store, data)
    stored = store.accept(key, sha256=sha256_of(data), size=len(data))
    store.discard(key)
    return stored


def refused(answer: httpx.Response) -> bool:
    """Whether the store refuses it for what it is, and not for trouble of its own."""
    return answer.status_code in {400, 401, 403}


def put_parts(store: Storage, key: str, reference: str, numbers: tuple[int, ...] = (1, 2)) -> None:
    for number in numbers:
        begin = (number - 1) * PART
        piece = LARGE[begin : begin + SIZES[number - 1]]
        request = store.sign_part(key, reference, number, size=len(piece))
        assert send(request, piece).is_success


def test_what_was_put_can_be_got_under_its_name(store: Storage) -> None:
    stored = kept(store)
    request = store.sign_get(stored.key, filename="großes Ergebnis.zip")
    assert request.max_bytes is None
    assert now() + timedelta(minutes=59) < request.expires <= now() + timedelta(hours=1)
    answer = send(request)
    assert (answer.status_code, answer.content) == (200, DATA)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert "gro%C3%9Fes%20Ergebnis.zip" in answer.headers["content-disposition"]
    with store.open(stored.key) as file:
        assert (file.read(), file.seek(0, os.SEEK_END), file.seek(3), file.read(2)) == (DATA, len(DATA), 3, DATA[3:5])
    with store.local_file(stored.key) as path:
        assert path.read_bytes() == DATA


@pytest.mark.parametrize(
    ("span", "expected"), [("bytes=0-9", DATA[:10]), ("bytes=100-", DATA[100:]), ("bytes=10230-99999", DATA[10230:])]
)
def test_a_range_is_served(store: Storage, span: str, expected: bytes) -> None:
    answer = send(store.sign_get(kept(store).key, filename="a"), Range=span)
    assert (answer.status_code, answer.content) == (206, expected)
    assert answer.headers["content-range"].endswith(f"/{len(DATA)}")


def test_an_altered_signature_is_refused(store: Storage) -> None:
    stored = kept(store)
    assert refused(send(_altered(store.sign_get(stored.key, filename="a"))))
    key = new_key()
    assert refused(send(_altered(store.sign_put(key, max_bytes=9, is_exact=True)), b"123456789"))
    assert store.find(key) is None


def test_a_request_is_for_one_method(store: Storage) -> None:
    stored = kept(store)
    key = new_key()
    get, a_put = store.sign_get(stored.key, filename="a"), store.sign_put(key, max_bytes=1, is_exact=True)
    assert refused(send(get.model_copy(update={"method": "PUT"}), b"x"))
    assert refused(send(get.model_copy(update={"method": "PUT", "headers": a_put.headers}), b"x"))
    assert refused(send(a_put.model_copy(update={"method": "GET"})))
    with store.open(stored.key) as file:
        assert file.read() == DATA


def test_a_request_is_for_one_object(store: Storage, kind: str) -> None:
    one, other = put(store), new_key()
    if kind == "file":  # its address says nothing but the signed token
        assert one not in store.sign_get(one, filename="a").url
        return
    for request in (store.sign_get(one, filename="a"), store.sign_put(one, max_bytes=1, is_exact=True)):
        moved = request.model_copy(update={"url": request.url.replace(one, other)})
        assert refused(send(moved, b"x" if request.method == "PUT" else None))
    assert store.find(other) is None


def test_a_request_of_another_key_is_refused(store_settings: ServerSettings, store: Storage, kind: str) -> None:
    """As somebody would sign it who knows everything but the secret."""
    secret = base64.b64encode(b"another secret").decode()
    field = "secret_key" if kind == "file" else "storage_secret"
    wrong = secret * 3 if kind == "file" else secret
    forger = open_storage(ServerSettings.model_validate({**store_settings.model_dump(), field: wrong}))
    stored, key = kept(store), new_key()
    assert refused(send(forger.sign_get(stored.key, filename="a")))
    assert refused(send(forger.sign_put(key, max_bytes=1, is_exact=True), b"x"))
    assert store.find(key) is None


def test_a_request_expires(store: Storage) -> None:
    stored, key = kept(store), new_key()
    soon = 1 - store.signed_seconds
    get = store.sign_get(stored.key, filename="a", work_seconds=soon)
    a_put = store.sign_put(key, max_bytes=1, is_exact=True, work_seconds=soon)
    time.sleep(2.1)
    assert refused(send(get))
    assert refused(send(a_put, b"x"))
    assert store.find(key) is None


def test_work_before_a_request_makes_it_hold_longer(store: Storage) -> None:
    longer = store.sign_get(new_key(), filename="a", work_seconds=7200)
    assert longer.expires > now() + timedelta(hours=2)


def test_a_larger_upload_is_refused(store: Storage) -> None:
    """By the store, where it can; else it never becomes content, and is thrown away unread."""
    key = new_key()
    request = store.sign_put(key, max_bytes=len(DATA) - 1, is_exact=True)
    assert request.max_bytes == len(DATA) - 1
    answer = send(request, DATA)
    if store.bounds_uploads:
        assert answer.status_code in {403, 413}
        assert store.find(key) is None
    else:
        with pytest.raises(InvalidInput, match="10240 bytes arrived, 10239 were announced"):
            store.accept(key, sha256=sha256_of(DATA), size=len(DATA) - 1)
    with pytest.raises(NotFound, match="Nothing has been uploaded"):
        store.accept(key, sha256=sha256_of(DATA), size=len(DATA) - 1)


def test_a_part_is_held_to_its_size(store: Storage) -> None:
    key = new_key()
    reference = store.begin_parts(key)
    answer = send(store.sign_part(key, reference, 1, size=10), b"more than ten")
    assert answer.status_code in {403, 413} or not store.bounds_uploads
    with pytest.raises(InvalidInput, match="1 of 1 parts of the upload are missing or have another size: 1"):
        store.join_parts(key, reference, [10])
    store.forget_parts(key, reference)
    assert store.find(key) is None


def test_what_is_not_as_announced_is_thrown_away(store: Storage) -> None:
    key = put(store, DATA[:-1] + b"x")
    with pytest.raises(InvalidInput, match="its SHA-256 differs"):
        store.accept(key, sha256=sha256_of(DATA), size=len(DATA))
    assert store.find(key) is None


def test_accepting_again_gives_the_same_until_it_is_discarded(store: Storage) -> None:
    key = put(store)
    first, second = (store.accept(key, sha256=sha256_of(DATA), size=len(DATA)) for _ in range(2))
    assert first == second
    for _ in range(2):
        store.discard(key)
    with pytest.raises(NotFound):
        store.accept(key, sha256=sha256_of(DATA), size=len(DATA))


def test_putting_again_never_changes_what_was_accepted(store: Storage) -> None:
    """A signed request may be used twice: what was accepted is another object."""
    key = new_key()
    request = store.sign_put(key, max_bytes=len(DATA), is_exact=True)
    assert send(request, DATA).is_success
    stored = store.accept(key, sha256=sha256_of(DATA), size=len(DATA))
    assert send(request, DATA[::-1]).is_success
    assert send(store.sign_get(stored.key, filename="a")).content == DATA
    with pytest.raises(InvalidInput):
        store.accept(key, sha256=sha256_of(DATA), size=len(DATA))
    assert send(store.sign_get(stored.key, filename="a")).content == DATA


def test_a_large_file_comes_in_parts(store: Storage) -> None:
    key = new_key()
    reference = store.begin_parts(key)
    assert store.parts(key, reference) == {}
    put_parts(store, key, reference, (2,))
    assert store.parts(key, reference) == {2: 7}
    with pytest.raises(InvalidInput, match="1 of 2 parts of the upload are missing or have another size: 1"):
        store.join_parts(key, reference, SIZES)
    put_parts(store, key, reference)  # the second part again
    assert store.parts(key, reference) == {1: PART, 2: 7}
    store.join_parts(key, reference, SIZES)
    stored = store.accept(key, sha256=sha256_of(LARGE), size=len(LARGE))
    store.forget_parts(key, reference)
    store.discard(key)
    assert (store.parts(key, reference), store.find(key)) == ({}, None)
    assert send(store.sign_get(stored.key, filename="a")).content == LARGE


def test_joining_again_after_a_crash_changes_nothing(store: Storage) -> None:
    key = new_key()
    reference = store.begin_parts(key)
    put_parts(store, key, reference)
    for _ in range(2):
        store.join_parts(key, reference, SIZES)
        assert store.accept(key, sha256=sha256_of(LARGE), size=len(LARGE)).size == len(LARGE)


def test_a_part_that_was_damaged_on_its_way_is_refused(store: Storage) -> None:
    key = new_key()
    reference = store.begin_parts(key)
    request = store.sign_part(key, reference, 1, size=4)
    md5 = base64.b64encode(hashlib.md5(b"good", usedforsecurity=False).digest()).decode()
    assert send(request, b"evil", **{"Content-MD5": md5}).status_code in {400, 422}
    assert store.parts(key, reference) == {}
    assert send(request, b"good", **{"Content-MD5": md5}).is_success
    store.forget_parts(key, reference)


def test_parts_at_the_same_time(store: Storage) -> None:
    key = new_key()
    reference = store.begin_parts(key)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: put_parts(store, key, reference, (number,)), (1, 2, 1, 2)))
    store.join_parts(key, reference, SIZES)
    assert store.accept(key, sha256=sha256_of(LARGE), size=len(LARGE)).sha256 == sha256_of(LARGE)


def test_small_files_are_kept_from_messages(store: Storage) -> None:
    stored = store.keep(b"small", sha256=sha256_of(b"small"), size=5)
    assert stored == store.keep(b"small", sha256=sha256_of(b"small"), size=5)
    assert store.read_small(stored.key, size=5, max_bytes=5) == b"small"
    assert store.read_small(stored.key, size=6, max_bytes=5) is None
    with pytest.raises(InvalidInput):
        store.keep(b"large", sha256=stored.sha256, size=5)


def test_files_of_this_host_are_kept(store: Storage) -> None:
    data = uuid4().bytes
    with store.new_file() as path:
        path.write_bytes(data)
        stored = store.store(path, sha256_of(data))
        assert not path.exists()
    assert send(store.sign_get(stored.key, filename="a")).content == data


def test_content_is_listed_and_removed(store: Storage) -> None:
    data = uuid4().bytes
    stored = kept(store, data)
    listed = {found.key: found for found in store.content(stored.sha256[:2])}
    assert listed[stored.key].size == 16
    assert abs(now() - listed[stored.key].modified) < timedelta(seconds=30)
    found = store.find(stored.key)
    assert found is not None
    assert found.size == 16
    for _ in range(2):
        store.remove_content(stored.key)
    assert store.find(stored.key) is None
    with pytest.raises(NotFound):
        store.open(stored.key)
    with pytest.raises(NotFound), store.local_file(stored.key):
        pass
    assert send(store.sign_get(stored.key, filename="a")).status_code == 404


def test_accepting_equal_content_makes_it_young_again(store: Storage) -> None:
    """So that the sweep leaves it to who is about to refer to it."""
    data = uuid4().bytes
    stored = kept(store, data)
    first = store.find(stored.key)
    time.sleep(1.1)  # object stores tell whole seconds
    again = kept(store, data)
    second = store.find(again.key)
    assert first is not None
    assert second is not None
    assert second.modified > first.modified


def test_old_uploads_are_removed_and_young_ones_are_not(store: Storage) -> None:
    whole, parts = put(store), new_key()
    reference = store.begin_parts(parts)
    put_parts(store, parts, reference, (2,))
    store.remove_uploads(now() - timedelta(minutes=5))
    assert store.find(whole) is not None
    assert store.parts(parts, reference) == {2: 7}
    store.forget_parts(parts, reference)
    assert store.remove_uploads(now() + timedelta(minutes=5)) >= 1
    assert store.find(whole) is None


@pytest.mark.parametrize("key", ["../outside", "incoming/a/../b", "content", "", "incoming/a/b/c", "incoming/a/b\n"])
def test_no_key_leads_elsewhere(store: Storage, key: str) -> None:
    with pytest.raises(NotFound):
        store.find(key)
    with pytest.raises(NotFound):
        store.begin_parts(key)


def test_the_check_of_a_store_that_works_finds_nothing_wrong(store_settings: ServerSettings, store: Storage) -> None:
    findings = list(check_storage(store_settings))
    assert [finding for finding in findings if not finding.ok and not finding.is_warning] == []
    assert len(findings) == 15
    del store


def test_a_file_that_is_read_while_it_is_put_again_is_one_of_the_two(store: Storage, tmp_path: Path) -> None:
    """As pages are that a scoring program goes on writing."""
    key = new_key()
    request = store.sign_put(key, max_bytes=len(DATA), is_exact=True)
    assert send(request, DATA).is_success
    with store.open(key) as file:
        assert send(request, DATA[::-1]).is_success
        assert file.read() == DATA
    del tmp_path


@pytest.mark.parametrize(
    ("kind", "wrong", "remedy"),
    [
        ("s3", {"storage_secret": "wrong"}, "PODIUM_STORAGE_SECRET"),
        ("s3", {"storage_url": "s3://nowhere/p"}, "Make the bucket first"),
        ("s3", {"storage_endpoint": "http://127.0.0.1:1"}, "PODIUM_STORAGE_ENDPOINT"),
        ("s3", {"storage_public_endpoint": "http://127.0.0.1:1"}, "PODIUM_STORAGE_PUBLIC_ENDPOINT"),
        ("s3", {"storage_secret": None}, "Set both"),
        ("abfs", {"storage_secret": base64.b64encode(b"wrong").decode()}, "PODIUM_STORAGE_SECRET"),
        ("abfs", {"storage_url": "abfs://nowhere@devstoreaccount1"}, "Make the container first"),
        ("file", {"public_url": "http://127.0.0.1:1"}, "Is the gateway running"),
    ],
    indirect=["kind"],
)
def test_the_check_says_what_to_do(store_settings: ServerSettings, wrong: dict[str, str], remedy: str) -> None:
    findings = list(check_storage(ServerSettings.model_validate({**store_settings.model_dump(), **wrong})))
    failed = [finding for finding in findings if not finding.ok]
    assert remedy in failed[0].remedy, failed[0]
