"""The tests' provider of OpenID Connect as a process, and a person's way through it without a browser."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from world import HTTP, RunningGateway, eventually

from podium.platform.settings import ServerSettings
from podium.platform.supervisor.ports import free_port

CLIENT_ID = "podium"
CLIENT_SECRET = "a secret: of the/client & nobody else"


class ProviderProcess:
    """A provider that runs."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"

    def go_wrong(self, **how: Any) -> None:  # noqa: ANN401  # JSON
        """Be wrong in this way, and in no other, from now on; in none without any."""
        assert HTTP.post(f"{self.issuer}/control", json=how).is_success

    def answers(self) -> bool:
        try:
            return HTTP.get(f"{self.issuer}/keys").is_success
        except httpx.TransportError:
            return False

    def come_back(self, address: str, name: str) -> dict[str, str]:
        """Go to the provider as a browser would be sent, sign in there, and tell with what it sends one back."""
        answer = HTTP.post(address, data={"name": name})
        assert answer.status_code == 302, answer.text
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        return {name: values[0] for name, values in query.items()}


@contextmanager
def running_provider(redirect_url: str) -> Iterator[ProviderProcess]:
    """A provider that knows Podium, and sends people back to this address."""
    port = free_port()
    script = Path(__file__).with_name("oidc_provider.py")
    arguments = [sys.executable, str(script), str(port), CLIENT_ID, CLIENT_SECRET, redirect_url]
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ)
    try:
        provider = ProviderProcess(port)
        eventually(lambda: process.poll() is None and provider.answers())
        yield provider
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def gateway_with(
    settings: ServerSettings,
    provider: ProviderProcess,
    pages: str,
    **more: Any,  # noqa: ANN401  # settings
) -> Iterator[RunningGateway]:
    """A gateway where people sign in at a provider, with pages at this address."""
    fields = {
        "public_url": f"http://127.0.0.1:{free_port()}",
        "pages_url": pages,
        "oidc_issuer": provider.issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": CLIENT_SECRET,
        "oidc_name": "Example University",
        "oidc_new_people": "uni.example",
        **more,
    }
    with RunningGateway(ServerSettings.model_validate({**settings.model_dump(), **fields})) as running:
        yield running
