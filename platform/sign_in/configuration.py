"""What the operator says of the provider, checked once, when the gateway starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from podium.platform.errors import InvalidInput
from podium.platform.settings import ServerSettings

CALLBACK_PATH = "/provider/back"
"""Where the pages take up a browser that comes back from the provider."""
EVERYBODY = "*"


@dataclass(frozen=True, slots=True)
class ProviderConfiguration:
    """A provider, and who of those that it knows may have an account.

    Attributes:
        issuer: Its address, exactly as it names itself.
        client_secret: Empty for a public client, which proves itself by PKCE alone.
        name: As people know it.
        redirect_url: Where it sends browsers back to; it must be registered there.
        domains: Domains of e-mail addresses whose owners get an account at their first sign-in; `*` for all.
        trusts_email: Whether its addresses count as verified although it does not say so.
        lifetime: How long somebody is signed in.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str
    scopes: str
    redirect_url: str
    domains: tuple[str, ...]
    trusts_email: bool
    lifetime: timedelta


def read_provider(settings: ServerSettings) -> ProviderConfiguration | None:
    """The provider that the settings name; `None` where they name none.

    Raises:
        InvalidInput: Something is missing, wrong or can't be read; the message has all of it.
    """
    if not settings.oidc_issuer:
        return None
    faults = []
    if not settings.oidc_client_id:
        faults.append("PODIUM_OIDC_CLIENT_ID is missing")
    if not settings.pages_url:
        faults.append("PODIUM_PAGES_URL is missing")
    if "openid" not in settings.oidc_scopes.split():
        faults.append("PODIUM_OIDC_SCOPES lacks openid")
    for name, address in (("OIDC_ISSUER", settings.oidc_issuer), ("PAGES_URL", settings.pages_url)):
        if address and not is_safe(address):
            faults.append(f"PODIUM_{name} is no https address, and only this machine itself can do with http")
    secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret is not None else ""
    if settings.oidc_client_secret_file is not None:
        try:
            secret = settings.oidc_client_secret_file.read_text().strip()
        except OSError as error:
            faults.append(f"PODIUM_OIDC_CLIENT_SECRET_FILE can't be read: {error.strerror}")
    if faults:
        raise InvalidInput(f"Nobody can sign in at the provider: {'; '.join(faults)}.")
    return ProviderConfiguration(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=secret,
        name=settings.oidc_name,
        scopes=settings.oidc_scopes,
        redirect_url=settings.pages_url.rstrip("/") + CALLBACK_PATH,
        domains=settings.oidc_new_people,
        trusts_email=settings.oidc_trusts_email,
        lifetime=timedelta(hours=settings.oidc_session_hours),
    )


def is_safe(address: str) -> bool:
    """Whether nobody on the way can read or change what goes to an address: it is https, or this very machine."""
    parts = urlsplit(address)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and _is_this_machine(parts.hostname or "")


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
