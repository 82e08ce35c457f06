"""What the agent signs in to private registries with: in a file of the operator's, and nowhere else.

The file is read anew for each pull, so that a password can be changed while the agent runs. What is in it goes to
the engine with the one pull that needs it; it is never logged and never leaves the host in any other way.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from podium.platform.errors import InvalidInput

DOCKER_HUB = "docker.io"
_HUB_NAMES = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})
_FOR_OTHERS = stat.S_IRWXO | stat.S_IWGRP
_FORMS = (
    'It is either a config.json of Docker\'s ({"auths": {...}}) '
    'or {"registry.example.org:5000": {"username": "...", "password": "..."}}.'
)


@dataclass(frozen=True, slots=True, repr=False)
class Login:
    """How to sign in to one registry. It has no representation: a log line can't show it by accident."""

    username: str
    password: str
    identity_token: str = ""

    def auth_config(self) -> dict[str, str]:
        """As the engine wants it with a pull."""
        if self.identity_token:
            return {"identitytoken": self.identity_token}
        return {"username": self.username, "password": self.password}

    def redact(self, text: str) -> str:
        """The text without the secret, however it was written."""
        pair = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        for secret in (self.password, self.identity_token, pair):
            if secret:
                text = text.replace(secret, "***")
        return text


def login_for(file: Path | None, image: str) -> Login | None:
    """The login for the registry of an image, by its exact host and port; `None` where the file has none.

    Raises:
        InvalidInput: The file can't be used; the message says why, and nothing of what is in it.
    """
    return None if file is None else read_logins(file).get(registry_of(image))


def registry_of(image: str) -> str:
    """The registry that an image's name leads to: `host:port`, or Docker Hub where the name has no host."""
    first, slash, _ = image.partition("/")
    is_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    return _registry(first) if is_host else DOCKER_HUB


def read_logins(file: Path) -> dict[str, Login]:
    """All logins of a file, by registry.

    Raises:
        InvalidInput: It can't be read, others than its owner and group may read it, or it is in neither form.
    """
    what = f"The file with the registries' credentials, {file},"
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            text = opened.read()
    except OSError as error:
        raise InvalidInput(f"{what} can't be read: {error.strerror}.") from None
    if mode & _FOR_OTHERS:
        raise InvalidInput(
            f"{what} is open to others (mode {mode:03o}).",
            remedy=f"Close it: chmod 600 {file}.",
        )
    try:
        content = json.loads(text)
    except ValueError:
        raise InvalidInput(f"{what} is no JSON.", remedy=_FORMS) from None
    if not isinstance(content, dict):
        raise InvalidInput(f"{what} is no JSON object.", remedy=_FORMS)
    if "credsStore" in content or "credHelpers" in content:
        raise InvalidInput(
            f"{what} leaves them to a helper program, which the agent does not run.",
            remedy="Write user name and password, or a token, into a file for the agent.",
        )
    entries = content.get("auths", content)
    if not isinstance(entries, dict):
        raise InvalidInput(f"`auths` in {file} is no JSON object.", remedy=_FORMS)
    return {_registry(name): _login(file, name, entry) for name, entry in entries.items()}


def _registry(name: str) -> str:
    bare = re.sub(r"^https?://", "", name.strip()).partition("/")[0].lower()
    return DOCKER_HUB if bare in _HUB_NAMES else bare


def _login(file: Path, registry: str, entry: Any) -> Login:  # noqa: ANN401 -- JSON
    if isinstance(entry, Mapping):
        token = entry.get("identitytoken")
        if isinstance(token, str) and token:
            return Login("", "", token)
        username, password = entry.get("username"), entry.get("password")
        if isinstance(entry.get("auth"), str):
            username, password = _pair(entry["auth"]) or (username, password)
        if isinstance(username, str) and isinstance(password, str) and username and password:
            return Login(username, password)
    raise InvalidInput(f"The entry for the registry {registry} in {file} has no user name and password.", remedy=_FORMS)


def _pair(auth: str) -> tuple[str, str] | None:
    try:
        username, colon, password = base64.b64decode(auth, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (username, password) if colon else None
