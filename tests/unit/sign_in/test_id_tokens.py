"""Which id tokens are believed: signed rightly, for us, for this sign-in, now."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from podium.platform.sign_in.id_tokens import FAMILIES, RefusedIdToken, UnknownKey, said_of, verify

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
ISSUER, CLIENT, NONCE = "https://sso.example.org", "podium", "n-0S6_WzA2Mj"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEYS = {
    "RS256": RSA,
    "PS384": RSA,
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


def jwk(key: PrivateKey, algorithm: str, **fields: object) -> Mapping[str, Any]:
    made = jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key())
    return {**(json.loads(made) if isinstance(made, str) else made), "kid": "one", "key_ops": ["verify"], **fields}


PUBLIC = jwk(RSA, "RS256")


def claims(**changes: object) -> dict[str, Any]:
    now = int(time.time())
    made = {"iss": ISSUER, "sub": "248289761001", "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": NONCE}
    return {name: value for name, value in {**made, **changes}.items() if value is not None}


def token(key: PrivateKey = RSA, algorithm: str = "RS256", kid: str | None = "one", **changes: object) -> str:
    return jwt.encode(claims(**changes), key, algorithm, headers={"kid": kid} if kid else None)


def check(made: str, *keys: Mapping[str, Any]) -> Mapping[str, Any]:
    return verify(made, keys or (PUBLIC,), issuer=ISSUER, client_id=CLIENT, nonce=NONCE)


@pytest.mark.parametrize("algorithm", KEYS)
def test_every_kind_of_key_is_known(algorithm: str) -> None:
    key = KEYS[algorithm]
    assert check(token(key, algorithm), jwk(key, algorithm))["sub"] == "248289761001"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"iss": "https://sso.example.org/"}, "somebody else has issued it"),
        ({"iss": None}, "lacks 'iss'"),
        ({"aud": "other"}, "is for somebody else"),
        ({"aud": ["other"]}, "is for somebody else"),
        ({"aud": [CLIENT, "other"]}, "issued to somebody else"),
        ({"azp": "other"}, "issued to somebody else"),
        ({"nonce": "another"}, "another sign-in"),
        ({"nonce": None}, "another sign-in"),
        ({"nonce": 7}, "another sign-in"),
        ({"exp": int(time.time()) - 60}, "has expired"),
        ({"exp": None}, "lacks 'exp'"),
        ({"iat": None}, "lacks 'iat'"),
        ({"iat": int(time.time()) + 600}, "not good yet"),
        ({"nbf": int(time.time()) + 600}, "not good yet"),
        ({"sub": None}, "lacks 'sub'"),
        ({"sub": ""}, "names nobody"),
        ({"sub": "x" * 256}, "names nobody"),
    ],
)
def test_what_is_not_for_us_and_now_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(RefusedIdToken, match=says):
        check(token(**changes))


def test_a_clock_that_is_off_a_little_does_no_harm() -> None:
    now = int(time.time())
    check(token(iat=now + 20, exp=now + 300))
    check(token(exp=now - 20))
    check(token(aud=[CLIENT, "other"], azp=CLIENT))


def test_unsigned_and_symmetric_tokens_are_refused() -> None:
    public = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for algorithm, secret in (("none", None), ("HS256", b"x" * 32)):
        with pytest.raises(RefusedIdToken, match="not signed in a way that can be trusted"):
            check(jwt.encode(claims(), secret, algorithm), PUBLIC, {"kty": "oct", "k": "eHh4"})
    with pytest.raises(RefusedIdToken, match="not signed in a way that can be trusted"):
        check(_hmac_by_hand(public))


def _hmac_by_hand(secret: bytes) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "kid": "one"}, claims())
    ]
    signature = base64.urlsafe_b64encode(hmac.digest(secret, b".".join(parts), "sha256")).rstrip(b"=")
    return b".".join([*parts, signature]).decode()


@pytest.mark.parametrize(
    "keys",
    [
        (),
        (jwk(OTHER_RSA, "RS256"),),
        ({**PUBLIC, "kid": "two"},),
        ({**PUBLIC, "use": "enc"},),
        ({**PUBLIC, "alg": "RS512"},),
        ({"kty": "RSA", "kid": "one"},),
        ({"kty": "RSA", "kid": "one", "n": "!!", "e": "AQAB"},),
    ],
)
def test_a_key_that_does_not_fit_is_unknown(keys: tuple[Mapping[str, Any], ...]) -> None:
    with pytest.raises(UnknownKey):
        verify(token(), keys, issuer=ISSUER, client_id=CLIENT, nonce=NONCE)


def test_the_right_key_is_found_among_others_with_a_name_and_without() -> None:
    others = (jwk(KEYS["ES256"], "ES256"), jwk(OTHER_RSA, "RS256", kid="two"))
    check(token(), *others, PUBLIC)
    check(token(kid=None), *others, PUBLIC)
    check(token(), *others, {name: value for name, value in PUBLIC.items() if name != "kid"})


@given(st.text(max_size=200))
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(RefusedIdToken):
        check(text)


@given(st.integers(0, 2000), st.characters(codec="ascii"))
def test_a_token_with_a_letter_changed_is_refused(where: int, letter: str) -> None:
    made = SIGNED
    place = where % len(made)
    # The last letter of a part has bits that say nothing.
    if made[place] == letter or place + 1 in (len(made), made.index("."), made.rindex(".")):
        return
    with pytest.raises(RefusedIdToken):
        check(made[:place] + letter + made[place + 1 :])


SIGNED = token(exp=int(time.time()) + 86400)


def test_no_family_has_an_algorithm_that_anybody_could_sign_with() -> None:
    algorithms = {algorithm for family in FAMILIES.values() for algorithm in family}
    assert not {one for one in algorithms if one.startswith("HS") or one == "none"}


def test_what_is_said_of_somebody_is_plain_text() -> None:
    said = said_of(
        {"sub": "1", "email": "ada@example.org", "email_verified": "true", "name": ["x"], "preferred_username": "a\nb"},
        issuer=ISSUER,
    )
    assert (said.email, said.is_email_verified, said.name, said.username) == ("ada@example.org", True, "", "")
    for value in (1, "yes", None, "false", [True]):
        assert not said_of({"sub": "1", "email_verified": value}, issuer=ISSUER).is_email_verified
