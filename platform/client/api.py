"""The client: one object, with a method for each call of the API and for what takes several."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import httpx

from podium.platform.client.access import AccessCalls
from podium.platform.client.bundles import BundleCalls
from podium.platform.client.competitions import CompetitionCalls
from podium.platform.client.connection import Connection
from podium.platform.client.content import ContentCalls
from podium.platform.client.exports import ExportCalls
from podium.platform.client.images import ImageCalls
from podium.platform.client.offers import OfferCalls
from podium.platform.client.organizing import OrganizingCalls
from podium.platform.client.outputs import OutputCalls
from podium.platform.client.people import PeopleCalls
from podium.platform.client.phases import PhaseCalls
from podium.platform.client.pools import PoolCalls
from podium.platform.client.reruns import RerunCalls
from podium.platform.client.retries import Patience
from podium.platform.client.saved_login import load_login
from podium.platform.client.scaling import ScalingCalls
from podium.platform.client.sign_in import SignInCalls
from podium.platform.client.slices import SliceCalls
from podium.platform.client.submissions import SubmissionCalls
from podium.platform.client.teams import TeamCalls


class Client(
    PeopleCalls,
    SignInCalls,
    PoolCalls,
    CompetitionCalls,
    ContentCalls,
    OrganizingCalls,
    AccessCalls,
    TeamCalls,
    PhaseCalls,
    BundleCalls,
    SubmissionCalls,
    OutputCalls,
    OfferCalls,
    RerunCalls,
    ExportCalls,
    ScalingCalls,
    ImageCalls,
    SliceCalls,
):
    """A gateway, as a Python object.

    It never prints, never prompts and never ends the process; making one sends nothing. Calls that may safely be made
    again are, when the gateway does not answer. It may be used by several threads.

    Example:
        >>> with Client("https://podium.example.org", token) as client:
        ...     submission = client.submit("iris", "predictions.csv", message="more trees")
        ...     submission = client.wait(submission.id)
    """

    def __init__(
        self,
        gateway: str,
        token: str | None = None,
        *,
        timeout: float = 30.0,
        patience: Patience | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Make a client; nothing is sent yet.

        Args:
            gateway: Its address, such as `https://podium.example.org`.
            token: A person's token; without one, only what everybody may see.
            timeout: Seconds without any byte after which a call is given up.
            patience: How often and how soon calls are made again.
            transport: What carries the requests, for tests and for Python code that runs beside the gateway.

        Raises:
            InvalidInput: The address is none.
        """
        connection = Connection(gateway, token, timeout=timeout, patience=patience or Patience(), transport=transport)
        super().__init__(connection)

    @classmethod
    def from_saved_login(cls) -> Self:
        """A client for the gateway and token of `podium login`, or of `PODIUM_GATEWAY` and `PODIUM_TOKEN`.

        Raises:
            NotAuthenticated: There is neither.
        """
        login = load_login()
        return cls(login.require_gateway(), login.token)

    @property
    def gateway(self) -> str:
        """The gateway's address."""
        return self._connection.gateway

    def close(self) -> None:
        """Close the connections. Leaving a `with` block does it."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
