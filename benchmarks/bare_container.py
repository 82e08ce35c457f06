"""The floor of the benchmarks: the trivial competition's scoring container, bare, with the very flags of the agent."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

from docker import APIClient
from own_podium import IMAGE, SCORES, Files

from podium.agents.executors.container_config import Confinement, container_config
from podium.agents.executors.engine import inspect_image
from podium.platform.jobs import Limits
from podium.tasks.programs import Image, Mount, Program


class BareContainers:
    """Runs the scoring container through the Docker SDK: create, start, wait, remove, and nothing else.

    Args:
        network_disabled: The network is off by the container's own switch, which the agent takes where its self-test
            shows that this isolates; else by network mode `none`, Docker's ordinary way, which is slower.
    """

    def __init__(self, files: Files, *, network_disabled: bool = True) -> None:
        self._files = files
        self._network_disabled = network_disabled
        self._clients = threading.local()
        digest = str(inspect_image(self._engine(), IMAGE)["Id"])
        self._image = Image(asked=IMAGE, name=IMAGE, digest=digest)

    def once(self) -> float:
        """Run it once; return how many seconds it took."""
        output = self._files.folder / f"output-{uuid4().hex[:12]}"
        output.mkdir()
        output.chmod(0o777)
        engine = self._engine()
        flags = Confinement(network_disabled=self._network_disabled, host_cpus=os.cpu_count() or 1)
        config = container_config(engine, self._program(output), flags, owner="benchmark", cgroup_parent=None)
        began = time.perf_counter()
        container = engine.create_container(**config)
        engine.start(container)
        status = engine.wait(container)["StatusCode"]
        engine.remove_container(container)
        seconds = time.perf_counter() - began
        assert status == 0
        assert json.loads((output / "scores.json").read_text()) == SCORES
        shutil.rmtree(output)
        return seconds

    def many(self, count: int, *, parallel: int) -> float:
        """Run it many times, so many at a time, back to back; return the seconds that all of them took."""
        with ThreadPoolExecutor(parallel) as threads:
            list(threads.map(lambda _: self._engine(), range(parallel)))
            began = time.perf_counter()
            list(threads.map(lambda _: self.once(), range(count)))
            return time.perf_counter() - began

    def _engine(self) -> APIClient:
        """One client for each thread."""
        if not hasattr(self._clients, "engine"):
            self._clients.engine = APIClient()
        engine: APIClient = self._clients.engine
        return engine

    def _program(self, output: Path) -> Program:
        return Program(
            name=f"podium-floor-{uuid4().hex[:12]}",
            image=self._image,
            command=("python3", "score.py"),
            mounts=(
                Mount(self._files.bundle / "scoring_program", "/app/program", read_only=True),
                Mount(self._files.bundle / "reference_data", "/app/input/ref", read_only=True),
                Mount(self._files.submission, "/app/input/res", read_only=True),
                Mount(output, "/app/output", read_only=False),
            ),
            limits=Limits(),
        )
