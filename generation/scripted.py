"""The in-memory twin of the Model port: it plays a script."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from collab.errors import InvalidInput
from generation.catalog import Catalog, ModelSpec, Provider
from generation.errors import ModelError
from generation.offline import SPEC
from generation.ports import Delta, FinishDelta, Message, Model, StreamLimits, TextDelta

Step = Delta | ModelError | Callable[[], Awaitable[None]]
"""A delta to give, an error to raise, or something to wait for."""


class ScriptedModel:
    """Implements generation.ports.Model: the n-th stream plays the n-th script, then the last again."""

    def __init__(self, *scripts: Sequence[Step], name: str = "scripted", offline: bool = False) -> None:
        self.name = name
        self.offline = offline
        self.asked: list[Sequence[Message]] = []
        self._scripts = scripts

    async def stream(self, messages: Sequence[Message], limits: StreamLimits) -> AsyncIterator[Delta]:
        """Plays the next script."""
        self.asked.append(messages)
        for step in self._scripts[min(len(self.asked), len(self._scripts)) - 1]:
            if isinstance(step, ModelError):
                raise step
            if callable(step):
                await step()
            else:
                yield step


def said(text: str, size: int = 7) -> list[Step]:
    """A script that says a text in pieces of ``size`` characters and ends as it should."""
    pieces: list[Step] = [TextDelta(text[at : at + size]) for at in range(0, len(text), size)]
    return [*pieces, FinishDelta("stop")]


class FixedModels:
    """Implements generation.ports.Models with models that are there already; the first is the default.

    ``specs`` tell more of some of them.
    """

    def __init__(self, *models: Model, specs: Sequence[ModelSpec] = ()) -> None:
        self._models = {model.name: model for model in models}
        known = {spec.name: spec for spec in specs}
        self._specs = {
            name: SPEC if model.offline else known.get(name, ModelSpec(name, Provider("scripted"), name))
            for name, model in self._models.items()
        }
        self.catalog: Catalog = Catalog([self._specs[model.name] for model in models if not model.offline])

    @property
    def default(self) -> str | None:
        """The first model that is no template."""
        first = self.catalog.default
        return first.name if first is not None else None

    def spec(self, name: str | None) -> ModelSpec:
        """What is known of the model of this name, or of the first."""
        return self._specs[self.open(name).name]

    def open(self, name: str | None) -> Model:
        """The model of this name, or the first."""
        if name is None:
            return next(iter(self._models.values()))
        if name not in self._models:
            raise InvalidInput(f"There is no model {name!r}; there are: {', '.join(self._models)}.", field="model")
        return self._models[name]
