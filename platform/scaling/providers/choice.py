"""Providers by the names that an operator gave them."""

from __future__ import annotations

import hashlib

from podium.platform.errors import InvalidInput, PlatformFault
from podium.platform.scaling.providers.commands import CommandProvider
from podium.platform.scaling.providers.orders import Provider
from podium.platform.scaling.providers.processes import ProcessProvider
from podium.platform.scaling.providers.settings import CommandSettings, DockerSettings, ProviderSettings
from podium.platform.settings import ServerSettings


def require_provider(settings: ServerSettings, name: str) -> ProviderSettings:
    """The settings of the provider of that name.

    Raises:
        InvalidInput: The operator has set up none of that name.
    """
    found = settings.scaling_providers.get(name)
    if found is None:
        there = ", ".join(sorted(settings.scaling_providers)) or "none"
        raise InvalidInput(
            f"There is no provider '{name[:60]}'; there are: {there}.",
            remedy="Operators set them up with PODIUM_SCALING_PROVIDERS.",
        )
    return found


def open_provider(settings: ServerSettings, name: str) -> Provider:
    """The provider of that name.

    Raises:
        InvalidInput: There is none.
        PlatformFault: It needs a state folder, and there is none.
    """
    found = require_provider(settings, name)
    if isinstance(found, CommandSettings):
        return CommandProvider(found, site_of(settings))
    if isinstance(found, DockerSettings):
        # Imported here: only those who use it need a Docker client.
        from podium.platform.scaling.providers.containers import DockerProvider  # noqa: PLC0415

        return DockerProvider(found, site_of(settings))
    if settings.state is None:
        raise PlatformFault("Agents as processes need a state folder.", remedy="Set PODIUM_STATE.")
    return ProcessProvider(found, settings.state)  # type: ignore[arg-type]  # the third kind


def site_of(settings: ServerSettings) -> str:
    """What tells this Podium from another on the same hosts; it gives nothing of the key away."""
    key = settings.secret_key.get_secret_value()
    return hashlib.sha256(f"podium site {key}".encode()).hexdigest()[:16]
