"""Proves a configuration of the store by using it: every kind of request once, and those that must be refused."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from podium.platform.errors import InvalidInput, NotFound, PlatformFault, PodiumError
from podium.platform.identifiers import new_id
from podium.platform.jobs import SignedRequest
from podium.platform.settings import ServerSettings
from podium.platform.storage.files import FileStorage
from podium.platform.storage.interface import Storage
from podium.platform.storage.keys import incoming_key
from podium.platform.storage.opening import open_storage

SKEW_SECONDS = 60.0
"""Clocks that differ by more make signed requests expire early or late; S3 refuses a quarter of an hour."""
PART_BYTES = 5 << 20
_SMALL = 100_000
_REMEDIES = (
    (
        "The signature is wrong",
        "The gateway at PODIUM_PUBLIC_URL has another PODIUM_SECRET_KEY: run this with the gateway's settings.",
    ),
    ("RequestTimeTooSkewed", "The clocks differ: set this host's clock by NTP."),
    ("NoSuchBucket", "Make the bucket first, or correct PODIUM_STORAGE_URL."),
    ("does not exist", "Make the bucket first, or correct PODIUM_STORAGE_URL."),
    ("no container", "Make the container first, or correct PODIUM_STORAGE_URL."),
    (
        "SignatureDoesNotMatch",
        "The secret is not that of the key: see PODIUM_STORAGE_KEY_ID and PODIUM_STORAGE_SECRET.",
    ),
    ("InvalidAccessKeyId", "The store knows no key of the name in PODIUM_STORAGE_KEY_ID."),
    ("Access Denied", "The key may not do this: it must read, write, list and delete in the bucket."),
    ("AccessDenied", "The key may not do this: it must read, write, list and delete in the bucket."),
    ("Forbidden", "The key may not do this, or its secret is wrong: see PODIUM_STORAGE_SECRET."),
    ("authenticate", "The account's key is wrong, or the clocks differ: see PODIUM_STORAGE_SECRET."),
    ("padding", "The account's key is no base64: copy the whole of it."),
    ("connect", "Is the store running, and is PODIUM_STORAGE_ENDPOINT its address?"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check has shown.

    Attributes:
        what: What was tried.
        detail: What came of it, where that is worth a word.
        remedy: What to do, where it is not as it should be.
        is_warning: Podium works without it.
    """

    what: str
    ok: bool
    detail: str = ""
    remedy: str = ""
    is_warning: bool = False


class _Wrong(Exception):
    """A check that found something else than it should."""

    def __init__(self, detail: str, remedy: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.remedy = remedy


def check_storage(settings: ServerSettings) -> Iterator[Finding]:
    """Try everything, one after another; what was stored for it is removed."""
    try:
        storage = open_storage(settings)
    except PodiumError as error:
        yield Finding("settings", ok=False, detail=error.detail, remedy=error.remedy)
        return
    yield Finding("settings", ok=True, detail=f"{storage.kind}, {settings.storage_url}")
    with httpx.Client(timeout=30) as http:
        trial = _Trial(storage, http)
        try:
            for what, check in trial.checks():
                finding = _tried(what, check, trial)
                yield finding
                if not finding.ok and what in trial.needed:
                    yield Finding(
                        "everything else", ok=False, detail="not tried", remedy="Put this right first.", is_warning=True
                    )
                    return
            yield trial.cross_origin(settings.public_url)
        finally:
            trial.clean_up()


def _tried(what: str, check: Callable[[], str], trial: _Trial) -> Finding:
    try:
        return Finding(what, ok=True, detail=check())
    except _Wrong as wrong:
        return Finding(what, ok=False, detail=wrong.detail, remedy=wrong.remedy or _remedy_for(wrong.detail))
    except httpx.HTTPError as error:
        remedy = (
            "Is the gateway running, and is PODIUM_PUBLIC_URL its address?"
            if isinstance(trial.storage, FileStorage)
            else "Is the store running? PODIUM_STORAGE_PUBLIC_ENDPOINT is its address as clients and agents reach it."
        )
        return Finding(what, ok=False, detail=(str(error) or type(error).__name__).rstrip("."), remedy=remedy)
    except (PodiumError, OSError, ValueError) as error:
        detail = error.detail if isinstance(error, PodiumError) else str(error)
        return Finding(what, ok=False, detail=detail.rstrip("."), remedy=_remedy_for(detail))


def _remedy_for(detail: str) -> str:
    for words, remedy in _REMEDIES:
        if words.lower() in detail.lower():
            return remedy
    return "See what the store's own log says of it."


class _Trial:
    """The checks, which use what those before them have stored."""

    needed = frozenset({"the store answers", "signed PUT", "signed GET"})
    """Without these, nothing after them can be told."""

    def __init__(self, storage: Storage, http: httpx.Client) -> None:
        self.storage = storage
        self._http = http
        self._data = os.urandom(_SMALL)
        self._key = incoming_key(new_id())
        self._parts_key = incoming_key(new_id())
        self._reference: str | None = None
        self._content: str | None = None

    def checks(self) -> list[tuple[str, Callable[[], str]]]:
        """Their names, in order."""
        return [
            ("the store answers", self._answers),
            ("signed PUT", self._put),
            ("signed GET", self._get),
            ("clock", self._clock),
            ("signed GET of a range", self._get_range),
            ("a wrong signature is refused", self._wrong_signature),
            ("another method is refused", self._wrong_method),
            ("another object is refused", self._wrong_object),
            ("an expired request is refused", self._expired),
            ("a larger upload is refused", self._too_large),
            ("a checked upload is kept by its SHA-256", self._accept),
            ("upload in parts", self._in_parts),
            ("removal", self._remove),
        ]

    def _answers(self) -> str:
        self.storage.find(self._key)
        return ""

    def _put(self) -> str:
        request = self.storage.sign_put(self._key, max_bytes=_SMALL, is_exact=True)
        self._require_success(self._send(request, self._data), "PUT")
        found = self.storage.find(self._key)
        if found is None or found.size != _SMALL:
            raise _Wrong(
                "the PUT succeeded, and the object is not there",
                "Do PODIUM_STORAGE_ENDPOINT and PODIUM_STORAGE_PUBLIC_ENDPOINT lead to the same store?",
            )
        return _place(request.url)

    def _get(self) -> str:
        request = self.storage.sign_get(self._key, filename="check.bin")
        answer = self._send(request)
        self._require_success(answer, "GET")
        if answer.content != self._data:
            raise _Wrong("what came back is not what was stored", "Something on the way changes contents.")
        return ""

    def _clock(self) -> str:
        answer = self._send(self.storage.sign_get(self._key, filename="check.bin"))
        told = answer.headers.get("date")
        if told is None:
            return "the store does not tell the time"
        skew = abs((parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds())
        if skew > SKEW_SECONDS:
            raise _Wrong(f"this host's clock and the store's differ by {skew:.0f} s", "Set both by NTP.")
        return f"within {max(1, round(skew))} s of the store's"

    def _get_range(self) -> str:
        answer = self._send(self.storage.sign_get(self._key, filename="check.bin"), Range="bytes=10-19")
        if answer.status_code != 206 or answer.content != self._data[10:20]:
            raise _Wrong(
                f"the store answered {answer.status_code} with {len(answer.content)} bytes",
                "Downloads that break off can't be resumed with this store; a proxy before it may drop the header.",
            )
        return ""

    def _wrong_signature(self) -> str:
        request = self.storage.sign_get(self._key, filename="check.bin")
        return self._require_refused(self._send(_altered(request)), "Without a check of signatures, anybody may read.")

    def _wrong_method(self) -> str:
        request = self.storage.sign_get(self._key, filename="check.bin")
        put = request.model_copy(update={"method": "PUT"})
        return self._require_refused(self._send(put, b"x"), "Whoever may read could write.")

    def _wrong_object(self) -> str:
        request = self.storage.sign_get(self._key, filename="check.bin")
        if isinstance(self.storage, FileStorage):
            return "the name is within the signature"
        other = request.model_copy(update={"url": request.url.replace(self._key, self._parts_key)})
        return self._require_refused(self._send(other), "Whoever may read one file could read all.")

    def _expired(self) -> str:
        request = self.storage.sign_get(self._key, filename="check.bin", work_seconds=-self.storage.signed_seconds + 1)
        time.sleep(2.2)
        return self._require_refused(self._send(request), "Signed requests would hold for ever: check the clocks.")

    def _too_large(self) -> str:
        request = self.storage.sign_put(self._parts_key, max_bytes=_SMALL - 1, is_exact=True)
        answer = self._send(request, self._data)
        if self.storage.bounds_uploads:
            return self._require_refused(answer, "People could fill the store with more than they announced.", 413)
        with suppress(InvalidInput):
            self.storage.accept(self._parts_key, sha256=hashlib.sha256(self._data).hexdigest(), size=_SMALL - 1)
            raise _Wrong("it was accepted")
        return "by Podium, when it is complete: this kind of store has no bound"

    def _accept(self) -> str:
        sha256 = hashlib.sha256(self._data).hexdigest()
        self._content = self.storage.accept(self._key, sha256=sha256, size=_SMALL).key
        with self.storage.open(self._content) as file:
            if file.read() != self._data:
                raise _Wrong("what was kept is not what was uploaded")
        return ""

    def _in_parts(self) -> str:
        data = self._data * (PART_BYTES // _SMALL + 1)
        sizes = [PART_BYTES, len(data) - PART_BYTES]
        self._reference = self.storage.begin_parts(self._parts_key)
        begin = 0
        for number, size in enumerate(sizes, start=1):
            request = self.storage.sign_part(self._parts_key, self._reference, number, size=size)
            self._require_success(self._send(request, data[begin : begin + size]), f"PUT of part {number}")
            begin += size
        self.storage.join_parts(self._parts_key, self._reference, sizes)
        found = self.storage.find(self._parts_key)
        if found is None or found.size != len(data):
            raise _Wrong("the parts did not become one object")
        return ""

    def _remove(self) -> str:
        self.storage.discard(self._key)
        if self._content is not None:
            self.storage.remove_content(self._content)
        if self.storage.find(self._key) is not None:
            raise _Wrong("it is still there", "The key must be allowed to delete; versions and locks must not keep it.")
        self._content = None
        return ""

    def cross_origin(self, origin: str) -> Finding:
        """Whether pages of the gateway may send files to the store: only a browser asks that."""
        what = "uploads from a browser (CORS)"
        if isinstance(self.storage, FileStorage):
            return Finding(what, ok=True, detail="the gateway is the store")
        request = self.storage.sign_put(self._key, max_bytes=1)
        with suppress(httpx.HTTPError):
            answer = self._http.options(request.url, headers={"Origin": origin, "Access-Control-Request-Method": "PUT"})
            if answer.is_success and answer.headers.get("access-control-allow-origin") in {"*", origin}:
                return Finding(what, ok=True)
        return Finding(
            what,
            ok=False,
            detail="not allowed by the store",
            remedy=f"Only needed for uploads from web pages: allow GET and PUT from {origin}, with all headers.",
            is_warning=True,
        )

    def clean_up(self) -> None:
        """Remove whatever is left."""
        with suppress(PlatformFault, NotFound):
            self.storage.discard(self._key)
            if self._reference is not None:
                self.storage.forget_parts(self._parts_key, self._reference)
            self.storage.discard(self._parts_key)
            if self._content is not None:
                self.storage.remove_content(self._content)

    def _send(self, request: SignedRequest, body: bytes | None = None, **headers: str) -> httpx.Response:
        return self._http.request(request.method, request.url, content=body, headers={**request.headers, **headers})

    def _require_success(self, answer: httpx.Response, what: str) -> None:
        if not answer.is_success:
            raise _Wrong(f"the {what} was answered with {answer.status_code}: {_words(answer)}")

    def _require_refused(self, answer: httpx.Response, danger: str, *more: int) -> str:
        if answer.status_code not in {400, 401, 403, *more}:
            raise _Wrong(f"it was answered with {answer.status_code}", f"{danger} Do not use this store.")
        return f"with {answer.status_code}"


def _altered(request: SignedRequest) -> SignedRequest:
    """The same with another signature."""
    url = httpx.URL(request.url)
    for name in ("X-Amz-Signature", "sig"):
        if name in url.params:
            value = url.params[name]
            swapped = ("B" if value[0] != "B" else "C") + value[1:] if name == "sig" else value[::-1]
            return request.model_copy(update={"url": str(url.copy_set_param(name, swapped))})
    head, _, token = request.url.rpartition("/")
    return request.model_copy(update={"url": f"{head}/{token[:-9]}{'A' if token[-9] != 'A' else 'B'}{token[-8:]}"})


def _place(url: str) -> str:
    """Where a signed request leads, without the signature."""
    parts = httpx.URL(url)
    return f"to {parts.scheme}://{parts.netloc.decode()}"


def _words(answer: httpx.Response) -> str:
    return " ".join(answer.text.split())[:200]
