"""How long to wait before a part that died is started again."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
HEALTHY_ENOUGH = 60.0


@dataclass
class Backoff:
    """Delays that double with every failure, and start over after a minute of health.

    Attributes:
        failures: How often in a row the part has died.
    """

    failures: int = 0

    def next_delay(self, healthy_for: float) -> float:
        """Count a failure and return the seconds to wait.

        Args:
            healthy_for: How many seconds the part was healthy before it died; 0 when it never was.
        """
        if healthy_for >= HEALTHY_ENOUGH:
            self.failures = 0
        self.failures += 1
        return min(FIRST_DELAY * 2.0 ** min(self.failures - 1, 16), LONGEST_DELAY)
