"""``pairloom models``: the models that are configured, and with a probe what each of them answers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table

from collab.errors import CollabError
from generation.catalog import Catalog, ModelSpec
from generation.errors import GenerationError
from generation.io.models import ConfiguredModels
from generation.ports import FinishDelta, Message, Model, ReasoningDelta, StreamLimits, TextDelta
from generation.settings import GenerationSettings
from server.commands.printing import printable, say
from server.logs import SecretFilter

_PROMPT: Final = "Answer with the one word OK."
_ANSWER_TOKENS: Final = 2_000
"""A model that reasons needs some before its one word."""
NOTHING: Final = (
    "No model is configured: templates answer requests, and say so. Set model and base_url, or list providers in "
    "pairloom.toml."
)


@dataclass(frozen=True, slots=True)
class Probe:
    """What came of asking a model: seconds to the first token and to the end, or why there was no answer."""

    model: str
    first_token: float | None = None
    seconds: float = 0.0
    error: str = ""

    @property
    def words(self) -> str:
        """In words."""
        if self.error:
            return f"FAILED: {self.error}"
        first = self.first_token if self.first_token is not None else self.seconds
        return f"answers; first token after {first:.1f} s, all after {self.seconds:.1f} s"


async def run(engine: GenerationSettings, secrets: Sequence[str], *, probe: bool, as_json: bool) -> int:
    """Prints the models in the order in which they stand in for each other, and returns the exit code.

    With ``probe`` each is asked for one word: 1 if one of them does not answer.
    """
    models = ConfiguredModels(engine)
    try:
        probes = await _ask_all(models, engine) if probe else {}
    finally:
        await models.aclose()
    clean = SecretFilter(secrets).text
    if as_json:
        say(clean(json.dumps([_row(spec, probes.get(spec.name)) for spec in models.catalog], indent=2)))
    elif not len(models.catalog):
        say(NOTHING)
    else:
        _print(models.catalog)
        for found in probes.values():
            say(f"{printable(found.model)}: {printable(clean(found.words))}")
        for spec in models.catalog:
            if spec.provider.missing_key and not probe:
                say(f"{printable(spec.name)}: cannot be asked, {printable(spec.provider.missing_key)}")
    return int(any(found.error for found in probes.values()))


async def ask(model: Model, limits: StreamLimits) -> Probe:
    """Asks a model for one word."""
    began = time.monotonic()
    first: float | None = None
    finished = False
    try:
        async for delta in model.stream([Message("user", _PROMPT)], limits):
            if first is None and isinstance(delta, TextDelta | ReasoningDelta):
                first = time.monotonic() - began
            finished = finished or isinstance(delta, FinishDelta)
    except (GenerationError, CollabError) as error:
        return Probe(model.name, error=error.message)
    if not finished:
        return Probe(model.name, error="The answer ended without a finish reason, so jobs would take it for cut.")
    return Probe(model.name, first, time.monotonic() - began)


async def _ask_all(models: ConfiguredModels, engine: GenerationSettings) -> dict[str, Probe]:
    limits = StreamLimits(
        engine.timeout_connect,
        engine.timeout_first_token,
        engine.timeout_silence,
        engine.timeout_total,
        _ANSWER_TOKENS,
    )
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(models.open(spec.name), limits)) for spec in models.catalog]
    return {task.result().model: task.result() for task in tasks}


def _print(catalog: Catalog) -> None:
    table = Table(box=None, pad_edge=False)
    numbers = {"window", "answer"}
    for heading in ("model", "provider", "id", "window", "answer", "capabilities", "format", "$ per million"):
        table.add_column(heading, justify="right" if heading in numbers else "left")
    for spec in catalog:
        price = spec.price
        table.add_row(
            printable(spec.name),
            printable(spec.provider.name),
            printable(spec.id),
            f"{spec.context_tokens:,}",
            f"{spec.answer_tokens:,}",
            ", ".join(sorted(spec.capabilities)) or "-",
            spec.answer_format,
            f"{price.prompt:g} / {price.cached:g} / {price.answer:g}" if price is not None else "-",
        )
    Console(markup=False).print(table)


def _row(spec: ModelSpec, probe: Probe | None) -> dict[str, object]:
    price = spec.price
    row: dict[str, object] = {
        "name": spec.name,
        "provider": spec.provider.name,
        "id": spec.id,
        "base_url": spec.provider.base_url,
        "context_tokens": spec.context_tokens,
        "answer_tokens": spec.answer_tokens,
        "capabilities": sorted(spec.capabilities),
        "answer_format": spec.answer_format,
        "price_prompt": price.prompt if price is not None else None,
        "price_cached": price.cached if price is not None else None,
        "price_answer": price.answer if price is not None else None,
        "missing_key": spec.provider.missing_key or None,
    }
    if probe is not None:
        row["probe"] = {
            "answers": not probe.error,
            "first_token_seconds": round(probe.first_token, 3) if probe.first_token is not None else None,
            "seconds": round(probe.seconds, 3),
            "error": probe.error or None,
        }
    return row
