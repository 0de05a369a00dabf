"""Settings of Python's interpreter for a process that shall answer at once."""

from __future__ import annotations

import gc
import sys
from typing import Final

SWITCH_SECONDS: Final = 0.0005
"""After this time the store's thread gives the interpreter back to the event loop, instead of after 5 ms."""


def settle_interpreter() -> None:
    """Keeps the cyclic collector from what lives as long as the process, and threads from the event loop's time.

    The collector otherwise walks all modules again and again, which costs a busy server pauses of tens of
    milliseconds. What is left of each handshake (uvicorn's HTTP protocol and its parser hold each other) is young
    garbage, which frequent small collections take.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    sys.setswitchinterval(SWITCH_SECONDS)
