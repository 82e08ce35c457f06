"""What an operator says of providers (`PODIUM_SCALING_PROVIDERS`). Scaling names one; it can't describe another.

So whoever holds an administrator's token can start more of the operator's agents, and not run programs of their own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

LOCAL_ENGINE = "unix:///var/run/docker.sock"


class ProviderSettings(BaseModel):
    """What all providers have: `gateway` and `prefect` where agents reach them under addresses of their own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gateway: str = ""
    prefect: str = ""
    environment: dict[str, str] = {}

    @field_validator("environment")
    @classmethod
    def _agents_alone(cls, environment: dict[str, str]) -> dict[str, str]:
        if foreign := sorted(name for name in environment if not name.startswith("PODIUM_AGENT_")):
            raise ValueError(f"an agent's settings begin with PODIUM_AGENT_, not so {', '.join(foreign)}")
        return environment


class ProcessSettings(ProviderSettings):
    """Agents as processes on the host where the platform's own flows run."""

    kind: Literal["process"]


class DockerSettings(ProviderSettings):
    """Agents as containers.

    Attributes:
        hosts: Engines: `unix://`, `tcp://` or `ssh://`; the one with the fewest agents gets the next.
        image: What has `podium[agent]`; it must be on the hosts.
        network: The containers' network.
        docker_socket: Give each agent its host's engine, and thereby the host. Without it an agent has no containers
            to run programs in.
        folder: On the hosts: each agent works in a folder below it, which has the same path inside.
        per_host: Agents on one host at most.
        tls_folder: With `ca.pem`, `cert.pem` and `key.pem`, for `tcp://`.
    """

    kind: Literal["docker"]
    hosts: Annotated[tuple[str, ...], Field(min_length=1)] = (LOCAL_ENGINE,)
    image: str = "podium/agent:latest"
    network: str = "host"
    docker_socket: bool = False
    folder: Path = Path("/var/lib/podium-agents")
    per_host: Annotated[int, Field(ge=1)] | None = None
    tls_folder: Path | None = None


class CommandSettings(ProviderSettings):
    """Agents wherever an operator's program starts them.

    Attributes:
        command: The program and its arguments.
        timeout: Seconds that one call may take.
        inherit: Variables that it gets from the platform's environment, such as a cloud's keys.
    """

    kind: Literal["command"]
    command: Annotated[tuple[str, ...], Field(min_length=1)]
    timeout: Annotated[float, Field(gt=0, le=600)] = 60.0
    inherit: tuple[str, ...] = ()


AnyProviderSettings = Annotated[ProcessSettings | DockerSettings | CommandSettings, Field(discriminator="kind")]
"""Settings of a provider of any kind."""
