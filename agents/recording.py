"""Flow runs that do not wait for Prefect: the engine is answered at once, and Prefect is told in the background.

Whether a submission may be scored is decided by the gateway's claim, in Postgres; Prefect is the console that shows
it. So a run whose claim was granted begins immediately, and its states go to Prefect in their order, a moment later.
A Prefect that is slow, or away for a while, costs the participant nothing.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, ServerDefaultResultStorage, State
from prefect.client.schemas.responses import OrchestrationResult, SetStateStatus, StateAcceptDetails
from prefect.context import SyncClientContext
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.settings import get_current_settings

from podium.tasks.tls import trusted

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger("podium.agents")
PATIENCE_SECONDS = 60.0
"""How long a state is offered to a Prefect that does not answer."""


class RecordingClient(SyncPrefectClient):
    """Prefect's client, as the engine of one flow run sees it.

    What the engine asks about its own run is answered from what is known; the states that it proposes are accepted,
    and told to Prefect by a thread, in order.
    """

    def __init__(self, flow_run: FlowRun) -> None:
        settings = get_current_settings().api
        if settings.url is None:
            raise RuntimeError("PREFECT_API_URL is not set")
        key = settings.key.get_secret_value() if settings.key else None
        super().__init__(settings.url, api_key=key, httpx_settings={"verify": trusted()})
        self._own_run = flow_run
        self._states: queue.SimpleQueue[State[Any] | None] = queue.SimpleQueue()
        self._teller = threading.Thread(target=self._tell, name=f"prefect-{flow_run.id}", daemon=True)
        self._teller.start()

    def finish(self) -> None:
        """Wait until Prefect was told everything, or its patience is over."""
        self._states.put(None)
        self._teller.join()

    def read_flow_run(self, flow_run_id: UUID) -> FlowRun:
        """The run as it is known here."""
        return self._own_run if flow_run_id == self._own_run.id else super().read_flow_run(flow_run_id)

    def update_flow_run(self, flow_run_id: UUID, *args: Any, **changes: Any) -> httpx.Response:  # noqa: ANN401  # Prefect's own
        """The engine repeats what the deployment says already; that is not told again."""
        if flow_run_id == self._own_run.id:
            return httpx.Response(httpx.codes.NO_CONTENT)
        return super().update_flow_run(flow_run_id, *args, **changes)

    def read_server_default_result_storage(self) -> ServerDefaultResultStorage:
        """Results are never persisted by Prefect here."""
        return ServerDefaultResultStorage()

    def set_flow_run_state(
        self,
        flow_run_id: UUID | str,
        state: State[Any],
        force: bool = False,  # noqa: FBT001, FBT002  # Prefect's own signature
    ) -> OrchestrationResult[Any]:
        """Accept the state and tell Prefect later."""
        if flow_run_id != self._own_run.id:
            return super().set_flow_run_state(flow_run_id, state, force=force)
        self._own_run.state = state
        self._states.put(state)
        return OrchestrationResult(state=state, status=SetStateStatus.ACCEPT, details=StateAcceptDetails())

    def _tell(self) -> None:
        with get_client(sync_client=True, httpx_settings={"verify": trusted()}) as prefect:
            while (state := self._states.get()) is not None:
                self._tell_one(prefect, state)

    def _tell_one(self, prefect: SyncPrefectClient, state: State[Any]) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                # Forced: the claim has decided already, and the run was planned for much later.
                prefect.set_flow_run_state(self._own_run.id, state, force=True)
            except ObjectNotFound:
                return  # Prefect has lost the run; the submission is none the worse
            except (httpx.HTTPError, PrefectHTTPStatusError) as error:
                if time.monotonic() > until:
                    logger.warning("Prefect was not told that %s is %s: %s", self._own_run.name, state.name, error)
                    return
                time.sleep(1)
            else:
                return


@contextmanager
def recorded(flow_run: FlowRun) -> Iterator[None]:
    """Let the engine of `flow_run`, run in the block, work without waiting for Prefect; tell Prefect at the end."""
    client = RecordingClient(flow_run)
    context = SyncClientContext(httpx_settings={"verify": trusted()})
    context.client = client
    # Whoever asks Prefect for a client in this block, with whatever settings, is to get this one.
    context._httpx_settings = None  # noqa: SLF001
    with context:
        try:
            yield
        finally:
            client.finish()
