"""Python's cyclic collector, kept away from what lives as long as the process."""

from __future__ import annotations

import gc


def settle_collector() -> None:
    """Keeps Python's cyclic collector away from what lives as long as the process.

    It otherwise walks all modules again and again, which costs a busy server pauses of tens of milliseconds.
    What is left of each handshake (uvicorn's HTTP protocol and its parser hold each other) is young garbage,
    which frequent small collections take.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
