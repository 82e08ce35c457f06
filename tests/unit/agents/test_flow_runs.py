"""Flows that run in an agent's threads."""

from __future__ import annotations

import subprocess
import sys

LOADING = """
import anyio
from importlib import resources
import yaml
from podium.agents.flow_runs import LoadedFlows

plan = yaml.safe_load(resources.files("podium.flows").joinpath("prefect.yaml").read_text())
entrypoints = sorted({deployment["entrypoint"] for deployment in plan["deployments"]})

async def load(flows, entrypoint):
    assert (await flows.load(entrypoint)).fn.__name__ == entrypoint.split(":")[1]

async def main():
    flows = LoadedFlows()
    async with anyio.create_task_group() as tasks:
        for entrypoint in entrypoints:
            tasks.start_soon(load, flows, entrypoint)

anyio.run(main)
print(len(entrypoints))
"""


def test_flows_that_are_wanted_at_once_are_imported_one_at_a_time():
    # By a process that has imported none of them, as an agent that was killed while much was to be done.
    done = subprocess.run([sys.executable, "-c", LOADING], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 5
