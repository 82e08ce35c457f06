"""Agents of two organizers on hosts of their own, which reach the gateway and nothing else."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from uuid import uuid4

import httpx

from podium.agents.prefect_access import PROXY_PATH
from podium.platform.jobs import CONTRACT, AgentHello
from podium.platform.orchestration import Orchestration

from .conftest import Host, Participant, Site, ended


def eventually(check: Callable[[], bool], *, seconds: float = 30, saying: Callable[[], object] = str) -> None:
    give_up = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < give_up, saying()
        time.sleep(0.05)


def connects(host: Host, address: str, port: int) -> bool:
    def work() -> bool:
        try:
            socket.create_connection((address, port), timeout=1).close()
        except OSError:
            return False
        return True

    return host.network.call(work)


def test_each_competition_is_scored_on_its_organizers_host(site: Site, pat: Participant) -> None:
    anna, ben = site.hosts
    submissions = {host.name: [pat.submit(host, score) for score in (0.25, 0.5)] for host in site.hosts}
    for host in site.hosts:
        records = [pat.wait(one, ended) for one in submissions[host.name]]
        assert [record.status for record in records] == ["finished"] * 2, host.log()
        view = site.ask(host.token, lambda client, host=host: client.pool(host.pool))  # type: ignore[misc]
        assert {(one.competition, one.agent, one.status) for one in view.attempts} == {(host.name, "host", "succeeded")}
        assert view.outcomes == {"succeeded": 2}
        assert [(agent.executor, agent.trouble, agent.runs) for agent in view.agents] == [("docker", "", ())]
        # Each sees their own.
        assert {agent.pool for agent in site.ask(host.token, lambda client: client.agents())} == {host.pool}
    # Prefect was told by way of the gateway, though no host reaches it.
    for host, other in ((anna, ben), (ben, anna)):
        assert connects(host, "10.78.0.1", site.ports["gateway"])
        for address in ("10.78.0.1", "127.0.0.1", f"10.78.{1 + site.hosts.index(host)}.1"):
            assert not connects(host, address, site.ports["postgres"])
            assert not connects(host, address, site.ports["prefect"])
        assert not connects(host, other.address, site.ports["gateway"])

    def states() -> list[str]:
        return [run["state_type"] for run in flow_runs(site)]

    eventually(lambda: states() == ["COMPLETED"] * 4, saying=states)
    assert {run["work_pool_name"] for run in flow_runs(site)} == {anna.pool, ben.pool}
    for host in site.hosts:
        assert "Traceback" not in host.log()
    assert site.platform.call(lambda: scoring_pools(site)) == {"docker", "gpu", anna.pool, ben.pool}


def scoring_pools(site: Site) -> set[str]:
    orchestration = Orchestration(f"http://127.0.0.1:{site.ports['prefect']}/api")
    try:
        # As after the loss of a database: what is there stays.
        assert len(orchestration.register_scoring_pool(site.hosts[0].pool)) == 3
        return orchestration.scoring_pools()
    finally:
        orchestration.close()


def flow_runs(site: Site) -> list[dict[str, str]]:
    """Those that score, as Prefect has them."""

    def work() -> list[dict[str, str]]:
        where = {"flows": {"name": {"any_": ["score-submission"]}}}
        with httpx.Client(trust_env=False) as client:
            answer = client.post(f"http://127.0.0.1:{site.ports['prefect']}/api/flow_runs/filter", json=where)
            found: list[dict[str, str]] = answer.json()
            return found

    return site.platform.call(work)


def test_a_host_that_is_cut_off_loses_nothing(site: Site, pat: Participant) -> None:
    anna, ben = site.hosts
    held = pat.submit(anna, 0.75, seconds=2)
    pat.wait(held, lambda record: record.status in {"running", "scoring"})
    site.cut(anna)
    queued = pat.submit(anna, 0.8)
    elsewhere = pat.submit(ben, 0.9)
    assert pat.wait(elsewhere, ended).status == "finished"
    pat.wait(held, lambda record: record.status == "queued")  # its lease is over
    site.mend(anna)
    for submission, score in ((held, 0.75), (queued, 0.8)):
        record = pat.wait(submission, ended)
        assert record.status == "finished", record
        assert [one.value for one in record.scores] == [score]
    view = site.ask(anna.token, lambda client: client.pool(anna.pool))
    outcomes = [one.status for one in view.attempts if one.submission_id == held]
    assert sorted(outcomes) == ["lost", "succeeded"]


def test_a_stolen_token_reaches_nothing_of_the_others(site: Site, pat: Participant) -> None:
    anna, ben = site.hosts
    site.ask(ben.token, lambda client: client.change_pool(ben.pool, cordoned=True))
    waiting = pat.submit(ben, 0.6)
    record = pat.wait(waiting, lambda record: "cordoned" in record.status_message)
    assert record.status == "queued"
    eventually(lambda: any(run["state_type"] == "SCHEDULED" for run in flow_runs(site)))
    flow_run = next(run for run in flow_runs(site) if run["state_type"] == "SCHEDULED")
    past = site.ask(ben.token, lambda client: client.pool(ben.pool)).attempts[0]

    def thief() -> dict[str, int]:
        hello = AgentHello(name="thief", pool=ben.pool, version="1", slots=1, executor="docker")
        claim = {"contract": CONTRACT, "submission_id": str(waiting), "flow_run_id": flow_run["id"]}
        state = {"state": {"type": "CANCELLED"}, "force": True}
        prefect = PROXY_PATH.removeprefix("/api/v1")
        tried = {
            "hello": ("POST", "/agent/hello", hello.model_dump()),
            "claim": ("POST", "/agent/claims", claim),
            "pool": ("GET", f"/pools/{ben.pool}", None),
            "own pool": ("GET", f"/pools/{anna.pool}", None),
            "pools": ("GET", "/pools", None),
            "agents": ("GET", "/agents", None),
            "tokens": ("GET", f"/pools/{ben.pool}/tokens", None),
            "submission": ("GET", f"/submissions/{waiting}", None),
            "logs": ("GET", f"/submissions/{past.submission_id}/logs", None),
            "heartbeat": ("POST", f"/attempts/{uuid4()}/heartbeat", {"stage": "running"}),
            "storage": ("GET", "/storage/x", None),
            "prefect pool": ("GET", f"{prefect}/work_pools/{ben.pool}", None),
            "prefect scheduled": ("POST", f"{prefect}/work_pools/{ben.pool}/get_scheduled_flow_runs", {}),
            "prefect heartbeat": ("POST", f"{prefect}/work_pools/{ben.pool}/workers/heartbeat", {"name": "x"}),
            "prefect state": ("POST", f"{prefect}/flow_runs/{flow_run['id']}/set_state", state),
            "prefect run": ("GET", f"{prefect}/flow_runs/{flow_run['id']}", None),
            "prefect runs": ("POST", f"{prefect}/flow_runs/filter", {}),
            "prefect blocks": ("POST", f"{prefect}/block_documents/filter", {}),
            "prefect settings": ("GET", f"{prefect}/admin/settings", None),
            "prefect around": ("GET", f"{prefect}/work_pools/{anna.pool}%2F..%2F{ben.pool}", None),
        }
        headers = {"Authorization": f"Bearer {anna.agent_token}"}
        with httpx.Client(base_url=f"{site.gateway}/api/v1", headers=headers, trust_env=False) as client:
            answers = {name: client.request(method, path, json=body) for name, (method, path, body) in tried.items()}
            assert client.get("/agent/wake", params={"agent": "host"}).json()["runs"] == []
            own = client.get(f"{prefect}/work_pools/{anna.pool}")
            assert own.status_code == 200
            assert "blocks" not in own.text
            return {name: answer.status_code for name, answer in answers.items()}

    answers = anna.network.call(thief)
    assert {name: status for name, status in answers.items() if status not in {401, 403, 404}} == {}
    assert next(run for run in flow_runs(site) if run["id"] == flow_run["id"])["state_type"] == "SCHEDULED"
    site.ask(ben.token, lambda client: client.change_pool(ben.pool, cordoned=False))
    assert pat.wait(waiting, ended).status == "finished"


def test_a_token_is_rotated_without_a_pause_and_revoked_at_once(site: Site, pat: Participant) -> None:
    anna, _ = site.hosts
    old = anna.agent_token_id
    assert old is not None
    new = site.ask(anna.token, lambda client: client.rotate_agent_token(old))
    anna.token_file.write_text(new.secret)
    site.ask(anna.token, lambda client: client.revoke_agent_token(old))
    assert pat.wait(pat.submit(anna, 0.1), ended).status == "finished", anna.log()

    held = pat.submit(anna, 0.2, seconds=30)
    pat.wait(held, lambda record: record.status in {"running", "scoring"})
    site.ask(anna.token, lambda client: client.revoke_agent_token(new.token.id))
    eventually(lambda: anna.health()["state"] == "trouble", saying=anna.health)
    assert "revoked" in anna.health()["detail"]
    assert "takes no work" in anna.log()
    pat.wait(held, lambda record: record.status == "queued")
    site.ask(pat.token, lambda client: client.cancel(held))

    queued = pat.submit(anna, 0.3)
    third = site.ask(anna.token, lambda client: client.issue_agent_token(anna.pool, "third"))
    anna.token_file.write_text(third.secret)
    assert pat.wait(queued, ended).status == "finished", anna.log()
