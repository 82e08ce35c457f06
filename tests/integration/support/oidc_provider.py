"""A provider of OpenID Connect for the tests: Authlib's authorization server behind Flask, in a process of its own.

It is real where it matters: discovery, codes that are good once and for their address, client secrets, PKCE, RS256 and
its public keys. It has no passwords: whoever types a name is that person. `POST /control` says what it does wrong
from then on, so that tests see what is refused: its keys, what it signs, and how.

`python oidc_provider.py PORT CLIENT_ID CLIENT_SECRET REDIRECT_URL` serves it on 127.0.0.1.
"""

from __future__ import annotations

import base64
import hmac
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import AuthorizationCodeMixin
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, Response, jsonify, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

PAGE = """<!doctype html><html lang="en"><title>Example University</title>
<link rel="icon" href="data:,"><h1>Example University</h1>
<form method="post"><label>Name <input name="name" autofocus></label> <button>Continue</button>
<button name="deny" value="yes">Cancel</button></form>"""


@dataclass
class Wrong:
    """What is wrong with it: claims in place of the right ones (null for none), the algorithm, the key."""

    claims: dict[str, Any] = field(default_factory=dict)
    signed: str = "RS256"
    userinfo: dict[str, Any] | None = None


def signed_by_hand(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """A token with an HMAC, which libraries refuse to make with a public key."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    signature = hmac.digest(secret, b".".join(parts), "sha256")
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


@dataclass
class Client(ClientMixin):
    client_id: str
    secret: str
    redirect_url: str

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return self.redirect_url

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect_url

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == self.secret

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return endpoint == "token" and method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class Code(AuthorizationCodeMixin):
    code: str
    user: str
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str | None
    code_challenge_method: str | None

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


class Provider:
    """One provider with one client."""

    def __init__(self, issuer: str, client: Client) -> None:
        self.issuer = issuer
        self.client = client
        self.wrong = Wrong()
        self.codes: dict[str, Code] = {}
        self.tokens: dict[str, str] = {}
        self.key = self.new_key()

    def new_key(self) -> RSAKey:
        self.key = RSAKey.generate_key(2048)
        self.key.ensure_kid()
        return self.key

    def claims_of(self, user: str) -> dict[str, Any]:
        """Who somebody is; `name@elsewhere.example` has that address, and everybody else one at the university."""
        email = user if "@" in user else f"{user}@uni.example"
        name = user.partition("@")[0]
        claims = {
            "sub": f"subject-of-{user}",
            "name": name.title(),
            "preferred_username": name,
            "email": email,
            "email_verified": True,
        }
        return {name: value for name, value in {**claims, **self.wrong.claims}.items() if value is not None}

    def id_token(self, claims: dict[str, Any]) -> str:
        kind, key = self.wrong.signed, self.key
        header = {"alg": kind, "kid": self.key.kid}
        if kind == "none":
            return jwt.encode({"alg": "none"}, claims, None, ["none"])
        if kind == "HS256":  # with the public key, which everybody knows, as the secret
            return signed_by_hand(header, claims, self.key.as_pem(private=False))
        if kind == "another key":
            header, key = {"alg": "RS256", "kid": self.key.kid}, RSAKey.generate_key(2048)
        return jwt.encode(header, claims, key, [header["alg"]])


def authorization_server(app: Flask, provider: Provider) -> AuthorizationServer:
    """What gives out codes and tokens, as Authlib does it."""
    server = AuthorizationServer(
        app,
        query_client=lambda client_id: provider.client if client_id == provider.client.client_id else None,
        save_token=lambda token, made: provider.tokens.__setitem__(token["access_token"], made.user),
    )

    class CodeGrant(grants.AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

        def save_authorization_code(self, code: str, asked: OAuth2Request) -> None:
            data = asked.payload.data
            provider.codes[code] = Code(
                code,
                asked.user,
                asked.payload.redirect_uri,
                asked.payload.scope,
                data.get("nonce"),
                data.get("code_challenge"),
                data.get("code_challenge_method"),
            )

        def query_authorization_code(self, code: str, client: Client) -> Code | None:
            return provider.codes.get(code)

        def delete_authorization_code(self, authorization_code: Code) -> None:
            del provider.codes[authorization_code.code]

        def authenticate_user(self, authorization_code: Code) -> str:
            return authorization_code.user

    class IdTokens(OpenIDCode):
        def exists_nonce(self, nonce: str, asked: OAuth2Request) -> bool:
            return any(code.nonce == nonce for code in provider.codes.values())

        def encode_id_token(self, token: dict[str, Any], asked: OAuth2Request) -> str:
            moment = int(time.time())
            claims = {
                "iss": provider.issuer,
                "aud": [provider.client.client_id],
                "iat": moment,
                "exp": moment + 300,
                "nonce": asked.authorization_code.get_nonce(),
                **provider.claims_of(asked.user),
            }
            claims = {**claims, **provider.wrong.claims}
            return provider.id_token({name: value for name, value in claims.items() if value is not None})

    server.register_grant(CodeGrant, [IdTokens(require_nonce=True), CodeChallenge(required=True)])
    return server


def make(provider: Provider) -> Flask:
    """The provider's site."""
    app = Flask(__name__)
    server = authorization_server(app, provider)

    @app.get("/.well-known/openid-configuration")
    def describe() -> Response:
        return jsonify(
            issuer=provider.issuer,
            authorization_endpoint=f"{provider.issuer}/authorize",
            token_endpoint=f"{provider.issuer}/token",
            userinfo_endpoint=f"{provider.issuer}/userinfo",
            jwks_uri=f"{provider.issuer}/keys",
            token_endpoint_auth_methods_supported=["client_secret_basic"],
        )

    @app.get("/keys")
    def keys() -> Response:
        return jsonify(keys=[provider.key.as_dict(private=False)])

    @app.get("/userinfo")
    def userinfo() -> Response:
        user = provider.tokens[request.headers["Authorization"].removeprefix("Bearer ")]
        return jsonify(provider.wrong.userinfo or {"sub": provider.claims_of(user)["sub"]})

    @app.route("/authorize", methods=["GET", "POST"])
    def authorize() -> Response | str:
        try:
            grant = server.get_consent_grant(end_user=request.form.get("name"))
        except OAuth2Error as error:
            return Response(f"{error.error}: {error.description}", 400)
        if request.method == "GET":
            return PAGE
        who = None if request.form.get("deny") else request.form["name"]
        answer: Response = server.create_authorization_response(grant=grant, grant_user=who)
        return answer

    @app.post("/token")
    def token() -> Response:
        answer: Response = server.create_token_response()
        return answer

    @app.post("/control")
    def control() -> Response:
        asked = request.get_json()
        if asked.pop("rotate", False):
            provider.new_key()
        provider.wrong = Wrong(**asked)
        return jsonify({})

    return app


def main() -> None:
    port, client_id, secret, redirect_url = sys.argv[1:]
    provider = Provider(f"http://127.0.0.1:{port}", Client(client_id, secret, redirect_url))
    make_server("127.0.0.1", int(port), make(provider), threaded=True).serve_forever()


if __name__ == "__main__":
    main()
