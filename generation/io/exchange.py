"""What all talks of a process with models share: the models, and how each of them stands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from collab.ports import Clock
from generation.choice import Plan, Wanted, plan
from generation.io.answers import Answers
from generation.io.turns import Turns
from generation.ports import Models, Random
from generation.settings import GenerationSettings
from generation.standing import Standings

Pause = Callable[[float], Awaitable[None]]
"""Waits for so many seconds."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Built once for a process; ``Talk`` is one job's part of it. ``pause`` waits between tries."""

    models: Models
    settings: GenerationSettings
    clock: Clock
    random: Random
    pause: Pause = asyncio.sleep
    standings: Standings = field(default_factory=Standings)
    turns: Turns = field(default_factory=Turns)
    answers: Answers | None = None
    """Answers that were given before; None if each request asks anew."""

    def plan(self, asked: str | None, want: Callable[[], Wanted]) -> Plan:
        """The order in which models are asked. ``asked`` is the one that somebody chose.

        ``want`` is only called where there is a choice. Raises InvalidInput for a model that is not there.
        """
        catalog = self.models.catalog
        if asked is not None:
            return Plan((self.models.spec(asked),), f"The request asks for {asked}.", asked=True)
        if not len(catalog):
            return Plan((self.models.spec(None),), "No model is configured, so a template answers.")
        if len(catalog) == 1:
            only = self.models.spec(None)
            return Plan((only,), f"{only.name} is the only model that is configured.")
        return plan(catalog, self.standings, want(), self.clock.monotonic())
