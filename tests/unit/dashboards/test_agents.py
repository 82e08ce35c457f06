"""The page of agents and pools, run by Streamlit's own test harness over the stand-in gateway."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from stand_in import StandIn, make_person
from stand_in_organizing import ago
from streamlit.testing.v1 import AppTest

from podium.dashboards.pool_cards import has_words, state_words
from podium.platform.records.pools import AgentRecord, AgentRun, PastAttempt, PoolRecord, PoolView

Visit = Callable[..., AppTest]


def _html(test: AppTest) -> str:
    return "\n".join(element.proto.body for element in test.get("html"))


def make_agent(name: str = "host-1", **changes: object) -> AgentRecord:
    labels = {"cpus": "8", "memory_bytes": str(16 * 1024**3), "gpus": "2", "images": "a:1,b:2", "image_aliases": "c"}
    agent = AgentRecord(name, "annas", "0.1.0", 4, "docker", labels, "", datetime.now(UTC), alive=True)
    return replace(agent, **changes)


def make_pool(*agents: AgentRecord, name: str = "annas", **changes: object) -> PoolView:
    past = PastAttempt(
        "iris", 7, uuid4(), 1, "host-1", "lost", "Its agent was not heard of any more.", ago(hours=1), 61.0
    )
    pool = PoolRecord(name, "", len(agents), 3, owner="anna", sees_agents=True, is_yours=True)
    view = PoolView(pool, ("ben",), ("iris",), agents, 95.0, {"lost": 1, "succeeded": 12}, 4.5, (past,))
    return replace(view, **changes)


@pytest.fixture
def anna(stand_in: StandIn) -> StandIn:
    stand_in.people["anna"] = make_person("anna", may_organize=True)
    return stand_in


def test_visitors_are_asked_to_sign_in_and_newcomers_are_told_how_to_make_a_pool(anna: StandIn, visit: Visit):
    assert "Sign in to see agents" in _html(visit("agents"))
    anna.organized.pools["docker"] = PoolRecord("docker", "", 2, 5)
    test = visit("agents", "anna")
    assert "You have no pool yet" in _html(test)
    assert "podium pool create" in test.code[0].value
    assert "Other pools that you may use" in _html(test)


def test_a_pool_is_shown_with_its_agents_and_what_they_did(anna: StandIn, visit: Visit):
    run = AgentRun("iris", 8, uuid4(), 2, "scoring", ago(seconds=75))
    agents = (
        make_agent(runs=(run,), notice="Install <0.2>."),
        make_agent("host-2", trouble="The engine is gone."),
        make_agent("host-3", cordoned=ago(hours=2)),
        make_agent("host-4", alive=False),
    )
    anna.organized.pools["annas"] = make_pool(*agents)
    test = visit("agents", "anna")
    shown = _html(test)
    for words in (
        "iris #8 for 1 minute",
        "attempt 2",
        "Install &lt;0.2&gt;.",
        "host-2: The engine is gone.",
        "cordoned",
        "gone",
        'data-label="Cores">8</td><td data-label="Memory">16 GiB</td><td data-label="GPUs">2</td>',
        "1 of 4",
        "1 of 12 slots",
        "3 of 4",
        "1 min 35 s",
        "1 lost, 12 succeeded",
        "1 min 01 s",
    ):
        assert words in shown
    assert "podium agent drain NAME --pool annas" in test.code[0].value


def test_a_pool_that_takes_nothing_says_so(anna: StandIn, visit: Visit):
    view = make_pool(make_agent())
    anna.organized.pools["annas"] = replace(view, pool=replace(view.pool, cordoned=ago(hours=2)))
    assert "its agents take nothing new" in _html(visit("agents", "anna"))
    anna.organized.pools["annas"] = make_pool()
    assert "No agent of this pool is running." in _html(visit("agents", "anna"))
    anna.organized.pools["annas"] = make_pool(make_agent(trouble="No room."))
    assert "None of its agents takes work." in _html(visit("agents", "anna"))


def test_one_of_several_pools_is_chosen(anna: StandIn, visit: Visit):
    anna.organized.pools["annas"] = make_pool(make_agent())
    anna.organized.pools["shared"] = make_pool(make_agent("elsewhere"), name="shared")
    assert "elsewhere" in _html(visit("agents", "anna", pool="shared"))
    assert "elsewhere" not in _html(visit("agents", "anna", pool="annas"))


def test_agents_in_words():
    assert state_words(make_agent()) == "ready"
    assert has_words(make_agent(labels={"memory_bytes": "much", "relaxations": "network,root", "images": "a:1,"})) == (
        *("", "", "", "docker", ""),
        "network, root",
        "1+",
    )
