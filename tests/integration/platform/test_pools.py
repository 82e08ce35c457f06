"""Pools of organizers: who has them, their tokens, competitions in them, and agents that take nothing new."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Select, select, update
from stand_in_prefect import StandInPrefect
from world import Known, RunningGateway, World, problem_of

from podium.platform.client import Client
from podium.platform.database import Database
from podium.platform.dispatch import Dispatcher
from podium.platform.errors import Conflict, InvalidInput, NotAllowed, NotFound, PodiumError
from podium.platform.jobs import CONTRACT
from podium.platform.models import Agent, Event, Person, Token, now
from podium.platform.orchestration import Orchestration
from podium.platform.pools import POOLS_EACH
from podium.platform.settings import ServerSettings
from podium.platform.version import VERSION

Connect = Callable[[str | None], Client]
HOSTS = "annas-hosts"


@pytest.fixture
def anna(world: World, connect: Connect) -> Client:
    return connect(world.person("anna", organizer=True).token)


@pytest.fixture
def ben(world: World, connect: Connect) -> Client:
    return connect(world.person("ben", organizer=True).token)


@pytest.fixture
def root(world: World, connect: Connect) -> Client:
    return connect(world.person("root", administrator=True).token)


@pytest.fixture
def hosts(anna: Client) -> str:
    return anna.create_pool(HOSTS).name


@pytest.fixture
def token(anna: Client, hosts: str) -> str:
    return anna.issue_agent_token(hosts, "host").secret


@pytest.fixture
def dispatcher(settings: ServerSettings, database: Database) -> Iterator[Dispatcher]:
    orchestration = Orchestration(settings.prefect_api_url)
    yield Dispatcher(database, orchestration, upload_seconds=3600)
    orchestration.close()


def hello(gateway: RunningGateway, token: str, name: str = "host", **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    body = {"name": name, "pool": HOSTS, "version": VERSION, "slots": 2, "executor": "docker", "labels": {}}
    answer = gateway.call("POST", "/agent/hello", token, json={"contract": CONTRACT, **body, **changes})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def offered(gateway: RunningGateway, token: str, name: str = "host") -> list[UUID]:
    answer = gateway.call("GET", "/agent/wake", token, params={"agent": name})
    assert answer.status_code == 200, answer.text
    return [UUID(run["submission_id"]) for run in answer.json()["runs"]]


def claim(gateway: RunningGateway, token: str, submission_id: UUID, name: str = "host") -> Any:  # noqa: ANN401
    body = {"submission_id": str(submission_id), "flow_run_id": str(uuid4())}
    return gateway.call("POST", "/agent/claims", token, json=body, params={"agent": name})


def test_a_pool_is_made_in_prefect_and_made_again_when_that_has_lost_it(
    anna: Client, prefect: StandInPrefect, dispatcher: Dispatcher
) -> None:
    wanted = {f"score-submission/{HOSTS}", f"score-batch/{HOSTS}"}
    made = anna.create_pool(HOSTS)
    assert (made.owner, made.public, made.is_yours, made.sees_agents) == ("anna", False, True, True)
    assert prefect.deployments == wanted
    prefect.lose()
    dispatcher.look_after()
    assert wanted < prefect.deployments
    before = set(prefect.deployments)
    dispatcher.look_after()
    assert prefect.deployments == before
    prefect.stop()
    anna.create_pool("later")
    prefect.start()
    dispatcher.look_after()
    assert "score-batch/later" in prefect.deployments


def test_names_and_numbers_of_pools_are_bounded(anna: Client, ben: Client, root: Client, hosts: str) -> None:
    for name in ("Upper", "a b", "-a", "a/b", "prefect-x", "podium", "x" * 41, "..", "ü"):
        with pytest.raises(InvalidInput):
            anna.create_pool(name)
    for name in (hosts, "docker"):
        with pytest.raises(Conflict):
            ben.create_pool(name)

    def make(number: int) -> bool:
        try:
            anna.create_pool(f"more-{number}")
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as many:
        assert sum(many.map(make, range(8))) == POOLS_EACH - 1
    for number in range(POOLS_EACH + 1):
        root.create_pool(f"roots-{number}")


def test_a_pool_is_its_owners_and_those_whom_it_is_shared_with(
    anna: Client, ben: Client, root: Client, hosts: str, token: str, gateway: RunningGateway
) -> None:
    hello(gateway, token)
    token_id = anna.agent_tokens(hosts)[0].id
    owners: list[Callable[[Client], object]] = [
        lambda who: who.agent_tokens(hosts),
        lambda who: who.issue_agent_token(hosts, "x"),
        lambda who: who.change_pool(hosts, cordoned=False),
        lambda who: who.change_pool(hosts, public=False),
        lambda who: who.share_pool(hosts, "ben"),
        lambda who: who.set_agent_cordoned(hosts, "host", cordoned=False),
        lambda who: who.remove_agent(hosts, "host"),
        lambda who: who.rotate_agent_token(token_id),
        lambda who: who.revoke_agent_token(token_id),
    ]
    assert [pool.name for pool in ben.pools()] == ["docker", "gpu"]
    assert ben.agents() == ()
    for call in (lambda who: who.pool(hosts), *owners):
        with pytest.raises(NotFound):
            call(ben)
    anna.share_pool(hosts, "ben")
    anna.share_pool(hosts, "BEN")
    assert [agent.name for agent in ben.agents()] == ["host"]
    assert ben.pool(hosts).users == ("ben",)
    assert [(pool.is_yours, pool.sees_agents) for pool in ben.pools() if pool.name == hosts] == [(False, True)]
    for call in owners:
        with pytest.raises(PodiumError) as refused:
            call(ben)
        assert type(refused.value) in {NotAllowed, NotFound}
    anna.unshare_pool(hosts, "ben")
    assert ben.agents() == ()
    with pytest.raises(NotFound):
        anna.unshare_pool(hosts, "ben")
    anna.change_pool(hosts, public=True)
    assert [(pool.public, pool.sees_agents) for pool in ben.pools() if pool.name == hosts] == [(True, False)]
    assert ben.agents() == ()
    assert [agent.name for agent in root.agents()] == ["host"]
    assert root.pool(hosts).pool.is_yours
    assert "cpu" in {pool.name for pool in root.pools()}


def test_who_may_not_organize_gets_no_pool_shared(anna: Client, hosts: str, ada: Known) -> None:
    with pytest.raises(InvalidInput):
        anna.share_pool(hosts, ada.username)
    with pytest.raises(NotFound):
        anna.share_pool(hosts, "nobody")


def test_a_bundle_names_a_pool_only_that_its_owner_may_use(
    world: World, anna: Client, ben: Client, hosts: str, root: Client
) -> None:
    def pool_of(who: str, slug: str, queue: str) -> str:
        with world.session() as session:
            owner = Known(who, session.scalars(select_person(who)).one(), "")
        world.competition(owner, slug=slug, queue=queue)
        return root.queue(slug).pool

    assert pool_of("anna", "own", hosts) == hosts
    assert pool_of("ben", "others", hosts) == "docker"
    assert pool_of("ben", "platforms", "cpu") == "docker"
    anna.share_pool(hosts, "ben")
    assert pool_of("ben", "shared", hosts) == hosts


def select_person(username: str) -> Select[tuple[UUID]]:
    return select(Person.id).where(Person.username == username)


def test_a_competition_moves_with_what_is_queued(
    world: World,
    gateway: RunningGateway,
    prefect: StandInPrefect,
    dispatcher: Dispatcher,
    anna: Client,
    ben: Client,
    hosts: str,
    token: str,
    ada: Known,
) -> None:
    with world.session() as session:
        owner = Known("anna", session.scalars(select_person("anna")).one(), "")
    slug = world.competition(owner, slug="iris")
    world.join(ada, slug)
    docker = world.agent_token()
    hello(gateway, docker, pool="docker")
    hello(gateway, token)
    running, queued = world.submit(ada, slug), world.submit(ada, slug)
    uploading = world.announce(ada, slug)
    dispatcher.tick()
    dispatcher.dispatch_submission(uploading)
    held = gateway.claim(docker, running)
    assert offered(gateway, docker) == [queued]
    with pytest.raises(NotAllowed):
        ben.choose_pool(slug, hosts)
    ben.create_pool("bens")
    for name in ("bens", "nowhere"):
        with pytest.raises(NotFound):
            anna.choose_pool(slug, name)
    with pytest.raises(NotAllowed):
        anna.choose_pool(slug, "cpu")
    anna.choose_pool(slug, hosts)
    anna.choose_pool(slug, hosts)
    assert offered(gateway, docker) == []
    assert claim(gateway, docker, queued).status_code == 404
    dispatcher.tick()
    world.upload(uploading)
    world.complete(uploading)
    dispatcher.tick()
    assert offered(gateway, token) == [queued, uploading]
    for one in (queued, uploading):
        deployments = [run["deployment"] for run in prefect.runs_of(one)]
        assert deployments == [prefect.deployment("score-submission", name) for name in ("docker", hosts)]
    assert claim(gateway, token, queued).status_code == 201
    # What was held by the old pool's agent ends there, once.
    assert held.succeed({"accuracy": 1.0}).status_code == 204
    assert world.submission(running).status == "finished"


def submissions(world: World, ada: Known, count: int) -> list[UUID]:
    """Queued submissions of a competition that is scored on anna's hosts, with flow runs."""
    with world.session() as session:
        owner = Known("anna", session.scalars(select_person("anna")).one(), "")
    slug = world.competition(owner, slug="iris", queue=HOSTS)
    world.join(ada, slug)
    return [world.submit(ada, slug) for _ in range(count)]


def test_a_token_that_is_rotated_goes_on_and_one_that_is_revoked_ends_what_it_claimed(
    world: World, gateway: RunningGateway, dispatcher: Dispatcher, anna: Client, token: str, ada: Known
) -> None:
    first, second = submissions(world, ada, 2)
    dispatcher.tick()
    hello(gateway, token)
    old = anna.agent_tokens(HOSTS)[0]
    assert old.last_used is not None
    new = anna.rotate_agent_token(old.id, hours=1)
    expires = anna.agent_tokens(HOSTS)[0].expires
    assert expires is not None
    assert now() < expires <= now() + timedelta(hours=1)
    assert anna.agents()[0].token == old.hint
    hello(gateway, new.secret)
    assert anna.agents()[0].token == new.token.hint
    of_old, of_new = (gateway.claim(one, submission) for one, submission in ((token, first), (new.secret, second)))

    anna.revoke_agent_token(old.id)
    for answer in (
        gateway.call("GET", "/agent/wake", token),
        claim(gateway, token, first),
        of_old.call("heartbeat", json={"stage": "running"}),
        of_old.succeed({"accuracy": 1.0}),
    ):
        assert answer.status_code == 401
        assert "revoked" in problem_of(answer)["detail"]
    assert of_new.beat("running")["stop"] is False
    dispatcher.tick()
    assert world.submission(first).status == "queued"
    assert world.submission(second).status == "running"
    assert of_new.succeed({"accuracy": 1.0}).status_code == 204
    with pytest.raises(Conflict):
        anna.rotate_agent_token(old.id)
    with world.session() as session:
        actors = session.scalars(select(Event.actor).where(Event.subject == "token")).all()
    assert actors == ["person:anna"] * 3


def test_a_token_that_is_revoked_while_its_agent_waits_ends_the_wait(
    gateway: RunningGateway, anna: Client, token: str
) -> None:
    hello(gateway, token)

    def wait_on() -> int:
        """Wait until it is refused, or for too long; whoever is woken for nothing waits on."""
        answer = gateway.call("GET", "/agent/wake", token)
        until = time.monotonic() + 10
        while answer.status_code == 200 and time.monotonic() < until:
            seen = {"cursor": answer.json()["cursor"], "wait": 20}
            answer = gateway.call("GET", "/agent/wake", token, params=seen)
        return answer.status_code

    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(wait_on)
        anna.revoke_agent_token(anna.agent_tokens(HOSTS)[0].id)
        assert waiting.result(timeout=15) == 401


def test_an_administrators_way_of_revoking_ends_claims_too(
    world: World, gateway: RunningGateway, dispatcher: Dispatcher, root: Client, anna: Client, token: str, ada: Known
) -> None:
    (submission,) = submissions(world, ada, 1)
    dispatcher.tick()
    held = gateway.claim(token, submission)
    root.revoke_token(anna.agent_tokens(HOSTS)[0].id)
    assert held.call("heartbeat", json={"stage": "running"}).status_code == 401


@pytest.mark.parametrize("what", ["agent", "pool"])
def test_what_is_cordoned_takes_nothing_new_and_ends_what_it_has(
    world: World,
    gateway: RunningGateway,
    dispatcher: Dispatcher,
    connect: Connect,
    anna: Client,
    token: str,
    ada: Known,
    what: str,
) -> None:
    def cordon(*, cordoned: bool) -> None:
        if what == "pool":
            anna.change_pool(HOSTS, cordoned=cordoned)
        else:
            anna.set_agent_cordoned(HOSTS, "host", cordoned=cordoned)

    first, second = submissions(world, ada, 2)
    dispatcher.tick()
    assert hello(gateway, token)["closed"] == ""
    held = gateway.claim(token, first)
    cordon(cordoned=True)
    cordon(cordoned=True)
    assert "cordoned" in hello(gateway, token)["closed"]
    assert offered(gateway, token) == []
    refused = claim(gateway, token, second)
    assert (refused.status_code, problem_of(refused)["type"]) == (409, "does-not-fit")
    assert "cordoned" in connect(ada.token).submission(second).status_message
    assert "cordoned" in anna.queue("iris").reason
    assert anna.agents()[0].cordoned is not None
    assert held.succeed({"accuracy": 1.0}).status_code == 204
    if what == "agent":  # another agent of the pool goes on
        hello(gateway, token, "other")
        assert offered(gateway, token, "other") == [second]
        assert "cordoned" not in connect(ada.token).submission(second).status_message
    cordon(cordoned=False)
    assert offered(gateway, token) == [second]


def test_an_agent_that_is_gone_is_removed(world: World, gateway: RunningGateway, anna: Client, token: str) -> None:
    hello(gateway, token, "rack 1/host")
    with pytest.raises(Conflict):
        anna.remove_agent(HOSTS, "rack 1/host")
    with world.session() as session:
        session.execute(update(Agent).values(last_seen=now() - timedelta(minutes=5)))
    anna.remove_agent(HOSTS, "rack 1/host")
    assert anna.agents() == ()
    with pytest.raises(NotFound):
        anna.remove_agent(HOSTS, "rack 1/host")


def test_what_agents_run_and_did_is_seen(
    world: World, gateway: RunningGateway, dispatcher: Dispatcher, anna: Client, token: str, ada: Known
) -> None:
    first, second, _ = submissions(world, ada, 3)
    dispatcher.tick()
    hello(gateway, token, labels={"cpus": "8"})
    job = claim(gateway, token, first).json()
    result = {
        "attempt_id": job["attempt_id"],
        "evaluations": [
            {"evaluation_id": job["evaluations"][0]["evaluation_id"], "outcome": "succeeded", "scores": {"accuracy": 1}}
        ],
    }
    path = f"/attempts/{job['attempt_id']}/result"
    assert gateway.call("POST", path, job["attempt_token"], json=result).status_code == 204
    assert claim(gateway, token, second).status_code == 201
    view = anna.pool(HOSTS)
    assert [(one.number, one.status, one.agent) for one in view.attempts] == [
        (2, "active", "host"),
        (1, "succeeded", "host"),
    ]
    assert [(run.competition, run.number) for run in view.agents[0].runs] == [("iris", 2)]
    assert view.outcomes == {"succeeded": 1}
    assert view.median_seconds is not None
    assert view.competitions == ("iris",)
    assert view.pool.queued == 1
    assert view.oldest_seconds is not None
    assert view.agents[0].labels == {"cpus": "8"}


def test_versions_that_differ_are_said_and_contracts_that_differ_are_refused(
    gateway: RunningGateway, anna: Client, token: str
) -> None:
    assert hello(gateway, token)["notice"] == ""
    assert VERSION in hello(gateway, token, version="0.0.1")["notice"]
    assert f"podium[agent]=={VERSION}" in anna.agents()[0].notice
    body = {"contract": CONTRACT + 1, "name": "host", "version": "9", "brand": "new"}
    refused = gateway.call("POST", "/agent/hello", token, json=body)
    assert problem_of(refused)["type"] == "contract-differs"
    assert f"contract {CONTRACT + 1}" in anna.agents()[0].trouble
    assert gateway.call("POST", "/agent/hello", token, json={"name": "host", "brand": "new"}).status_code == 422
    assert gateway.call("GET", "/agent/self", token).json()["pool"] == HOSTS


def test_what_an_agent_says_is_bounded(gateway: RunningGateway, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"contract": CONTRACT, "name": "a", "pool": HOSTS, "version": "1", "slots": 1, "executor": "docker"}
    for changes in (
        {"labels": {f"label-{number}": "x" for number in range(41)}},
        {"labels": {"x": "y" * 20_001}},
        {"labels": {"x" * 61: "y"}},
        {"slots": 0},
        {"name": ""},
    ):
        assert gateway.call("POST", "/agent/hello", token, json={**body, **changes}).status_code == 422
    monkeypatch.setattr("podium.platform.greetings.MAX_AGENTS", 2)
    for name in ("one", "two", "one"):
        hello(gateway, token, name)
    refused = gateway.call("POST", "/agent/hello", token, json={**body, "name": "three"})
    assert refused.status_code == 409


def test_an_agent_that_pulls_nothing_is_offered_what_it_has(
    world: World,
    gateway: RunningGateway,
    dispatcher: Dispatcher,
    connect: Connect,
    anna: Client,
    token: str,
    ada: Known,
) -> None:
    (submission,) = submissions(world, ada, 1)
    dispatcher.tick()
    image = anna.competition("iris").docker_image
    hello(gateway, token, labels={"pull": "never", "images": "other:latest"})
    assert offered(gateway, token) == []
    assert f"has the image `{image}`" in connect(ada.token).submission(submission).status_message
    hello(gateway, token, labels={"pull": "never", "images": "other:latest", "image_aliases": "codalab/*"})
    assert offered(gateway, token) == [submission]
    hello(gateway, token, labels={"pull": "missing", "images": ""})
    assert offered(gateway, token) == [submission]


def test_the_way_to_prefect_is_narrow(
    gateway: RunningGateway, prefect: StandInPrefect, token: str, world: World
) -> None:
    def ask(method: str, path: str, **options: Any) -> tuple[int, str]:  # noqa: ANN401  # those of httpx
        answer = gateway.call(method, f"/agent/prefect/{path}", token, **options)
        return answer.status_code, problem_of(answer)["type"] if answer.status_code != 422 else ""

    assert ask("GET", "csrf-token") == (422, "")
    assert ask("GET", "work_pools/docker") == (404, "not-found")
    assert ask("PATCH", f"work_pools/{HOSTS}", json={})[0] == 405
    assert ask("POST", f"flow_runs/{uuid4()}/set_state", json={"state": {"type": "FAILED"}}) == (404, "not-found")
    assert ask("POST", f"work_pools/{HOSTS}/workers/heartbeat", content=b" " * 70_000) == (413, "too-large")
    assert ask("POST", f"work_pools/{HOSTS}/workers/heartbeat", content=b"[]") == (422, "")
    seen = gateway.call("GET", f"/agent/prefect/work_pools/{HOSTS}", token)
    assert seen.json().keys() == {"base_job_template", "storage_configuration"}  # the stand-in says nothing of pools
    prefect.stop()
    assert ask("GET", f"work_pools/{HOSTS}") == (503, "platform-fault")
    prefect.start()
    assert gateway.call("GET", f"/agent/prefect/work_pools/{HOSTS}", token).status_code == 200
    person = world.person("eve", organizer=True)
    assert gateway.call("GET", f"/agent/prefect/work_pools/{HOSTS}", person.token).status_code == 403
    assert gateway.call("GET", f"/agent/prefect/work_pools/{HOSTS}").status_code == 401


def test_tokens_are_bounded_and_never_shown_again(
    world: World, anna: Client, hosts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("podium.platform.pool_tokens.MAX_TOKENS", 1)
    issued = anna.issue_agent_token(hosts, "one", days=3)
    with pytest.raises(Conflict):
        anna.issue_agent_token(hosts, "two")
    anna.revoke_agent_token(issued.token.id)
    anna.issue_agent_token(hosts, "two")
    with world.session() as session:
        kept = session.scalars(select(Token).where(Token.name == "one")).one()
    assert issued.secret not in str(vars(kept))
    mine = anna.issue_token("anna", "mine").token.id
    with pytest.raises(NotFound):
        anna.revoke_agent_token(mine)
