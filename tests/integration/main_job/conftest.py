"""A whole Podium, as `podium up` starts it, and the command line as people use it. What is missing is a failure."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import docker
import psycopg
import pytest
from command_lines import Ran, run_podium
from mailing import MailServer

from podium.platform.client import Client
from podium.platform.client.conversion import record_to_json
from podium.platform.supervisor.live_state import read_live_state
from podium.platform.supervisor.postgres import PostgresCluster

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "meadow-flowers"
PODIUM = Path(sys.executable).with_name("podium")
SLUG = "meadow-flowers"
LEASE_SECONDS = 6
_numbers = itertools.count(1)


@dataclass(frozen=True)
class User:
    """Somebody at a terminal of their own, signed in."""

    name: str
    token: str
    gateway: str
    home: Path

    def environment(self) -> dict[str, str]:
        return {
            **plain_environment(),
            "PODIUM_GATEWAY": self.gateway,
            "PODIUM_TOKEN": self.token,
            "PODIUM_CONFIG": str(self.home / "config.json"),
            "COLUMNS": "200",
        }

    def __call__(self, *arguments: str, seconds: float = 120) -> Ran:
        ran = run_podium(*arguments, environment=self.environment(), seconds=seconds)
        assert "Traceback" not in ran.err, ran.err
        return ran

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(PODIUM), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(),
        )

    def good(self, *arguments: str) -> Ran:
        """Run a command that has to succeed."""
        ran = self(*arguments)
        assert ran.code == 0, ran.out + ran.err
        return ran

    def submit(self, path: Path, slug: str = SLUG, *more: str) -> Ran:
        """Submit, follow to the end, and answer with the record as JSON."""
        return self("submit", slug, "-f", str(path), "--wait", "--timeout", "100", "--json", *more)

    def send(self, path: Path, slug: str = SLUG) -> dict[str, Any]:
        """Submit without a look at what it is, as no client of ours does, and follow it to the end."""
        with Client(self.gateway, self.token) as client:
            return record_to_json(client.wait(client.submit(slug, path).id, timeout=100))

    def wait_for(
        self, submission: str, reached: Callable[[dict[str, Any]], bool], seconds: float = 120
    ) -> dict[str, Any]:
        """Look again and again; by the client, for each command line would cost half a second of a core."""
        deadline = time.monotonic() + seconds
        with Client(self.gateway, self.token) as client:
            while True:
                record = record_to_json(client.submission(UUID(submission)))
                if reached(record):
                    return record
                assert time.monotonic() < deadline, record
                time.sleep(0.1)


@dataclass
class Podium:
    """Podium on this machine, up."""

    state: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str) -> Ran:
        """Run a command of the operator's."""
        return run_podium(*arguments, "--state", str(self.state), environment=self.environment(), seconds=240)

    def up(self) -> None:
        """Start it, by the program itself: what it starts is to be as it always is."""
        subprocess.run(
            [PODIUM, "up", "--detach", "--state", self.state], check=True, env=self.environment(), timeout=240
        )

    def environment(self) -> dict[str, str]:
        return {**plain_environment(), **self.settings}

    @property
    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self("status", "--json").json
        return found

    def part(self, name: str) -> dict[str, Any]:
        return next(part for part in self.status["parts"] if part["name"] == name)

    def wait_for_part(self, name: str, *, restarts: int) -> dict[str, Any]:
        deadline = time.monotonic() + 120
        while True:
            part = self.part(name)
            if part["state"] == "healthy" and part["restarts"] >= restarts:
                return part
            assert time.monotonic() < deadline, part
            time.sleep(0.2)

    @property
    def addresses(self) -> dict[str, str]:
        return read_live_state(self.state / "up.json").addresses

    @property
    def gateway(self) -> str:
        return self.addresses["API"].removesuffix("/api/v1")

    @property
    def admin(self) -> User:
        return User("admin", (self.state / "admin-token").read_text().strip(), self.gateway, self.state)

    def database(self) -> psycopg.Connection:
        port = read_live_state(self.state / "up.json").ports["postgres"]
        return psycopg.connect(PostgresCluster(self.state / "postgres", port=port).url(driver=""), autocommit=True)

    def processes(self) -> list[str]:
        """The command lines of everything that works in the state folder, or was told about it."""
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit() or int(folder.name) == os.getpid():
                continue
            try:
                line = (folder / "cmdline").read_text().replace("\0", " ")
                where = str((folder / "cwd").readlink())
            except OSError:
                continue
            if line and (str(self.state) in line or where.startswith(str(self.state))):
                found.append(line)
        return found

    def traces(self) -> list[str]:
        """What attempts have on this host: containers, control groups and folders; and what was made ahead for them."""
        groups = [
            group
            for folder in self.state.glob("**/attempts")
            for group in Path("/sys/fs/cgroup").glob(f"*/podium/*-{_owner(folder.parent)}/*/")
        ]
        found = [*groups, *self.state.glob("**/attempts/*"), *(Path(name) for name in self.containers())]
        return [str(path) for path in found]

    def containers(self) -> list[str]:
        """The containers that show a program something of the state folder."""
        client = docker.from_env()
        try:
            listed = client.api.containers(all=True)
        finally:
            client.close()
        return [
            one["Names"][0]
            for one in listed
            if any(str(mount.get("Source", "")).startswith(str(self.state)) for mount in one["Mounts"])
        ]


def _owner(folder: Path) -> str:
    return hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]


def plain_environment() -> dict[str, str]:
    """This environment, without what would point a command elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PODIUM_", "PREFECT_", "PG"))}


@pytest.fixture(scope="package")
def mail_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    """Takes what Podium sends, and keeps it."""
    with MailServer(tmp_path_factory.mktemp("mail")) as server:
        server.keep()
        yield server


@pytest.fixture(scope="package")
def podium(mail_server: MailServer) -> Iterator[Podium]:
    # Not in pytest's folder: PostgreSQL runs as a user of its own, and pytest's folders are closed to others.
    folder = Path(tempfile.mkdtemp(prefix="podium-main-job-"))
    folder.chmod(0o711)
    settings = {
        "PODIUM_LEASE_SECONDS": str(LEASE_SECONDS),
        "PODIUM_HEARTBEAT_SECONDS": "1",
        "PODIUM_AGENT_RELAXATIONS": "network,private_network",
        "PODIUM_MAIL_HOST": "127.0.0.1",
        "PODIUM_MAIL_PORT": str(mail_server.port),
        "PODIUM_MAIL_SECURITY": "none",
        "PODIUM_MAIL_FROM": "podium@podium.test",
    }
    running = Podium(folder / "state", settings)
    images = subprocess.run([str(PODIUM), "images", "build"], capture_output=True, text=True, check=False)
    assert images.returncode == 0, images.stderr
    try:
        running.up()
        yield running
    finally:
        ended = running("down")
        assert ended.code == 0, ended.out + ended.err
        assert running.processes() == []
        assert running.containers() == []
        shutil.rmtree(folder)


@pytest.fixture(scope="package")
def competition(podium: Podium) -> str:
    """The slug of the example competition, made from its folder by the flow."""
    bundle = str(EXAMPLE / "bundle")
    created = podium.admin("competition", "create", bundle, "--slug", SLUG, "--start", "now")
    assert created.code == 0, created.err
    assert created.out == f"{SLUG}\n"
    return SLUG


NewUser = Callable[..., User]


@pytest.fixture
def new_user(podium: Podium, tmp_path: Path) -> NewUser:
    """Makes accounts that take part in competitions; without the command line, which starts anew each time.

    Those without `news` want no mail about their submissions: each would cost a flow run.
    """

    def make(*competitions: str, organizer: bool = False, news: bool = False) -> User:
        name = f"user{next(_numbers)}"
        with Client(podium.gateway, podium.admin.token) as admin:
            admin.add_person(name, f"{name}@example.org", may_organize=organizer)
            token = admin.issue_token(name, "test").secret
        with Client(podium.gateway, token) as client:
            for slug in competitions:
                client.join(slug, client.competition(slug).terms_sha256)
            if not news:
                client.choose_mail("submission", "none")
        return User(name, token, podium.gateway, tmp_path)

    return make


@pytest.fixture
def ada(new_user: NewUser, competition: str) -> User:
    """A participant of the example competition."""
    return new_user(competition)


Variant = Callable[..., Path]


@pytest.fixture(scope="session")
def variant(tmp_path_factory: pytest.TempPathFactory) -> Variant:
    """Makes copies of the example bundle that differ in something."""

    def make(changes: Mapping[str, str] | None = None, files: Mapping[str, str] | None = None) -> Path:
        folder = tmp_path_factory.mktemp("variant") / "bundle"
        shutil.copytree(EXAMPLE / "bundle", folder)
        text = (folder / "competition.yaml").read_text()
        for old, new in (changes or {}).items():
            assert old in text
            text = text.replace(old, new)
        (folder / "competition.yaml").write_text(text)
        for name, content in (files or {}).items():
            (folder / name).write_text(content)
        return folder

    return make


@pytest.fixture
def model(tmp_path: Path) -> Callable[[str], Path]:
    """Makes code submissions whose `fit` does something; what they predict is one species for all."""

    def make(fit: str) -> Path:
        folder = tmp_path / f"model-{next(_numbers)}"
        folder.mkdir()
        indented = "\n".join(f"        {line}" for line in fit.splitlines())
        (folder / "model.py").write_text(
            "import os, sys, time\n\nclass Model:\n"
            f"    def fit(self, plants, species):\n{indented}\n"
            "    def predict(self, plants):\n        return ['cornflower'] * len(plants)\n"
        )
        return folder

    return make
