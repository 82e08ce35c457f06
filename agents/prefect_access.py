"""How an agent reaches Prefect: directly, where it is told the address; else by way of the gateway.

By way of the gateway it makes the calls of a worker alone, with its own token, and no events: those are told over
connections that the gateway does not have.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from uuid import UUID

from podium.agents.settings import AgentSettings

if TYPE_CHECKING:
    from prefect.events import Event

    from podium.agents.credential import Credential

PROXY_PATH = "/api/v1/agent/prefect"
UNKNOWN_FLOW = UUID(int=0)
"""Stands for Prefect's own id of the flow, which the engine of a claimed run needs for nothing."""


def choose_prefect(settings: AgentSettings) -> bool:
    """Say in the environment where Prefect is; tell whether that is the gateway. Before Prefect is imported."""
    if os.environ.get("PREFECT_API_URL"):
        return False
    os.environ["PREFECT_API_URL"] = _proxy(settings)
    os.environ["PREFECT_API_KEY"] = settings.secret()
    if certificates := os.environ.get("SSL_CERT_FILE"):
        os.environ.setdefault("PREFECT_API_SSL_CERT_FILE", certificates)  # as the agent's other clients have it
    os.environ.setdefault("PREFECT_CLIENT_CSRF_SUPPORT_ENABLED", "false")
    return True


def goes_by_gateway(settings: AgentSettings) -> bool:
    """Whether Prefect is reached by way of the gateway, with the agent's token."""
    return os.environ.get("PREFECT_API_URL") == _proxy(settings)


def _proxy(settings: AgentSettings) -> str:
    return settings.gateway.rstrip("/") + PROXY_PATH


def keep_events() -> None:
    """Tell nobody of events."""
    from prefect.events.clients import NullEventsClient  # noqa: PLC0415  # after the environment is complete
    from prefect.events.worker import EventsWorker  # noqa: PLC0415

    async def ask_nothing(_worker: EventsWorker, _event: Event) -> None:
        """What an event is about is not looked up: nobody is told of it."""

    EventsWorker.set_client_override(NullEventsClient)
    # Prefect has no switch for this: the method is replaced.
    EventsWorker.attach_related_resources_from_context = ask_nothing  # type: ignore[assignment, method-assign]


def relate_events() -> None:
    """Have the events of claimed runs name their flow run, and nothing that Prefect would have to be asked for.

    Prefect's own way looks up the flow, which is not known here: it fails, and with each event what it says of a task
    run is lost. Events of other runs stay as they are.
    """
    from prefect.context import FlowRunContext  # noqa: PLC0415  # after the environment is complete
    from prefect.events.related import object_as_related_resource  # noqa: PLC0415
    from prefect.events.worker import EventsWorker  # noqa: PLC0415

    look_up = EventsWorker.attach_related_resources_from_context

    async def name_flow_run(worker: EventsWorker, event: Event) -> None:
        context = FlowRunContext.get()
        run = context.flow_run if context else None
        if run is None or run.flow_id != UNKNOWN_FLOW:
            await look_up(worker, event)
            return
        named = object_as_related_resource("flow-run", "flow-run", run)
        if named.id not in {resource.id for resource in event.involved_resources}:
            event.related.append(named)

    # Prefect has no switch for this: the method is replaced.
    EventsWorker.attach_related_resources_from_context = name_flow_run  # type: ignore[assignment, method-assign]


def follow_token(client: Any, credential: Credential) -> None:  # noqa: ANN401  # a client of Prefect's, of either kind
    """Have a client of Prefect's send the token that counts at that moment."""
    client._client.auth = credential  # noqa: SLF001  # Prefect takes a key once
