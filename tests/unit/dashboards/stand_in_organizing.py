"""What the stand-in for the gateway answers to organizers: queue, phases, allowances, reruns and versions of tasks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID, uuid5

from stand_in_lists import Lists

from podium.platform.errors import Conflict, NotFound
from podium.platform.lifecycle import RerunStatus, SubmissionStatus
from podium.platform.records.access import AuditRecord, CollaboratorRecord
from podium.platform.records.competitions import ColumnRecord, CompetitionRecord, PhaseRecord
from podium.platform.records.people import ExtraAllowanceRecord
from podium.platform.records.pools import PoolRecord, PoolView
from podium.platform.records.reruns import (
    DatasetRecord,
    RerunDifference,
    RerunPhase,
    RerunPreview,
    RerunRecord,
    RerunReport,
    TaskVersionRecord,
)
from podium.platform.records.submissions import QueueRecord

SPACE = UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")
AFTER = {
    "pause": RerunStatus.PAUSED,
    "resume": RerunStatus.RUNNING,
    "cancel": RerunStatus.CANCELLED,
    "adopt": RerunStatus.ADOPTED,
}


def ago(**span: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(**span)


def make_queue(**changes: object) -> QueueRecord:
    queue = QueueRecord(
        pool="default",
        agents=2,
        slots=4,
        queued=7,
        queued_reruns=31,
        under_way=4,
        queued_in_pool=12,
        oldest_seconds=95.0,
        typical_seconds={"Development": 42.5},
        reason="",
    )
    return replace(queue, **changes)


def make_audit(number: int = 1, **changes: object) -> AuditRecord:
    line = AuditRecord(
        id=number,
        time=ago(minutes=number),
        username="ada",
        role="owner",
        token="laptop",
        address="192.0.2.7",
        request_id=uuid5(SPACE, f"request {number}"),
        route="PATCH /competitions/{slug}/phases/{phase}",
        act="change a phase",
        competition="iris",
        object="phase 1",
        before="",
        after="paused",
        reason="pause: <b>A wrong label</b>",
    )
    return replace(line, **changes)


def make_rerun(status: RerunStatus = RerunStatus.RUNNING, number: int = 1, **changes: object) -> RerunRecord:
    is_over = status in {RerunStatus.ADOPTED, RerunStatus.CANCELLED}
    rerun = RerunRecord(
        id=uuid5(SPACE, f"rerun {number}"),
        number=number,
        competition="iris",
        reason="The reference data had a wrong label.",
        requested_by="ada",
        selection="all that was scored in phase Development",
        adoption="automatic",
        parallel=None,
        status=status,
        status_message="",
        held_back="",
        version=1,
        total=120,
        waiting=0 if is_over else 50,
        queued=0 if is_over else 26,
        under_way=0 if is_over else 4,
        finished=118 if is_over else 38,
        failed=2,
        given_up=0,
        remaining_seconds=None if is_over else 240.0,
        created=ago(minutes=12),
        started=ago(minutes=11),
        ended=ago(minutes=1) if is_over else None,
    )
    return replace(rerun, **changes)


def make_preview(**changes: object) -> RerunPreview:
    preview = RerunPreview(
        competition="iris",
        total=120,
        phases=(RerunPhase("Development", 120, 42.5),),
        left_out=(),
        left_out_total=0,
        expected_seconds=1275.0,
        slots=4,
        parallel=None,
        changed_tasks=("Classify: version 2, scored by version 1",),
    )
    return replace(preview, **changes)


def make_difference(
    number: int,
    participant: str,
    old: tuple[float | None, ...],
    new: tuple[float | None, ...],
    ranks: tuple[int | None, int | None],
    **changes: object,
) -> RerunDifference:
    difference = RerunDifference(
        number=number,
        participant=participant,
        phase="Development",
        old_status=SubmissionStatus.FINISHED,
        new_status=SubmissionStatus.FINISHED,
        message="",
        old_scores=old,
        new_scores=new,
        old_rank=ranks[0],
        new_rank=ranks[1],
    )
    return replace(difference, **changes)


def make_report(rerun: RerunRecord, columns: tuple[ColumnRecord, ...], *differences: RerunDifference) -> RerunReport:
    finished, failed = SubmissionStatus.FINISHED, SubmissionStatus.FAILED
    kinds = [(one.old_status, one.new_status) for one in differences]
    return RerunReport(
        rerun=rerun,
        columns=columns,
        differences=differences,
        changed=sum(one.changed for one in differences),
        moved=sum(one.old_rank != one.new_rank for one in differences),
        now_failing=kinds.count((finished, failed)),
        now_finished=kinds.count((failed, finished)),
    )


def make_dataset(kind: str, name: str) -> DatasetRecord:
    return DatasetRecord(uuid5(SPACE, name), kind, name, 48_213, sha256(name.encode()).hexdigest())


def make_version(number: int, *, is_current: bool, submissions: int, reason: str = "") -> TaskVersionRecord:
    return TaskVersionRecord(
        task="Classify",
        index="0",
        number=number,
        is_current=is_current,
        scoring_program=make_dataset("scoring_program", f"scoring-{number}.zip"),
        ingestion_program=None,
        input_data=make_dataset("input_data", "flowers.zip"),
        reference_data=make_dataset("reference_data", f"labels-{number}.zip"),
        reason=reason,
        actor="ada",
        created=ago(days=9 - number),
        submissions=submissions,
    )


@dataclass
class Organized:
    """What organizers have; tests change it while it is served."""

    queue: QueueRecord = field(default_factory=make_queue)
    extras: dict[str, list[ExtraAllowanceRecord]] = field(default_factory=dict)
    reruns: list[RerunRecord] = field(default_factory=list)
    preview: RerunPreview = field(default_factory=make_preview)
    reports: dict[int, RerunReport] = field(default_factory=dict)
    versions: dict[str, list[TaskVersionRecord]] = field(default_factory=dict)
    collaborators: list[CollaboratorRecord] = field(default_factory=list)
    audit: list[AuditRecord] = field(default_factory=list)
    lists: Lists = field(default_factory=Lists)
    pools: dict[str, PoolView | PoolRecord] = field(default_factory=dict)

    def answer_of_pools(self, rest: list[str]) -> object:
        """What is said of pools: of those that are records alone, the viewer does not see the agents."""
        if not rest:
            return [one.pool if isinstance(one, PoolView) else one for one in self.pools.values()]
        found = self.pools.get(rest[0])
        if not isinstance(found, PoolView):
            raise NotFound("There is no such pool.")
        return found

    def answers(self, rest: list[str]) -> bool:
        return self.lists.answers(rest) or rest[0] in {"queue", "phases", "reruns", "tasks", "collaborators", "audit"}

    def answer(self, rest: list[str], query: dict[str, str]) -> object:
        return self.lists.answer(rest, query, self.queue) if self.lists.answers(rest) else self._answer(rest)

    def _answer(self, rest: list[str]) -> object:
        match rest:
            case ["collaborators"]:
                return self.collaborators
            case ["audit"]:
                return self.audit
            case ["queue"]:
                return self.queue
            case ["phases", number, "extra-allowances"]:
                return self.extras.get(number, [])
            case ["tasks", index, "versions"]:
                return self.versions.get(index, [make_version(1, is_current=True, submissions=3)])
            case ["reruns", *of]:
                return self._of_reruns(of)
        raise NotFound("There is no such call.")

    def _of_reruns(self, of: list[str]) -> object:
        match of:
            case []:
                return sorted(self.reruns, key=lambda rerun: -rerun.number)
            case [number, "report"]:
                return self.reports.get(int(number)) or make_report(self._rerun(int(number)), ())
            case [_, "report.csv"]:
                return "number,participant\n1,lin\n"
        return self._rerun(int(of[0]))

    def act(
        self, competitions: dict[str, CompetitionRecord], slug: str, rest: list[str], body: dict[str, object]
    ) -> object:
        return self.lists.act(rest, body) if self.lists.acts(rest) else self._act(competitions, slug, rest, body)

    def _act(
        self, competitions: dict[str, CompetitionRecord], slug: str, rest: list[str], body: dict[str, object]
    ) -> object:
        match rest:
            case ["phases", number]:
                competition = competitions[slug]
                phases = tuple(
                    _changed(phase, body) if number == str(phase.number) else phase for phase in competition.phases
                )
                competitions[slug] = replace(competition, phases=phases)
                return competitions[slug]
            case ["phases", number, "extra-allowances", username]:
                granted = ExtraAllowanceRecord(
                    participant=username, phase="Development", granted_by="ada", created=ago(), **body
                )
                self.extras.setdefault(number, []).append(granted)
                return granted
            case ["collaborators", username]:
                return self._share(username)
            case ["reruns", "preview"]:
                return self.preview
            case ["reruns"]:
                reason, adoption = str(body["reason"]), str(body["adoption"])
                number = len(self.reruns) + 1
                rerun = make_rerun(RerunStatus.WAITING, number, reason=reason, adoption=adoption, started=None)
                self.reruns.append(rerun)
                return rerun
            case ["reruns", number, what]:
                return self._move(int(number), AFTER[what])
        raise NotFound("There is no such call.")

    def _share(self, username: str) -> CollaboratorRecord:
        """Add who is none yet, and remove who is."""
        for place, one in enumerate(self.collaborators):
            if one.username == username:
                return self.collaborators.pop(place)
        self.collaborators.append(CollaboratorRecord(username, "Cora", "person:ada", ago()))
        return self.collaborators[-1]

    def _rerun(self, number: int) -> RerunRecord:
        for rerun in self.reruns:
            if rerun.number == number:
                return rerun
        raise NotFound(f"There is no rerun {number}.")

    def _move(self, number: int, status: RerunStatus) -> RerunRecord:
        rerun = self._rerun(number)
        if rerun.status is status:
            raise Conflict(f"Rerun {number} is {status} already.")
        moved = replace(rerun, status=status, version=rerun.version + 1)
        self.reruns[self.reruns.index(rerun)] = moved
        return moved


def _changed(phase: PhaseRecord, body: dict[str, object]) -> PhaseRecord:
    changes: dict[str, object] = {
        name: value for name, value in body.items() if name.startswith("max_") or name in {"paused", "pause_message"}
    }
    if "end" in body:
        changes["end"] = datetime.fromisoformat(str(body["end"]))
    if body.get("without_end"):
        changes["end"] = None
    changes |= dict.fromkeys(body.get("without_limits", []), None)
    return replace(phase, **changes)
