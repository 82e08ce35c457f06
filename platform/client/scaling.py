"""The calls about the scaling of pools. For administrators."""

from __future__ import annotations

from podium.platform.client.connection import Calls, segment
from podium.platform.records.scaling import ScalingRecord


class ScalingCalls(Calls):
    """How many agents a pool has, and why."""

    def scaling(self, pool: str) -> ScalingRecord:
        """How a pool is scaled, its agents, and the latest decisions.

        Raises:
            NotFound: There is no such pool, or it is not scaled.
        """
        return self._record(ScalingRecord, "GET", f"/pools/{segment(pool)}/scaling")

    def set_scaling(
        self,
        pool: str,
        *,
        provider: str | None = None,
        minimum: int | None = None,
        maximum: int | None = None,
        target_wait: float | None = None,
        cool_down_up: float | None = None,
        cool_down_down: float | None = None,
        slots: int | None = None,
        patience: float | None = None,
    ) -> ScalingRecord:
        """Scale a pool from now on; what is not given stays as it is.

        Args:
            provider: One that the operator has set up.
            minimum: Agents that there are always.
            maximum: Agents that there are at most.
            target_wait: Seconds that a submission should wait at most.
            cool_down_up: Seconds between two starts.
            cool_down_down: Seconds for which fewer agents must have been enough before any goes.
            slots: Submissions that a new agent runs at the same time.
            patience: Seconds after which an agent that is silent, in trouble or starting is replaced.

        Raises:
            NotFound: There is no such pool.
            InvalidInput: There is no such provider, or the minimum is over the maximum.
            Conflict: Another provider has agents that are still there.
        """
        body = {
            "provider": provider,
            "minimum": minimum,
            "maximum": maximum,
            "target_wait": target_wait,
            "cool_down_up": cool_down_up,
            "cool_down_down": cool_down_down,
            "slots": slots,
            "patience": patience,
        }
        return self._record(ScalingRecord, "PUT", f"/pools/{segment(pool)}/scaling", body=body)

    def switch_scaling_off(self, pool: str) -> ScalingRecord:
        """Start no more agents; those that were started go as soon as they hold nothing.

        Raises:
            NotFound: There is no such pool, or it is not scaled.
        """
        return self._record(ScalingRecord, "DELETE", f"/pools/{segment(pool)}/scaling")
