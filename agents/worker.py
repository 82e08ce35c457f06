"""The Prefect worker type `podium`: it runs flows in its own process.

A stock worker starts a Python interpreter for every flow run, which takes seconds; here a flow run is a thread. Work
is announced by the gateway (a waiting call), so that it begins at once and an idle agent asks Prefect next to nothing.

An agent that scores takes a submission by the gateway's claim and runs its flow without waiting for Prefect
(`podium.agents.recording`). The platform's own flows are taken from Prefect's queue, as by every worker.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

import anyio
import anyio.to_thread
from prefect.client.schemas.objects import FlowRun, State
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import Abort
from prefect.flow_engine import run_flow
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.states import Cancelled, Crashed, Pending
from prefect.workers.base import BaseJobConfiguration, BaseVariables, BaseWorker, BaseWorkerResult
from typing_extensions import override

from podium.agents.post import Claimed, Post
from podium.agents.prefect_access import UNKNOWN_FLOW, follow_token, goes_by_gateway, relate_events
from podium.agents.recording import Teller, recorded
from podium.agents.settings import read_agent_settings
from podium.agents.stock import Stock
from podium.platform.errors import PodiumError, TooManyRequests
from podium.platform.jobs import TOGETHER, AnnouncedRun
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
SHARES_SECONDS = 30.0
"""For how long after another agent was first the head of the queue is asked for anew with each free slot."""


STOCK_SECONDS = 0.5
"""How often it is seen whether something has waited too long for a slot."""
AT_ONCE = TOGETHER // 2
"""Slots for which one call claims."""
SCORING_ENTRYPOINT = "podium.flows.scoring:score_submission"
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
        self._flows: dict[UUID, Flow[..., Any]] = {}
        self._scoring: Flow[..., Any] | None = None
        self._held: set[UUID] = set()
        self._announced: tuple[AnnouncedRun, ...] = ()
        self._shares_until = float("-inf")
        self._news = anyio.Event()
        self._hears_gateway = False
        self._threads = anyio.CapacityLimiter(options["limit"])
        self._leaving = anyio.Event()
        # A Prefect that is reached directly never sees the token.
        self._credential = self._post.credential if goes_by_gateway(self._post.settings) else None
        self._teller = Teller(self._credential)
        self._stock = Stock(options["limit"])
        self._batched = 0
        self._not_ahead_until = float("-inf")
        self._claims_several = False

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
                loops.start_soon(self._tidy_stock_forever)
                printer(f"Agent {self.name!r} takes work from pool {self._work_pool_name!r}.")
                await self._leaving.wait()
                loops.cancel_scope.cancel()
            # What is under way gets its time; leaving the worker waits for it.
            self._post.leave_soon()
            await self._put_back(self._stock.clear())
        await anyio.to_thread.run_sync(self._teller.close)
        await anyio.to_thread.run_sync(self._post.leave)

    def leave(self) -> None:
        """Take nothing new; finish what is held, or hand it back after the grace period."""
        self._leaving.set()

    async def setup(self) -> None:
        """Take up the post, then connect to Prefect."""
        await anyio.to_thread.run_sync(self._post.take_up)
        await super().setup()
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
        await anyio.to_thread.run_sync(
            partial(self._run_flow, await self._flow_of(flow_run), flow_run), limiter=self._threads
        )
        return PodiumWorkerResult(status_code=0, identifier=str(flow_run.id))

    def _run_flow(self, flow: Flow[..., Any], flow_run: FlowRun) -> None:
        with self._post.working():
            try:
                run_flow(flow, flow_run=flow_run, return_type="state")
            except Abort as abort:
                logger.info("flow run %s was not begun: %s", flow_run.name, abort)

    def _run_recorded(self, flow: Flow[..., Any], flow_run: FlowRun) -> None:
        with recorded(flow_run, self._teller):
            self._run_flow(flow, flow_run)

    def _run_batched(self, run: AnnouncedRun) -> None:
        # Imported only now: a worker of the platform's own flows scores nothing.
        from podium.flows.scoring import score_in_batch  # noqa: PLC0415

        with self._post.working():
            score_in_batch(run.submission_id, run.flow_run_id)

    async def _flow_of(self, flow_run: FlowRun) -> Flow[..., Any]:
        """The flow of a run's deployment, imported once."""
        assert flow_run.deployment_id is not None
        known = self._flows.get(flow_run.deployment_id)
        if known is None:
            deployment = await self.client.read_deployment(flow_run.deployment_id)
            self._flows[flow_run.deployment_id] = known = await _load(deployment)
        return known

    async def _scoring_flow(self) -> Flow[..., Any]:
        """The flow that scores, imported once. Prefect is not asked for it: it may be away, or have lost everything."""
        if self._scoring is None:
            self._scoring = await _load_entrypoint(SCORING_ENTRYPOINT)
        return self._scoring

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
                self._announced, self._shares_until = (), anyio.current_time() + SHARES_SECONDS
        except Exception:
            # What was claimed was handed back by the flow, or its lease runs out: the gateway queues it again.
            logger.exception("%s could not be scored", run.name)
        finally:
            self._release(run.submission_id)

    async def _score(self, run: AnnouncedRun) -> Claimed:
        """Claim a submission and run its flow; tell what came of the claim."""
        flow = await self._scoring_flow()
        claimed = await anyio.to_thread.run_sync(self._post.claim, run)
        if claimed is not Claimed.GRANTED:
            return claimed
        try:
            await self._run_claimed(flow, run)
        finally:
            self._post.release(run)
        return claimed

    async def _claim_several(self, runs: Sequence[AnnouncedRun], ahead: Sequence[AnnouncedRun]) -> None:
        """Claim for slots that are set aside, and some more that wait for the next ones; one such call at a time."""
        try:
            jobs = await anyio.to_thread.run_sync(self._post.claim_several, runs, ahead)
        except Exception as error:  # noqa: BLE001  # what was granted without being heard is lost with its lease
            logger.warning("%d submissions could not be claimed: %s", len(runs) + len(ahead), error)
            self._announced, jobs = (), {}
        else:
            if any(run.submission_id not in jobs for run in runs):
                self._announced, self._shares_until = (), anyio.current_time() + SHARES_SECONDS
        finally:
            self._claims_several = False
        for run in runs:
            if run.submission_id in jobs:
                self._begin_batched(run)
            else:
                self._release(run.submission_id)
        for run in ahead:
            if run.submission_id in jobs:
                self._stock.add(run, jobs[run.submission_id], anyio.current_time())
            else:
                self._held.discard(run.submission_id)
        if ahead and not any(run.submission_id in jobs for run in ahead):
            self._not_ahead_until = anyio.current_time() + SHARES_SECONDS
        if self._leaving.is_set():
            await self._put_back(self._stock.clear())
        self._news.set()

    def _begin_batched(self, run: AnnouncedRun) -> None:
        assert self._runs_task_group is not None
        self._batched += 1
        self._runs_task_group.start_soon(self._score_batched, run)

    async def _score_batched(self, run: AnnouncedRun) -> None:
        """Score one of a batch that is claimed and has its slot."""
        began = anyio.current_time()
        try:
            await anyio.to_thread.run_sync(self._run_batched, run, limiter=self._threads)
            self._stock.note(anyio.current_time() - began)
        except Exception:
            logger.exception("%s could not be scored", run.name)
        finally:
            self._batched -= 1
            self._post.release(run)
            self._release(run.submission_id)

    async def _put_back(self, runs: Iterable[AnnouncedRun]) -> None:
        for run in runs:
            await anyio.to_thread.run_sync(self._post.put_back, run)
            self._held.discard(run.submission_id)

    async def _tidy_stock_forever(self) -> None:
        """Let others have what has waited too long for a slot here."""
        while True:
            await anyio.sleep(STOCK_SECONDS)
            await self._put_back(self._stock.overdue(anyio.current_time()))

    async def _run_claimed(self, flow: Flow[..., Any], run: AnnouncedRun) -> None:
        if run.batched:
            await anyio.to_thread.run_sync(self._run_batched, run, limiter=self._threads)
            return
        flow_run = FlowRun(
            id=run.flow_run_id,
            name=run.name,
            flow_id=UNKNOWN_FLOW,
            # Without its deployment, the engine opens no connection of its own to watch for a pause of this run.
            parameters={"submission_id": str(run.submission_id)},
            work_pool_name=self._work_pool_name,
            state=Pending(),
        )
        await anyio.to_thread.run_sync(self._run_recorded, flow, flow_run, limiter=self._threads)

    def _release(self, holder: UUID) -> None:
        """Free the slot that a submission, or a flow run that Prefect's own queue brought, has had."""
        self._held.discard(holder)
        self._release_limit_slot(holder)
        self._news.set()

    def _keep(self, runs: Iterable[AnnouncedRun]) -> None:
        """Have these taken next: they stay good until there is news, unless other agents take of them as well."""
        if not self._announced and anyio.current_time() > self._shares_until:
            self._announced = self._not_held(runs)

    def _not_held(self, runs: Iterable[AnnouncedRun]) -> tuple[AnnouncedRun, ...]:
        return tuple(run for run in runs if run.submission_id not in self._held)

    def _take(self, runs: Sequence[AnnouncedRun]) -> tuple[AnnouncedRun, ...]:
        """Begin as many announced runs as there are free slots; return the others, for the slots that come free.

        Those of batches are claimed together, and what was claimed ahead goes before them; not before others that
        stand at the head of the queue.
        """
        assert self._runs_task_group is not None
        others: list[AnnouncedRun] = []
        together: list[AnnouncedRun] = []
        for run in self._not_held(runs):
            is_batched = run.batched and not run.gpus
            if is_batched:
                self._begin_stock()
            if self.limiter.available_tokens < 1 or (is_batched and (self._claims_several or len(together) >= AT_ONCE)):
                others.append(run)
                continue
            self._set_aside(run)
            if is_batched:
                together.append(run)
            else:
                self._runs_task_group.start_soon(self._score_announced, run)
        self._begin_stock()
        ahead = self._ahead(others, together)
        if together or ahead:
            self._claims_several = True
            self._runs_task_group.start_soon(self._claim_several, together, ahead)
        return self._not_held(others)

    def _set_aside(self, run: AnnouncedRun) -> None:
        """Let a submission have a slot."""
        self.limiter.acquire_on_behalf_of_nowait(run.submission_id)
        self._held.add(run.submission_id)

    def _begin_stock(self) -> None:
        """Give free slots to what was claimed ahead."""
        while len(self._stock) and self.limiter.available_tokens >= 1:
            run = self._stock.take()
            assert run is not None
            self._set_aside(run)
            self._begin_batched(run)

    def _ahead(self, runs: Sequence[AnnouncedRun], together: Sequence[AnnouncedRun]) -> list[AnnouncedRun]:
        """What to claim ahead of these: only while others of batches are under way, for their slots come free soon."""
        if self._claims_several or not self._batched or anyio.current_time() < self._not_ahead_until:
            return []
        number = min(self._stock.lacks, TOGETHER - len(together))
        chosen = [run for run in runs if run.batched and not run.gpus][:number]
        self._held.update(run.submission_id for run in chosen)
        return chosen

    async def _poll_forever(self) -> None:
        polled = float("-inf")
        while True:
            self._news = anyio.Event()
            if self._post.ready and self.limiter.available_tokens >= 1:
                try:
                    if self._post.scores:
                        runs, self._announced = self._announced, ()
                        if not runs:
                            self._begin_stock()
                        if not runs and (self._stock.lacks or self.limiter.available_tokens >= 1):
                            runs = (await self._post.wait_for_work(NOTHING_SEEN, 0)).runs
                        self._keep(self._take(runs))
                    if not self._post.scores or anyio.current_time() - polled > SAFETY_POLL_SECONDS:
                        polled = anyio.current_time()
                        await self.get_and_submit_flow_runs()
                except Exception as error:  # noqa: BLE001  # gateway and Prefect may be away for a while
                    logger.warning("there is nobody to ask for work: %s", error)
                    await anyio.sleep(BLIND_POLL_SECONDS)
            seconds = SAFETY_POLL_SECONDS if self._hears_gateway else BLIND_POLL_SECONDS
            with anyio.move_on_after(seconds):
                await self._news.wait()

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
            self._announced = self._not_held(wake.runs)
            self._post.stop(wake.stops)
            for run in self._stock.drop(wake.stops):
                self._post.forget(run)
                self._held.discard(run.submission_id)
            if wake.work or wake.runs:
                self._news.set()

    async def _sync_forever(self) -> None:
        while True:
            try:
                await self._sync_and_initialize()
            except Exception as error:  # noqa: BLE001  # Prefect may be away for a while
                logger.warning("Prefect could not be told that this agent lives: %s", error)
                await anyio.sleep(1)
                continue
            self._news.set()
            await anyio.sleep(SYNC_SECONDS)


async def _load(deployment: DeploymentResponse) -> Flow[..., Any]:
    assert deployment.entrypoint is not None
    return await _load_entrypoint(deployment.entrypoint)


async def _load_entrypoint(entrypoint: str) -> Flow[..., Any]:
    flow: Flow[..., Any] = await anyio.to_thread.run_sync(
        partial(load_flow_from_entrypoint, entrypoint, use_placeholder_flow=False)
    )
    return flow
