"""A small world in which every role is there, with things that belong to some: for trying all routes with all of them.

Each request runs in a transaction that is rolled back, so that the world is always as it was made.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from imported_images import image_of
from rescoring import rescore, start
from samples import Sample
from sqlalchemy import Connection, select, text, update
from world import PREDICTIONS, Known, World, board, evaluation_results, sha256_of, zip_of

from podium.platform.collaborators import add_collaborator
from podium.platform.competition_content import content_record
from podium.platform.competitions import find_competition
from podium.platform.gateway.app import create_app
from podium.platform.gateway.rules import Role
from podium.platform.identity import find_person, issue_token
from podium.platform.jobs import OutputKind
from podium.platform.lifecycle import ImportOutcome, ImportStatus, MailStatus
from podium.platform.mail import campaigns
from podium.platform.mail.audience import Audience
from podium.platform.mail.driving import links_of
from podium.platform.mail.links import Subscription
from podium.platform.mail.suppressions import suppress_address
from podium.platform.models import (
    Agent,
    Base,
    Bundle,
    DatasetUpload,
    Identity,
    ImportedFile,
    ImportSession,
    ImportUpload,
    MailCause,
    MailKind,
    OutboxMessage,
    Output,
    Pool,
    PoolUser,
    Rerun,
    Submission,
    Token,
    Upload,
    now,
)
from podium.platform.models.base import new_id
from podium.platform.offered_files import offered_files
from podium.platform.reruns.control import pause_rerun
from podium.platform.reruns.selection import Selection
from podium.platform.scaling import policies
from podium.platform.settings import ServerSettings
from podium.platform.storage import incoming_key
from podium.platform.submissions.creation import upload_key
from podium.platform.teams import create_team, make_code

CANARY = "canary"
"""In everything that only some may see."""
_KINDS = {Role.PERSON, Role.PARTICIPANT, Role.COLLABORATOR, Role.ORGANIZER}


@dataclass(frozen=True)
class Somebody:
    """A caller.

    Attributes:
        here: Its roles where the competition `iris` is concerned, its pool, or nothing in particular.
        elsewhere: The roles that it has in another competition or pool.
        kinds: The roles that a token of its kind may have.
    """

    name: str
    token: str | None
    here: frozenset[Role]
    elsewhere: frozenset[Role]
    kinds: frozenset[Role]


class Everybody:
    """The world, and a gateway that serves it in this process.

    Args:
        world: An empty one, on a database of its own.
    """

    def __init__(self, world: World, settings: ServerSettings) -> None:
        self.world = world
        self.things: dict[str, str] = {}
        self.datasets: dict[str, str] = {}
        self.somebodies: dict[str, Somebody] = {}
        self._make()
        app = create_app(settings)
        self.services = app.state.services
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("192.0.2.7", 50_000))
        self._http = httpx.AsyncClient(transport=transport, base_url=f"{settings.public_url}/api/v1")
        self._runner = asyncio.Runner()
        self.openapi = self._runner.run(self._http.get("../openapi.json")).json()

    def close(self) -> None:
        self._runner.close()
        self.services.orchestration.close()
        self.services.database.close()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Whatever is asked for inside has never happened afterwards."""
        with self.services.database.engine.connect() as connection, connection.begin() as outer:
            self.services.database._sessions.configure(bind=connection, join_transaction_mode="create_savepoint")
            try:
                yield connection
            finally:
                outer.rollback()

    def ask(self, sample: Sample, who: Somebody) -> httpx.Response:
        """Make the request, as this caller."""
        names = {**self.things, "own_dataset": self.datasets.get(who.name, str(uuid4()))}
        self._refill()
        headers = {"Authorization": f"Bearer {who.token}"} if who.token else {}
        path = sample.path.format_map(names).lstrip("/")
        body = None if sample.body is None else _filled(sample.body, names)
        options: dict[str, Any] = {"json": body} if body is not None else {}
        if path.startswith("storage/") and sample.method == "PUT":
            options = {"content": PREDICTIONS}
        return self._runner.run(self._http.request(sample.method, path, headers=headers, **options))

    def _refill(self) -> None:
        """Have the uploads there again: files are in no transaction."""
        for key in self._uploads:
            path = self.world.storage.root / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(PREDICTIONS)

    def _make(self) -> None:
        world = self.world
        olga, otto = world.person("olga", organizer=True), world.person("otto", organizer=True)
        known = {name: world.person(name) for name in ("bob", "ada", "carl", "cora", "connie")}
        root = world.person("root", administrator=True)
        fields = {
            "show_detailed_results_in_leaderboard": False,
            "make_programs_available": True,
            "teams": {"max_members": 5},
            "leaderboards": [board(submission_rule="Add_And_Delete_Multiple")],
        }
        slug = world.competition(olga, slug="iris", title=f"Iris {CANARY}", **fields)
        other = world.competition(otto, slug="other")
        for name, where in (("ada", slug), ("carl", slug), ("carl", other)):
            world.join(known[name], where)
        for owner, name, where in ((olga, "cora", slug), (otto, "connie", other)):
            self._share(owner, name, where)
        carl = known["carl"]
        team_code = self._team(world.person("tim"), slug)
        scored = [world.score(carl, slug, {"accuracy": 0.5}, filename=f"{CANARY}.zip") for _ in range(4)]
        rerun = {
            "ready": rescore(world, olga, slug, {1: {"accuracy": 0.6}}, selection=Selection(submissions=(1,))),
            "running": start(world, olga, slug, Selection(submissions=(2,)), reason=CANARY),
            "paused": start(world, olga, slug, Selection(submissions=(3,))),
        }
        with world.session() as session:
            pause_rerun(session, session.get_one(Rerun, rerun["paused"]), actor="tests")
            self.things |= {name: str(session.get_one(Rerun, one).number) for name, one in rerun.items()}
            evaluation = session.get_one(Submission, scored[3]).evaluations[0].id
            for kind in (OutputKind.SCORING_OUTPUT, OutputKind.DETAILED_RESULTS):
                content = _content(world, scored[3])
                row = {"content": content, "sha256": "0" * 64, "size": 1}
                session.add(Output(evaluation_id=evaluation, kind=kind, owner_id=olga.id, **row))
        self.things |= self._campaigns(olga, slug)
        job = world.claim(world.submit(carl, slug))
        elsewhere = world.claim(world.submit(carl, other))
        announced = world.announce(carl, slug)
        in_parts = self._in_parts(carl)
        pool_token = self._pool_of(olga, shared_with=world.person("oscar", organizer=True))
        bundle, dataset = self._uploads_of(olga)
        images = self._images_of(carl, scored[3])
        self.datasets = {
            name: self._dataset(one) for name, one in (("olga", olga), ("cora", known["cora"]), ("root", root))
        }
        with world.session() as session:
            token = session.scalars(select(Token.id).where(Token.person_id == carl.id)).one()
            identity = Identity(person_id=carl.id, issuer="https://sso.example.org", subject=CANARY)
            session.add(identity)
            session.flush()
            competition = find_competition(session, slug, None)
            terms, offered = competition.terms_sha256, offered_files(session, competition, None)[0].id
            session.get_one(Submission, scored[2]).shared = now()
            content = content_record(session, competition).version
            self._uploads = [
                upload_key(session.get_one(Submission, announced)),
                *(incoming_key(one) for one in (bundle, dataset, UUID(images["import_upload"]))),
            ]
        self.things |= images
        self.things |= {
            "token": str(token),
            "team_code": team_code,
            "identity": str(identity.id),
            "terms": terms,
            "content": content,
            "bundle": str(bundle),
            "picture": sha256_of(b"GIF89a: a picture"),
            "dataset": str(dataset),
            "announced": str(announced),
            "in_parts": str(in_parts),
            "pool_token": str(pool_token),
            "olgas_dataset": self.datasets["olga"],
            "scored": str(scored[3]),
            "shared": str(scored[2]),
            "offered": str(offered),
            "evaluation": str(evaluation),
            "submission": str(job.submission_id),
            "attempt": str(job.attempt_id),
            "queued": str(world.submit(carl, slug)),
            "get": world.storage.sign_get(_content(world, scored[3]), filename="f").url.rpartition("/")[2],
            "put": world.storage.sign_put(incoming_key(uuid4()), max_bytes=len(PREDICTIONS)).url.rpartition("/")[2],
            "result": json.dumps(evaluation_results(job, [{"accuracy": 1.0}])[0]),
        }
        self._register("anonymous", None, Role.ANYONE)
        for name, person in known.items():
            here = {"ada": {Role.PARTICIPANT}, "carl": {Role.PARTICIPANT}, "cora": {Role.COLLABORATOR}}.get(name, set())
            there = {"connie": {Role.COLLABORATOR}, "carl": {Role.PARTICIPANT}}.get(name, set())
            self._register(name, person.token, Role.PERSON, here=here, elsewhere=there)
        self._register("olga", olga.token, Role.PERSON, here={Role.ORGANIZER})
        self._register("otto", otto.token, Role.PERSON, elsewhere={Role.ORGANIZER})
        self._register("root", root.token, Role.PERSON, here={Role.ADMINISTRATOR}, elsewhere={Role.ORGANIZER})
        self._register("agent", world.agent_token(), here={Role.AGENT})
        self._register("agent of another pool", world.agent_token("gpu"), elsewhere={Role.AGENT})
        self._register("attempt", job.attempt_token, here={Role.ATTEMPT})
        self._register("another attempt", elsewhere.attempt_token, elsewhere={Role.ATTEMPT})

    def _register(
        self,
        name: str,
        token: str | None,
        *general: Role,
        here: set[Role] | None = None,
        elsewhere: set[Role] | None = None,
    ) -> None:
        near = frozenset({Role.ANYONE, *general} | (here or set()))
        far = frozenset(elsewhere or set())
        kinds = near | far | (_KINDS if Role.PERSON in general else set())
        self.somebodies[name] = Somebody(name, token, near, far, frozenset(kinds))

    def _share(self, owner: Known, username: str, slug: str) -> None:
        with self.world.session() as session:
            competition = find_competition(session, slug, None)
            add_collaborator(session, competition, find_person(session, username), actor=f"person:{owner.username}")

    def _team(self, captain: Known, slug: str) -> str:
        """A team of somebody else's, and the code by which others join it."""
        self.world.join(captain, slug)
        with self.world.session() as session:
            competition, person = find_competition(session, slug, None), find_person(session, captain.username)
            team = create_team(session, competition, person, CANARY)
            return make_code(competition, team, person).code

    def _campaigns(self, author: Known, slug: str) -> dict[str, str]:
        """A campaign in each state, by number; how one stops them; and an address to which none goes."""
        found: dict[str, str] = {}
        with self.world.session() as session:
            competition = find_competition(session, slug, None)
            for name in ("drafted", "approved", "sending", "held", "unsettled"):
                one = campaigns.draft_campaign(
                    session, competition, author.id, audience=Audience(), subject=CANARY, body=CANARY, actor="tests"
                )
                found[name] = str(one.number)
                if name != "drafted":
                    campaigns.approve_campaign(session, one, author.id, seen=1, needs_second=False, actor="tests")
                if name not in {"drafted", "approved"}:
                    campaigns.send_campaign(session, one, actor="tests")
                if name == "held":
                    campaigns.pause_campaign(session, one, actor="tests")
            session.execute(
                update(OutboxMessage).where(OutboxMessage.campaign_id == one.id).values(status=MailStatus.UNSETTLED)
            )
            suppress_address(session, "gone@example.org", MailCause.BOUNCE, detail=CANARY, by="tests")
            stopped = Subscription(author.id, MailKind.ANNOUNCEMENT, competition.id)
            links = links_of(self.world.settings)
            found["stop"] = links.unsubscribe(stopped).rpartition("/")[2]
            found["confirm"] = links.confirmation(author.id, "olga@example.org").rpartition("/")[2]
        return found

    def _in_parts(self, owner: Known) -> UUID:
        """An upload in parts of which nothing has arrived."""
        with self.world.session() as session:
            upload = Upload(id=new_id(), owner_id=owner.id, key=incoming_key(new_id()), size=3, part_bytes=2)
            upload.reference = self.world.storage.begin_parts(upload.key)
            session.add(upload)
            return upload.id

    def _pool_of(self, owner: Known, *, shared_with: Known) -> UUID:
        """A pool of somebody's hosts, with an agent and its token; and pools of the platform that are scaled."""
        with self.world.session() as session:
            pool = Pool(name="olgas-hosts", owner_id=owner.id)
            session.add(pool)
            session.flush()
            session.add(PoolUser(pool_id=pool.id, person_id=shared_with.id))
            gone = now() - timedelta(days=1)
            host = {"name": "host-1", "version": CANARY, "slots": 1, "executor": "docker", "last_seen": gone}
            session.add(Agent(pool_id=pool.id, **host))
            for name in ("docker", "gpu"):
                given = {"provider": "process", "maximum": 1}
                policies.set_scaling(session, name, given, settings=self.world.settings, actor="tests")
            return issue_token(session, pool, name="hosts")[1].id

    def _uploads_of(self, owner: Known) -> tuple[UUID, UUID]:
        file = {"filename": f"{CANARY}.zip", "size": len(PREDICTIONS), "sha256": sha256_of(PREDICTIONS)}
        with self.world.session() as session:
            bundle = Bundle(owner_id=owner.id, **file)
            dataset = DatasetUpload(owner_id=owner.id, kind="reference_data", **file)
            session.add_all([bundle, dataset])
            session.flush()
            return bundle.id, dataset.id

    def _images_of(self, owner: Known, submission_id: UUID) -> dict[str, str]:
        """An import that has made an image of a submission, one that may start; and a dataset of the competition."""
        file = {"size": len(PREDICTIONS), "sha256": sha256_of(PREDICTIONS)}
        content = {"content": _content(self.world, submission_id), **file}
        with self.world.session() as session:
            whose = {"owner_id": owner.id, "submission_id": submission_id}
            done = ImportSession(person_id=owner.id, status=ImportStatus.IMPORTED, runs=1, ended=now(), **whose)
            sent = ImportSession(person_id=owner.id, **whose)
            session.add_all([done, sent])
            session.flush()
            image = image_of(done, content["content"], name=CANARY)
            waiting = ImportUpload(session_id=done.id, owner_id=owner.id, path="b.mha", removed=now(), **file)
            session.add_all([image, waiting])
            session.flush()
            session.add_all(
                [
                    ImportUpload(session_id=done.id, owner_id=owner.id, path="c.mha", **content),
                    ImportUpload(session_id=sent.id, owner_id=owner.id, path="c.mha", **content),
                    ImportedFile(
                        session_id=done.id, path=f"{CANARY}.mha", size=1, outcome=ImportOutcome.REJECTED, reason="x"
                    ),
                ]
            )
            used = session.get_one(Submission, submission_id).phase.tasks[0].task.scoring_program_id
            return {
                "import": str(done.id),
                "sent_import": str(sent.id),
                "import_upload": str(waiting.id),
                "image": str(image.id),
                "used_dataset": str(used),
            }

    def _dataset(self, owner: Known) -> str:
        """A dataset of somebody's that no task has yet."""
        from podium.platform import datasets  # noqa: PLC0415

        data = zip_of({"truth.csv": owner.username})
        with self.world.session() as session:
            upload = datasets.announce_dataset(
                session,
                owner.id,
                kind="reference_data",
                filename="truth.zip",
                size=len(data),
                sha256=sha256_of(data),
                max_bytes=10**6,
                quota_bytes=10**9,
            )
            path = self.world.storage.root / datasets.upload_key(upload)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            return str(datasets.complete_dataset(session, upload.id, owner.id, self.world.storage)[1].id)


def fingerprint(connection: Connection) -> Mapping[str, str]:
    """A digest of every table's rows, but for when tokens were last used."""
    parts = [
        f"SELECT '{name}', md5(coalesce(string_agg((to_jsonb(one) - 'last_used')::text, '|'"
        f" ORDER BY to_jsonb(one)::text), '')) FROM {name} one"
        for name in Base.metadata.tables
    ]
    return {row[0]: row[1] for row in connection.execute(text(" UNION ALL ".join(parts)))}


def files_of(world: World) -> str:
    """A digest of the names of all stored files."""
    names = sorted(str(path.relative_to(world.storage.root)) for path in world.storage.root.rglob("*"))
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def _content(world: World, submission_id: UUID) -> str:
    content = world.submission(submission_id).content
    assert content is not None
    return content


def _filled(value: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401  # JSON
    if isinstance(value, dict):
        return {name: _filled(one, names) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, names) for one in value]
    if isinstance(value, str) and value.startswith("{"):
        filled = names[value[1:-1]]
        return json.loads(filled) if filled.startswith("{") else filled
    return value
