"""Python's cyclic collector and its threads, kept from holding up the event loop."""

from __future__ import annotations

import gc
import sys
from typing import Final

SWITCH_SECONDS: Final = 0.0005
"""After this time the store's thread gives the interpreter back to the event loop, instead of after 5 ms."""


def settle_collector() -> None:
    """Keeps Python's cyclic collector away from what lives as long as the process.

    It otherwise walks all modules again and again, which costs a busy server pauses of tens of milliseconds.
    What is left of each handshake (uvicorn's HTTP protocol and its parser hold each other) is young garbage,
    which frequent small collections take.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    sys.setswitchinterval(SWITCH_SECONDS)
