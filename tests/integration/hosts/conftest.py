"""Three hosts: the platform on one, the agents of two organizers on the others, which reach the gateway and the store.

The store is a real S3 on the platform's host: agents have nothing of it but the requests that the gateway signs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest
import slim_environment
from network_namespace import AnswerT, Namespace, link
from object_stores import swift

from podium.agents.images.build import build_images
from podium.platform.client import Client
from podium.platform.records.submissions import SubmissionRecord
from podium.platform.supervisor.live_state import read_live_state

PODIUM = Path(sys.executable).with_name("podium")
GATEWAY = "10.78.0.1"
"""The address that the platform's host has for everyone."""
LEASE_SECONDS = 3.0
_SCORER = """\
import json, pathlib, time
said = pathlib.Path("/app/input/res/said.txt").read_text().split()
time.sleep(float(said[1]))
pathlib.Path("/app/output/scores.json").write_text(json.dumps({"accuracy": float(said[0])}))
"""
_COMPETITION = """\
version: 2
title: TITLE
image: logo.png
terms: terms.md
docker_image: IMAGE
queue: QUEUE
registration_auto_approve: true
pages: [{title: Overview, file: terms.md}]
tasks: [{index: 0, name: One, scoring_program: scoring_program, reference_data: reference_data}]
phases: [{index: 0, name: Only, start: 2020-01-01, tasks: [0], execution_time_limit: 60,
  max_submissions_per_day: 100, max_submissions: 100}]
leaderboards:
  - {title: Results, key: main, columns: [{title: Accuracy, key: accuracy, index: 0, sorting: desc}]}
"""


@dataclass
class Host:
    """An organizer with a host, whose agent has the gateway's address and a token."""

    name: str
    folder: Path
    network: Namespace
    address: str
    token: str = ""
    agent_token: str = ""
    agent_token_id: UUID | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def pool(self) -> str:
        return f"{self.name}-hosts"

    @property
    def token_file(self) -> Path:
        return self.folder / "token"

    def start_agent(self, gateway: str) -> None:
        """As the documentation says it: the slim install, an address and a token, nothing else."""
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.network.command(
                    *(str(slim_environment.PODIUM), "agent", "start", "--gateway", gateway),
                    *("--token-file", str(self.token_file)),
                    *("--name", "host", "--slots", "2", "--folder", str(self.folder / "agent")),
                ),
                env=environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def health(self) -> dict[str, str]:
        """What the agent says of itself."""
        try:
            said: dict[str, str] = json.loads((self.folder / "agent" / "health").read_text())
        except OSError:
            return {"state": "none"}
        return said

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


class Site:
    """The platform, and the two hosts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.platform = Namespace(folder)
        self.platform.run("ip", "address", "add", f"{GATEWAY}/32", "dev", "lo")
        # Not a way from one host to another.
        self.platform.run("sysctl", "-qw", "net.ipv4.ip_forward=0")
        self.hosts = [self._host(name, number) for number, name in enumerate(("anna", "ben"), start=1)]
        self.plain = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        self.parts = ExitStack()
        # What is started from the platform's host lives in its network.
        self.store = self.platform.call(lambda: self.parts.enter_context(swift(GATEWAY)))
        self.environment = {
            **self.plain,
            **{f"PODIUM_{name.upper()}": value for name, value in self.store.settings.items()},
            "PODIUM_LEASE_SECONDS": str(LEASE_SECONDS),
            "PODIUM_HEARTBEAT_SECONDS": "0.5",
        }

    def _host(self, name: str, number: int) -> Host:
        folder = self.folder / name
        folder.mkdir(mode=0o711)
        network, address = Namespace(folder), f"10.78.{number}.2"
        link(self.platform, network, f"to-{name}", (f"10.78.{number}.1/30", f"{address}/30"))
        network.run("ip", "route", "add", f"{GATEWAY}/32", "via", f"10.78.{number}.1")
        return Host(name, folder, network, address)

    def up(self) -> None:
        self.podium("up", "--detach", "--host", GATEWAY, "--without", "agent-docker", "--without", "dashboards")
        live = read_live_state(self.state / "up.json")
        self.ports = live.ports
        self.gateway = f"http://{GATEWAY}:{live.ports['gateway']}"
        self.admin_token = (self.state / "admin-token").read_text().strip()

    def down(self) -> None:
        for host in self.hosts:
            assert host.process is not None
            host.process.terminate()
        for host in self.hosts:
            assert host.process is not None
            host.process.wait(40)
        # Waiting calls of agents that are gone end, so that the gateway need not wait for them.
        for host in self.hosts:
            self.ask(host.token, lambda client, pool=host.pool: client.change_pool(pool, cordoned=True))  # type: ignore[misc]
        self.podium("down")

    def close(self) -> None:
        self.parts.close()
        for namespace in (self.platform, *(host.network for host in self.hosts)):
            namespace.close()

    def podium(self, command: str, *options: str) -> None:
        done = subprocess.run(
            self.platform.command(str(PODIUM), command, "--state", str(self.state), *options),
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def person(self, token: str, *arguments: str) -> str:
        """What a command of somebody's says who is signed in, on the platform's own host."""
        done = subprocess.run(
            self.platform.command(str(PODIUM), *arguments),
            env={**self.plain, "PODIUM_GATEWAY": self.gateway, "PODIUM_TOKEN": token, "PODIUM_CONFIG": "/nonexistent"},
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(self, token: str, call: Callable[[Client], AnswerT]) -> AnswerT:
        """What the gateway answers somebody, on the platform's own host."""

        def work() -> AnswerT:
            with Client(self.gateway, token) as client:
                return call(client)

        return self.platform.call(work)

    def cut(self, host: Host) -> None:
        """Nothing passes between a host and the platform."""
        self.platform.run("ip", "link", "set", f"to-{host.name}", "down")

    def mend(self, host: Host) -> None:
        self.platform.run("ip", "link", "set", f"to-{host.name}", "up")


class Participant:
    """Somebody who takes part in the competitions of both organizers."""

    def __init__(self, site: Site, token: str) -> None:
        self.site, self.token = site, token

    def submit(self, host: Host, score: float, *, seconds: float = 0) -> UUID:
        """Submit to an organizer's competition what is scored so, and takes so long."""
        folder = Path(tempfile.mkdtemp(dir=self.site.folder))
        (folder / "said.txt").write_text(f"{score} {seconds}")
        return self.site.ask(self.token, lambda client: client.submit(host.name, folder).id)

    def record(self, submission: UUID) -> SubmissionRecord:
        return self.site.ask(self.token, lambda client: client.submission(submission))

    def wait(self, submission: UUID, reached: Callable[[SubmissionRecord], bool]) -> SubmissionRecord:
        give_up = time.monotonic() + 40
        while not reached(record := self.record(submission)):
            assert time.monotonic() < give_up, (record, *(host.log()[-3000:] for host in self.site.hosts))
            time.sleep(0.1)
        return record


def ended(record: SubmissionRecord) -> bool:
    return record.status in {"finished", "failed", "cancelled"}


@pytest.fixture(scope="package")
def site() -> Iterator[Site]:
    folder = Path(tempfile.mkdtemp(prefix="podium-hosts-"))
    folder.chmod(0o711)
    image = build_images(lambda _: None)[0].name
    made = Site(folder)
    try:
        with ThreadPoolExecutor(1) as threads:
            installed = threads.submit(slim_environment.install_podium)
            made.up()
            installed.result()
        for host in made.hosts:
            _move_in(made, host, image)
        yield made
        made.down()
    except BaseException:
        made.podium("down")
        raise
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)


def _move_in(site: Site, host: Host, image: str) -> None:
    """An organizer gets an account, a pool and a token, starts an agent, and makes a competition that uses it."""

    def account(admin: Client) -> str:
        admin.add_person(host.name, f"{host.name}@example.org", may_organize=True)
        return admin.issue_token(host.name, "test").secret

    def organize(client: Client) -> None:
        client.create_pool(host.pool)
        issued = client.issue_agent_token(host.pool, "host")
        host.agent_token, host.agent_token_id = issued.secret, issued.token.id
        host.token_file.write_text(f"{issued.secret}\n")
        host.start_agent(site.gateway)
        made = client.create_competition(_bundle(host, image), slug=host.name)
        assert made.competition == host.name, made
        assert not made.problems

    host.token = site.ask(site.admin_token, account)
    site.ask(host.token, organize)


def _bundle(host: Host, image: str) -> Path:
    folder = host.folder / "bundle"
    written = _COMPETITION.replace("TITLE", host.name).replace("IMAGE", image).replace("QUEUE", host.pool)
    for name, text in {
        "competition.yaml": written,
        "terms.md": "Be fair.\n",
        "scoring_program/score.py": _SCORER,
        "scoring_program/metadata.yaml": "command: python3 score.py\n",
        "reference_data/truth.txt": "1",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


@pytest.fixture(scope="package")
def pat(site: Site) -> Participant:
    def account(admin: Client) -> str:
        admin.add_person("pat", "pat@example.org")
        return admin.issue_token("pat", "test").secret

    def join(client: Client) -> None:
        for host in site.hosts:
            client.join(host.name, client.competition(host.name).terms_sha256)

    token = site.ask(site.admin_token, account)
    site.ask(token, join)
    return Participant(site, token)
