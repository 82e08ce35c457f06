"""The gateway, as an agent speaks to it: messages of `podium.platform.jobs` over HTTP, and signed requests.

Calls that may be made again are made again while the gateway can't be reached, with growing pauses: a gateway that
restarts costs an attempt nothing but time. A gateway that asks for fewer calls gets them when it says.
"""

from __future__ import annotations

import hashlib
import logging
import math
import random
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from uuid import UUID

import httpx

from podium.platform.background_digest import BackgroundDigest
from podium.platform.errors import Conflict, NotAllowed, NotAuthenticated, PlatformFault, TooManyRequests
from podium.platform.jobs import (
    DOES_NOT_FIT,
    AgentHello,
    Claim,
    ClaimAnswers,
    Claims,
    Handback,
    Heartbeat,
    HeartbeatAnswer,
    LogChunks,
    Message,
    ResultAnswers,
    ScoringJob,
    ScoringResult,
    ScoringResults,
    SignedRequest,
    Source,
    Welcome,
)
from podium.platform.large_bodies import large_pieces
from podium.tasks.tls import trusted

logger = logging.getLogger(__name__)
TRIES = 3
RETRYABLE = frozenset({429, 500, 502, 503, 504})
SLOWED_SECONDS = 30.0
"""For how long a call waits at most when the gateway asks for fewer, whatever its own patience is."""


class GatewayRefused(Conflict):
    """The gateway understood the call and does not take it: the attempt is over, or another agent was first."""

    type = "gateway-refused"
    title = "The gateway does not take this"


class GatewayKeeps(GatewayRefused):
    """The submission needs what this agent does not have; it waits for another one."""


class GatewayClient:
    """Calls to the gateway with one token.

    Args:
        address: Such as `http://127.0.0.1:8400`.
        token: An agent's or an attempt's.
        connections: Those of another client, which closes them; by default it has its own.
    """

    def __init__(self, address: str, token: str, *, connections: httpx.Client | None = None) -> None:
        self.address = address.rstrip("/")
        self._owns_connections = connections is None
        self._http = connections or httpx.Client(
            base_url=f"{self.address}/api/v1",
            timeout=httpx.Timeout(30, connect=5),
            # The gateway ends connections that were idle for five seconds; to meet one that is just being ended costs.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=4),
            verify=trusted(),
        )
        self._headers = {"Authorization": f"Bearer {token}"}

    def with_token(self, token: str) -> GatewayClient:
        """A client with another token, such as an attempt's, on the same connections: new ones cost time."""
        return GatewayClient(self.address, token, connections=self._http)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, unless they are another client's."""
        if self._owns_connections:
            self._http.close()

    def renew(self, token: str) -> None:
        """Use another token from now on."""
        self._headers = {"Authorization": f"Bearer {token}"}

    def own_pool(self) -> Welcome:
        """Which pool this agent's token is for."""
        return Welcome.model_validate_json(self._call("GET", "/agent/self", None, patience=0).content)

    def hello(self, hello: AgentHello) -> Welcome:
        """Say what this agent is."""
        return Welcome.model_validate_json(self._call("POST", "/agent/hello", hello, patience=0).content)

    def claim(self, claim: Claim, *, agent: str) -> ScoringJob:
        """Take a submission.

        Raises:
            GatewayKeeps: It needs what this agent does not have.
            GatewayRefused: It is not to be had: cancelled, or another agent has it.
        """
        answer = self._call("POST", "/agent/claims", claim, params={"agent": agent}, patience=0)
        return ScoringJob.model_validate_json(answer.content)

    def claim_several(self, claims: Claims, *, agent: str) -> ClaimAnswers:
        """Take several submissions; each is granted or refused by itself."""
        answer = self._call("POST", "/agent/claims/several", claims, params={"agent": agent}, patience=0)
        return ClaimAnswers.model_validate_json(answer.content)

    def post_results(self, results: ScoringResults) -> ResultAnswers:
        """End several attempts; each result is stored or refused by itself. They may be sent again."""
        answer = self._call("POST", "/agent/results", results, patience=0)
        return ResultAnswers.model_validate_json(answer.content)

    def heartbeat(self, attempt_id: UUID, beat: Heartbeat) -> HeartbeatAnswer:
        """Renew the lease."""
        answer = self._call("POST", f"/attempts/{attempt_id}/heartbeat", beat, patience=0)
        return HeartbeatAnswer.model_validate_json(answer.content)

    def append_logs(self, attempt_id: UUID, chunks: LogChunks, *, patience: float) -> None:
        """Add log text; the same chunk may be sent again."""
        self._call("POST", f"/attempts/{attempt_id}/logs", chunks, patience=patience)

    def post_result(self, result: ScoringResult, *, patience: float) -> None:
        """End the attempt.

        Raises:
            GatewayRefused: The attempt is over: it was lost or cancelled meanwhile.
        """
        self._call("POST", f"/attempts/{result.attempt_id}/result", result, patience=patience)

    def hand_back(self, attempt_id: UUID, handback: Handback, *, patience: float) -> None:
        """Give the attempt up."""
        self._call("POST", f"/attempts/{attempt_id}/handback", handback, patience=patience)

    def _call(
        self,
        method: str,
        path: str,
        message: Message | None,
        *,
        patience: float,
        params: Mapping[str, str | int | float] | None = None,
    ) -> httpx.Response:
        """One call; made again for `patience` seconds while the gateway is away or in trouble, or when it says so."""
        content = message.model_dump_json() if message is not None else None
        headers = {**self._headers, "Content-Type": "application/json"} if content is not None else self._headers
        began = time.monotonic()
        until = began + patience
        pause = 0.2
        while True:
            try:
                answer = self._http.request(
                    method,
                    path,
                    content=content,
                    headers=headers,
                    params=params,
                )
                trouble = "" if answer.status_code not in RETRYABLE else f"answered {answer.status_code}"
            except httpx.HTTPError as error:
                answer, trouble = None, f"can't be reached ({type(error).__name__})"
            if answer is not None and not trouble:
                return checked(answer)
            asked = asked_pause(answer)
            if asked and time.monotonic() + asked <= max(until, began + SLOWED_SECONDS):
                time.sleep(asked)
                continue
            if time.monotonic() >= until:
                raise PlatformFault(f"The gateway at {self.address} {trouble}.", remedy="It is tried again.")
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  # jitter is no secret
            pause = min(pause * 2, 10)


def asked_pause(answer: httpx.Response | None) -> float:
    """For how many seconds the gateway asks not to be called; 0 where it does not."""
    if answer is None or answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
        return 0.0
    after = answer.headers.get("retry-after", "")
    return float(after) if after.isdecimal() else 1.0


def checked(answer: httpx.Response) -> httpx.Response:
    """The answer, if it is a success.

    Raises:
        NotAuthenticated, NotAllowed, GatewayRefused, PlatformFault: With what the gateway said.
        TooManyRequests: With for how long it asks not to be called.
    """
    if answer.is_success:
        return answer
    try:
        problem = answer.json()
        words = f"{problem['detail']} {problem.get('remedy', '')}".strip()
        if problem["type"] == DOES_NOT_FIT:
            raise GatewayKeeps(words)
    except (ValueError, KeyError):
        words = f"The gateway answered {answer.status_code}."
    match answer.status_code:
        case httpx.codes.UNAUTHORIZED:
            raise NotAuthenticated(words)
        case httpx.codes.FORBIDDEN:
            raise NotAllowed(words)
        case httpx.codes.TOO_MANY_REQUESTS:
            raise TooManyRequests(words, retry_after=math.ceil(asked_pause(answer)))
        case status if status < httpx.codes.INTERNAL_SERVER_ERROR:
            raise GatewayRefused(words)
    raise PlatformFault(words)


class _Arriving:
    """A file that grows, with the checksum of what is there."""

    def __init__(self, file: BinaryIO, digest: BackgroundDigest) -> None:
        self._file = file
        self._digest = digest
        self.begin_again()

    def begin_again(self) -> None:
        """Forget what has arrived."""
        self._file.seek(0)
        self._file.truncate()
        self._digest.begin_again()
        self.size = 0

    def add(self, piece: bytes | memoryview) -> None:
        """Append what has arrived; it must stay as it is until the next is added."""
        self._digest.add(piece)
        self._file.write(piece)
        self.size += len(piece)

    def sha256(self) -> str:
        """The checksum of what has arrived, in hex."""
        return self._digest.hexdigest()


class Transfers:
    """Signed requests: downloads into files and uploads out of them. Thread-safe; holds no token."""

    def __init__(self) -> None:
        self._http = httpx.Client(timeout=httpx.Timeout(60, connect=5), follow_redirects=False, verify=trusted())

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def fetch(self, source: Source, destination: Path, *, stop: threading.Event) -> None:
        """Download a file, whole and right, or raise; one that came with its message need not be asked for.

        When the connection breaks, it goes on where it broke off.

        Raises:
            PlatformFault: It could not be had, or is not what was announced.
        """
        if source.content is not None and hashlib.sha256(source.content).hexdigest() == source.sha256:
            destination.write_bytes(source.content)
            return
        with BackgroundDigest() as digest, destination.open("wb") as file:
            arriving = _Arriving(file, digest)
            tries = TRIES
            while True:
                before = arriving.size
                try:
                    self._fetch(source, arriving, stop)
                except (httpx.HTTPError, PlatformFault, TooManyRequests) as error:
                    # Only tries that bring nothing count, if it gets on in pieces.
                    tries = TRIES - 1 if arriving.size > before else tries - 1
                    if not tries or stop.is_set():
                        destination.unlink(missing_ok=True)
                        raise PlatformFault(f"A file could not be downloaded: {error}") from error
                    time.sleep(error.retry_after if isinstance(error, TooManyRequests) else 0.5)
                else:
                    return

    def _fetch(self, source: Source, arriving: _Arriving, stop: threading.Event) -> None:
        request = source.request
        # Offsets count the stored bytes, so nothing on the way may compress them.
        headers = {**request.headers, "Accept-Encoding": "identity"}
        if arriving.size:
            headers["Range"] = f"bytes={arriving.size}-"
        with self._http.stream(request.method, request.url, headers=headers) as answer:
            if asked := min(asked_pause(answer), SLOWED_SECONDS):
                raise TooManyRequests("the store asks for fewer requests.", retry_after=math.ceil(asked))
            if not answer.is_success:
                raise PlatformFault(f"the store answered {answer.status_code}.")
            if not answer.headers.get("content-range", "").startswith(f"bytes {arriving.size}-"):
                arriving.begin_again()
            for piece in large_pieces(answer):
                arriving.add(piece)
                if arriving.size > source.size or stop.is_set():
                    break
        if (arriving.size, arriving.sha256()) != (source.size, source.sha256):
            if arriving.size >= source.size:
                arriving.begin_again()
            raise PlatformFault("what arrived is not what was announced.")

    def put(self, request: SignedRequest, path: Path, *, tries: int = 3) -> None:
        """Upload a file.

        Raises:
            PlatformFault: The store does not take it.
        """
        for remaining in reversed(range(tries)):
            pause = 0.5
            try:
                with path.open("rb") as file:
                    headers = {**request.headers, "Content-Length": str(path.stat().st_size)}
                    answer = self._http.put(request.url, headers=headers, content=file)
                if answer.is_success:
                    return
                trouble = f"the store answered {answer.status_code}"
                pause = min(asked_pause(answer), SLOWED_SECONDS) or pause
            except httpx.HTTPError as error:
                trouble = f"the store can't be reached ({type(error).__name__})"
            if not remaining:
                raise PlatformFault(f"An output could not be uploaded: {trouble}.")
            time.sleep(pause)
