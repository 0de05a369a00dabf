"""The clock of a running process. Tests and simulations pass another one."""

from __future__ import annotations

import time


class SystemClock:
    """Implements collab.ports.Clock with the machine's clocks."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start."""
        return time.monotonic()

    def wall_ms(self) -> int:
        """Milliseconds since 1970 (UTC)."""
        return time.time_ns() // 1_000_000
