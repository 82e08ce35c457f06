"""One gateway, spoken to over HTTP: addresses, the token, retries, and answers as records."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TypeAlias, TypeVar
from urllib.parse import quote

import httpx

from podium.platform.client.addresses import API_PREFIX, normalized_gateway
from podium.platform.client.conversion import AnotherVersion, record_from_json, records_from_json
from podium.platform.client.refusals import error_from_response, unreachable
from podium.platform.client.retries import Patience, seconds_until_retry, was_never_sent
from podium.platform.errors import PlatformFault

RecordT = TypeVar("RecordT")
Query: TypeAlias = Mapping[str, str | int | float | bool | None]
Body: TypeAlias = Mapping[str, object]

# Made twice, these have the effect of being made once; a creating POST does not.
_REPEATABLE_METHODS = frozenset({"GET", "PATCH", "DELETE"})


def user_agent() -> str:
    """How the client names itself to the gateway."""
    try:
        return f"podium/{version('podium')}"
    except PackageNotFoundError:
        return "podium"


@cache
def trusted() -> ssl.SSLContext:
    """The certificates that this machine trusts, loaded once: loading them takes longer than many a call."""
    return httpx.create_ssl_context()


class Connection:
    """Requests to one gateway, with a person's token or without one."""

    def __init__(
        self,
        gateway: str,
        token: str | None,
        *,
        timeout: float,
        patience: Patience,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.gateway = normalized_gateway(gateway)
        self.patience = patience
        self.timeout = timeout
        # The token goes with each request to the gateway, never into the pool: signed requests share that.
        self._token_header = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(
            timeout=timeout, headers={"User-Agent": user_agent()}, transport=transport, verify=trusted()
        )

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Body | None = None,
        wait: float = 0,
        is_repeatable: bool | None = None,
    ) -> httpx.Response:
        """Make a request under `/api/v1` and give the answer, which is a success.

        Args:
            method: The HTTP method.
            path: The path, quoted, from a slash on.
            query: Query parameters; those that are `None` are left out.
            body: Sent as JSON; fields that are `None` are left out.
            wait: Seconds for which the gateway may hold the answer.
            is_repeatable: Whether the request may be made again after it may have arrived; by default GET, PATCH
                and DELETE.

        Raises:
            PodiumError: What the gateway said, as the class of its problem type.
            PlatformFault: The gateway can't be reached, or is no gateway.
        """
        request = self.http.build_request(
            method,
            f"{self.gateway}{API_PREFIX}{path}",
            params=_query(query or {}),
            json=None if body is None else {name: value for name, value in body.items() if value is not None},
            headers={"Accept": "application/json", **self._token_header},
            timeout=self.timeout + wait,
        )
        repeatable = method in _REPEATABLE_METHODS if is_repeatable is None else is_repeatable
        return self._checked(self._send(request, is_repeatable=repeatable))

    @contextmanager
    def streamed(self, method: str, path: str, *, body: Body) -> Iterator[httpx.Response]:
        """Make a request whose answer is read piece by piece, for as long as pieces come.

        Raises:
            PodiumError: What the gateway said, as the class of its problem type.
            PlatformFault: The gateway can't be reached, or the answer broke off.
        """
        url = f"{self.gateway}{API_PREFIX}{path}"
        sent = {name: value for name, value in body.items() if value is not None}
        try:
            with self.http.stream(method, url, json=sent, headers=self._token_header) as response:
                if not response.is_success:
                    response.read()
                yield self._checked(response)
        except httpx.TransportError as error:
            raise unreachable(self.gateway, error) from error

    def _send(self, request: httpx.Request, *, is_repeatable: bool) -> httpx.Response:
        pauses = self.patience.pauses()
        while True:
            try:
                # Only a GET is redirected: of a POST, the redirection would make a GET.
                response = self.http.send(request, follow_redirects=request.method == "GET")
            except httpx.TransportError as error:
                pause = next(pauses, None)
                if pause is None or not (is_repeatable or was_never_sent(error)):
                    raise unreachable(self.gateway, error) from error
                why = unreachable(self.gateway, error).detail
            except httpx.HTTPError as error:
                raise PlatformFault(f"The gateway at {self.gateway} can't be spoken to: {error}.") from error
            else:
                asked = seconds_until_retry(response, is_repeatable=is_repeatable)
                pause = next(pauses, None)
                if asked is None or pause is None:
                    return response
                pause = max(pause, asked)
                why = f"The gateway at {self.gateway} answered {response.status_code}."
            self.patience.pause(pause, why)

    def _checked(self, response: httpx.Response) -> httpx.Response:
        if response.is_success:
            return response
        if response.has_redirect_location:
            raise PlatformFault(
                f"{self.gateway} sends requests on to {response.headers['location']}.",
                remedy="Sign in with that address instead.",
            )
        raise error_from_response(response, self.gateway)


class Calls:
    """Base of the groups of calls that make up a client."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def _record(
        self,
        record_type: type[RecordT],
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Body | None = None,
        wait: float = 0,
        is_repeatable: bool | None = None,
    ) -> RecordT:
        response = self._connection.request(
            method, path, query=query, body=body, wait=wait, is_repeatable=is_repeatable
        )
        return record_from_json(record_type, self._json(response))

    def _records(self, record_type: type[RecordT], path: str, *, query: Query | None = None) -> tuple[RecordT, ...]:
        return records_from_json(record_type, self._json(self._connection.request("GET", path, query=query)))

    def _json(self, response: httpx.Response) -> object:
        try:
            return response.json()
        except ValueError:
            raise AnotherVersion(
                f"{self._connection.gateway} answers, but not as a Podium gateway does.",
                remedy="Check the address of the gateway.",
            ) from None


def segment(value: object) -> str:
    """A value as one segment of a path."""
    return quote(str(value), safe="")


def _query(query: Query) -> dict[str, str]:
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in query.items()
        if value is not None
    }
