"""A real Docker engine, with images made by Podium's own code. No engine is a failure, not a skip."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from real_registry import Images, Registry, running

from podium.agents.executors.docker_engine import DockerExecutor, DockerSettings
from podium.agents.executors.process import ProcessExecutor, ProcessSettings
from podium.agents.images.build import build_images
from podium.platform.bundles.content import Relaxations
from podium.platform.jobs import MIB, Limits
from podium.tasks.programs import Executor, Image, Mount, OnOutput, Program, ProgramEnd, Stream

SMALL = Limits(memory_bytes=256 * MIB, temporary_bytes=32 * MIB, processes=64, log_bytes=MIB)


@dataclass
class Ran:
    """A program that was run, and all that it wrote."""

    end: ProgramEnd
    pieces: list[tuple[Stream, bytes]]
    seconds: float

    def text(self, stream: Stream = "stdout") -> str:
        return b"".join(piece for name, piece in self.pieces if name == stream).decode()


@dataclass
class Runner:
    """Runs commands by an executor."""

    executor: Executor
    image: Image
    pieces: list[tuple[Stream, bytes]] = field(default_factory=list)

    def __call__(
        self,
        *command: str,
        limits: Limits = SMALL,
        mounts: tuple[Mount, ...] = (),
        seconds: float = 60,
        stop: threading.Event | None = None,
        image: Image | None = None,
        on_output: OnOutput | None = None,
        attempt: str = "an-attempt",
        working_folder: str = "/tmp",
        trusted: bool = False,
        relaxations: Relaxations | None = None,
        runtime: str = "",
    ) -> Ran:
        pieces: list[tuple[Stream, bytes]] = []

        def keep(stream: Stream, piece: bytes) -> None:
            pieces.append((stream, piece))

        program = Program(
            name=f"podium-test-{uuid.uuid4().hex[:12]}",
            image=image or self.image,
            command=command,
            mounts=mounts,
            limits=limits,
            working_folder=working_folder,
            labels={"attempt": attempt},
            trusted=trusted,
            relaxations=relaxations or Relaxations(),
            runtime=runtime,
        )
        began = time.monotonic()
        end = self.executor.run(
            program, deadline=began + seconds, stop=stop or threading.Event(), on_output=on_output or keep
        )
        return Ran(end, pieces, time.monotonic() - began)

    def python(self, code: str, **how: object) -> Ran:
        return self("python3", "-c", code, **how)  # type: ignore[arg-type] -- passed on as they are


@pytest.fixture(scope="session")
def python_image() -> str:
    """The name of the Python image, which is made if it is not there."""
    return build_images(lambda _: None)[0].name


@pytest.fixture
def owner() -> str:
    return f"test-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def docker_executor(python_image: str, owner: str) -> Iterator[DockerExecutor]:
    executor = DockerExecutor(DockerSettings(owner=owner, pull="never"))
    executor.check()
    yield executor
    executor.close()


@pytest.fixture
def run(docker_executor: DockerExecutor, python_image: str) -> Runner:
    return Runner(docker_executor, docker_executor.find_image(python_image))


@pytest.fixture
def sandbox(owner: str) -> Iterator[Runner]:
    executor = ProcessExecutor(ProcessSettings(owner=owner))
    executor.check()
    yield Runner(executor, executor.find_image("anything"))
    executor.close()


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that other users can reach: pytest closes its own to them."""
    # With several workers, there is one folder more above it.
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o711)
        if folder.name.startswith("pytest-of-"):
            break
    return tmp_path


@pytest.fixture
def images() -> Iterator[Images]:
    """Small images on the engine, gone after the test."""
    made = Images()
    yield made
    made.clear()


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """A real registry that anybody may use."""
    with running(Registry(tmp_path / "registry")) as started:
        yield started
