"""An agent's post: its executor and folders, what it says of itself, and whether it is fit to take work."""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from uuid import UUID

import httpx

from podium.agents.credential import Credential
from podium.agents.executors.choice import choose_executor
from podium.agents.executors.disk_use import require_room
from podium.agents.settings import AgentSettings
from podium.agents.tidying import Tidier
from podium.platform.errors import NotAllowed, NotAuthenticated, PlatformFault, PodiumError
from podium.platform.jobs import AgentHello, AnnouncedRun, Claim, Claims, Handback, ScoringJob, Wake, Welcome
from podium.tasks.gateway import GatewayClient, GatewayKeeps, GatewayRefused, Transfers, checked
from podium.tasks.programs import Executor
from podium.tasks.staging import sweep_attempts, trim_cache
from podium.tasks.tls import trusted
from podium.tasks.workplace import AGENT_LEAVES, Workplace, working_at

logger = logging.getLogger("podium.agents")
HELLO_SECONDS = 5.0
SWEEP_SECONDS = 30.0
HANDBACK_SECONDS = 10.0


class Claimed(StrEnum):
    """What came of a claim."""

    GRANTED = "granted"
    GONE = "gone"  # nobody needs to score it any more, or somebody else does
    KEPT = "kept"  # it stays in the queue, for when this agent or another one has what it needs


class Post:
    """What an agent stands on. `ready` says whether it may take work; if not, `trouble` says why.

    An agent whose Docker engine is gone stays, says so, and takes no work until it is back.
    """

    def __init__(self, settings: AgentSettings) -> None:
        self.settings = settings
        self.credential = Credential(settings)
        self.gateway = GatewayClient(settings.gateway, self.credential.secret)
        self.credential.on_change(self._renew)
        # Asynchronous, so that a stop need not wait for a call that waits.
        self._listener = httpx.AsyncClient(
            base_url=f"{self.gateway.address}/api/v1",
            auth=self.credential,
            verify=trusted(),
        )
        self.trouble = "It is starting."
        self.refusal = ""
        self._told = Welcome(pool=settings.pool, version="")
        self._transfers = Transfers()
        self._executor: Executor | None = None
        self._workplace: Workplace | None = None
        self._attempts: dict[UUID, str] = {}
        self._gone = threading.Event()
        self._tidier = Tidier(cache_bytes=settings.cache_bytes)
        self._sweep_at = time.monotonic() + SWEEP_SECONDS
        self._greeter = threading.Thread(target=self._greet_forever, name="podium-greeter", daemon=True)

    @property
    def ready(self) -> bool:
        """Whether it may take work."""
        return not (self.trouble or self.refusal or self._told.closed)

    def take_up(self) -> None:
        """Make the folders, prove the executor, say hello, and go on doing so."""
        folder = self.settings.folder.resolve()
        folder.mkdir(parents=True, exist_ok=True, mode=0o711)
        for name in ("cache", "attempts"):
            # Programs in bubblewrap pass through these folders; they can't list them.
            (folder / name).mkdir(exist_ok=True, mode=0o711)
        sweep_attempts(folder / "attempts")
        for leftover in (folder / "cache").glob(".new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        trim_cache(folder / "cache", max_bytes=self.settings.cache_bytes)
        self._examine()
        self._greeter.start()

    async def wait_for_work(self, cursor: int, seconds: float) -> Wake:
        """Wait until the gateway announces work for the pool; can be cancelled at any moment.

        Raises:
            PlatformFault: The gateway is not heard.
            NotAuthenticated, NotAllowed: It does not take this agent's token; no work is taken any more.
        """
        try:
            answer = await self._listener.get(
                "/agent/wake",
                params={"cursor": cursor, "wait": seconds, "agent": self.settings.name, "gpus": self.free_gpus},
                timeout=seconds + 15,
            )
        except httpx.HTTPError as error:
            raise PlatformFault(f"The gateway can't be reached ({type(error).__name__}).") from error
        with self._refusals():
            return Wake.model_validate_json(checked(answer).content)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """Take no more work from the moment on that the token is refused, unless its file has another one."""
        try:
            yield
        except (NotAuthenticated, NotAllowed) as refused:
            if not self.credential.reread():
                self._refused(refused)
            raise

    def _renew(self, secret: str) -> None:
        """Try another token."""
        self.gateway.renew(secret)
        self.refusal = ""

    def _refused(self, error: PodiumError) -> None:
        if not self.refusal:
            logger.error("takes no work: the gateway refuses this agent. %s", error)
        self.refusal = str(error)

    def stop(self, attempts: Iterable[UUID]) -> None:
        """Stop what still runs of attempts that are over: they were cancelled, or their lease has run out."""
        if self._workplace is not None:
            self._workplace.stop(attempts)

    @property
    def scores(self) -> bool:
        """Whether this agent scores submissions, rather than run the platform's own flows."""
        return self.settings.executor != "none"

    @property
    def free_gpus(self) -> int:
        """GPUs of this host that no attempt has."""
        return self._executor.gpus.free if self._executor else 0

    def claim(self, run: AnnouncedRun) -> Claimed:
        """Claim a submission for its flow run, which finds the job at the workplace.

        What it has of this host is set aside until `release`.

        Raises:
            PlatformFault: The gateway is not heard.
        """
        assert self._workplace is not None
        gpus, holder = self._workplace.executor.gpus, str(run.submission_id)
        if not gpus.take(holder, run.gpus):
            return Claimed.KEPT
        claim = Claim(submission_id=run.submission_id, flow_run_id=run.flow_run_id, gpus=run.gpus)
        try:
            with self._refusals():
                job = self.gateway.claim(claim, agent=self.settings.name)
        except GatewayRefused as refused:  # another agent was first, or the submission was cancelled
            gpus.give_back(holder)
            return Claimed.KEPT if isinstance(refused, GatewayKeeps) else Claimed.GONE
        except PodiumError:
            gpus.give_back(holder)
            raise
        gpus.pass_on(holder, str(job.attempt_id))
        self._attempts[run.submission_id] = str(job.attempt_id)
        self._workplace.claims[run.submission_id] = job
        return Claimed.GRANTED

    def claim_several(self, runs: Sequence[AnnouncedRun], ahead: Sequence[AnnouncedRun]) -> dict[UUID, ScoringJob]:
        """Claim submissions of batches, none of which needs a GPU, in one call; return the jobs of those granted.

        Args:
            runs: Those for which there is a slot.
            ahead: Those that will wait for one.

        Raises:
            PlatformFault: The gateway is not heard.
        """
        assert self._workplace is not None
        claims = [
            Claim(submission_id=run.submission_id, flow_run_id=run.flow_run_id, ahead=run in ahead)
            for run in (*runs, *ahead)
        ]
        with self._refusals():
            answers = self.gateway.claim_several(Claims(claims=tuple(claims)), agent=self.settings.name).answers
        jobs = {answer.submission_id: answer.job for answer in answers if answer.job is not None}
        for submission_id, job in jobs.items():
            self._attempts[submission_id] = str(job.attempt_id)
            self._workplace.claims[submission_id] = job
        return jobs

    def put_back(self, run: AnnouncedRun) -> None:
        """Hand back what was claimed ahead, and for which no slot came free: nothing has failed."""
        self._attempts.pop(run.submission_id, None)
        job = self._workplace.claims.pop(run.submission_id, None) if self._workplace else None
        if job is not None:
            self._hand_back(job, Handback(reason="The agent had no slot for it.", stopping=True))

    def forget(self, run: AnnouncedRun) -> None:
        """Drop what was claimed ahead and is over by now."""
        self._attempts.pop(run.submission_id, None)
        if self._workplace is not None:
            self._workplace.claims.pop(run.submission_id, None)

    def release(self, run: AnnouncedRun) -> None:
        """Take back what was set aside for a submission whose flow has ended; one that never began is handed back."""
        unbegun = self._workplace.claims.pop(run.submission_id, None) if self._workplace else None
        if unbegun is not None:
            self._hand_back(unbegun, Handback(reason="Its flow could not be begun on the agent's host."))
        attempt = self._attempts.pop(run.submission_id, None)
        if attempt is not None and self._executor is not None:
            self._executor.gpus.give_back(attempt)

    def _hand_back(self, job: ScoringJob, handback: Handback) -> None:
        """Give up an attempt that no flow has taken over, instead of letting its lease run out."""
        client = GatewayClient(self.settings.gateway, job.attempt_token)
        try:
            client.hand_back(job.attempt_id, handback, patience=HANDBACK_SECONDS)
        except PodiumError as error:
            logger.warning("attempt %s could not be handed back: %s", job.attempt_id, error)
        finally:
            client.close()

    def working(self) -> AbstractContextManager[None]:
        """Let the flow that runs in the block find the workplace."""
        return working_at(self._workplace) if self._workplace else nullcontext()

    def leave_soon(self) -> None:
        """After the grace period stop what is still under way; it is handed back, or gone on with elsewhere."""
        AGENT_LEAVES.set()
        if self._workplace is not None:
            timer = threading.Timer(self.settings.grace_seconds, self._workplace.stop_attempts)
            timer.daemon = True
            timer.start()

    def leave(self) -> None:
        """Let everything go."""
        self._gone.set()
        self._greeter.join(timeout=10)
        self._tidier.end()
        if self._workplace is not None:
            self._workplace.results.close()
        if self._executor is not None:
            self._executor.close()
        self._transfers.close()
        self.gateway.close()

    def _examine(self) -> None:
        """See whether programs can be run; make the workplace the first time that they can."""
        if self.settings.executor == "none":
            self.trouble = ""
            return
        try:
            if self._executor is None:
                self._executor = choose_executor(self.settings)
                logger.info("%s", self._executor.check())
                self._executor.sweep(set())
            else:
                self._executor.check()
            self._workplace = self._workplace or Workplace(
                agent=self.settings.name,
                gateway=self.gateway,
                transfers=self._transfers,
                executor=self._executor,
                folder=self.settings.folder.resolve(),
            )
            self._tidier.begin(self._workplace)
            require_room(self._workplace.folder)
            self.trouble = ""
        except PodiumError as error:
            if self.trouble != str(error):
                logger.warning("takes no work: %s", error)
            self.trouble = str(error)

    def _greet_forever(self) -> None:
        while not self._gone.is_set():
            began = time.monotonic()
            try:
                self.credential.reread()
                self._examine()
                self._sweep()
                self._write_health(self._greet())
            except Exception:
                # The loop must outlive anything, such as a disk that is full for a while: an agent that falls silent
                # counts as gone, and nobody would see that it takes work again.
                logger.exception("a greeting failed")
            self._gone.wait(max(0.5, HELLO_SECONDS - (time.monotonic() - began)))

    def _sweep(self) -> None:
        """Now and then remove what dead attempts left on the host: whose end went wrong, or the engine's own did."""
        if self._executor is None or self._workplace is None or time.monotonic() < self._sweep_at:
            return
        self._sweep_at = time.monotonic() + SWEEP_SECONDS
        try:
            swept = self._executor.sweep(self._workplace.held)
            swept += sweep_attempts(self._workplace.attempts, self._workplace.held)
        except (PodiumError, OSError) as error:
            logger.warning("could not remove what was left behind: %s", error)
            return
        if swept:
            logger.info("removed what dead attempts had left behind: %d containers and folders", swept)

    def _greet(self) -> str:
        """Say hello; return why it was not heard, or nothing."""
        hello = AgentHello(
            name=self.settings.name,
            pool=self.settings.pool,
            version=version("podium"),
            slots=self.settings.slots,
            executor=self._executor.name if self._executor else "none",
            labels=self._executor.labels() if self._executor and not self.trouble else {},
            trouble=self.trouble[:2000],
        )
        try:
            self._hear(self.gateway.hello(hello))
        except PlatformFault as error:
            return str(error)
        except PodiumError as error:
            # Refused: the token is not good, or the versions differ. Taking work would be in vain.
            self._refused(error)
            return str(error)
        if self.refusal:
            logger.info("the gateway takes this agent again")
            self.refusal = ""
        return ""

    def _hear(self, told: Welcome) -> None:
        """Heed what the gateway answers; what is new of it goes to the log."""
        before, self._told = self._told, told
        if told.closed != before.closed:
            logger.warning("%s", f"takes nothing new: {told.closed}" if told.closed else "takes work again")
        if told.notice and told.notice != before.notice:
            logger.warning("%s", told.notice)

    def _write_health(self, unheard: str) -> None:
        detail = self.refusal or self.trouble or unheard
        content = json.dumps({"state": "trouble" if detail else "ready", "detail": detail})
        path = Path(self.settings.folder, "health")
        new = path.with_suffix(".new")
        new.write_text(content)
        new.replace(path)
