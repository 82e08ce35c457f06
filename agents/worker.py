"""The Prefect worker type `podium`: it runs flows in its own process.

A stock worker starts a Python interpreter for every flow run, which takes seconds; here a flow run is a thread. Work
is announced by the gateway (a waiting call), so that it begins at once and an idle agent asks Prefect next to nothing.

An agent that scores takes a submission by the gateway's claim and runs its flow without waiting for Prefect
(`podium.agents.recording`). The platform's own flows are taken from Prefect's queue, as by every worker.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import anyio
import anyio.to_thread
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Cancelled, Crashed
from prefect.workers.base import BaseJobConfiguration, BaseVariables, BaseWorker, BaseWorkerResult
from typing_extensions import override

from podium.agents.announced import Announced
from podium.agents.batched import BatchedWork, is_claimed_together
from podium.agents.flow_runs import FlowRuns
from podium.agents.post import Claimed, Post
from podium.agents.prefect_access import follow_token, goes_by_gateway, relate_events
from podium.agents.recording import Teller
from podium.agents.settings import read_agent_settings
from podium.agents.slots import Slots
from podium.agents.stock import Stock
from podium.platform.errors import PodiumError, TooManyRequests
from podium.platform.jobs import AnnouncedRun
from podium.tasks.gateway import SLOWED_SECONDS

logger = logging.getLogger("podium.agents")
SAFETY_POLL_SECONDS = 10.0
"""How often Prefect is asked although nothing was announced: for what was missed, and for schedules."""
BLIND_POLL_SECONDS = 0.5
"""How often it is asked while the gateway can't be heard."""
REFUSED_SECONDS = 5.0
"""How long a gateway that refuses this agent is left alone."""
ANNOUNCEMENT_SECONDS = 25.0
SYNC_SECONDS = 15.0
NOTHING_SEEN = -1


class PodiumJobConfiguration(BaseJobConfiguration):
    """Nothing is configured by flow run: what a program may do stands in the job that the gateway hands out."""


class PodiumVariables(BaseVariables):
    """Nothing can be set by pool beyond what every worker has."""


class PodiumWorkerResult(BaseWorkerResult):
    """How a flow run ended: status code 0 if its final state was reported by the engine."""


class PodiumWorker(BaseWorker[PodiumJobConfiguration, PodiumVariables, PodiumWorkerResult]):
    """Runs flows in threads of this process."""

    type = "podium"
    job_configuration = PodiumJobConfiguration
    job_configuration_variables = PodiumVariables
    _description = "Runs Podium's flows inside the worker, for agents on CPU, GPU and Docker hosts."
    _display_name = "Podium"

    def __init__(self, *args: Any, post: Post | None = None, **options: Any) -> None:  # noqa: ANN401  # Prefect's own
        settings = post.settings if post else read_agent_settings()
        # Prefect's own command line passes None for what was not given.
        options["limit"] = options.get("limit") or settings.slots
        options.setdefault("prefetch_seconds", 1)
        super().__init__(*args, **options)
        self._post = post or Post(settings.model_copy(update={"pool": self._work_pool_name, "name": self.name}))
        self._entrypoints: dict[UUID, str] = {}
        self._hears_gateway = False
        self._leaving = anyio.Event()
        # A Prefect that is reached directly never sees the token.
        self._credential = self._post.credential if goes_by_gateway(self._post.settings) else None
        self._teller = Teller(self._credential)
        self._flow_runs = FlowRuns(self._post, self._teller, threads=options["limit"], pool=self._work_pool_name)
        self._slots = Slots(options["limit"])
        self._announced = Announced(self._slots)
        self._batched = BatchedWork(
            self._post,
            Stock(options["limit"]),
            self._slots,
            self._announced,
            score=self._flow_runs.score_in_batch,
            start_soon=self._start_soon,
            leaving=self._leaving,
        )

    @override
    async def start(
        self, run_once: bool = False, with_healthcheck: bool = False, printer: Callable[..., None] = print
    ) -> None:
        """Take flow runs until cancelled."""
        if run_once or with_healthcheck:
            await super().start(run_once=run_once, with_healthcheck=with_healthcheck, printer=printer)
            return
        async with self:
            async with anyio.create_task_group() as loops:
                loops.start_soon(self._sync_forever)
                loops.start_soon(self._listen_forever)
                loops.start_soon(self._poll_forever)
                loops.start_soon(self._batched.tidy_forever)
                printer(f"Agent {self.name!r} takes work from pool {self._work_pool_name!r}.")
                await self._leaving.wait()
                loops.cancel_scope.cancel()
            # What is under way gets its time; leaving the worker waits for it.
            self._post.leave_soon()
            await self._batched.put_back_all()
        await anyio.to_thread.run_sync(self._teller.close)
        await anyio.to_thread.run_sync(self._post.leave)

    def leave(self) -> None:
        """Take nothing new; finish what is held, or hand it back after the grace period."""
        self._leaving.set()

    async def setup(self) -> None:
        """Take up the post, then connect to Prefect."""
        await anyio.to_thread.run_sync(self._post.take_up)
        await super().setup()
        # What Prefect's own queue brings has its share of the same slots.
        self._limiter = self._slots.limiter
        if self._credential is not None:
            follow_token(self.client, self._credential)
        else:
            relate_events()

    async def run(
        self,
        flow_run: FlowRun,
        configuration: PodiumJobConfiguration,  # noqa: ARG002  # nothing is configured by flow run
        task_status: anyio.abc.TaskStatus[int] | None = None,
    ) -> PodiumWorkerResult:
        """Run a flow in a thread of this process."""
        if task_status is not None:
            task_status.started(0)
        await self._flow_runs.run(await self._entrypoint_of(flow_run), flow_run)
        return PodiumWorkerResult(status_code=0, identifier=str(flow_run.id))

    async def _entrypoint_of(self, flow_run: FlowRun) -> str:
        """The flow of a run's deployment, of which Prefect is asked once."""
        assert flow_run.deployment_id is not None
        if flow_run.deployment_id not in self._entrypoints:
            deployment = await self.client.read_deployment(flow_run.deployment_id)
            assert deployment.entrypoint is not None
            self._entrypoints[flow_run.deployment_id] = deployment.entrypoint
        return self._entrypoints[flow_run.deployment_id]

    async def _submit_run(self, flow_run: FlowRun) -> None:
        """Begin a flow run that Prefect's own queue brought, with one call where the base class makes six."""
        try:
            if self._post.scores:
                await self._score_polled(flow_run)
            # Pending is what keeps two agents from beginning the same run.
            elif not self._leaving.is_set() and await self._propose_pending_state(flow_run):
                self._submitting_flow_run_ids.discard(flow_run.id)
                await self.run(flow_run, self.job_configuration.model_construct())
        except Exception as error:
            logger.exception("flow run %s could not be run", flow_run.name)
            with suppress(Exception):
                await self.client.set_flow_run_state(flow_run.id, Crashed(message=str(error)[:2000]))
        finally:
            self._submitting_flow_run_ids.discard(flow_run.id)
            self._release(flow_run.id)

    async def _score_polled(self, flow_run: FlowRun) -> None:
        """Score for a flow run that somebody started in Prefect itself; a batch's is the gateway's matter."""
        if "submission_id" not in flow_run.parameters:
            return
        run = AnnouncedRun(
            submission_id=UUID(str(flow_run.parameters["submission_id"])), flow_run_id=flow_run.id, name=flow_run.name
        )
        if await self._score(run) is Claimed.GONE:
            state: State[None] = Cancelled(message="The submission does not wait to be scored.")
            await self.client.set_flow_run_state(flow_run.id, state)

    async def _score_announced(self, run: AnnouncedRun) -> None:
        try:
            if await self._score(run) is not Claimed.GRANTED:
                self._announced.share()
        except Exception:
            # What was claimed was handed back by the flow, or its lease runs out: the gateway queues it again.
            logger.exception("%s could not be scored", run.name)
        finally:
            self._release(run.submission_id)

    async def _score(self, run: AnnouncedRun) -> Claimed:
        """Claim a submission and run its flow; tell what came of the claim."""
        await self._flow_runs.prepare()
        claimed = await anyio.to_thread.run_sync(self._post.claim, run)
        if claimed is not Claimed.GRANTED:
            return claimed
        try:
            if run.batched:
                await self._flow_runs.score_in_batch(run)
            else:
                await self._flow_runs.score(run)
        finally:
            self._post.release(run)
        return claimed

    def _start_soon(self, function: Callable[..., Coroutine[Any, Any, None]], *args: object) -> None:
        assert self._runs_task_group is not None
        self._runs_task_group.start_soon(function, *args)

    def _release(self, holder: UUID) -> None:
        """Free the slot that a submission, or a flow run that Prefect's own queue brought, has had."""
        self._slots.release(holder)
        self._announced.tell()

    def _take(self, runs: Sequence[AnnouncedRun]) -> tuple[AnnouncedRun, ...]:
        """Begin as many announced runs as there are free slots; return the others, for the slots that come free.

        Those of batches are claimed together, and what was claimed ahead goes before them; not before others that
        stand at the head of the queue.
        """
        others: list[AnnouncedRun] = []
        together: list[AnnouncedRun] = []
        for run in self._slots.not_held(runs):
            is_batched = is_claimed_together(run)
            if is_batched:
                self._batched.begin_ahead()
            if not self._slots.is_free or (is_batched and not self._batched.may_claim(len(together))):
                others.append(run)
                continue
            self._slots.give(run.submission_id)
            if is_batched:
                together.append(run)
            else:
                self._start_soon(self._score_announced, run)
        self._batched.begin_ahead()
        self._batched.claim(together, others)
        return self._slots.not_held(others)

    async def _poll_forever(self) -> None:
        polled = float("-inf")
        while True:
            self._announced.await_news()
            if self._post.ready and self._slots.is_free:
                try:
                    if self._post.scores:
                        runs = self._announced.take()
                        if not runs:
                            self._batched.begin_ahead()
                        if not runs and (self._batched.lacks or self._slots.is_free):
                            runs = (await self._post.wait_for_work(NOTHING_SEEN, 0)).runs
                        self._announced.keep(self._take(runs))
                    if not self._post.scores or anyio.current_time() - polled > SAFETY_POLL_SECONDS:
                        polled = anyio.current_time()
                        await self.get_and_submit_flow_runs()
                except Exception as error:  # noqa: BLE001  # gateway and Prefect may be away for a while
                    logger.warning("there is nobody to ask for work: %s", error)
                    await anyio.sleep(BLIND_POLL_SECONDS)
            await self._announced.wait(SAFETY_POLL_SECONDS if self._hears_gateway else BLIND_POLL_SECONDS)

    async def _listen_forever(self) -> None:
        """Hear of work from the gateway as soon as it is there."""
        cursor = NOTHING_SEEN
        while True:
            try:
                wake = await self._post.wait_for_work(cursor, ANNOUNCEMENT_SECONDS)
            except PodiumError as error:
                if self._hears_gateway:
                    logger.warning("the gateway is not heard: %s", error)
                self._hears_gateway = False
                slowed = min(error.retry_after, SLOWED_SECONDS) if isinstance(error, TooManyRequests) else 1
                await anyio.sleep(REFUSED_SECONDS if self._post.refusal else slowed)
                continue
            self._hears_gateway = True
            cursor = wake.cursor
            self._announced.hear(wake.runs)
            self._post.stop(wake.stops)
            self._batched.forget(wake.stops)
            if wake.work or wake.runs:
                self._announced.tell()

    async def _sync_forever(self) -> None:
        while True:
            try:
                await self._sync_and_initialize()
            except Exception as error:  # noqa: BLE001  # Prefect may be away for a while
                logger.warning("Prefect could not be told that this agent lives: %s", error)
                await anyio.sleep(1)
                continue
            self._announced.tell()
            await anyio.sleep(SYNC_SECONDS)
