"""The provider, as the gateway calls it: where browsers are sent, and what a code that they bring back is worth."""

from __future__ import annotations

import base64
import hashlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from podium.platform.errors import NotAuthenticated, PlatformFault
from podium.platform.sign_in.configuration import ProviderConfiguration, is_safe
from podium.platform.sign_in.id_tokens import Claims, UnknownKey, said_of, verify

logger = logging.getLogger(__name__)
METADATA_SECONDS = 3600.0
"""How long what the provider says of itself, its keys included, is believed without asking again."""
_CALL_SECONDS = 10.0
_MOST_BYTES = 1024 * 1024
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Provider:
    """One provider of OpenID Connect, by the flow with a code and PKCE.

    What it says of itself and its keys are fetched when they are needed and kept for an hour; keys that do not fit
    are fetched again at once. It may be used by several threads.

    Args:
        clock: Seconds that only grow.
        transport: What carries the requests, for tests.
    """

    def __init__(
        self,
        configuration: ProviderConfiguration,
        *,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.configuration = configuration
        self._clock = clock
        # A redirection would take a code and our secret elsewhere.
        self._http = httpx.Client(timeout=_CALL_SECONDS, follow_redirects=False, transport=transport)
        self._lock = threading.Lock()
        self._metadata: tuple[float, Mapping[str, Any]] | None = None
        self._keys: tuple[float, Sequence[Mapping[str, Any]]] | None = None

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def address_for(self, *, state: str, nonce: str, verifier: str) -> str:
        """Where to send a browser, so that it comes back with a code for this sign-in.

        Raises:
            PlatformFault: The provider does not answer, or not as one does.
        """
        endpoint = str(self._described()["authorization_endpoint"])
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self.configuration.client_id,
            "redirect_uri": self.configuration.redirect_url,
            "scope": self.configuration.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def redeem(self, code: str, *, nonce: str, verifier: str) -> Claims:
        """Who somebody is who came back with a code.

        Raises:
            NotAuthenticated: The code is good for nothing, or what comes for it is not believed.
            PlatformFault: The provider does not answer, or not as one does.
        """
        given = self._exchange(code, verifier)
        token = given.get("id_token")
        if not isinstance(token, str):
            raise self._fault("gave no id token")
        claims = self._verified(token, nonce)
        access_token = given.get("access_token")
        # Many providers tell the address of somebody here alone.
        if "email" not in claims and isinstance(access_token, str) and "userinfo_endpoint" in self._described():
            more = self._json("GET", "userinfo_endpoint", headers={"Authorization": f"Bearer {access_token}"})
            if more.get("sub") == claims["sub"]:
                # Whether an address is verified says who tells the address.
                claims = {**more, **{name: value for name, value in claims.items() if name != "email_verified"}}
        return said_of(claims, issuer=self.configuration.issuer)

    def _exchange(self, code: str, verifier: str) -> Mapping[str, Any]:
        ours = self.configuration
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": ours.redirect_url,
            "code_verifier": verifier,
        }
        headers = {}
        methods = self._described().get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if not ours.client_secret:
            form["client_id"] = ours.client_id
        elif "client_secret_basic" in methods:
            pair = f"{quote(ours.client_id, safe='')}:{quote(ours.client_secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": ours.client_id, "client_secret": ours.client_secret}
        return self._json("POST", "token_endpoint", data=form, headers=headers)

    def _verified(self, token: str, nonce: str) -> Mapping[str, Any]:
        keys, are_fresh = self._present_keys()
        expected = {"issuer": self.configuration.issuer, "client_id": self.configuration.client_id, "nonce": nonce}
        try:
            return verify(token, keys, **expected)
        except UnknownKey:
            if are_fresh:
                raise
        return verify(token, self._fetched_keys(), **expected)

    def _described(self) -> Mapping[str, Any]:
        """What the provider says of itself."""
        with self._lock:
            known = self._metadata
        if known is not None and self._clock() - known[0] < METADATA_SECONDS:
            return known[1]
        address = self.configuration.issuer.rstrip("/") + "/.well-known/openid-configuration"
        found = self._answer("GET", address)
        if found.get("issuer") != self.configuration.issuer:
            logger.error("the provider calls itself %r, not %r", found.get("issuer"), self.configuration.issuer)
            raise self._fault("calls itself by another name than PODIUM_OIDC_ISSUER")
        for name in _ENDPOINTS:
            if not isinstance(found.get(name), str) or not is_safe(found[name]):
                raise self._fault(f"names no safe {name}")
        with self._lock:
            self._metadata = (self._clock(), found)
        return found

    def _present_keys(self) -> tuple[Sequence[Mapping[str, Any]], bool]:
        """The provider's keys, and whether they were fetched just now."""
        with self._lock:
            known = self._keys
        if known is not None and self._clock() - known[0] < METADATA_SECONDS:
            return known[1], False
        return self._fetched_keys(), True

    def _fetched_keys(self) -> Sequence[Mapping[str, Any]]:
        found = self._json("GET", "jwks_uri").get("keys")
        if not isinstance(found, list):
            raise self._fault("has no keys")
        keys = [key for key in found if isinstance(key, dict)]
        with self._lock:
            self._keys = (self._clock(), keys)
        return keys

    def _json(self, method: str, endpoint: str, **options: Any) -> Mapping[str, Any]:  # noqa: ANN401  # of httpx
        return self._answer(method, str(self._described()[endpoint]), **options)

    def _answer(self, method: str, address: str, **options: Any) -> Mapping[str, Any]:  # noqa: ANN401  # of httpx
        """The JSON object that an address answers.

        Raises:
            NotAuthenticated: The provider refuses the code.
            PlatformFault: It does not answer, or nothing that can be used.
        """
        try:
            with self._http.stream(method, address, **options) as response:
                body = b""
                for piece in response.iter_bytes():
                    body += piece
                    if len(body) > _MOST_BYTES:
                        raise self._fault("answers too much")
            found = httpx.Response(response.status_code, content=body).json()
        except httpx.HTTPError as error:
            logger.warning("%s can't be reached: %s", address, error)
            raise self._fault("does not answer") from error
        except ValueError:
            raise self._fault(f"answers {response.status_code} and no JSON") from None
        if not isinstance(found, dict):
            raise self._fault("answers something else than it should")
        if response.is_success:
            return found
        error_code = str(found.get("error"))[:100]
        logger.warning("%s answers %d: %r", address, response.status_code, error_code)
        if error_code == "invalid_grant":
            raise NotAuthenticated(
                f"{self.configuration.name} does not know this sign-in any more.", remedy="Sign in again."
            )
        raise self._fault(f"answers {response.status_code}")

    def _fault(self, what: str) -> PlatformFault:
        return PlatformFault(
            f"{self.configuration.name} {what}.", remedy="Try again in a moment; the operators can see more in the log."
        )
