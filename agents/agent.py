"""An agent as a process: a worker, and signals that end it gracefully."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time

import anyio

from podium.agents.prefect_access import choose_prefect, keep_events
from podium.agents.settings import AgentSettings
from podium.platform.errors import InvalidInput, PlatformFault
from podium.tasks.gateway import GatewayClient

logger = logging.getLogger("podium.agents")
ASK_SECONDS = 2.0
"""How often a gateway that does not answer is asked again which pool a token is for."""
QUIET = {
    # Prefect's own log lines of a run would be one more call each; a submission's log goes to the gateway.
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}


def run_agent(settings: AgentSettings) -> None:
    """Take work until SIGTERM or SIGINT; then finish what is under way, or hand it back after the grace period.

    Raises:
        PodiumError: The settings are not complete.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("PREFECT_HOME", str(settings.folder.resolve() / "prefect"))
    # Prefect looks for its folder as soon as it is imported.
    (settings.folder / "prefect").mkdir(parents=True, exist_ok=True)
    by_way_of_gateway = choose_prefect(settings)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with GatewayClient(settings.gateway, settings.secret()) as gateway:
        # By way of the gateway there is no Prefect without a good token either: better hear of it here.
        if by_way_of_gateway or not settings.pool:
            settings = of_own_pool(settings, gateway)
    if by_way_of_gateway:
        keep_events()
    anyio.run(_work, settings)


def of_own_pool(settings: AgentSettings, gateway: GatewayClient) -> AgentSettings:
    """The settings with the pool that the token is for; waits until the gateway answers.

    Raises:
        InvalidInput: The settings name another pool.
        PodiumError: The gateway does not take the token.
    """
    said = ""
    while True:
        try:
            own = gateway.own_pool().pool
        except PlatformFault as fault:
            if said != str(fault):
                said = str(fault)
                logger.warning("waits for the gateway: %s", fault)
            time.sleep(ASK_SECONDS)
            continue
        if settings.pool not in ("", own):
            raise InvalidInput(f"The token is for pool '{own}', not for '{settings.pool}'.", remedy="Leave --pool out.")
        return settings.model_copy(update={"pool": own})


async def _work(settings: AgentSettings) -> None:
    # Imported here: Prefect reads its settings from the environment when it is imported.
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings  # noqa: PLC0415

    from podium.agents.post import Post  # noqa: PLC0415
    from podium.agents.worker import PodiumWorker  # noqa: PLC0415

    worker = PodiumWorker(
        settings.pool, name=settings.name, limit=settings.slots, create_pool_if_not_found=False, post=Post(settings)
    )
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with anyio.create_task_group() as tasks:

            async def leave_at_signal() -> None:
                async for _ in signals:
                    worker.leave()

            tasks.start_soon(leave_at_signal)
            # An attempt's lease says whether it lives; a flow run's own heartbeat would only delay its end.
            with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
                await worker.start(printer=logging.getLogger("podium.agents").info)
            tasks.cancel_scope.cancel()
