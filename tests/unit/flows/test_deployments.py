"""The pools and deployments that `prefect.yaml` names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.flows import Flow, load_flow_from_entrypoint

from podium.platform.orchestration import CREATE_COMPETITION, PLATFORM_POOL, SCORE_SUBMISSION
from podium.platform.provision import AGENT_POOLS, POOLS

ROOT = Path(__file__).parents[3]
PLAN = yaml.safe_load((ROOT / "prefect.yaml").read_text())
DEPLOYMENTS = PLAN["deployments"]
QUEUES = ["fast", "default", "rerun"]


def test_the_file_that_is_shipped_is_the_one_in_the_root() -> None:
    assert (ROOT / "prefect.yaml").read_bytes() == (ROOT / "flows" / "prefect.yaml").read_bytes()


def test_the_pools_are_those_that_podium_has_rows_for() -> None:
    assert sorted(POOLS) == sorted(pool["name"] for pool in PLAN["work_pools"])
    assert set(AGENT_POOLS) <= set(POOLS)


@pytest.mark.parametrize("pool", PLAN["work_pools"], ids=lambda pool: pool["name"])
def test_every_pool_has_the_queues_in_their_order(pool: dict[str, Any]) -> None:
    assert [queue["name"] for queue in sorted(pool["queues"], key=lambda queue: queue["priority"])] == QUEUES


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda found: f"{found['flow_name']}/{found['name']}")
def test_every_deployment_loads_and_has_its_pool(deployment: dict[str, Any]) -> None:
    flow: Flow[..., Any] = load_flow_from_entrypoint(deployment["entrypoint"], use_placeholder_flow=False)
    assert flow.name == deployment["flow_name"]
    assert deployment["work_pool"]["name"] in {pool["name"] for pool in PLAN["work_pools"]}
    assert deployment["work_pool"]["work_queue_name"] in QUEUES
    # The platform finds a deployment by its flow and its pool.
    assert deployment["name"] == deployment["work_pool"]["name"]
    assert set(flow.parameters.required) == set(deployment["parameters_schema"]["required"])
    assert set(flow.parameters.properties) == set(deployment["parameters_schema"]["properties"])


def test_what_the_platform_dispatches_is_deployed() -> None:
    names = {(found["flow_name"], found["name"]) for found in DEPLOYMENTS}
    scored = {(SCORE_SUBMISSION, pool) for pool in POOLS if pool != PLATFORM_POOL}
    assert {(CREATE_COMPETITION, PLATFORM_POOL), *scored} <= names
