"""`make demo`: sets this machine up and runs the main job, from a bundle to a scored leaderboard.

Run again, it changes nothing that is there. What a user would type is shown as it is typed.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from machine import DATABASE, SANDBOX, Steps, engine_trouble, ensure_engine, install

from podium.platform.client import Client
from podium.platform.errors import NotAuthenticated, NotFound, PodiumError
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.supervisor.secret_files import write_secret
from podium.platform.supervisor.state_folder import default_state_folder

ROOT = Path(__file__).resolve().parents[1]
PODIUM = Path(sys.executable).with_name("podium")
EXAMPLE = Path("examples/meadow-flowers")
SLUG = "meadow-flowers"


@dataclass(frozen=True)
class Participant:
    """Somebody who takes part in the demo, and what they submit."""

    username: str
    name: str
    submission: Path
    message: str


ADA = Participant("ada", "Ada", EXAMPLE / "submissions/predictions", "petals alone")
GRACE = Participant("grace", "Grace", EXAMPLE / "submissions/nearest-neighbours", "15 nearest neighbours")


class CommandFailed(Exception):
    """A command did not succeed; it has said why."""


class CommandLine:
    """Runs `podium` as a user would, showing what is typed."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def __call__(self, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        """Run a command; return what it wrote to standard output.

        Raises:
            CommandFailed: It did not end with status 0.
        """
        self._steps.say(f"$ podium {shlex.join(arguments)}")
        process = subprocess.Popen(
            [str(PODIUM), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=_clean(environment or {}),
        )
        assert process.stdout is not None
        assert process.stderr is not None
        beside = threading.Thread(target=_show, args=(process.stderr,))
        beside.start()
        written = _show(process.stdout)
        beside.join()
        if process.wait() != 0:
            raise CommandFailed(f"podium {shlex.join(arguments)}")
        return written


def _show(stream: IO[str]) -> str:
    """Show what a command writes, as it comes; return it."""
    lines = []
    for line in stream:
        print(f"         {line}", end="", flush=True)
        lines.append(line)
    return "".join(lines)


def _clean(more: Mapping[str, str]) -> dict[str, str]:
    """This environment, without what could point a command elsewhere."""
    elsewhere = {"PODIUM_GATEWAY", "PODIUM_TOKEN", "PODIUM_COMPETITION"}
    return {**{name: value for name, value in os.environ.items() if name not in elsewhere}, **more}


def prepare(steps: Steps, podium: CommandLine) -> dict[str, str]:
    """Make sure of what the platform stands on; return what agents have to be told."""
    if os.geteuid() == 0:
        install(steps, DATABASE, "PostgreSQL")
    elif not list(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        steps.say("There is no PostgreSQL, and only root may install it: the one that comes as a wheel will do")
    if ensure_engine(steps):
        podium("images", "build")
        return {}
    steps.say(f"No Docker engine can be had ({engine_trouble()}): programs run as processes of this machine")
    if shutil.which("bwrap") or (os.geteuid() == 0 and install(steps, SANDBOX, "bubblewrap")):
        steps.say("bubblewrap keeps them apart, without network")
        return {}
    steps.say(
        "There is no bubblewrap either, so nothing keeps them apart: that is for this demo's own programs alone.\n"
        "Install docker.io or bubblewrap before anybody else submits here."
    )
    return {"PODIUM_AGENT_TRUST_PLAIN_PROCESSES": "true"}


def status() -> dict[str, Any]:
    """What `podium status` says now."""
    answer = subprocess.run([str(PODIUM), "status", "--json"], check=False, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


class Demo:
    """The main job, by an administrator and two participants.

    Args:
        podium: Runs commands.
        steps: Says what is done.
        gateway: The gateway's address.
        state: The state folder; the participants' tokens are kept in it.
    """

    def __init__(self, podium: CommandLine, steps: Steps, gateway: str, state: Path) -> None:
        self._podium, self._steps, self._gateway = podium, steps, gateway
        self._tokens = state / "demo"
        self._tokens.mkdir(mode=0o700, exist_ok=True)
        self._admin_token = (state / "admin-token").read_text().strip()

    def run(self) -> None:
        """Create the competition, take part, show the leaderboard; each unless it is done already."""
        with self._client(self._admin_token) as administrator:
            self._create_competition(administrator)
            tokens = {one: self._enrol(administrator, one) for one in (ADA, GRACE)}
        for one, token in tokens.items():
            self._take_part(one, token)
        self._as(tokens[ADA], "leaderboard", SLUG)

    def token_file(self, participant: Participant) -> Path:
        """Where a participant's token is kept."""
        return self._tokens / f"{participant.username}-token"

    def _client(self, token: str) -> Client:
        return Client(self._gateway, token)

    def _as(self, token: str, *arguments: str) -> str:
        return self._podium(*arguments, environment={"PODIUM_GATEWAY": self._gateway, "PODIUM_TOKEN": token})

    def _create_competition(self, administrator: Client) -> None:
        try:
            title = administrator.competition(SLUG).summary.title
        except NotFound:
            bundle = str(EXAMPLE / "bundle")
            self._as(self._admin_token, "competition", "create", bundle, "--slug", SLUG, "--start", "now")
        else:
            self._steps.say(f"The competition {title} is there")

    def _enrol(self, administrator: Client, participant: Participant) -> str:
        """Make sure of an account and a token, which is returned."""
        username, file = participant.username, self.token_file(participant)
        try:
            token = file.read_text().strip()
            with self._client(token) as client:
                client.me()
        except (OSError, NotAuthenticated):
            if username not in {person.username for person in administrator.people()}:
                administrator.add_person(username, f"{username}@example.org", name=participant.name)
            token = administrator.issue_token(username, "make demo").secret
            write_secret(file, f"{token}\n")
            self._steps.say(f"{participant.name} has an account; the token is in {file}")
        return token

    def _take_part(self, participant: Participant, token: str) -> None:
        with self._client(token) as client:
            if client.competition(SLUG).participation is None:
                self._as(token, "join", SLUG, "--accept-terms")
            done = [one for one in client.submissions(SLUG) if one.status is SubmissionStatus.FINISHED]
        if done:
            self._steps.say(f"{participant.name} has submission {done[0].number} on the leaderboard")
            return
        submit = ("submit", SLUG, "-f", str(participant.submission), "-m", participant.message)
        if participant is ADA:
            self._as(token, *submit, "--wait")
            return
        submission = self._as(token, *submit).strip()
        self._as(token, "logs", submission, "--follow")
        self._as(token, "submission", "show", submission)


def farewell(found: Mapping[str, Any], token_file: Path) -> str:
    """Where everything is, and what to do next."""
    addresses, command = found["addresses"], PODIUM.relative_to(ROOT)
    gateway = addresses["API"].removesuffix("/api/v1")
    return f"""
  Leaderboard   {addresses["Leaderboards"]}/leaderboard?competition={SLUG}
  Prefect UI    {addresses["Prefect UI"]}
  API docs      {addresses["API docs"]}

  Look at       {command} status
  Stop          {command} down

  Take part as Ada:

    export PODIUM_GATEWAY={gateway} PODIUM_TOKEN=$(cat {token_file})
    {command} submit {SLUG} -f {GRACE.submission} --wait
    {command} leaderboard {SLUG}
"""


def main() -> int:
    """Do it all; the exit status is 1 where it could not be done."""
    os.chdir(ROOT)
    steps = Steps()
    podium = CommandLine(steps)
    state = default_state_folder(os.environ)
    try:
        found = status()
        if found["running"]:
            steps.say(f"Podium runs already; its folder is {state}")
        else:
            podium("up", "--detach", environment=prepare(steps, podium))
            found = status()
        demo = Demo(podium, steps, found["addresses"]["API"].removesuffix("/api/v1"), state)
        demo.run()
    except CommandFailed as failed:
        steps.say(f"It ends here: {failed} did not succeed.\nLogs are in {state}/logs; make demo goes on from here.")
        return 1
    except PodiumError as error:
        steps.say(f"It ends here: {error}\nLogs are in {state}/logs; make demo goes on from here.")
        return 1
    steps.say("Done.")
    print(farewell(found, demo.token_file(ADA)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
