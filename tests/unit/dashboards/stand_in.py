"""A stand-in for the gateway: a real HTTP server that answers in the API's shape, from records that a test sets."""

from __future__ import annotations

import csv
import io
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID, uuid5

from stand_in_images import Answered, Images
from stand_in_organizing import Organized

from podium.platform.bundles.content import Computation, FactSheetQuestion, FactSheetType, Sorting, SubmissionRule
from podium.platform.client.conversion import record_to_json
from podium.platform.errors import NotAllowed, NotAuthenticated, NotFound, PodiumError
from podium.platform.lifecycle import TERMINAL_SUBMISSION_STATUSES, ParticipantStatus, SubmissionStatus
from podium.platform.records.competitions import (
    ColumnRecord,
    CompetitionRecord,
    CompetitionSummary,
    PageRecord,
    PhaseRecord,
    TaskRecord,
)
from podium.platform.records.leaderboards import LeaderboardRecord, LeaderboardRow, RankPoint
from podium.platform.records.offers import OfferedFile, SharedSubmission
from podium.platform.records.people import Allowance, ParticipantRecord, PersonRecord
from podium.platform.records.storage import SignedRequestRecord
from podium.platform.records.submissions import (
    DetailedResult,
    DetailedResults,
    LogPage,
    LogPiece,
    SubmissionRecord,
    SubmissionUpload,
)

SPACE = UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
ACCURACY = ColumnRecord("accuracy", "Accuracy", Sorting.DESC, 4, is_primary=True, computation=None)
LOSS = ColumnRecord("loss", "Log loss", Sorting.ASC, 3, is_primary=False, computation=None)
MEAN = ColumnRecord("mean", "Mean", Sorting.DESC, 2, is_primary=False, computation=Computation.AVG)
MODEL = FactSheetQuestion("model", FactSheetType.TEXT, "Model", (), is_required=False, is_on_leaderboard=True)
EXTERNAL = FactSheetQuestion(
    "external", FactSheetType.CHECKBOX, "Extra data", (), is_required=False, is_on_leaderboard=True
)


def moment(**ago: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(**ago)


def make_row(
    rank: int | None, participant: str, *scores: float | None, entries: int = 3, model: str = "", minutes: float = 90
) -> LeaderboardRow:
    return LeaderboardRow(
        rank=rank,
        participant=participant,
        submission_id=uuid5(SPACE, f"{participant} {scores}"),
        submission_number=7,
        submitted=moment(minutes=minutes),
        scores=scores,
        fact_sheet={"model": model, "external": "true" if model else "false"},
        entries=entries,
    )


def make_phase(number: int = 1, name: str = "Development", *, start: float = -10, end: float | None = 5) -> PhaseRecord:
    """A phase by its window in days from now."""
    begin, finish = moment(days=-start), None if end is None else moment(days=-end)
    status = "upcoming" if start > 0 else "over" if end is not None and end <= 0 else "open"
    return PhaseRecord(
        number=number,
        name=name,
        description="",
        start=begin,
        end=finish,
        status=status,
        max_submissions_per_day=5,
        max_submissions=100,
        execution_time_limit=600,
        only_result_submissions=False,
        tasks=(TaskRecord("0", "Classify", "Name the flower."),),
    )


def make_competition(
    slug: str = "iris", title: str = "Iris, the challenge", *phases: PhaseRecord, **changes: object
) -> CompetitionRecord:
    phases = phases or (make_phase(),)
    open_phase = next((phase for phase in phases if phase.status == "open"), None)
    summary = CompetitionSummary(
        slug=slug,
        title=title,
        description="Tell three kinds of flowers from four lengths.",
        organizer="ada",
        published=True,
        phase=open_phase.name if open_phase else None,
        deadline=open_phase.end if open_phase else None,
        participants=123,
        submissions=456,
        reward="$500 and $100",
        created=moment(days=30),
    )
    record = CompetitionRecord(
        summary=summary,
        terms="Be fair. **No second accounts.**",
        terms_is_html=False,
        terms_sha256="0" * 64,
        registration_auto_approve=True,
        docker_image="codalab/codalab-legacy:py312",
        contact_email="ada@example.org",
        phases=phases,
        pages=(PageRecord("Overview", "# Flowers\n\nWin $500, or $100 for the second.", is_html=False),),
        fact_sheet=(MODEL, EXTERNAL),
        columns=(ACCURACY, LOSS),
        leaderboard_title="Results",
        leaderboard_hidden=False,
        submission_rule=SubmissionRule.FORCE_BEST,
        participation=None,
        may_organize=False,
    )
    return replace(record, **changes)


def make_board(*rows: LeaderboardRow, slug: str = "iris", phase: str = "Development") -> LeaderboardRecord:
    return LeaderboardRecord(
        competition=slug,
        competition_title="Iris, the challenge",
        title="Results",
        phase=phase,
        columns=(ACCURACY, LOSS),
        questions=(MODEL, EXTERNAL),
        rows=rows,
        total=len(rows),
        updated=moment(minutes=3) if rows else None,
    )


def make_person(username: str = "lin", **changes: object) -> PersonRecord:
    person = PersonRecord(
        username, "Lin Example", "lin@example.org", is_administrator=False, may_organize=False, created=moment(days=40)
    )
    return replace(person, **changes)


def make_submission(status: SubmissionStatus, number: int = 1, **changes: object) -> SubmissionRecord:
    created = moment(minutes=30)
    submission = SubmissionRecord(
        id=uuid5(SPACE, f"submission {number}"),
        number=number,
        competition="iris",
        phase="Development",
        participant="lin",
        filename=f"model-{number}.zip",
        size=1_234_567,
        message="more trees",
        status=status,
        status_message="",
        ahead=None,
        version=1,
        created=created,
        queued=created,
        started=None,
        ended=created + timedelta(minutes=2) if status in TERMINAL_SUBMISSION_STATUSES else None,
        on_leaderboard=status is SubmissionStatus.FINISHED,
    )
    return replace(submission, **changes)


@dataclass
class StandIn:
    """What the stand-in answers; tests change it while it serves."""

    competitions: dict[str, CompetitionRecord] = field(default_factory=dict)
    boards: dict[tuple[str, str], LeaderboardRecord] = field(default_factory=dict)
    people: dict[str, PersonRecord] = field(default_factory=dict)
    submissions: dict[str, list[SubmissionRecord]] = field(default_factory=dict)
    logs: dict[UUID, list[LogPiece]] = field(default_factory=dict)
    results: dict[UUID, DetailedResults] = field(default_factory=dict)
    pages: dict[UUID, str] = field(default_factory=dict)
    allowance: Allowance = field(
        default_factory=lambda: Allowance(
            can=True, reason="", phase="Development", left_in_window=4, left_total=96, changes=None
        )
    )
    files: dict[str, list[OfferedFile]] = field(default_factory=dict)
    shared: dict[str, list[SharedSubmission]] = field(default_factory=dict)
    organized: Organized = field(default_factory=Organized)
    images: Images = field(default_factory=Images)
    histories: dict[str, tuple[RankPoint, ...]] = field(default_factory=dict)
    refusal: PodiumError | None = None
    done: list[tuple[str, str, dict[str, object]]] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    is_down: bool = False
    seconds: float = 0.0
    """So long it takes to answer."""
    seen: list[str] = field(default_factory=list)
    address: str = ""

    def add(self, competition: CompetitionRecord, *boards: LeaderboardRecord) -> None:
        slug = competition.summary.slug
        self.competitions[slug] = competition
        for phase, board in zip(competition.phases, boards, strict=False):
            self.boards[slug, str(phase.number)] = board

    def add_result(self, submission: SubmissionRecord, page: str, *, version: str = "1", is_live: bool = False) -> None:
        """Give a submission a detailed result, or another one in its place."""
        evaluation = uuid5(submission.id, "evaluation")
        self.pages[evaluation] = page
        result = DetailedResult(evaluation, "Classify", len(page), version, is_live)
        self.results[submission.id] = DetailedResults(
            submission.id,
            submission.competition,
            submission.phase,
            submission.number,
            submission.participant,
            (result,),
        )

    def answer(self, path: str, query: dict[str, str], token: str | None) -> object:
        """The answer to a GET under /api/v1."""
        time.sleep(self.seconds)
        person = self.people.get(token or "")
        if token is not None and person is None:
            raise NotAuthenticated("This token is not known.")
        parts = [unquote(part) for part in path.strip("/").split("/")]
        if parts == ["me"]:
            return person
        if self.images.answers(parts):
            return self.images.answer(parts, query)
        if parts == ["competitions"]:
            return self._competitions(query)
        if parts[0] == "competitions":
            return self._of_competition(parts[1], parts[2:], query, person)
        if parts[0] == "submissions":
            return self._of_submission(UUID(parts[1]), parts[2:], query)
        if parts[0] == "pools":
            return self.organized.answer_of_pools(parts[1:])
        raise NotFound("There is no such call.")

    def act(self, method: str, path: str, body: dict[str, object], token: str | None) -> object:
        """The answer to a call that changes something."""
        if self.people.get(token or "") is None:
            raise NotAuthenticated("This token is not known.")
        parts = [unquote(part) for part in path.strip("/").split("/")]
        self.done.append((method, path, body))
        if self.refusal is not None:
            raise self.refusal
        if parts[0] == "import-sessions":
            return self.images.act(parts)
        if parts[0] == "submissions":
            return self._decide(method, UUID(parts[1]), parts[2])
        if parts[0] == "competitions" and method == "POST" and parts[2:] in (["participants"], ["submissions"]):
            person = self.people[token or ""]
            act = self._join if parts[2] == "participants" else self._announce
            return act(parts[1], person, body)
        if parts[0] == "competitions" and parts[1] in self.competitions:
            return self.organized.act(self.competitions, parts[1], parts[2:], body)
        raise NotFound("There is no such call.")

    def _decide(self, method: str, identifier: UUID, what: str) -> SubmissionRecord:
        changes: dict[str, dict[str, object]] = {
            "cancel": {"status": SubmissionStatus.CANCELLED, "ended": moment(), "ahead": None},
            "complete": {"status": SubmissionStatus.QUEUED, "queued": moment(), "ahead": 0},
            "leaderboard": {"on_leaderboard": method == "PUT"},
            "shared": {"shared": method == "PUT"},
        }
        return self._change(identifier, **changes[what])

    def _change(self, identifier: UUID, **changes: object) -> SubmissionRecord:
        for many in self.submissions.values():
            for place, one in enumerate(many):
                if one.id == identifier:
                    many[place] = replace(one, **{"version": one.version + 1, **changes})
                    return many[place]
        raise NotFound("There is no such submission.")

    def _join(self, slug: str, person: PersonRecord, body: dict[str, object]) -> ParticipantRecord:
        competition = self.competitions[slug]
        part = ParticipantStatus.APPROVED if competition.registration_auto_approve else ParticipantStatus.PENDING
        changes = {"participation": part, "accepted_terms_sha256": body["terms_sha256"], "terms_accepted": moment()}
        self.competitions[slug] = replace(competition, **changes)
        return ParticipantRecord(person.username, person.name, part, moment())

    def _announce(self, slug: str, person: PersonRecord, body: dict[str, object]) -> SubmissionUpload:
        many = self.submissions.setdefault(slug, [])
        made = make_submission(
            SubmissionStatus.SUBMITTED,
            900 + len(many),
            competition=slug,
            participant=person.username,
            filename=body["filename"],
            size=body["size"],
            message=body["message"] or "",
        )
        many.insert(0, made)
        upload = SignedRequestRecord("PUT", f"{self.address}/stored/{made.id}", {}, moment(hours=-1))
        return SubmissionUpload(made, upload)

    def _competitions(self, query: dict[str, str]) -> object:
        sought, status = query.get("search", "").lower(), query.get("status", "")
        found = [record.summary for record in self.competitions.values() if sought in record.summary.title.lower()]
        found = [one for one in found if status in {"", one.status}]
        if query.get("mine") == "true":
            found = [one for one in found if one.participation is not None]
        return found[: int(query.get("limit", 100))]

    def _of_competition(self, slug: str, rest: list[str], query: dict[str, str], person: PersonRecord | None) -> object:
        if slug not in self.competitions:
            raise NotFound(f"There is no competition {slug}.")
        competition = self.competitions[slug]
        if not rest:
            return competition
        if self.organized.answers(rest):
            return self.organized.answer(rest, query)
        if rest[0] in {"allowance", "files", "shared-submissions", "image", "submissions"}:
            return self._offers(slug, rest)
        if competition.leaderboard_hidden:
            raise NotAllowed("The leaderboard is hidden.")
        return self._of_board(self.boards.get((slug, query.get("phase", "1")), make_board()), rest, query, person)

    def _of_board(
        self, board: LeaderboardRecord, rest: list[str], query: dict[str, str], person: PersonRecord | None
    ) -> object:
        if rest == ["leaderboard", "history"]:
            return self.histories.get(query.get("participant", ""), ())
        if rest == ["leaderboard.json"]:
            return replace(board, rows=board.rows[:1000], total=len(board.rows))
        if rest == ["leaderboard.csv"]:
            return _csv(board)
        return _piece(board, query, person.username if person is not None else None)

    def _offers(self, slug: str, rest: list[str]) -> object:
        if rest == ["image"]:
            raise NotFound("It has no picture.")
        if len(rest) == 1:
            submissions = [replace(one, evaluations=(), attempts=()) for one in self.submissions.get(slug, [])]
            lists = {"files": self.files.get(slug, []), "shared-submissions": self.shared.get(slug, [])}
            return {**lists, "submissions": submissions, "allowance": self.allowance}[rest[0]]
        return SignedRequestRecord("GET", f"{self.address}/stored/{rest[1]}", {}, moment(hours=-1))

    def _of_submission(self, identifier: UUID, rest: list[str], query: dict[str, str]) -> object:
        if rest == ["detailed-results"] and identifier in self.results:
            return self.results[identifier]
        if rest[:1] == ["detailed-results"] and len(rest) == 2:
            return self.pages[UUID(rest[1])]
        found = next((one for many in self.submissions.values() for one in many if one.id == identifier), None)
        if found is None:
            raise NotFound("There is no such submission.")
        if not rest:
            return found
        if rest == ["file"] or rest[:1] == ["evaluations"]:
            return SignedRequestRecord("GET", f"{self.address}/stored/{found.id}", {}, moment(hours=-1))
        if rest == ["detailed-results"]:
            return DetailedResults(found.id, found.competition, found.phase, found.number, found.participant, ())
        pieces = tuple(piece for piece in self.logs.get(identifier, ()) if piece.sequence > int(query.get("after", 0)))
        cursor = pieces[-1].sequence if pieces else int(query.get("after", 0))
        return LogPage(pieces, cursor, found.ended is not None)


def _piece(board: LeaderboardRecord, query: dict[str, str], viewer: str | None) -> LeaderboardRecord:
    """A page of a board: as it stood, those who are sought, with the viewer's own row."""
    as_of = datetime.fromisoformat(query["as_of"]) if "as_of" in query else None
    stood = [row for row in board.rows if as_of is None or row.submitted < as_of]
    rows = tuple(row for row in stood if query.get("search", "").lower() in row.participant.lower())
    offset, limit = int(query.get("offset", 0)), min(int(query.get("limit", 100)), 100)
    own = next((row for row in stood if row.participant == viewer), None)
    return replace(board, rows=rows[offset : offset + limit], total=len(rows), as_of=as_of, own=own)


def _csv(board: LeaderboardRecord) -> str:
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(["rank", "participant", *(column.key for column in board.columns)])
    writer.writerows([row.rank, row.participant, *row.scores] for row in board.rows)
    return lines.getvalue()


class _Handler(BaseHTTPRequestHandler):
    stand_in: StandIn

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path.startswith("/stored/"):
            self._send(200, "application/zip", "stored")
            return
        self.stand_in.seen.append(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self._answer(lambda path, token: self.stand_in.answer(path, query, token))

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size)) if size else {}
        self._answer(lambda path, token: self.stand_in.act(self.command, path, body, token))

    def do_PATCH(self) -> None:
        self.do_POST()

    def do_PUT(self) -> None:
        if self.path.startswith("/stored/"):
            self.stand_in.received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self._send(200, "text/plain", "")
            return
        self.do_POST()

    def do_DELETE(self) -> None:
        self.do_POST()

    def _answer(self, call: Callable[[str, str | None], object]) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ") or None
        if self.stand_in.is_down:
            self._send(503, "text/plain", "down")
            return
        try:
            answer = call(urlsplit(self.path).path.removeprefix("/api/v1"), token)
        except PodiumError as error:
            problem = {
                "type": error.type,
                "title": error.title,
                "status": error.status,
                "detail": error.detail,
                "remedy": error.remedy,
            }
            self._send(error.status, "application/problem+json", json.dumps(problem))
            return
        if isinstance(answer, Answered):
            self._send(200, "image/png", answer.content, **answer.headers)
        elif isinstance(answer, str):
            self._send(200, "text/csv", answer)
        else:
            self._send(200, "application/json", json.dumps(record_to_json(answer)))

    def _send(self, status: int, kind: str, body: str | bytes, **headers: str) -> None:
        data = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        pass


class Serving:
    """A stand-in on a port of its own, in a thread."""

    def __init__(self) -> None:
        self.stand_in = StandIn()
        handler = type("Handler", (_Handler,), {"stand_in": self.stand_in})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.stand_in.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> StandIn:
        self._thread.start()
        return self.stand_in

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
