"""What can be set for an agent: in the environment, or on its command line."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from podium.platform.errors import InvalidInput

Relaxation = Literal["network", "private_network", "root"]


class AgentSettings(BaseSettings):
    """Settings of an agent. There is no storage key and no database address among them, and never will be."""

    model_config = SettingsConfigDict(env_prefix="PODIUM_AGENT_", extra="ignore")

    gateway: str = Field(
        default="http://127.0.0.1:8400", validation_alias="PODIUM_GATEWAY", description="The gateway's address"
    )
    token: SecretStr | None = Field(default=None, description="The agent's token")
    token_file: Path | None = Field(default=None, description="A file that holds it")
    pool: str = Field(default="", description="The pool that the agent takes work from")
    name: str = Field(default_factory=socket.gethostname, description="The agent's name, unique in its pool")
    slots: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, description="Flow runs at the same time")
    folder: Path = Field(default=Path("podium-agent"), description="Where it keeps its cache and works")
    executor: Literal["auto", "docker", "process", "none"] = Field(
        default="auto", description="How programs are run; `none` for a pool that runs the platform's own flows only"
    )
    image_aliases: dict[str, str] = Field(
        default={},
        description="Image names that bundles ask for, or patterns of them, to names on this host (JSON)",
    )
    pull: Literal["missing", "always", "never"] = Field(default="missing", description="When images are pulled")
    pull_seconds: float = Field(default=900, gt=0, description="How long pulling an image may take, retries included")
    registry_credentials_file: Path | None = Field(
        default=None, description="Logins of private registries: a `config.json` of Docker's, closed to other users"
    )
    images_bytes: int = Field(
        default=50 * 1024**3, gt=0, description="What the images that the agent pulled may take together"
    )
    images_disk_percent: float = Field(
        default=85, gt=0, le=100, description="How full the engine's disk may be before pulled images are removed"
    )
    submitted_image_bytes: int = Field(
        default=16 * 1024**3, gt=0, description="Largest unpacked image that a participant may submit"
    )
    prepared_containers: int | None = Field(
        default=None,
        ge=0,
        description="How many containers wait ready for programs that come again, so that these start sooner; "
        "0 for none",
    )
    relaxations: Annotated[frozenset[Relaxation], NoDecode] = Field(
        default=frozenset(),
        description="What competitions that ask for it may relax: `network`, `private_network`, `root`, with commas",
    )
    gpus: str = Field(
        default="auto",
        description="GPUs to hand out: `all`, ids with commas, or nothing; `auto` for all that the engine can give",
    )
    trust_plain_processes: bool = Field(
        default=False, description="Without bubblewrap, run organizers' programs as plain processes"
    )
    cache_bytes: int = Field(default=20 * 1024**3, gt=0, description="Size of the cache of datasets")
    grace_seconds: float = Field(default=20, ge=0, description="How long a stop waits for what is under way")

    @field_validator("relaxations", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    def secret(self) -> str:
        """The agent's token.

        Raises:
            InvalidInput: There is none, or its file can't be read.
        """
        if self.token is not None:
            return self.token.get_secret_value().strip()
        if self.token_file is None:
            raise InvalidInput("The agent has no token.", remedy="Set PODIUM_AGENT_TOKEN or PODIUM_AGENT_TOKEN_FILE.")
        try:
            return self.token_file.read_text().strip()
        except OSError as error:
            raise InvalidInput(f"The token file {self.token_file} can't be read: {error.strerror}.") from None


def read_agent_settings() -> AgentSettings:
    """Read the settings from the environment.

    Raises:
        InvalidInput: One or more are wrong; the message names each variable.
    """
    try:
        return AgentSettings()
    except ValidationError as error:
        faults = "; ".join(
            f"PODIUM_AGENT_{str(fault['loc'][0]).upper()}: {fault['msg'].lower()}" for fault in error.errors()
        )
        raise InvalidInput(f"The agent's settings are not right: {faults}.") from None
