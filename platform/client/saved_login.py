"""What `podium login` and `podium config` keep: one small file that only its owner can read.

A token is kept with the gateway that it is for, and is never sent to another one.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from podium.platform.client.addresses import normalized_gateway
from podium.platform.errors import InvalidInput, NotAuthenticated


@dataclass(frozen=True, slots=True)
class Settings:
    """The content of the file.

    Attributes:
        gateway: The gateway that is used where none is named.
        competition: The competition that is used where none is named.
        tokens: The token for each gateway.
    """

    gateway: str | None = None
    competition: str | None = None
    tokens: Mapping[str, str] = field(default_factory=dict)

    def with_token(self, gateway: str, token: str | None) -> Settings:
        """The settings with a gateway's token set or, with `None`, removed."""
        others = {name: kept for name, kept in self.tokens.items() if name != gateway}
        return replace(self, tokens=others if token is None else {**others, gateway: token})


@dataclass(frozen=True, slots=True)
class Login:
    """Which gateway to speak to, as whom."""

    gateway: str | None
    token: str | None

    def require_gateway(self) -> str:
        """The gateway.

        Raises:
            NotAuthenticated: None is known.
        """
        if self.gateway is None:
            raise NotAuthenticated(
                "No gateway is known yet.", remedy="Sign in with `podium login GATEWAY`, or set PODIUM_GATEWAY."
            )
        return self.gateway


def settings_path() -> Path:
    """Where the file is: `PODIUM_CONFIG`, else `podium/config.json` in the XDG configuration folder."""
    if chosen := os.environ.get("PODIUM_CONFIG"):
        return Path(chosen)
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "podium" / "config.json"


def load_settings(path: Path | None = None) -> Settings:
    """Read the file; settings without anything when there is none.

    Raises:
        InvalidInput: The file is not what was written there.
    """
    path = path or settings_path()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Settings(
            gateway=_text(content.get("gateway")),
            competition=_text(content.get("competition")),
            tokens={str(gateway): str(token) for gateway, token in content.get("tokens", {}).items()},
        )
    except FileNotFoundError:
        return Settings()
    except (ValueError, AttributeError):
        raise InvalidInput(
            f"{path} is not a settings file of Podium.", remedy="Remove it and sign in again with `podium login`."
        ) from None
    except OSError as error:
        raise InvalidInput(f"{path} can't be read: {error.strerror}.") from error


def save_settings(settings: Settings, path: Path | None = None) -> Path:
    """Write the file, readable for its owner alone, all at once.

    Raises:
        InvalidInput: It can't be written there.
    """
    path = path or settings_path()
    content = {"gateway": settings.gateway, "competition": settings.competition, "tokens": dict(settings.tokens)}
    text = json.dumps(content, indent=2) + "\n"
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Private from its first byte on: a later chmod would leave a moment for others.
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as target:
            target.write(text)
        new.replace(path)
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        raise InvalidInput(f"{path} can't be written: {error.strerror}.") from error
    return path


def is_readable_for_others(path: Path | None = None) -> bool:
    """Whether somebody else on this machine may read the file and so the tokens."""
    try:
        mode = (path or settings_path()).stat().st_mode
    except OSError:
        return False
    return os.name == "posix" and bool(mode & (stat.S_IRWXG | stat.S_IRWXO))


def load_login(*, gateway: str | None = None, token: str | None = None) -> Login:
    """Who to be and where: what is given, else what the environment says, else what was saved.

    The environment's words are `PODIUM_GATEWAY`, or `PODIUM_URL`, and `PODIUM_TOKEN`.

    Raises:
        InvalidInput: The file can't be read, or the address is none.
    """
    settings = load_settings()
    chosen = gateway or os.environ.get("PODIUM_GATEWAY") or os.environ.get("PODIUM_URL") or settings.gateway
    address = normalized_gateway(chosen) if chosen else None
    known = settings.tokens.get(address) if address else None
    return Login(address, token or os.environ.get("PODIUM_TOKEN") or known)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
