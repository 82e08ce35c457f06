"""Relaxations, runtimes and GPUs: asked for by organizers, granted to agents that have them, and waited for."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from world import Known, RunningGateway, World, phase, problem_of

from podium.platform.bundles.content import Relaxations
from podium.platform.client import Client
from podium.platform.errors import InvalidInput, NotAllowed, NotFound
from podium.platform.jobs import CONTRACT, ScoringJob, Wake
from podium.platform.models import Competition, Event, Phase, Submission

RELAXED = {"network": ["data.example"], "root": True}


@pytest.fixture
def root(world: World) -> Known:
    return world.person("root", administrator=True)


class Fleet:
    """Agents of a pool, as they show themselves to the gateway."""

    def __init__(self, gateway: RunningGateway, token: str) -> None:
        self.gateway = gateway
        self.token = token

    def hello(self, name: str, *, executor: str = "docker", trouble: str = "", **labels: str) -> None:
        body = {
            "name": name,
            "pool": "docker",
            "version": "1",
            "slots": 1,
            "executor": executor,
            "labels": labels,
            "trouble": trouble,
        }
        answer = self.gateway.call("POST", "/agent/hello", self.token, json={"contract": CONTRACT, **body})
        assert answer.status_code == 200, answer.text

    def queue(self, name: str, *, gpus: int = 0) -> list[UUID]:
        answer = self.gateway.call("GET", "/agent/wake", self.token, params={"agent": name, "gpus": gpus})
        return [run.submission_id for run in Wake.model_validate_json(answer.content).runs]

    def claim(self, name: str, submission_id: UUID, *, gpus: int = 0) -> Any:  # noqa: ANN401  # a response of httpx's
        body = {"contract": CONTRACT, "submission_id": str(submission_id), "flow_run_id": str(uuid4()), "gpus": gpus}
        return self.gateway.call("POST", "/agent/claims", self.token, params={"agent": name}, json=body)


@pytest.fixture
def fleet(gateway: RunningGateway, world: World) -> Fleet:
    return Fleet(gateway, world.agent_token())


def dispatched(world: World, person: Known, slug: str, **options: Any) -> UUID:  # noqa: ANN401  # of `submit`
    """A queued submission that has its flow run."""
    submission_id: UUID = world.submit(person, slug, **options)
    with world.session() as session:
        session.execute(update(Submission).where(Submission.id == submission_id).values(flow_run_id=uuid4()))
    return submission_id


def status_message(gateway: RunningGateway, person: Known, submission_id: UUID) -> str:
    with Client(gateway.address, person.token) as client:
        return client.submission(submission_id).status_message


def test_relaxations_of_a_bundle_are_recorded_and_shown_to_everyone(
    gateway: RunningGateway, world: World, olga: Known
) -> None:
    slug = world.competition(olga, relaxations=RELAXED)
    with Client(gateway.address) as anybody:
        shown = anybody.competition(slug).relaxations
    assert shown == Relaxations(network=("data.example:443",), root=True)


def test_only_organizers_relax_and_who_did_it_is_remembered(
    gateway: RunningGateway, world: World, olga: Known, ada: Known
) -> None:
    slug = world.competition(olga)
    with Client(gateway.address, ada.token) as client, pytest.raises(NotAllowed, match="Only the organizers"):
        client.relax(slug, root=True)
    with Client(gateway.address, olga.token) as client:
        assert client.relax(slug, root=True).relaxations == Relaxations(root=True)
        both = client.relax(slug, network=["Data.example", "data.example:443", "a.example:80"]).relaxations
        assert both == Relaxations(network=("data.example:443", "a.example:80"), root=True)
        client.relax(slug, root=True)  # changes nothing
        assert client.relax(slug, network=[], root=False).relaxations == Relaxations()
    with world.session() as session:
        competition = session.scalars(select(Competition).where(Competition.slug == slug)).one()
        events = session.scalars(select(Event).where(Event.subject_id == competition.id).order_by(Event.id)).all()
        told = [(event.actor, event.before, event.after, event.reason) for event in events]
    assert [one[:3] for one in told] == [
        ("person:olga", "strict", "relaxed"),
        ("person:olga", "relaxed", "relaxed"),
        ("person:olga", "relaxed", "strict"),
    ]
    assert "may connect to data.example:443, a.example:80" in told[1][3]


def test_what_can_not_be_allowed_is_refused_all_at_once(gateway: RunningGateway, world: World, olga: Known) -> None:
    slug = world.competition(olga)
    with Client(gateway.address, olga.token) as client:
        with pytest.raises(InvalidInput, match=r"\*\.org.*wildcard.*127\.0\.0\.1.*no program may ever") as refused:
            client.relax(slug, network=["*.org", "127.0.0.1:80", "data.example"])
        assert "host:port" in refused.value.remedy
        assert client.competition(slug).relaxations == Relaxations()


def test_a_relaxed_submission_is_for_agents_that_allow_it(
    gateway: RunningGateway, world: World, fleet: Fleet, olga: Known, ada: Known
) -> None:
    slug = world.competition(olga, relaxations=RELAXED)
    world.join(ada, slug)
    submission_id = dispatched(world, ada, slug)
    fleet.hello("plain", runtimes="runc", relaxations="", gpus="0")
    fleet.hello("half", runtimes="runc", relaxations="network", gpus="0")
    for name in ("plain", "half", "never-heard-of", ""):
        assert fleet.queue(name) == []
        problem = problem_of(fleet.claim(name, submission_id))
        assert (problem["type"], problem["status"]) == ("does-not-fit", 409)
        assert "allows the relaxation `root`" in problem["detail"]
    for person in (ada, olga):
        assert status_message(gateway, person, submission_id) == (
            "No agent of pool 'docker' allows the relaxation `root`; it is scored as soon as one does."
        )
    assert world.submission(submission_id).status == "queued"
    fleet.hello("whole", relaxations="network,root")
    assert "relaxation" not in status_message(gateway, ada, submission_id)
    assert fleet.queue("whole") == [submission_id]
    answer = fleet.claim("whole", submission_id)
    assert answer.status_code == 201
    job = ScoringJob.model_validate_json(answer.content)
    assert job.relaxations == Relaxations(network=("data.example:443",), root=True)


def test_a_submission_waits_no_more_once_nothing_is_relaxed(
    gateway: RunningGateway, world: World, fleet: Fleet, olga: Known, ada: Known
) -> None:
    slug = world.competition(olga, relaxations=RELAXED)
    world.join(ada, slug)
    submission_id = dispatched(world, ada, slug)
    fleet.hello("plain")
    assert fleet.queue("plain") == []
    with Client(gateway.address, olga.token) as client:
        client.relax(slug, network=[], root=False)
    assert fleet.queue("plain") == [submission_id]


def test_what_an_agent_can_not_run_does_not_keep_it_from_the_rest(
    world: World, fleet: Fleet, olga: Known, ada: Known
) -> None:
    relaxed = world.competition(olga, title="Relaxed", relaxations=RELAXED)
    on_gpus = world.competition(olga, title="On GPUs")
    plain = world.competition(olga, title="Plain")
    for slug in (relaxed, on_gpus, plain):
        world.join(ada, slug)
    with world.session() as session:
        chosen = select(Competition.id).where(Competition.slug == on_gpus).scalar_subquery()
        session.execute(update(Phase).where(Phase.competition_id == chosen).values(limits={"gpus": 1}))
    first = [dispatched(world, ada, relaxed) for _ in range(20)]
    second = [dispatched(world, ada, on_gpus) for _ in range(20)]
    third = [dispatched(world, ada, plain) for _ in range(3)]
    fleet.hello("plain", gpus="0")
    fleet.hello("gpu", gpus="2")
    fleet.hello("whole", gpus="1", relaxations="network,root")
    assert fleet.queue("plain") == third
    assert fleet.queue("gpu", gpus=1) == second[:16]
    assert fleet.queue("gpu", gpus=0) == third  # both of its GPUs are busy
    assert fleet.queue("whole", gpus=1) == first[:16]


def test_a_gpu_is_waited_for_and_set_aside_before_the_claim(
    gateway: RunningGateway, world: World, fleet: Fleet, olga: Known, ada: Known
) -> None:
    slug = world.competition(olga)
    world.join(ada, slug)
    with world.session() as session:
        session.execute(update(Phase).values(limits={"gpus": 1, "cpus": 4, "memory_bytes": 8 * 1024**3}))
    submission_id = dispatched(world, ada, slug)
    fleet.hello("plain", gpus="0", cpus="2", memory_bytes=str(4 * 1024**3))
    assert status_message(gateway, ada, submission_id) == (
        "No agent of pool 'docker' has 1 GPU, has 4 cores and has 8 GiB of memory; it is scored as soon as one does."
    )
    fleet.hello("gpu", gpus="1", cpus="8", memory_bytes=str(16 * 1024**3))
    assert problem_of(fleet.claim("gpu", submission_id))["type"] == "does-not-fit"
    answer = fleet.claim("gpu", submission_id, gpus=1)
    assert answer.status_code == 201, answer.text
    assert ScoringJob.model_validate_json(answer.content).submission_id == submission_id


def test_a_pools_runtime_is_for_agents_whose_engine_has_it(
    gateway: RunningGateway, world: World, fleet: Fleet, olga: Known, ada: Known, root: Known
) -> None:
    slug = world.competition(olga, phases=[phase()])
    world.join(ada, slug)
    submission_id = dispatched(world, ada, slug)
    fleet.hello("plain", runtimes="runc")
    with Client(gateway.address, root.token) as client:
        assert client.set_runtime("docker", "runsc").runtime == "runsc"
        pools = {pool.name: pool for pool in client.pools()}
        with pytest.raises(InvalidInput, match="can't be the name of a runtime"):
            client.set_runtime("docker", "--privileged")
        with pytest.raises(NotFound, match="no pool 'none'"):
            client.set_runtime("none", "runsc")
    assert (pools["docker"].runtime, pools["docker"].agents, pools["docker"].queued) == ("runsc", 1, 1)
    assert fleet.queue("plain") == []
    assert "has the runtime `runsc`" in status_message(gateway, ada, submission_id)
    fleet.hello("hard", runtimes="runc,runsc")
    job = ScoringJob.model_validate_json(fleet.claim("hard", submission_id).content)
    assert job.runtime == "runsc"
    with world.session() as session:
        event = session.scalars(select(Event).where(Event.subject == "pool")).one()
        assert (event.actor, event.before, event.after) == ("person:root", "default", "runsc")


def test_an_agent_in_trouble_does_not_count_as_one_that_fits(
    gateway: RunningGateway, world: World, fleet: Fleet, olga: Known, ada: Known
) -> None:
    slug = world.competition(olga, relaxations=RELAXED)
    world.join(ada, slug)
    submission_id = dispatched(world, ada, slug)
    fleet.hello("whole", relaxations="network,root", trouble="The engine is gone.")
    fleet.hello("plain")
    assert "allows the relaxation" in status_message(gateway, ada, submission_id)
