"""What an operator can set: read once, at the edge, from the environment (`PODIUM_*`)."""

from __future__ import annotations

import json
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from podium.platform.errors import InvalidInput
from podium.platform.limits import read_maxima
from podium.platform.quantities import InvalidAmount
from podium.platform.rates import Pace, Traffic
from podium.platform.scaling.providers.settings import AnyProviderSettings, ProcessSettings

_SITE = re.compile(r"\*|https?://[A-Za-z0-9.*-]+(:[0-9]{1,5})?")


class ServerSettings(BaseSettings):
    """Settings of the gateway and of the platform's own flows. An agent that scores has none of these."""

    model_config = SettingsConfigDict(env_prefix="PODIUM_", extra="ignore")

    database_url: SecretStr = Field(description="Postgres: postgresql://user:password@host:port/podium")
    storage_url: str = Field(
        description="Where files are kept: file:///folder, s3://bucket/prefix or abfs://container@account/prefix"
    )
    storage_endpoint: str = Field(
        default="", description="Address of the object store, where it is not AWS's or Azure's own"
    )
    storage_public_endpoint: str = Field(
        default="", description="The same as clients and agents reach it, where that is another"
    )
    storage_region: str = Field(default="us-east-1", description="Region of an S3")
    storage_path_style: bool | None = Field(
        default=None,
        description="Whether an S3 has the bucket in the path; by default so wherever an endpoint is named",
    )
    storage_key_id: str = Field(default="", description="Access key of an S3; else what AWS's own tools would find")
    storage_secret: SecretStr | None = Field(default=None, description="Its secret; or the key of the Azure account")
    storage_secret_file: Path | None = Field(default=None, description="A file with that secret, in its place")
    storage_quota_bytes: int = Field(
        default=50 * 1024**3, ge=0, description="What the files of one person may take, where nothing else is set"
    )
    storage_grace_seconds: int = Field(
        default=24 * 3600, ge=60, description="How long a file stays that nothing refers to"
    )
    part_bytes: int = Field(
        default=64 * 1024**2, ge=5 * 1024**2, description="Files larger than this are uploaded in parts of this size"
    )
    secret_key: SecretStr = Field(min_length=32, description="Signs requests to storage; 32 characters or more")
    public_url: str = Field(
        default="http://127.0.0.1:8400", description="The gateway's address as clients and agents reach it"
    )
    host: str = Field(default="127.0.0.1", description="Address that the gateway listens on")
    port: int = Field(default=8400, description="Port that the gateway listens on")
    prefect_api_url: str = Field(default="http://127.0.0.1:4200/api", description="Prefect's API")
    state: Path | None = Field(default=None, description="Folder where first tokens are written")
    signed_seconds: int = Field(default=3600, gt=0, description="How long a signed request is good")
    bundle_bytes: int = Field(default=20 * 1024**3, gt=0, description="Largest bundle")
    submission_bytes: int = Field(default=5 * 1024**3, gt=0, description="Largest submission")
    lease_seconds: float = Field(default=60, gt=0, description="How long an attempt lives without a heartbeat")
    heartbeat_seconds: float = Field(default=10, gt=0, description="How often an attempt sends a heartbeat")
    upload_seconds: int = Field(default=24 * 3600, gt=0, description="How long an upload may take to be completed")
    limit_maxima: Annotated[dict[str, float], NoDecode] = Field(
        default={},
        description="The most that a competition may ask of each limit, as JSON in the words of bundles: "
        '`{"memory": "16 GiB", "wall": "2 h"}`; those that are left out keep the maximum of the table',
    )

    import_folder: Path | None = Field(
        default=None,
        description="Where images are imported on the hosts of the pool `cpu`, with room for what was uploaded and for "
        "what comes of it; by default the system's folder for temporary files",
    )
    import_seconds: int = Field(default=1800, ge=10, description="How long a process may read the files of one image")
    import_memory_bytes: int = Field(
        default=6 * 1024**3, ge=1024**3, description="How much memory such a process may take"
    )
    import_voxel_bytes: int = Field(default=8 * 1024**3, gt=0, description="Largest image, unpacked")

    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Reverse proxies in front of the gateway, as addresses or networks with commas between: who calls "
        "is what these say in `X-Forwarded-For`, and what nobody else says in it",
    )
    rate_limits: Annotated[dict[Traffic, Pace | None], NoDecode] = Field(
        default={},
        description="How fast one may call, as JSON by class of calls: "
        '`{"submissions": {"burst": 300, "per_second": 2}, "reads": null}`; `null` sets no limit, and classes that '
        "are left out keep theirs",
    )

    slices_folder: Path | None = Field(
        default=None,
        description="Where images are unpacked that people look at; by default a temporary folder of the gateway's. "
        "Several gateways may share one",
    )
    slices_bytes: int = Field(
        default=20 * 1024**3,
        gt=0,
        description="What unpacked images may take there; those that nobody has looked at for longest go first",
    )

    board_seconds: int = Field(
        default=5, ge=1, le=3600, description="For how long browsers and proxies may keep a public leaderboard"
    )
    board_embedders: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Sites that may show the pages of public leaderboards in a frame, with commas between, such as "
        "`https://example.org`; `*` for all of them",
    )

    @field_validator("board_embedders", mode="before")
    @classmethod
    def _sites(cls, written: object) -> object:
        """Read sites, and see that nothing else gets into a header."""
        parts = [part.strip().rstrip("/") for part in written.split(",")] if isinstance(written, str) else written
        if not isinstance(parts, (list, tuple)):
            return parts
        wrong = [part for part in parts if part and not _SITE.fullmatch(part)]
        if wrong:
            raise ValueError(f"'{wrong[0]}' is no site; write such as https://example.org, or * for all of them")
        return tuple(part for part in parts if part)

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, written: object) -> object:
        """Read addresses and networks, and see that they are some."""
        parts = [part.strip() for part in written.split(",")] if isinstance(written, str) else written
        if not isinstance(parts, (list, tuple)):
            return parts
        try:
            return tuple(str(ip_network(part)) for part in parts if part)
        except ValueError as error:
            raise ValueError(f"{error}; write such as 127.0.0.1, 10.0.0.0/8") from None

    @field_validator("rate_limits", mode="before")
    @classmethod
    def _paces(cls, written: object) -> object:
        """Read JSON."""
        try:
            return json.loads(written) if isinstance(written, str) else written
        except json.JSONDecodeError as error:
            raise ValueError(
                f'it is no JSON ({error}); write {{"reads": {{"burst": 3000, "per_second": 100}}}}'
            ) from None

    pages_url: str = Field(default="", description="The pages' address as people reach them")
    oidc_issuer: str = Field(
        default="", description="The provider that people sign in at, as it names itself; see [Sign-in](#sign-in)"
    )
    oidc_client_id: str = Field(default="", description="How that provider knows Podium")
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="With which secret; none for a public client"
    )
    oidc_client_secret_file: Path | None = Field(default=None, description="A file with that secret, in its place")
    oidc_name: str = Field(
        default="single sign-on", min_length=1, max_length=60, description="What people call it: `Sign in with ...`"
    )
    oidc_scopes: str = Field(default="openid email profile", description="What is asked of it")
    oidc_new_people: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Whose first sign-in makes an account: domains of e-mail addresses with commas between, such as "
        "`example.org, example.edu`, or `*` for everybody; by default nobody's",
    )
    oidc_trusts_email: bool = Field(
        default=False,
        description="Whether addresses count as verified although the provider does not say that they are: only where "
        "it gives people their addresses itself",
    )
    oidc_session_hours: float = Field(default=12, gt=0, le=24 * 30, description="How long a sign-in lasts")

    @field_validator("oidc_new_people", mode="before")
    @classmethod
    def _domains(cls, written: object) -> object:
        """Read domains with commas between."""
        parts = written.split(",") if isinstance(written, str) else written
        if not isinstance(parts, (list, tuple)):
            return parts
        domains = [str(part).strip().lower().removeprefix("@") for part in parts]
        for domain in domains:
            if domain and domain != "*" and ("@" in domain or "*" in domain or "." not in domain):
                raise ValueError(f"'{domain}' is no domain; write such as example.org, example.edu")
        return tuple(domain for domain in domains if domain)

    mail_host: str = Field(default="", description="The mail server that takes mail; none for no mail at all")
    mail_port: int = Field(default=587, ge=1, le=65535, description="Its port")
    mail_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the connection is secured; `none` only to this very machine"
    )
    mail_username: str = Field(default="", description="As whom to sign in there; empty for not at all")
    mail_password: SecretStr | None = Field(default=None, description="With which password")
    mail_password_file: Path | None = Field(default=None, description="A file with that password, in its place")
    mail_ca_file: Path | None = Field(
        default=None, description="Certificates to trust it by, where they are not the machine's own"
    )
    mail_from: str = Field(default="", description="The address that mail comes from, such as podium@example.org")
    mail_bounce_address: str = Field(
        default="",
        description="Where mail that can't be delivered comes back to, with `+` and an id before the `@`; by default "
        "to the address that it comes from; see [Mail](#mail)",
    )
    mail_connections: int = Field(default=4, ge=1, le=32, description="Connections to the mail server at a time")
    mail_per_minute: int | None = Field(
        default=None, ge=1, description="Messages a minute at most; no limit of Podium's own by default"
    )
    mail_domain_per_minute: int | None = Field(default=None, ge=1, description="The same to each domain")
    mail_timeout_seconds: float = Field(default=300, gt=0, description="How long the mail server may take to answer")
    mail_retry_seconds: float = Field(
        default=300, gt=0, description="When a message is tried again that was put off; then twice as long each time"
    )
    mail_give_up_hours: float = Field(default=48, gt=0, description="From when on it is tried no more")
    mail_digest_hour: int = Field(
        default=7, ge=0, le=23, description="At which hour (UTC) the day's digests are sent to those who want them"
    )
    mail_closing_hours: float = Field(
        default=24, gt=0, le=24 * 30, description="How long before its end participants are told that a phase closes"
    )
    mail_agent_lost_minutes: float = Field(
        default=10, ge=1, description="How long an agent is not heard of before people are told that it is lost"
    )
    mail_second_organizer: bool = Field(
        default=False, description="Whether another organizer than who wrote it must approve a campaign"
    )
    mail_secret: SecretStr | None = Field(
        default=None, min_length=32, description="Signs what is told of mail that came back; see [Mail](#mail)"
    )
    mail_secret_file: Path | None = Field(default=None, description="A file with that secret, in its place")

    scaling_providers: dict[str, AnyProviderSettings] = Field(
        default={"process": ProcessSettings(kind="process")},
        description="Who may start agents for scaling, by name, as JSON; see [Scaling](#scaling)",
    )

    @field_validator("limit_maxima", mode="before")
    @classmethod
    def _amounts(cls, written: object) -> object:
        """Read what people write, by the keys of bundles, into amounts by the limits' names."""
        try:
            read = json.loads(written) if isinstance(written, str) else written
            return read_maxima(read) if isinstance(read, dict) else read
        except json.JSONDecodeError as error:
            raise ValueError(f'it is no JSON ({error}); write {{"memory": "16 GiB"}}') from None
        except InvalidAmount as invalid:
            raise ValueError(str(invalid).rstrip(".")) from None


def read_settings() -> ServerSettings:
    """Read the settings from the environment.

    Raises:
        InvalidInput: One or more are missing or wrong; the message names each variable.
    """
    try:
        return ServerSettings()  # type: ignore[call-arg]  # the values come from the environment
    except ValidationError as error:
        faults = "; ".join(f"PODIUM_{str(fault['loc'][0]).upper()}: {_said(fault)}" for fault in error.errors())
        raise InvalidInput(f"The settings are not complete: {faults}.", remedy="Set them in the environment.") from None


def _said(fault: ErrorDetails) -> str:
    own = fault.get("ctx", {}).get("error")  # what a validator of ours said
    return str(own) if own else fault["msg"].lower()
