"""An agent without an engine that is killed in the middle of a program: its next life removes what it left."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from podium.agents.executors.process import ProcessExecutor, ProcessSettings

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes control groups here")

AGENT = """
import sys, threading, time
from podium.agents.executors.process import ProcessExecutor, ProcessSettings
from podium.platform.jobs import Limits
from podium.tasks.programs import Program
executor = ProcessExecutor(ProcessSettings(owner=sys.argv[1], bwrap=sys.argv[2], trust_plain_processes=True))
program = Program("a-program", executor.find_image("x"), ("sleep", sys.argv[3]), (), Limits(), working_folder="/tmp")
executor.run(program, deadline=time.monotonic() + 600, stop=threading.Event(), on_output=print)
"""


@pytest.mark.parametrize(("bwrap", "seconds"), [("bwrap", "6161"), ("", "6262")])
def test_next_life_leaves_nothing(owner: str, bwrap: str, seconds: str) -> None:
    agent = subprocess.Popen([sys.executable, "-c", AGENT, owner, bwrap, seconds])
    try:
        assert holds(lambda: runs(seconds))
    finally:
        agent.kill()
        agent.wait(10)
    left = folders(owner)
    assert len(left) == 1
    executor = ProcessExecutor(ProcessSettings(owner=owner))
    try:
        executor.sweep(set())
        assert holds(lambda: not runs(seconds))
        assert not set(left) & set(folders(owner))
        executor.sweep(set())
        assert list(Path("/sys/fs/cgroup").glob(f"*/podium/{owner}/*/")) == []
    finally:
        executor.close()
    assert folders(owner) == []


def folders(owner: str) -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob(f"podium-process-{owner}-*"))


def runs(seconds: str) -> bool:
    return subprocess.run(["pgrep", "-xf", f"sleep {seconds}"], check=False, capture_output=True).returncode == 0


def holds(what: Callable[[], bool]) -> bool:
    give_up = time.monotonic() + 30
    while not what():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.05)
    return True
