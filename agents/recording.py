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

from podium.agents.prefect_access import follow_token
from podium.tasks.tls import trusted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from podium.agents.credential import Credential

logger = logging.getLogger("podium.agents")
PATIENCE_SECONDS = 60.0
"""How long a state is offered to a Prefect that does not answer."""
HOLD_SECONDS = 1.5
"""How long a state is kept back, so that Prefect's work does not compete with a short run for the host's cores."""
UNTOLD_STATES = 200
"""States that wait to be told; when there are more, runs wait for Prefect after all."""
LAST_WORDS_SECONDS = 10.0


class Teller:
    """Tells Prefect the states of all runs of this agent, in their order, from one thread.

    Args:
        credential: The agent's token, where Prefect is reached by way of the gateway.
    """

    def __init__(self, credential: Credential | None = None) -> None:
        self._credential = credential
        self._untold: queue.Queue[tuple[float, FlowRun, State[Any]] | None] = queue.Queue(UNTOLD_STATES)
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._run, name="podium-teller", daemon=True)
        self._thread.start()

    def tell(self, flow_run: FlowRun, state: State[Any]) -> None:
        """Tell Prefect, a moment later, that a run is in this state."""
        self._untold.put((time.monotonic() + HOLD_SECONDS, flow_run, state))

    def close(self) -> None:
        """Tell what is left, for as long as the last words may take."""
        self._leaving.set()
        self._untold.put(None)
        self._thread.join(timeout=LAST_WORDS_SECONDS)

    def _run(self) -> None:
        with get_client(sync_client=True, httpx_settings={"verify": trusted()}) as prefect:
            if self._credential is not None:
                follow_token(prefect, self._credential)
            while (item := self._untold.get()) is not None:
                not_before, flow_run, state = item
                self._leaving.wait(max(0.0, not_before - time.monotonic()))
                self._tell(prefect, flow_run, state)

    def _tell(self, prefect: SyncPrefectClient, flow_run: FlowRun, state: State[Any]) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                # Forced: the claim has decided already, and the run was planned for much later.
                prefect.set_flow_run_state(flow_run.id, state, force=True)
            except ObjectNotFound:
                return  # Prefect has lost the run; the submission is none the worse
            except (httpx.HTTPError, PrefectHTTPStatusError) as error:
                if time.monotonic() > until:
                    logger.warning("Prefect was not told that %s is %s: %s", flow_run.name, state.name, error)
                    return
                time.sleep(1)
            else:
                return


class RecordingClient(SyncPrefectClient):
    """Prefect's client, as the engine of one flow run sees it.

    What the engine asks about its own run is answered from what is known; the states that it proposes are accepted,
    and told to Prefect by the teller.
    """

    def __init__(self, flow_run: FlowRun, teller: Teller) -> None:
        settings = get_current_settings().api
        if settings.url is None:
            raise RuntimeError("PREFECT_API_URL is not set")
        key = settings.key.get_secret_value() if settings.key else None
        super().__init__(settings.url, api_key=key, httpx_settings={"verify": trusted()})
        self._own_run = flow_run
        self._teller = teller

    def read_flow_run(self, flow_run_id: UUID) -> FlowRun:
        """The run as it is known here."""
        return self._own_run if flow_run_id == self._own_run.id else super().read_flow_run(flow_run_id)

    def update_flow_run(self, flow_run_id: UUID, *args: Any, **changes: Any) -> httpx.Response:  # noqa: ANN401  # Prefect's own
        """The engine repeats what the deployment says already; that is not told again."""
        if flow_run_id == self._own_run.id:
            return httpx.Response(httpx.codes.NO_CONTENT)
        return super().update_flow_run(flow_run_id, *args, **changes)

    def raise_for_api_version_mismatch_once(self) -> None:
        """Whether Prefect's version fits was asked at the start; a Prefect that is away now is nobody's concern."""

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
        self._teller.tell(self._own_run, state)
        return OrchestrationResult(state=state, status=SetStateStatus.ACCEPT, details=StateAcceptDetails())


@contextmanager
def recorded(flow_run: FlowRun, teller: Teller) -> Iterator[None]:
    """Let the engine of `flow_run`, run in the block, work without waiting for Prefect."""
    context = SyncClientContext(httpx_settings={"verify": trusted()})
    context.client = RecordingClient(flow_run, teller)
    # Whoever asks Prefect for a client in this block, with whatever settings, is to get this one.
    context._httpx_settings = None  # noqa: SLF001
    with context:
        yield
