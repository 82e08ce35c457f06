"""Flows in threads of the agent's own process: a flow is imported once, and each of its runs is a thread."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import Abort
from prefect.flow_engine import run_flow
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.states import Pending

from podium.agents.post import Post
from podium.agents.prefect_access import UNKNOWN_FLOW
from podium.agents.recording import Teller, recorded
from podium.platform.jobs import AnnouncedRun

logger = logging.getLogger("podium.agents")
SCORING_ENTRYPOINT = "podium.flows.scoring:score_submission"


class LoadedFlows:
    """Flows by their entrypoints, each imported once.

    One is imported at a time: threads that import at once what modules have in common see some of them half made, so
    that a flow, or a name that it imports, is not found.
    """

    def __init__(self) -> None:
        self._flows: dict[str, Flow[..., Any]] = {}
        self._importing = anyio.Lock()

    async def load(self, entrypoint: str) -> Flow[..., Any]:
        """Give a flow, such as `podium.flows.upkeep:tick`, and import it first where that was not done.

        Raises:
            MissingFlowError: The module has no such flow.
        """
        async with self._importing:
            if entrypoint not in self._flows:
                self._flows[entrypoint] = await anyio.to_thread.run_sync(
                    partial(load_flow_from_entrypoint, entrypoint, use_placeholder_flow=False)
                )
            return self._flows[entrypoint]


class FlowRuns:
    """Runs flows, as many at a time as there are threads.

    Args:
        teller: Tells Prefect of the runs that do not wait for it.
        threads: How many.
        pool: The name of the pool whose work this is.
    """

    def __init__(self, post: Post, teller: Teller, *, threads: int, pool: str) -> None:
        self._post = post
        self._teller = teller
        self._pool = pool
        self._threads = anyio.CapacityLimiter(threads)
        self._flows = LoadedFlows()

    async def run(self, entrypoint: str, flow_run: FlowRun) -> None:
        """Run a flow of which Prefect has a run."""
        flow = await self._flows.load(entrypoint)
        await anyio.to_thread.run_sync(self._run, flow, flow_run, limiter=self._threads)

    async def prepare(self) -> None:
        """Import the flow that scores. Prefect is not asked for it: it may be away, or have lost everything."""
        await self._flows.load(SCORING_ENTRYPOINT)

    async def score(self, run: AnnouncedRun) -> None:
        """Run the flow of a submission that is claimed; Prefect is told of it a moment later."""
        flow_run = FlowRun(
            id=run.flow_run_id,
            name=run.name,
            flow_id=UNKNOWN_FLOW,
            # Without its deployment, the engine opens no connection of its own to watch for a pause of this run.
            parameters={"submission_id": str(run.submission_id)},
            work_pool_name=self._pool,
            state=Pending(),
        )
        flow = await self._flows.load(SCORING_ENTRYPOINT)
        await anyio.to_thread.run_sync(self._run_recorded, flow, flow_run, limiter=self._threads)

    async def score_in_batch(self, run: AnnouncedRun) -> None:
        """Score a submission that is claimed under the flow run of its batch."""
        await anyio.to_thread.run_sync(self._run_batched, run, limiter=self._threads)

    def _run(self, flow: Flow[..., Any], flow_run: FlowRun) -> None:
        with self._post.working():
            try:
                run_flow(flow, flow_run=flow_run, return_type="state")
            except Abort as abort:
                logger.info("flow run %s was not begun: %s", flow_run.name, abort)

    def _run_recorded(self, flow: Flow[..., Any], flow_run: FlowRun) -> None:
        with recorded(flow_run, self._teller):
            self._run(flow, flow_run)

    def _run_batched(self, run: AnnouncedRun) -> None:
        # Imported only now: a worker of the platform's own flows scores nothing.
        from podium.flows.scoring import score_in_batch  # noqa: PLC0415

        with self._post.working():
            score_in_batch(run.submission_id, run.flow_run_id)
