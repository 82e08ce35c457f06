"""What a provider says of somebody, believed only if it is signed by it, for us, for this sign-in, and now."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt

from podium.platform.errors import NotAuthenticated

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA",),
}
"""Algorithms by kind of key. All are asymmetric: with `none` or an HMAC, whoever knows what is public could sign."""
_LEEWAY_SECONDS = 30
_MOST_SUBJECT = 255


class RefusedIdToken(NotAuthenticated):
    """An id token that is not believed."""


class UnknownKey(RefusedIdToken):
    """One whose signature fits none of the keys at hand; the provider may have others by now."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a provider says of somebody.

    Attributes:
        subject: Who they are, for ever, to this issuer.
        email: Empty where the provider tells none.
        is_email_verified: Whether the provider has seen that the address is theirs.
        username: How they would be called; empty where the provider does not say.
    """

    issuer: str
    subject: str
    email: str = ""
    is_email_verified: bool = False
    name: str = ""
    username: str = ""


def verify(
    token: str, keys: Sequence[Mapping[str, Any]], *, issuer: str, client_id: str, nonce: str
) -> Mapping[str, Any]:
    """The claims of an id token.

    Args:
        token: As the provider's token endpoint gave it.
        keys: The provider's public keys, as JWKs.
        issuer: Who must have issued it.
        client_id: For whom it must be.
        nonce: Of the sign-in that it must belong to.

    Raises:
        UnknownKey: No key fits it.
        RefusedIdToken: It is not believed, for another reason.
    """
    claims = _signed(token, keys, issuer=issuer, client_id=client_id)
    subject, said, party = claims["sub"], claims.get("nonce"), claims.get("azp")
    if not isinstance(subject, str) or not 0 < len(subject) <= _MOST_SUBJECT:
        raise _refused("it names nobody")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
        raise _refused("it belongs to another sign-in")
    is_for_several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (party is not None or is_for_several) and party != client_id:
        raise _refused("it was issued to somebody else")
    return claims


def _signed(token: str, keys: Sequence[Mapping[str, Any]], *, issuer: str, client_id: str) -> dict[str, Any]:
    """The claims of a token that one of the keys has signed, and that is for us and for now."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError:
        raise _refused("it is no token") from None
    algorithm = header.get("alg")
    if not any(algorithm in family for family in FAMILIES.values()):
        raise _refused("it is not signed in a way that can be trusted")
    for key in keys:
        if not _fits(key, str(algorithm), header.get("kid")):
            continue
        try:
            return jwt.decode(
                token,
                jwt.PyJWK(dict(key), algorithm=str(algorithm)),
                algorithms=[str(algorithm)],
                issuer=issuer,
                audience=client_id,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except (jwt.InvalidSignatureError, jwt.PyJWKError, jwt.InvalidKeyError):
            continue
        except jwt.InvalidTokenError as error:
            raise _refused(_reason(error)) from None
    raise UnknownKey(
        "What the provider says could not be verified: it is signed with an unknown key.", remedy="Sign in again."
    )


def _fits(key: Mapping[str, Any], algorithm: str, key_id: object) -> bool:
    """Whether a key may have made a signature of this kind, as far as it says."""
    return (
        algorithm in FAMILIES.get(str(key.get("kty")), ())
        and key.get("alg", algorithm) == algorithm
        and key.get("use", "sig") == "sig"
        and (key_id is None or key.get("kid", key_id) == key_id)
    )


def _refused(reason: str) -> RefusedIdToken:
    return RefusedIdToken(f"What the provider says could not be verified: {reason}.", remedy="Sign in again.")


_REASONS: Mapping[type[jwt.InvalidTokenError], str] = {
    jwt.ExpiredSignatureError: "it has expired",
    jwt.ImmatureSignatureError: "it is not good yet; a clock may be wrong",
    jwt.InvalidIssuedAtError: "it is not good yet; a clock may be wrong",
    jwt.InvalidIssuerError: "somebody else has issued it",
    jwt.InvalidAudienceError: "it is for somebody else",
}


def _reason(error: jwt.InvalidTokenError) -> str:
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"it lacks '{error.claim}'"
    return _REASONS.get(type(error), "it is no id token")


def said_of(claims: Mapping[str, Any], *, issuer: str) -> Claims:
    """What verified claims say of somebody. What has another form than it should is left out."""
    verified = claims.get("email_verified")
    return Claims(
        issuer=issuer,
        subject=str(claims["sub"]),
        email=_text(claims, "email", 320),
        is_email_verified=verified is True or verified == "true",  # a word, with some providers
        name=_text(claims, "name", 200),
        username=_text(claims, "preferred_username", 200),
    )


def _text(claims: Mapping[str, Any], name: str, most: int) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or len(value) > most or not value.isprintable():
        return ""
    return value.strip()
