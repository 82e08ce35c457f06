"""What an organizer's pool is in Prefect, and what is said of agents whose version differs."""

from __future__ import annotations

import pytest

from podium.platform.agent_views import upgrade_notice
from podium.platform.orchestration import SCORING_FLOWS, scoring_plan
from podium.platform.placement import Needs, Offer, fits, missing, offer_of


def test_a_pool_of_an_organizer_is_made_after_the_platforms() -> None:
    plan = scoring_plan("annas-hosts")
    assert [pool["name"] for pool in plan["work_pools"]] == ["annas-hosts"]
    assert [queue["name"] for queue in plan["work_pools"][0]["queues"]] == ["fast", "default", "rerun"]
    made = [(one["flow_name"], one["name"], one["work_pool"]["name"]) for one in plan["deployments"]]
    assert made == [(flow, "annas-hosts", "annas-hosts") for flow in SCORING_FLOWS]


def test_an_upgrade_is_advised_where_versions_differ() -> None:
    assert upgrade_notice("1.2.0", "1.2.0") == ""
    assert "podium[agent]==1.3.0" in upgrade_notice("1.2.0", "1.3.0")


@pytest.mark.parametrize(
    ("asked", "labels", "can_run"),
    [
        ("python:3.11", {}, True),
        ("python:3.11", {"pull": "missing", "images": "other:1"}, True),
        ("python:3.11", {"pull": "always", "images": ""}, True),
        ("python:3.11", {"pull": "never", "images": ""}, False),
        ("python:3.11", {"pull": "never", "images": "python:3.11,other:1"}, True),
        ("python", {"pull": "never", "images": "python:latest"}, True),
        ("docker.io/library/python", {"pull": "never", "images": "python:latest"}, True),
        ("registry:5000/python", {"pull": "never", "images": "registry:5000/python:latest"}, True),
        ("python:3.12", {"pull": "never", "images": "python:3.11"}, False),
        ("codalab/codalab-legacy:py37", {"pull": "never", "image_aliases": "codalab/codalab-legacy:*"}, True),
        ("x@sha256:12", {"pull": "never", "image_aliases": "x@sha256:12"}, True),
        ("python:3.12", {"pull": "never", "images": "a:1,b:2,"}, True),  # there are more than could be said
    ],
)
def test_an_image_matters_where_none_is_pulled(asked: str, labels: dict[str, str], *, can_run: bool) -> None:
    needs, offer = Needs(image=asked), offer_of("host", "docker", labels)
    assert fits(needs, offer) is can_run
    assert bool(missing(needs, offer)) is not can_run


def test_an_agent_without_labels_has_no_list_of_images() -> None:
    assert Offer().images is None
    assert offer_of("host", "docker", {"pull": "never"}).images == frozenset()
