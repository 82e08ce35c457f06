"""What the dashboards read from their environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from podium.platform.errors import InvalidInput

_MOST_MEGABYTES = 2048


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the gateway is and where the pages are served.

    Attributes:
        gateway: Base address of the gateway as this process reaches it, without a trailing slash.
        public_gateway: The same as participants reach it, for the commands that pages show.
        pages: The pages' own address as people reach them; empty where nobody has said.
        host: The address to listen on.
        port: The port to listen on.
        upload_megabytes: The largest file that a page takes; each is held in memory while it is sent.
    """

    gateway: str
    public_gateway: str
    pages: str
    host: str
    port: int
    upload_megabytes: int


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process.

    Raises:
        InvalidInput: A variable holds something that can't be used.
    """
    variables = os.environ if environment is None else environment
    gateway = variables.get("PODIUM_GATEWAY", "http://127.0.0.1:8400").rstrip("/")
    if not gateway.startswith(("http://", "https://")):
        raise InvalidInput(
            f"PODIUM_GATEWAY is {gateway!r}, which is no http address.",
            remedy="Set it to the gateway's address, such as http://127.0.0.1:8400.",
        )
    port = variables.get("PODIUM_DASHBOARDS_PORT", "8401")
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise InvalidInput(
            f"PODIUM_DASHBOARDS_PORT is {port!r}, which is no port.",
            remedy="Set it to a number from 1 to 65535.",
        )
    megabytes = variables.get("PODIUM_DASHBOARDS_UPLOAD_MEGABYTES", "100")
    if not (megabytes.isascii() and megabytes.isdigit() and 0 < int(megabytes) <= _MOST_MEGABYTES):
        raise InvalidInput(
            f"PODIUM_DASHBOARDS_UPLOAD_MEGABYTES is {megabytes!r}, which is no size.",
            remedy=f"Set it to a number from 1 to {_MOST_MEGABYTES}.",
        )
    return Settings(
        gateway=gateway,
        public_gateway=variables.get("PODIUM_PUBLIC_URL", gateway).rstrip("/"),
        pages=variables.get("PODIUM_PAGES_URL", "").rstrip("/"),
        host=variables.get("PODIUM_DASHBOARDS_HOST", "127.0.0.1"),
        port=int(port),
        upload_megabytes=int(megabytes),
    )
