"""The wire contract between the gateway and the agents: what an agent is asked to do, and what it answers.

Pydantic models and nothing else: no database, no Prefect. An agent claims a submission and gets a `ScoringJob`;
it sends `Heartbeat`s and `LogChunk`s while it works, and one `ScoringResult` at the end. `CONTRACT` changes when
an agent of the other number could not understand the messages.

Sizes are bytes, durations are seconds, times are aware UTC.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from podium.platform.bundles.content import Protocol, Relaxations
from podium.platform.lifecycle import AttemptOutcome, Stage, Verdict
from podium.platform.limits import default_of

CONTRACT = 4
DOES_NOT_FIT = "does-not-fit"
"""Type of the problem that answers a claim of what the agent can't run; the submission stays queued."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
MIB = 1024 * 1024

_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def _made_fit(value: object) -> object:
    return _UNFIT.sub("?", value) if isinstance(value, str) else value


Words = Annotated[str, BeforeValidator(_made_fit), Field(max_length=4000)]
"""Text for people. It may quote what a program chose: what can't be stored, or would act on a terminal, becomes `?`."""


class Message(BaseModel):
    """Base of all messages: immutable, and a field that is not known is an error rather than lost."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")


INLINE_BYTES = 32 * 1024
"""A file of at most this size may travel in the message that names it."""
INLINE_FILES = 96
"""As many such files may travel in one message: it stays well below what the gateway takes as a body."""
Inline = Annotated[bytes, Field(max_length=INLINE_BYTES)]


class SignedRequest(Message):
    """A request that whoever holds it may make, once or more, until it expires; it needs no other secret.

    Attributes:
        max_bytes: The largest body that is accepted, for PUT.
    """

    method: Literal["GET", "PUT"]
    url: str
    headers: dict[str, str] = {}
    expires: datetime
    max_bytes: int | None = None


class Source(Message):
    """A zip archive to fetch: `sha256` and `size` say what must arrive.

    Attributes:
        content: The archive itself, where it is so small that to fetch it would cost more; it is checked all the same.
    """

    request: SignedRequest
    sha256: Sha256
    size: int
    content: Inline | None = None


class OutputKind(StrEnum):
    """What an evaluation leaves behind."""

    PREDICTION_OUTPUT = "prediction_output"  # what the submission and the ingestion program wrote, zipped
    SCORING_OUTPUT = "scoring_output"  # what the scoring program wrote, zipped
    DETAILED_RESULTS = "detailed_results"  # the first HTML file of the scoring output


class Limits(Message):
    """What one program may use. The defaults hold where neither the bundle nor the operator says otherwise.

    `podium.platform.limits` has the same names, with how people write them and what comes of exceeding them.

    Attributes:
        wall_seconds: Wall clock for a step (all its programs together), enforced from outside by killing.
        cpus: Cores' worth of time per second.
        memory_bytes: Memory and swap together.
        processes: Processes and threads.
        open_files: Open file descriptors of a process.
        file_bytes: Size of one written file.
        output_bytes: Sum of the files that may leave a step.
        output_files: Number of files that may leave a step.
        log_bytes: Kept bytes of each stream; what comes after is dropped, with a mark.
        temporary_bytes: Size of `/tmp`, which counts as memory.
        cpu_seconds: CPU time of a program, all its processes together; `None` for as much as the wall clock allows.
        disk_bytes: What a program's files on the host's disk may take together while it runs.
        gpus: GPUs of a program; a host without as many does not take the submission.
    """

    wall_seconds: float = Field(default=default_of("wall_seconds"), gt=0)
    cpus: float = Field(default=default_of("cpus"), gt=0)
    memory_bytes: int = Field(default=int(default_of("memory_bytes")), gt=0)
    processes: int = Field(default=int(default_of("processes")), gt=0)
    open_files: int = Field(default=int(default_of("open_files")), gt=0)
    file_bytes: int = Field(default=int(default_of("file_bytes")), gt=0)
    output_bytes: int = Field(default=int(default_of("output_bytes")), gt=0)
    output_files: int = Field(default=int(default_of("output_files")), gt=0)
    log_bytes: int = Field(default=int(default_of("log_bytes")), gt=0)
    temporary_bytes: int = Field(default=int(default_of("temporary_bytes")), gt=0)
    cpu_seconds: float | None = Field(default=None, gt=0)
    disk_bytes: int = Field(default=int(default_of("disk_bytes")), gt=0)
    gpus: int = Field(default=int(default_of("gpus")), ge=0)


class EvaluationJob(Message):
    """One task of the phase to score the submission by.

    Attributes:
        task: The task's name, for people.
        outputs: Where to put each kind of output.
        live_results: Where to put the detailed result while the scoring program runs, as often as it changes.
    """

    evaluation_id: UUID
    task: str
    scoring_program: Source
    ingestion_program: Source | None = None
    input_data: Source | None = None
    reference_data: Source | None = None
    ingestion_only_during_scoring: bool = False
    protocol: Protocol = Protocol.V2
    outputs: dict[OutputKind, SignedRequest]
    live_results: SignedRequest | None = None


class ScoringJob(Message):
    """All that an agent needs for one attempt at a submission.

    Attributes:
        attempt_token: Good for this attempt alone.
        image: The image that the competition names; the agent's aliases may map it to another.
        container_submission: The submission is an image, as `docker save` writes it, and not a zip.
        runtime: The engine's runtime that the pool asks for (`runc`, `runsc`, `kata`); empty for the host's default.
        score_keys: Keys of scores that a column of the leaderboard takes; others are ignored.
        lease_seconds: How long the attempt lives without a heartbeat.
        asked_limits: Limits that the competition asks more of than the operator allows by now, with what it asks.
        may_quote: Steps of which the participant may see the logs, so that a message may quote them.
    """

    contract: int = CONTRACT
    attempt_id: UUID
    attempt_number: int
    attempt_token: str
    submission_id: UUID
    competition: str
    phase: str
    submission: Source
    image: str
    limits: Limits
    only_result_submissions: bool = False
    container_submission: bool = False
    relaxations: Relaxations = Field(default_factory=Relaxations)
    runtime: str = ""
    detailed_results: bool = False
    score_keys: tuple[str, ...]
    evaluations: tuple[EvaluationJob, ...]
    heartbeat_seconds: float = 10
    lease_seconds: float = 60
    asked_limits: dict[str, float] = {}
    may_quote: tuple[Literal["prediction", "scoring"], ...] = ()


class Claim(Message):
    """An agent's wish to score a submission that a flow run brought it.

    Attributes:
        gpus: GPUs that the agent has set aside for it.
        ahead: It will wait at the agent for a moment, for a slot that is about to come free.
    """

    contract: int = CONTRACT
    submission_id: UUID
    flow_run_id: UUID
    gpus: int = Field(default=0, ge=0)
    ahead: bool = False


TOGETHER = 16
"""Submissions that one call claims, and results that one call brings, at the most."""


class Claims(Message):
    """Several claims in one call, the dearest first; each is answered by itself."""

    claims: tuple[Claim, ...] = Field(min_length=1, max_length=TOGETHER)


class Refusal(Message):
    """Why one of several was refused: what the answer to a call of its own would have said.

    Attributes:
        type: As in the problem that the call would have been answered with, as `status` is.
    """

    type: str
    status: int
    words: str


class ClaimAnswer(Message):
    """What came of a claim: the job, or why there is none."""

    submission_id: UUID
    job: ScoringJob | None = None
    refusal: Refusal | None = None


class ClaimAnswers(Message):
    """The answer to several claims."""

    answers: tuple[ClaimAnswer, ...]


class Heartbeat(Message):
    """The attempt lives, and is at this stage."""

    stage: Stage


class HeartbeatAnswer(Message):
    """`stop` says that the attempt is not wanted any more: the submission was cancelled, or the lease was lost."""

    lease_expires: datetime
    stop: bool = False


class LogStream(StrEnum):
    """The streams of an evaluation, named as step and program do."""

    PREDICTION_STDOUT = "prediction_stdout"
    PREDICTION_STDERR = "prediction_stderr"
    PREDICTION_INGESTION_STDOUT = "prediction_ingestion_stdout"
    PREDICTION_INGESTION_STDERR = "prediction_ingestion_stderr"
    SCORING_STDOUT = "scoring_stdout"
    SCORING_STDERR = "scoring_stderr"
    SCORING_INGESTION_STDOUT = "scoring_ingestion_stdout"
    SCORING_INGESTION_STDERR = "scoring_ingestion_stderr"


class LogChunk(Message):
    """Text of a stream from an offset on. Sending the same chunk again changes nothing.

    Attributes:
        offset: Characters of the stream before this text.
    """

    evaluation_id: UUID
    stream: LogStream
    offset: int = Field(ge=0)
    text: str = Field(max_length=1_000_000)


class LogChunks(Message):
    """Several chunks in one request."""

    chunks: tuple[LogChunk, ...] = Field(max_length=200)


class ProgramReport(Message):
    """What was measured of one program.

    Attributes:
        exit_status: As the kernel reported it; `None` when it never ran to an end.
        cpu_seconds: `None` where the host can't measure it.
        limit: The limit that it exceeded, by its name in `Limits`, if it did.
        wall_seconds: Of all its commands together, as the CPU time is; the peaks are the highest of any.
        peak_memory_bytes: `None` where the host can't measure it.
        peak_processes: The most processes and threads at once, with the handful that starts a container; `None` where
            the host can't measure it.
        note: What the participant should know though it is no reason to fail.
    """

    program: Literal["submission", "ingestion", "scoring"]
    step: Literal["prediction", "scoring"]
    image: str
    image_digest: str
    exit_status: int | None
    limit: str | None = None
    wall_seconds: float
    cpu_seconds: float | None = None
    peak_memory_bytes: int | None = None
    peak_processes: int | None = None
    note: str = Field(default="", max_length=1000)


class OutputRecord(Message):
    """An output that was uploaded, or that comes with its record.

    Attributes:
        content: The output itself, where it is so small that to upload it by itself would cost more.
    """

    kind: OutputKind
    sha256: Sha256
    size: int
    content: Inline | None = None


class EvaluationResult(Message):
    """How one evaluation ended.

    Attributes:
        verdict: Why it failed, where that is the submission's doing.
        message: For the participant: which limit, which file, which key; with scores that count, what of the outputs
            could not be kept.
        scores: Key to finite number; only where the outcome is `succeeded`.
        timings: Seconds by platform step (`download`, `create`, `start`, `run`, `collect`, `upload`, ...).
    """

    evaluation_id: UUID
    outcome: AttemptOutcome
    verdict: Verdict | None = None
    message: Words = ""
    scores: dict[str, float] = {}
    outputs: tuple[OutputRecord, ...] = ()
    programs: tuple[ProgramReport, ...] = ()
    timings: dict[str, float] = {}


class ScoringResult(Message):
    """The end of an attempt: every evaluation of the job, once.

    Attributes:
        timings: Seconds by step of the attempt as a whole (`claim`, `stage`, ...).
    """

    attempt_id: UUID
    evaluations: tuple[EvaluationResult, ...]
    timings: dict[str, float] = {}


class TokenedResult(Message):
    """A result that travels with others.

    Attributes:
        token: The attempt's, which alone may end it.
    """

    token: str = Field(max_length=200)
    result: ScoringResult


class ScoringResults(Message):
    """Several results in one call; each is stored, or refused, by itself."""

    results: tuple[TokenedResult, ...] = Field(min_length=1, max_length=TOGETHER)


class ResultAnswer(Message):
    """What came of a result: it is stored, now or before, unless there is a refusal."""

    attempt_id: UUID
    refusal: Refusal | None = None


class ResultAnswers(Message):
    """The answer to several results."""

    answers: tuple[ResultAnswer, ...]


class Handback(Message):
    """The agent gives the attempt up through no fault of the submission; another attempt may follow.

    Attributes:
        stopping: The agent ends in good order. That is no failure, and does not use up a try.
    """

    reason: Words
    stopping: bool = False


LabelName = Annotated[str, Field(max_length=60)]
LabelText = Annotated[str, Field(max_length=20_000)]


class AgentHello(Message):
    """What an agent says about itself when it starts and from time to time.

    Attributes:
        labels: What its host has: cpus, memory_bytes, gpus, engine, ...; `podium.platform.placement` reads them.
    """

    contract: int = CONTRACT
    name: str = Field(min_length=1, max_length=100)
    pool: str = Field(max_length=100)
    version: str = Field(max_length=40)
    slots: int = Field(ge=1, le=10_000)
    executor: str = Field(max_length=40)
    labels: dict[LabelName, LabelText] = Field(default={}, max_length=40)
    trouble: str = Field(default="", max_length=2000)


class Welcome(Message):
    """What the gateway answers to an agent that says hello.

    Attributes:
        pool: The one that its token is for.
        version: The platform's.
        closed: Why it is to take nothing new, because somebody said so; empty where nobody did.
        notice: What its operator should do; may be empty.
    """

    pool: str
    version: str
    closed: str = ""
    notice: str = ""


class AnnouncedRun(Message):
    """A queued submission and its flow run, to be claimed by whoever is first.

    Attributes:
        gpus: To be set aside before it is claimed.
        batched: The flow run stands for many submissions: none of them begins or ends it.
    """

    submission_id: UUID
    flow_run_id: UUID
    name: str
    gpus: int = 0
    batched: bool = False


class Wake(Message):
    """Answer of the waiting call.

    Attributes:
        work: Something was put into the pool since the cursor.
        cursor: To be passed with the next call.
        runs: The head of the pool's queue, the first in line first.
        stops: Attempts of this agent that were ended from outside; what still runs of them is to be stopped at once.
    """

    work: bool
    cursor: int
    runs: tuple[AnnouncedRun, ...] = ()
    stops: tuple[UUID, ...] = ()
