"""Files of the `file://` store, by signed requests over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import quote

import httpx
import pytest
from itsdangerous import URLSafeSerializer
from world import HTTP, PREDICTIONS, Known, RunningGateway, World, problem_of, sha256_of

from podium.platform.errors import InvalidInput, NotFound
from podium.platform.identifiers import new_id
from podium.platform.jobs import SignedRequest
from podium.platform.models import now
from podium.platform.settings import ServerSettings
from podium.platform.storage import FileStorage, SignatureRefused, content_key, incoming_key
from podium.platform.storage import files as storage_module

DATA = bytes(range(256)) * 40


def put(request: SignedRequest, data: bytes | Iterator[bytes]) -> httpx.Response:
    return HTTP.put(request.url, content=data, headers=request.headers)


def files(storage: FileStorage) -> list[str]:
    """Everything that lies in the store."""
    return sorted(str(path.relative_to(storage.root)) for path in storage.root.rglob("*") if path.is_file())


@pytest.fixture
def stored(gateway: RunningGateway, storage: FileStorage) -> str:
    """The key of some stored content."""
    with storage.new_file() as path:
        path.write_bytes(DATA)
        return storage.store(path, sha256_of(DATA)).key


@pytest.fixture
def upload(gateway: RunningGateway, storage: FileStorage) -> Callable[..., tuple[str, SignedRequest]]:
    """Makes a key with a request that uploads to it."""

    def make(max_bytes: int = len(DATA)) -> tuple[str, SignedRequest]:
        key = incoming_key(new_id())
        return key, storage.sign_put(key, max_bytes=max_bytes)

    return make


def test_what_was_put_can_be_got(storage: FileStorage, upload: Callable[..., tuple[str, SignedRequest]]) -> None:
    key, request = upload()
    assert put(request, DATA).status_code == 201
    accepted = storage.accept(key, sha256=sha256_of(DATA), size=len(DATA))
    storage.discard(key)
    assert files(storage) == [accepted.key]
    answer = HTTP.get(storage.sign_get(accepted.key, filename="großes Ergebnis.zip").url)
    assert (answer.status_code, answer.content) == (200, DATA)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert "filename*=utf-8''gro%C3%9Fes%20Ergebnis.zip" in answer.headers["content-disposition"]
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("span", "status", "expected"),
    [
        ("bytes=0-9", 206, DATA[:10]),
        ("bytes=100-", 206, DATA[100:]),
        ("bytes=-5", 206, DATA[-5:]),
        ("bytes=10000-20000", 206, DATA[10000:]),
    ],
)
def test_a_range_is_served(storage: FileStorage, stored: str, span: str, status: int, expected: bytes) -> None:
    answer = HTTP.get(storage.sign_get(stored, filename="a").url, headers={"Range": span})
    assert (answer.status_code, answer.content) == (status, expected)


def test_a_range_beyond_the_end(storage: FileStorage, stored: str) -> None:
    answer = HTTP.get(storage.sign_get(stored, filename="a").url, headers={"Range": "bytes=20000-"})
    assert answer.status_code == 416


def test_head_says_the_size(storage: FileStorage, stored: str) -> None:
    answer = HTTP.head(storage.sign_get(stored, filename="a").url)
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", str(len(DATA)))


def test_a_request_is_for_one_method(
    storage: FileStorage, stored: str, upload: Callable[..., tuple[str, SignedRequest]]
) -> None:
    get = storage.sign_get(stored, filename="a")
    _, request = upload()
    for answer in (put(get, b"x"), HTTP.get(request.url), HTTP.head(request.url)):
        assert answer.status_code == 403
    assert problem_of(put(get, b"x"))["type"] == "signature-refused"
    assert HTTP.post(get.url).status_code == 405
    assert files(storage) == [stored]


def test_an_altered_request_is_refused(storage: FileStorage, stored: str) -> None:
    request = storage.sign_get(stored, filename="a")
    head, _, token = request.url.rpartition("/")
    other = URLSafeSerializer("another key of thirty-two characters", salt="podium-storage")
    forged = other.dumps(["GET", stored, "a", None, int(now().timestamp()) + 60])
    # Not the last character: of that, base64 does not use every bit.
    altered = token[:-9] + ("A" if token[-9] != "A" else "B") + token[-8:]
    for wrong in (altered, "A" + token[1:], forged, "x"):
        answer = HTTP.get(f"{head}/{quote(wrong)}")
        assert (wrong, problem_of(answer)["type"]) == (wrong, "signature-refused")


def test_a_request_expires(storage: FileStorage, stored: str, monkeypatch: pytest.MonkeyPatch) -> None:
    request = storage.sign_get(stored, filename="a")
    token = request.url.rpartition("/")[2]
    assert now() < request.expires <= now() + timedelta(hours=1)
    monkeypatch.setattr(storage_module, "now", lambda: request.expires)
    assert storage.grant(token, "GET").key == stored
    monkeypatch.setattr(storage_module, "now", lambda: request.expires + timedelta(milliseconds=1))
    with pytest.raises(SignatureRefused, match="has expired"):
        storage.grant(token, "GET")


def test_an_expired_upload_is_refused_over_http(
    gateway: RunningGateway, settings: ServerSettings, storage: FileStorage
) -> None:
    late = FileStorage(
        storage.root,
        public_url=settings.public_url,
        secret_key=settings.secret_key.get_secret_value(),
        signed_seconds=-1,
    )
    assert (
        problem_of(put(late.sign_put(incoming_key(new_id()), max_bytes=9), b"x"))["detail"]
        == "The request has expired."
    )
    assert files(late) == []


@pytest.mark.parametrize("streamed", [False, True])
def test_an_upload_that_is_too_large_leaves_nothing(
    storage: FileStorage,
    upload: Callable[..., tuple[str, SignedRequest]],
    streamed: bool,  # noqa: FBT001  # a parameter
) -> None:
    """Announced in its header; or as a stream whose length nobody knows."""
    key, request = upload(max_bytes=len(DATA) - 1)
    assert request.max_bytes == len(DATA) - 1
    answer = put(request, iter([DATA[:5000], DATA[5000:]]) if streamed else DATA)
    assert (answer.status_code, problem_of(answer)["type"]) == (413, "too-large")
    assert files(storage) == []
    with pytest.raises(NotFound):
        storage.accept(key, sha256=sha256_of(DATA), size=len(DATA))


def test_a_stream_of_the_right_length_is_taken(
    storage: FileStorage, upload: Callable[..., tuple[str, SignedRequest]]
) -> None:
    key, request = upload()
    assert put(request, iter([DATA[:5000], DATA[5000:]])).status_code == 201
    assert storage.accept(key, sha256=sha256_of(DATA), size=len(DATA)).size == len(DATA)


def test_accepting_again_before_it_is_discarded_gives_the_same(
    storage: FileStorage, upload: Callable[..., tuple[str, SignedRequest]]
) -> None:
    key, request = upload()
    put(request, DATA)
    first, second = (storage.accept(key, sha256=sha256_of(DATA), size=len(DATA)) for _ in range(2))
    assert first == second
    for _ in range(2):
        storage.discard(key)
    with pytest.raises(NotFound):
        storage.accept(key, sha256=sha256_of(DATA), size=len(DATA))
    assert storage.path(first.key).read_bytes() == DATA


def test_what_is_not_as_announced_is_thrown_away(
    storage: FileStorage, upload: Callable[..., tuple[str, SignedRequest]]
) -> None:
    key, request = upload()
    put(request, DATA[:-1] + b"x")
    with pytest.raises(InvalidInput, match="its SHA-256 differs"):
        storage.accept(key, sha256=sha256_of(DATA), size=len(DATA))
    assert files(storage) == []
    put(request, DATA)
    storage.accept(key, sha256=sha256_of(DATA), size=len(DATA))


def test_putting_again_after_complete_changes_nothing(
    gateway: RunningGateway, world: World, storage: FileStorage
) -> None:
    ada = world.person("ada")
    slug = world.competition(world.person("olga", organizer=True))
    world.join(ada, slug)
    submission_id, upload = announce(gateway, ada, slug)
    assert gateway.send(upload, content=PREDICTIONS).status_code == 201
    complete = f"/submissions/{submission_id}/complete"
    assert gateway.call("POST", complete, ada.token).json()["status"] == "queued"
    before = files(storage)
    gateway.send(upload, content=PREDICTIONS[::-1])
    assert gateway.call("POST", complete, ada.token).json()["status"] == "queued"
    assert files(storage) == before
    file = gateway.call("GET", f"/submissions/{submission_id}/file", ada.token).json()
    assert HTTP.get(file["url"]).content == PREDICTIONS


def announce(gateway: RunningGateway, person: Known, slug: str) -> tuple[str, dict[str, object]]:
    body = {"filename": "p.zip", "size": len(PREDICTIONS), "sha256": sha256_of(PREDICTIONS)}
    answer = gateway.call("POST", f"/competitions/{slug}/submissions", person.token, json=body).json()
    return answer["submission"]["id"], answer["upload"]


def test_stored_content_can_not_be_written_to(storage: FileStorage, stored: str) -> None:
    assert storage.path(stored).stat().st_mode & 0o777 == 0o400
    assert storage.root.joinpath("content").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "key",
    [
        "../outside",
        "incoming/../../outside",
        "/etc/passwd",
        "content/../x",
        "incoming/a/b/c",
        "content",
        "incoming/a/..",
        "incoming/a/b\n",
        "incoming/a/\x00",
        "",
    ],
)
def test_no_key_leads_out_of_the_store(gateway: RunningGateway, storage: FileStorage, key: str) -> None:
    """Even if one were signed."""
    storage.root.with_name("outside").write_text("secret")
    for request in (storage.sign_get(key, filename="a"), storage.sign_put(key, max_bytes=10)):
        answer = HTTP.request(request.method, request.url, content=b"x" if request.method == "PUT" else None)
        assert (answer.status_code, problem_of(answer)["type"]) == (404, "not-found")
    assert storage.root.with_name("outside").read_text() == "secret"
    assert files(storage) == []


def test_content_that_is_gone_is_not_found(gateway: RunningGateway, storage: FileStorage) -> None:
    answer = HTTP.get(storage.sign_get(content_key("0" * 64), filename="a").url)
    assert problem_of(answer)["detail"] == "There is nothing stored under this address."
