"""Who gets an account at their first sign-in, and what they are called: pure rules."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator

from podium.platform.errors import NotAllowed
from podium.platform.identity import EMAIL
from podium.platform.sign_in.configuration import EVERYBODY, ProviderConfiguration
from podium.platform.sign_in.id_tokens import Claims

_MOST = 60
_FEW = 1000


def require_admitted(claims: Claims, provider: ProviderConfiguration) -> None:
    """Go on only if somebody new may have an account.

    Raises:
        NotAllowed: They may not, with the reason.
    """
    remedy = "Ask the operators of this platform for an account, and link this sign-in to it then."
    if not provider.domains:
        raise NotAllowed("You have no account here, and a sign-in does not make one.", remedy=remedy)
    if not EMAIL.fullmatch(claims.email):
        raise NotAllowed(f"{provider.name} does not tell your e-mail address, which an account needs.", remedy=remedy)
    if not (claims.is_email_verified or provider.trusts_email):
        raise NotAllowed(f"{provider.name} has not verified your e-mail address.", remedy="Verify it there first.")
    domain = claims.email.rpartition("@")[2].lower()
    if EVERYBODY not in provider.domains and domain not in provider.domains:
        raise NotAllowed(f"Addresses at {domain} get no account here by themselves.", remedy=remedy)


def usernames(claims: Claims) -> Iterator[str]:
    """Usernames to try for somebody, the best first: by what they are called there, then with a number behind it."""
    base = _plain(claims.username.partition("@")[0]) or _plain(claims.email.partition("@")[0]) or "person"
    yield base
    for number in range(2, _FEW):
        ending = f"-{number}"
        yield base[: _MOST - len(ending)].rstrip("._-") + ending


def free_username(claims: Claims, taken: Collection[str]) -> str:
    """The first of the usernames that nobody has; `taken` are in lower case.

    Raises:
        NotAllowed: All are taken.
    """
    for username in usernames(claims):
        if username.lower() not in taken:
            return username
    raise NotAllowed("Every username that would fit you is taken.", remedy="Ask the operators for an account.")


def _plain(words: str) -> str:
    """Words in the form of a username, empty where nothing is left."""
    ascii_words = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "-", ascii_words)[:_MOST].strip("._-")
