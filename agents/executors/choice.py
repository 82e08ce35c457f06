"""Which executor an agent has: the one that was asked for, or the best that this host offers."""

from __future__ import annotations

import hashlib

from podium.agents.executors.docker_engine import DockerExecutor, DockerSettings
from podium.agents.executors.process import ProcessExecutor, ProcessSettings
from podium.agents.settings import AgentSettings
from podium.tasks.programs import Executor, ExecutorFault


def choose_executor(settings: AgentSettings) -> Executor:
    """The agent's executor; `auto` takes Docker where an engine answers, else processes.

    Raises:
        ExecutorFault: What was asked for can't be had.
    """
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
        DockerSettings(owner=_owner(settings), image_aliases=settings.image_aliases, pull=settings.pull)
    )


def _processes(settings: AgentSettings) -> Executor:
    return ProcessExecutor(
        ProcessSettings(owner=_owner(settings), trust_plain_processes=settings.trust_plain_processes)
    )


def _owner(settings: AgentSettings) -> str:
    """Whose containers they are: agents of one name in two folders are two agents, and sweep each their own."""
    folder = hashlib.sha256(str(settings.folder.resolve()).encode()).hexdigest()[:8]
    return f"{settings.name}-{folder}"
