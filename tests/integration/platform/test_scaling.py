"""Scaling against a real database and real providers: what is started is there, what goes has let go, nothing leaks."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import docker
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from world import Known, RunningGateway, World, eventually

from podium.agents.images.build import build_images
from podium.platform.errors import Conflict, InvalidInput, NotFound
from podium.platform.identifiers import new_id
from podium.platform.lifecycle import AttemptStatus, SubmissionStatus
from podium.platform.models import (
    Agent,
    Attempt,
    Competition,
    Phase,
    Pool,
    ScaledAgent,
    ScalingPolicy,
    Submission,
    Token,
    now,
)
from podium.platform.records.scaling import ScalingRecord
from podium.platform.scaling import fleet
from podium.platform.scaling.decision import Decision
from podium.platform.scaling.fleet import ENDED_BY_SCALING
from podium.platform.scaling.policies import read_scaling, set_scaling, switch_off
from podium.platform.scaling.providers import containers
from podium.platform.scaling.providers.choice import site_of
from podium.platform.scaling.providers.commands import CommandProvider
from podium.platform.scaling.providers.containers import DockerProvider
from podium.platform.scaling.providers.orders import AgentOrder, Listing, ProviderFault
from podium.platform.scaling.providers.processes import ProcessProvider, end_all
from podium.platform.scaling.providers.settings import CommandSettings, DockerSettings, ProcessSettings
from podium.platform.scaling.situation import Situation
from podium.platform.scaling.states import ScaledAgentStatus, ScalingAction
from podium.platform.settings import ServerSettings
from podium.platform.submissions.claiming import claim_submission
from podium.platform.submissions.cordons import Cordoned
from podium.platform.submissions.queue_view import queue_record
from podium.platform.submissions.waiting import why_waiting
from podium.platform.version import VERSION
from podium.tasks import scaling
from podium.tasks.platform_services import PlatformServices

HOOK = """
import json, pathlib, sys, time
asked = json.load(sys.stdin)
folder = pathlib.Path(sys.argv[1])
with (folder / "asked").open("a") as log:
    log.write(json.dumps(asked) + "\\n")
if (folder / "slow").exists() and asked["do"] == "start":
    time.sleep(60)
if (folder / "broken").exists() and asked["do"] == "start":
    sys.exit("the cloud has no room: quota 4 of 4")
if asked["do"] == "start":
    (folder / f"{asked['agent']['name']}.agent").write_text("")
elif asked["do"] == "stop":
    (folder / f"{asked['agent']['name']}.agent").unlink(missing_ok=True)
print(json.dumps({"agents": [path.stem for path in folder.glob("*.agent")]} if asked["do"] == "list" else {}))
"""


class Cloud:
    """What an operator's program starts agents in: a folder with a file for each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "hook.py").write_text(HOOK)

    @property
    def settings(self) -> CommandSettings:
        command = (sys.executable, str(self.folder / "hook.py"), str(self.folder))
        return CommandSettings(kind="command", command=command, timeout=3)

    @property
    def agents(self) -> list[str]:
        return sorted(path.stem for path in self.folder.glob("*.agent"))

    def asked(self, what: str) -> list[dict[str, Any]]:
        lines = (self.folder / "asked").read_text().splitlines()
        return [read for line in lines if (read := json.loads(line))["do"] == what]

    def is_(self, state: str, *, holds: bool = True) -> None:
        (self.folder / state).touch() if holds else (self.folder / state).unlink()


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    folder = tmp_path / "cloud"
    folder.mkdir()
    return Cloud(folder)


@pytest.fixture
def services(settings: ServerSettings, world: World, cloud: Cloud) -> PlatformServices:
    own = settings.model_copy(update={"scaling_providers": {"cloud": cloud.settings, "other": cloud.settings}})
    return PlatformServices(own, world.database, None)  # type: ignore[arg-type]  # Prefect is not asked


@pytest.fixture
def slug(world: World) -> str:
    return world.competition(world.person("olga", organizer=True))


@pytest.fixture
def ada(world: World, slug: str) -> Known:
    ada = world.person("ada")
    world.join(ada, slug)
    return ada


def scale(services: PlatformServices, **rules: Any) -> None:  # noqa: ANN401  # of the policy
    given = {"provider": "cloud", "maximum": 3, "cool_down_down": 0.0, "cool_down_up": 0.0, **rules}
    with services.database.session() as session:
        set_scaling(session, "docker", given, settings=services.settings, actor="tests")


def look(services: PlatformServices) -> ScalingRecord:
    scaling.scale_pools(services)
    with services.database.session() as session:
        return read_scaling(session, "docker")


def pool_of(session: Session) -> Pool:
    return session.scalars(select(Pool).where(Pool.name == "docker")).one()


def greet(services: PlatformServices, name: str, *, version: str = VERSION, trouble: str = "") -> UUID:
    """An agent that scaling has started says hello."""
    with services.database.session() as session:
        agent = Agent(
            id=new_id(),
            pool_id=pool_of(session).id,
            name=name,
            version=version,
            slots=1,
            executor="docker",
            trouble=trouble,
        )
        session.add(agent)
        return agent.id


def claim(world: World, submission_id: UUID, agent_id: UUID) -> None:
    with world.session() as session:
        claim_submission(
            session,
            submission_id,
            flow_run_id=uuid4(),
            agent=session.get_one(Agent, agent_id),
            pool=pool_of(session),
            storage=world.storage,
            settings=world.settings,
        )


def test_from_zero_to_one_and_back(services: PlatformServices, world: World, cloud: Cloud, ada: Known, slug: str):
    scale(services)
    assert look(services).decisions == ()
    submission_id = world.submit(ada, slug)
    shown = look(services)
    [agent] = shown.agents
    assert (agent.condition, agent.status, cloud.agents) == ("starting", "started", [agent.name])
    [order] = [asked["agent"] for asked in cloud.asked("start")]
    assert (order["name"], order["gateway"], order["slots"]) == (agent.name, services.settings.public_url, 1)
    with world.session() as session:
        token = session.scalars(select(Token).where(Token.name == agent.name)).one()
        assert (token.pool_id, token.revoked) == (pool_of(session).id, None)
    agent_id = greet(services, agent.name)
    claim(world, submission_id, agent_id)
    assert look(services).agents[0].running == 1
    with world.session() as session:
        session.execute(update(Attempt).values(status=AttemptStatus.CANCELLED, ended=now()))
        session.execute(update(Submission).values(status=SubmissionStatus.CANCELLED, ended=now()))
        session.execute(update(ScalingPolicy).values(last_busy=now() - timedelta(hours=1)))
    gone = look(services)
    assert gone.agents == ()
    assert gone.decisions[0].removed == (agent.name,)
    assert cloud.agents == []
    with world.session() as session:
        assert session.scalars(select(Token.revoked).where(Token.name == agent.name)).one() is not None


def why(world: World, submission_id: UUID) -> str:
    with world.session() as session:
        return why_waiting(session, session.get_one(Submission, submission_id))


def test_who_waits_is_told_that_an_agent_is_being_started(
    services: PlatformServices, world: World, cloud: Cloud, ada: Known, slug: str
):
    submission_id = world.submit(ada, slug)
    nobody = "No agent of pool 'docker' is running; it is scored as soon as there is one."
    assert why(world, submission_id) == nobody
    scale(services)
    assert why(world, submission_id) == "Pool 'docker' has no agents while nothing waits: one is started within 30 s."
    cloud.is_("broken")
    look(services)
    said = why(world, submission_id)
    assert said.startswith("No agent of pool 'docker' is running, and one could not be started: that is tried again at")
    assert "quota" not in said  # what the provider says is for administrators
    cloud.is_("broken", holds=False)
    with world.session() as session:
        session.execute(update(ScalingPolicy).values(put_off_until=now() - timedelta(seconds=1)))
    [agent] = look(services).agents
    assert why(world, submission_id) == "An agent of pool 'docker' is being started, for 0 s so far."
    with world.session() as session:
        competition = session.scalars(select(Competition).where(Competition.slug == slug)).one()
        assert queue_record(session, competition).reason == why(world, submission_id)
    greet(services, agent.name)
    assert why(world, submission_id) == ""
    # How long that took is known the next time.
    with world.session() as session:
        began = now() - timedelta(seconds=40)
        session.execute(update(ScaledAgent).values(created=began, status=ScaledAgentStatus.ENDED, ended=now()))
        session.execute(
            update(Agent).values(created=began + timedelta(seconds=20), cordoned=now(), cordon_reason=ENDED_BY_SCALING)
        )
    again = "Pool 'docker' has no agents while nothing waits: one is started within 30 s, which takes about 20 s."
    assert why(world, submission_id) == again
    with world.session() as session:
        session.execute(update(ScalingPolicy).values(offer={"executor": "docker", "labels": {"gpus": "0"}}))
        session.execute(update(Phase).values(limits={"gpus": 1}))
    assert "is started" not in why(world, submission_id)  # none that can run this
    with world.session() as session:
        session.execute(update(Phase).values(limits={}))
        session.execute(update(Pool).where(Pool.name == "docker").values(cordoned=now()))
    assert why(world, submission_id) == "Pool 'docker' is cordoned; it is scored as soon as that has ended."


def test_a_host_that_is_down_is_no_reason_to_start_none_elsewhere(
    services: PlatformServices, world: World, cloud: Cloud, ada: Known, slug: str, monkeypatch: pytest.MonkeyPatch
):
    scale(services)
    world.submit(ada, slug)
    own = CommandProvider.list_own

    def two_hosts(provider: CommandProvider, pool: str) -> Listing:
        return replace(own(provider, pool), unreachable=("tcp://two:2376",))

    monkeypatch.setattr(CommandProvider, "list_own", two_hosts)
    for _ in range(3):
        shown = look(services)
        assert (shown.failures, shown.failure) == (0, "tcp://two:2376 does not answer.")
    assert cloud.agents == [agent.name for agent in shown.agents]
    assert len(cloud.agents) == 1
    monkeypatch.setattr(CommandProvider, "list_own", own)
    assert look(services).failure == ""


def test_a_claim_and_a_removal_at_one_moment(services: PlatformServices, world: World, ada: Known, slug: str):
    """Whoever locks the agent first wins: the other sees what came of it."""
    scale(services, minimum=1)
    [agent] = look(services).agents
    agent_id = greet(services, agent.name)
    first, second = world.submit(ada, slug), world.submit(ada, slug)
    with world.session() as session:
        # The claim is not over yet when scaling would take the agent.
        claim_submission(
            session,
            first,
            flow_run_id=uuid4(),
            agent=session.get_one(Agent, agent_id),
            pool=pool_of(session),
            storage=world.storage,
            settings=world.settings,
        )
        taken: list[fleet.Applied] = []
        thread = threading.Thread(target=lambda: taken.append(take(services, agent.name)))
        thread.start()
        time.sleep(0.3)
        assert taken == []  # it waits for the claim
    thread.join(10)
    assert (taken[0].removed, taken[0].drained) == ([], [agent.name])
    with pytest.raises(Cordoned, match="takes nothing new"):
        claim(world, second, agent_id)
    with world.session() as session:
        session.execute(update(Attempt).values(status=AttemptStatus.CANCELLED, ended=now()))
    assert take(services, agent.name).removed == [agent.name]


def test_a_claim_after_a_removal_is_refused(services: PlatformServices, world: World, ada: Known, slug: str):
    scale(services, minimum=1)
    [agent] = look(services).agents
    agent_id = greet(services, agent.name)
    submission_id = world.submit(ada, slug)
    refused: list[BaseException] = []

    def late() -> None:
        try:
            claim(world, submission_id, agent_id)
        except Cordoned as error:
            refused.append(error)

    with services.database.session() as session:
        assert applied(session, agent.name).removed == [agent.name]
        thread = threading.Thread(target=late)
        thread.start()
        time.sleep(0.3)
        assert refused == []  # it waits for the removal
    thread.join(10)
    assert len(refused) == 1
    assert world.submission(submission_id).status is SubmissionStatus.QUEUED


def take(services: PlatformServices, name: str) -> fleet.Applied:
    with services.database.session() as session:
        return applied(session, name)


def applied(session: Session, name: str) -> fleet.Applied:
    """What comes of a decision to take an agent, which was made a moment ago."""
    pool = pool_of(session)
    policy = session.get_one(ScalingPolicy, pool.id)
    decision = Decision(ScalingAction.DOWN, remove=(name,))
    return fleet.apply(session, pool, policy, decision, Situation(now()))


def test_a_cordoned_agent_is_told_of_nothing(gateway: RunningGateway, world: World, ada: Known, slug: str):
    token = world.agent_token()
    hello = {"name": "a", "pool": "docker", "version": VERSION, "slots": 1, "executor": "docker"}
    assert gateway.call("POST", "/agent/hello", token, json=hello).status_code == 200
    submission_id = world.submit(ada, slug)
    with world.session() as session:
        session.execute(update(Submission).values(flow_run_id=uuid4()))
    assert [run["submission_id"] for run in wake(gateway, token)] == [str(submission_id)]
    with world.session() as session:
        session.execute(update(Agent).values(cordoned=now(), cordon_reason="Its disk is replaced."))
    assert wake(gateway, token) == []
    body = {"submission_id": str(submission_id), "flow_run_id": str(uuid4())}
    refused = gateway.call("POST", "/agent/claims?agent=a", token, json=body)
    assert refused.status_code == 409
    assert "Its disk is replaced." in refused.json()["detail"]


def wake(gateway: RunningGateway, token: str) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = gateway.call("GET", "/agent/wake?agent=a", token).json()["runs"]
    return runs


def test_a_provider_that_fails_is_said_put_off_and_asked_again(
    services: PlatformServices, world: World, cloud: Cloud, ada: Known, slug: str
):
    scale(services)
    world.submit(ada, slug)
    cloud.is_("broken")
    shown = look(services)
    assert (shown.failures, cloud.agents, shown.agents) == (1, [], ())
    assert "with status 1. It said: the cloud has no room: quota 4 of 4" in shown.failure
    with world.session() as session:
        assert session.scalars(select(Token.revoked).where(Token.revoked.is_(None), Token.kind == "agent")).all() == []
    again = look(services)
    assert (again.failures, len(cloud.asked("start"))) == (1, 1)
    assert any("The provider failed; it is asked again at" in reason for reason in again.reasons)
    cloud.is_("broken", holds=False)
    with world.session() as session:
        session.execute(update(ScalingPolicy).values(put_off_until=now() - timedelta(seconds=1)))
    [agent] = look(services).agents
    greet(services, agent.name)
    assert (look(services).failures, look(services).failure) == (0, "")


def test_a_start_that_takes_too_long_leaks_nothing(
    services: PlatformServices, world: World, cloud: Cloud, ada: Known, slug: str
):
    hasty = cloud.settings.model_copy(update={"timeout": 0.7})
    services.settings.scaling_providers["cloud"] = hasty
    scale(services)
    world.submit(ada, slug)
    cloud.is_("slow")
    shown = look(services)
    assert "did not start within 0.7 s" in shown.failure
    # It comes up after all: nobody's, and so it goes.
    [name] = {asked["agent"]["name"] for asked in cloud.asked("start")}
    (cloud.folder / f"{name}.agent").write_text("")
    look(services)
    assert cloud.agents == []
    assert [asked["agent"]["name"] for asked in cloud.asked("stop")] == [name]


def test_an_agent_that_vanished_ends_and_is_replaced(
    services: PlatformServices, world: World, cloud: Cloud, ada: Known, slug: str
):
    scale(services)
    world.submit(ada, slug)
    [agent] = look(services).agents
    greet(services, agent.name)
    (cloud.folder / f"{agent.name}.agent").unlink()
    [new] = look(services).agents
    assert new.name != agent.name
    assert cloud.agents == [new.name]


def test_a_start_that_was_cut_off_is_gone_on_with(services: PlatformServices, world: World, cloud: Cloud):
    scale(services, minimum=1)
    with world.session() as session:
        pool = pool_of(session)
        row = ScaledAgent(pool_id=pool.id, name="scaled-docker-0", provider="cloud", slots=1)
        session.add(row)
        session.flush()
        old = fleet.new_token(session, pool, row)
    shown = look(services)
    assert cloud.agents == ["scaled-docker-0"]
    assert [(one.name, one.status) for one in shown.agents] == [("scaled-docker-0", "started")]
    [order] = cloud.asked("start")
    assert order["agent"]["token"] != old


def test_two_that_look_at_once_start_one(services: PlatformServices, world: World, cloud: Cloud):
    scale(services, minimum=1)
    threads = [threading.Thread(target=scaling.scale_pools, args=(services,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(cloud.agents) == 1


def test_one_pool_holds_no_other_up(services: PlatformServices, world: World, cloud: Cloud):
    scale(services, minimum=1)
    with world.session() as session:
        session.add(Pool(name="mine"))
        session.flush()
        set_scaling(session, "mine", {"provider": "other", "minimum": 1}, settings=services.settings, actor="tests")
    services.settings.scaling_providers["other"] = CommandSettings(kind="command", command=("/nowhere",))
    look(services)
    with world.session() as session:
        assert "/nowhere can't be run" in read_scaling(session, "mine").failure
    assert len(cloud.agents) == 1


def test_switched_off_all_go(services: PlatformServices, world: World, cloud: Cloud):
    scale(services, minimum=2)
    assert len(look(services).agents) == 2
    with world.session() as session:
        switch_off(session, "docker", actor="tests")
    assert look(services).agents == ()
    assert cloud.agents == []


def test_what_can_be_set(services: PlatformServices, world: World):
    with pytest.raises(InvalidInput, match="There is no provider 'clowd'; there are: cloud, other"):
        scale(services, provider="clowd")
    with pytest.raises(InvalidInput, match=r"The minimum \(4\) is over the maximum \(3\)"):
        scale(services, minimum=4)
    scale(services, minimum=1)
    look(services)
    with pytest.raises(Conflict, match="has started agents that are still there"):
        scale(services, provider="other")
    with world.session() as session, pytest.raises(InvalidInput, match="platform's own flows"):
        set_scaling(session, "cpu", {"provider": "cloud"}, settings=services.settings, actor="tests")
    with world.session() as session, pytest.raises(NotFound, match="is not scaled"):
        read_scaling(session, "gpu")


def test_only_administrators(gateway: RunningGateway, world: World):
    for known in (world.person("olga", organizer=True), world.person("ada")):
        for method in ("GET", "PUT", "DELETE"):
            answer = gateway.call(method, "/pools/docker/scaling", known.token, json={} if method == "PUT" else None)
            assert answer.status_code == 403
    root = world.person("root", administrator=True)
    answer = gateway.call("PUT", "/pools/docker/scaling", root.token, json={"maximum": 2, "provider": "process"})
    assert (answer.status_code, answer.json()["maximum"]) == (200, 2)
    foreign = {"maximum": 2, "provider": "/bin/sh"}
    assert gateway.call("PUT", "/pools/docker/scaling", root.token, json=foreign).status_code == 422


@pytest.fixture(scope="module")
def agent_image() -> str:
    [image] = build_images(lambda _: None, agent=True)
    return image.name


@pytest.fixture
def silent_host() -> Iterator[str]:
    """A host that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


def test_containers_on_a_real_engine(
    gateway: RunningGateway,
    world: World,
    settings: ServerSettings,
    agent_image: str,
    silent_host: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    """An agent in a container says hello with its own token, which no look at the container shows; and goes.

    Of its hosts one is down, and another hangs while it goes.
    """
    monkeypatch.setattr(containers, "ANSWER_SECONDS", 4.0)
    own = DockerSettings(
        kind="docker",
        hosts=("tcp://127.0.0.1:1", "unix:///var/run/docker.sock"),
        image=agent_image,
        docker_socket=True,
        folder=tmp_path / "agents",
    )
    site = f"test{os.getpid():012}"
    provider = DockerProvider(own, site)
    order = AgentOrder("scaled-1", "docker", world.agent_token(), gateway.address, settings.prefect_api_url, 1)
    engine = docker.from_env()
    try:
        provider.start(order)
        provider.start(order)
        [container] = engine.containers.list(filters={"label": f"podium.site={site}"})
        assert order.token not in json.dumps(container.attrs)

        def heard() -> bool:
            with world.session() as session:
                found = session.scalar(select(Agent).where(Agent.name == "scaled-1"))
                return found is not None and not found.trouble and found.executor == "docker"

        eventually(heard, seconds=30)
        listing = provider.list_own("docker")
        assert (listing.running, listing.unreachable) == ({"scaled-1"}, own.hosts[:1])
        assert DockerProvider(own, "another").list_own("docker").running == set()
        with pytest.raises(ProviderFault, match="No Docker host answers"):
            DockerProvider(own.model_copy(update={"hosts": ("tcp://127.0.0.1:1",)}), site).list_own("docker")
        full = DockerProvider(own.model_copy(update={"per_host": 1}), site)
        with pytest.raises(ProviderFault, match="has 1 agents, the most that one host may have"):
            full.start(replace(order, name="scaled-2"))
    finally:
        hosts = (silent_host, *own.hosts)
        DockerProvider(own.model_copy(update={"hosts": hosts}), site).stop("docker", "scaled-1")
        with pytest.raises(ProviderFault, match=r"scaled-1 may not have been stopped.*127.0.0.1:1"):
            provider.stop("docker", "scaled-1")  # it may be on the other
        alone = DockerProvider(own.model_copy(update={"hosts": own.hosts[1:]}), site)
        alone.stop("docker", "scaled-1")
        left = engine.containers.list(all=True, filters={"label": f"podium.site={site}"})
        engine.close()
    assert left == []
    assert list((tmp_path / "agents").iterdir()) == []  # nothing of it stays on the host
    assert alone.list_own("docker").running == set()


def test_a_container_that_ends_says_why(settings: ServerSettings, tmp_path: Path, agent_image: str):
    own = DockerSettings(kind="docker", image=agent_image, environment={"PODIUM_AGENT_PULL": "perhaps"})
    provider = DockerProvider(own, f"test{os.getpid():012}")
    provider.start(AgentOrder("scaled-3", "docker", "token", "http://127.0.0.1:1", "http://127.0.0.1:1/api", 1))
    found: dict[str, str] = {}

    def ended() -> bool:
        found.update(provider.list_own("docker").ended)
        return bool(found)

    eventually(ended, seconds=20)
    assert "PODIUM_AGENT_PULL" in found["scaled-3"]
    assert provider.list_own("docker").running == set()
    missing = DockerProvider(own.model_copy(update={"image": "podium/nowhere:1"}), "test")
    with pytest.raises(ProviderFault, match="podium/nowhere"):
        missing.start(AgentOrder("scaled-4", "docker", "token", "http://127.0.0.1:1", "http://127.0.0.1:1/api", 1))


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[ProcessProvider]:
    tmp_path.chmod(0o711)
    own = ProcessSettings(kind="process", environment={"PODIUM_AGENT_PULL": "perhaps"})
    yield ProcessProvider(own, tmp_path)
    end_all(tmp_path)


def test_a_process_that_ends_says_why(processes: ProcessProvider):
    processes.start(AgentOrder("scaled-1", "docker", "token", "http://127.0.0.1:1", "http://127.0.0.1:1/api", 1))
    eventually(lambda: "scaled-1" in processes.list_own("docker").ended, seconds=20)
    assert "PODIUM_AGENT_PULL" in processes.list_own("docker").ended["scaled-1"]
    processes.stop("docker", "scaled-1")
    assert processes.list_own("docker").ended == {}


def test_a_program_that_answers_nonsense(tmp_path: Path):
    for written, said in (("print('hello')", "no JSON object. It said: hello"), ("print('{}')", "did not answer")):
        (tmp_path / "hook.py").write_text(written)
        own = CommandSettings(kind="command", command=(sys.executable, str(tmp_path / "hook.py")))
        with pytest.raises(ProviderFault, match=said):
            CommandProvider(own, "site").list_own("docker")


def test_a_program_gets_none_of_the_platforms_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PODIUM_SECRET_KEY", "secret")
    monkeypatch.setenv("CLOUD_KEY", "mine")
    (tmp_path / "hook.py").write_text(
        "import json, os\nknown = {'PODIUM_SECRET_KEY', 'CLOUD_KEY'} & set(os.environ)\n"
        "print(json.dumps({'agents': sorted(known)}))"
    )
    own = CommandSettings(kind="command", command=(sys.executable, str(tmp_path / "hook.py")), inherit=("CLOUD_KEY",))
    assert CommandProvider(own, "site").list_own("docker").running == {"CLOUD_KEY"}


def test_two_podiums_on_one_host_have_names_of_their_own(settings: ServerSettings):
    other = settings.model_copy(update={"secret_key": type(settings.secret_key)("another key, also of 32 characters")})
    assert site_of(settings) != site_of(other)
    assert settings.secret_key.get_secret_value() not in site_of(settings)
