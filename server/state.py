"""The objects of one process, handed to whoever serves requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

from collab.limits import Limits
from collab.ports import Clock
from generation.io.meanings import Meanings
from generation.io.searching import Searching
from generation.service import GenerationService
from server.dispatch import Dispatch
from server.door.door import Door
from server.door.past import Past
from server.finding import Finding
from server.history.service import History
from server.hub import Hub
from server.settings import Settings


@dataclass(slots=True)
class AppState:
    """Made once, by ``server.app``."""

    settings: Settings
    limits: Limits
    clock: Clock
    random: Random
    hub: Hub
    generation: GenerationService
    history: History
    door: Door
    finding: Finding
    past: Past
    dispatch: Dispatch
    version: str
    close_models: Callable[[], Awaitable[None]]
    """Ends the connections to the models' providers."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server begins to shut down: streams end, readiness is over."""
    started: bool = False

    @property
    def search(self) -> Searching:
        """Finds files."""
        return self.finding.search

    @property
    def meanings(self) -> Meanings | None:
        """Compares by meaning; None where no model is set for that."""
        return self.finding.meanings

    def not_ready(self) -> str | None:
        """Why the process cannot serve now; None if it can."""
        if self.stopping.is_set():
            return "The server is shutting down."
        if not self.started:
            return "The server is starting."
        if self.hub.failing is not None and self.settings.redis_url is None:
            # Without the store that they share, nodes go on from memory; sending people elsewhere helps nobody.
            return f"Edits are not being saved: {self.hub.failing.message}"
        return None
