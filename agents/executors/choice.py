"""Which executor an agent has: the one that was asked for, or the best that this host offers."""

from __future__ import annotations

import hashlib

from podium.agents.executors.docker_engine import DockerExecutor, DockerSettings
from podium.agents.executors.process import ProcessExecutor, ProcessSettings
from podium.agents.images.cache import Room
from podium.agents.images.credentials import read_logins
from podium.agents.settings import AgentSettings
from podium.platform.image_archives import ImageLimits
from podium.tasks.programs import Executor, ExecutorFault


def choose_executor(settings: AgentSettings) -> Executor:
    """The agent's executor; `auto` takes Docker where an engine answers, else processes.

    Raises:
        ExecutorFault: What was asked for can't be had.
        InvalidInput: The file with the registries' credentials can't be used.
    """
    if settings.registry_credentials_file:
        read_logins(settings.registry_credentials_file)  # said at the start, rather than with the first pull
    if settings.executor == "process":
        return _processes(settings)
    try:
        return _docker(settings)
    except ExecutorFault:
        if settings.executor == "docker":
            raise
        return _processes(settings)


def _docker(settings: AgentSettings) -> Executor:
    return DockerExecutor(
        DockerSettings(
            owner=_owner(settings),
            image_aliases=settings.image_aliases,
            pull=settings.pull,
            gpus=settings.gpus,
            relaxations=frozenset(settings.relaxations),
            pull_seconds=settings.pull_seconds,
            prepared=2 * settings.slots if settings.prepared_containers is None else settings.prepared_containers,
            prepared_folder=settings.folder.resolve() / "prepared",
            credentials=settings.registry_credentials_file,
            images=settings.folder.resolve() / "images.json",
            room=Room(bytes=settings.images_bytes, disk_percent=settings.images_disk_percent),
            submitted=ImageLimits(bytes=settings.submitted_image_bytes),
        )
    )


def _processes(settings: AgentSettings) -> Executor:
    return ProcessExecutor(
        ProcessSettings(owner=_owner(settings), trust_plain_processes=settings.trust_plain_processes)
    )


def _owner(settings: AgentSettings) -> str:
    """Whose containers they are: agents of one name in two folders are two agents, and sweep each their own."""
    folder = hashlib.sha256(str(settings.folder.resolve()).encode()).hexdigest()[:8]
    return f"{settings.name}-{folder}"
