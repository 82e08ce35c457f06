"""An engine that is killed in the middle of a program, and comes back."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from private_engine import PrivateEngine

from podium.agents.executors.docker_engine import DockerExecutor, DockerSettings
from podium.tasks.programs import ExecutorFault

from .conftest import Runner
from .test_prepared import Bench, wait_until

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def engine(python_image: str) -> Iterator[PrivateEngine]:
    engine = PrivateEngine()
    try:
        engine.start()
        engine.load(python_image)
        yield engine
    finally:
        engine.remove()


def test_program_is_a_fault_of_the_platform_and_the_next_sweep_leaves_nothing(
    engine: PrivateEngine, python_image: str, owner: str, open_folder: Path
) -> None:
    settings = DockerSettings(
        owner=owner, base_url=engine.address, pull="never", prepared=2, prepared_folder=open_folder / "prepared"
    )
    executor = DockerExecutor(settings)
    executor.check()
    run = Runner(executor, executor.find_image(python_image))
    bench = Bench(executor, run.image, open_folder)
    for _ in range(2):
        bench.run("true")
    assert wait_until(bench.waits)

    on = threading.Event()

    def kill_the_engine() -> None:
        assert on.wait(30)
        engine.kill()

    killer = threading.Thread(target=kill_the_engine)
    killer.start()
    try:
        with pytest.raises(ExecutorFault, match="could not be reached"):
            run("sh", "-c", "echo on; exec sleep 5151", on_output=lambda *_: on.set())
        killer.join()
        with pytest.raises(ExecutorFault, match="could not be reached"):
            executor.check()
        assert running("sleep 5151")
    finally:
        engine.start()

    client = engine.client()

    def nothing_is_left() -> bool:
        # The program's end is still being cleared up in the background, and until then the container is not forgotten.
        executor.sweep(set())
        return client.containers(all=True) == []

    assert wait_until(nothing_is_left)
    assert client.volumes()["Volumes"] in (None, [])
    client.close()
    assert not running("sleep 5151")
    assert list(Path("/sys/fs/cgroup").glob(f"*/podium/{owner}/*/")) == []
    assert list((open_folder / "prepared").iterdir()) == []
    # The same agent goes on.
    assert bench.run("true").end.exit_status == 0
    assert bench.ahead("true").end.exit_status == 0
    executor.close()
    assert list(Path("/sys/fs/cgroup").glob(f"*/podium/{owner}")) == []


def running(command: str) -> bool:
    return subprocess.run(["pgrep", "-xf", command], check=False, capture_output=True).returncode == 0
