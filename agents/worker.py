"""The Prefect worker type `podium`: it runs flows in its own process.

A stock worker starts a Python interpreter for every flow run, which takes seconds; here a flow run is a thread. Work
is announced by the gateway (a waiting call), so that it begins at once and an idle agent asks Prefect next to nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

import anyio
import anyio.to_thread
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import Abort
from prefect.flow_engine import run_flow
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.states import Crashed
from prefect.workers.base import BaseJobConfiguration, BaseVariables, BaseWorker, BaseWorkerResult
from typing_extensions import override

from podium.agents.post import Post
from podium.agents.settings import read_agent_settings
from podium.platform.errors import PodiumError

logger = logging.getLogger("podium.agents")
SAFETY_POLL_SECONDS = 10.0
"""How often Prefect is asked although nothing was announced: for what was missed, and for schedules."""
BLIND_POLL_SECONDS = 0.5
"""How often it is asked while the gateway can't be heard."""
ANNOUNCEMENT_SECONDS = 25.0
SYNC_SECONDS = 15.0


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
        options.setdefault("limit", settings.slots)
        options.setdefault("prefetch_seconds", 1)
        super().__init__(*args, **options)
        self._post = post or Post(settings.model_copy(update={"pool": self._work_pool_name}))
        self._flows: dict[UUID, Flow[..., Any]] = {}
        self._news = anyio.Event()
        self._hears_gateway = False
        self._threads = anyio.CapacityLimiter(options["limit"] or 100)
        self._leaving = anyio.Event()

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
                printer(f"Agent {self.name!r} takes work from pool {self._work_pool_name!r}.")
                await self._leaving.wait()
                loops.cancel_scope.cancel()
            # What is under way gets its time; leaving the worker waits for it.
            self._post.leave_soon()
        await anyio.to_thread.run_sync(self._post.leave)

    def leave(self) -> None:
        """Take nothing new; finish what is held, or hand it back after the grace period."""
        self._leaving.set()

    async def setup(self) -> None:
        """Take up the post, then connect to Prefect."""
        await anyio.to_thread.run_sync(self._post.take_up)
        await super().setup()

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

    async def _flow_of(self, flow_run: FlowRun) -> Flow[..., Any]:
        """The flow of a run's deployment, imported once."""
        assert flow_run.deployment_id is not None
        known = self._flows.get(flow_run.deployment_id)
        if known is None:
            deployment = await self.client.read_deployment(flow_run.deployment_id)
            assert deployment.entrypoint is not None
            loaded: Flow[..., Any] = await anyio.to_thread.run_sync(
                partial(load_flow_from_entrypoint, deployment.entrypoint, use_placeholder_flow=False)
            )
            self._flows[flow_run.deployment_id] = known = loaded
        return known

    async def _submit_run(self, flow_run: FlowRun) -> None:
        """Begin a flow run with one call to Prefect, where the base class makes six."""
        try:
            # Pending is what keeps two agents from beginning the same run.
            began = not self._leaving.is_set() and await self._propose_pending_state(flow_run)
            self._submitting_flow_run_ids.discard(flow_run.id)
            if began:
                await self.run(flow_run, self.job_configuration.model_construct())
        except Exception as error:
            logger.exception("flow run %s could not be run", flow_run.name)
            with suppress(Exception):
                await self.client.set_flow_run_state(flow_run.id, Crashed(message=str(error)[:2000]))
        finally:
            self._submitting_flow_run_ids.discard(flow_run.id)
            self._release_limit_slot(flow_run.id)
            self._announce()

    def _announce(self) -> None:
        self._news.set()

    async def _poll_forever(self) -> None:
        while True:
            self._news = anyio.Event()
            if self._post.ready and self.limiter.available_tokens > 0:
                try:
                    await self.get_and_submit_flow_runs()
                except Exception as error:  # noqa: BLE001  # Prefect may be away for a while
                    logger.warning("Prefect could not be asked for work: %s", error)
                    await anyio.sleep(BLIND_POLL_SECONDS)
            seconds = SAFETY_POLL_SECONDS if self._hears_gateway else BLIND_POLL_SECONDS
            with anyio.move_on_after(seconds):
                await self._news.wait()

    async def _listen_forever(self) -> None:
        """Hear of work from the gateway as soon as it is there."""
        cursor = -1
        while True:
            try:
                wake = await self._post.wait_for_work(cursor, ANNOUNCEMENT_SECONDS)
            except PodiumError as error:
                if self._hears_gateway:
                    logger.warning("the gateway is not heard: %s", error)
                self._hears_gateway = False
                await anyio.sleep(1)
                continue
            self._hears_gateway = True
            cursor = wake.cursor
            if wake.work:
                self._announce()

    async def _sync_forever(self) -> None:
        while True:
            try:
                await self._sync_and_initialize()
            except Exception as error:  # noqa: BLE001  # Prefect may be away for a while
                logger.warning("Prefect could not be told that this agent lives: %s", error)
                await anyio.sleep(1)
                continue
            self._announce()
            await anyio.sleep(SYNC_SECONDS)
