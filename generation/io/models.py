"""The models of a process: those of its catalog, each over its provider's endpoint, and the offline one."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

from collab.errors import InvalidInput
from generation.catalog import Catalog, ModelSpec
from generation.offline import NAME, SPEC, OfflineModel
from generation.ports import Model
from generation.settings import GenerationSettings

if TYPE_CHECKING:
    from generation.io.openai_model import OpenAIModel

_MOST_OPEN: Final = 64


class ConfiguredModels:
    """Implements generation.ports.Models from the settings. Close it at the end."""

    def __init__(self, settings: GenerationSettings) -> None:
        self._catalog = settings.models()
        self._offline = OfflineModel()
        self._open: dict[str, OpenAIModel] = {}
        if len(self._catalog):
            # Now, while nobody waits: in the midst of its first job a process would stand still for it.
            importlib.import_module("generation.io.openai_model")

    @property
    def catalog(self) -> Catalog:
        """All that are configured, without the offline one."""
        return self._catalog

    @property
    def default(self) -> str | None:
        """The first model; None when only the offline one is there."""
        first = self._catalog.default
        return first.name if first is not None else None

    def spec(self, name: str | None) -> ModelSpec:
        """What is known of the model of this name, or of the first one. Raises InvalidInput."""
        chosen = name or self.default or NAME
        return SPEC if chosen == NAME else self._catalog.get(chosen)

    def open(self, name: str | None) -> Model:
        """The model of this name, or the first one. Raises InvalidInput."""
        spec = self.spec(name)
        if spec is SPEC:
            return self._offline
        if spec.name not in self._open:
            if len(self._open) >= _MOST_OPEN:
                raise InvalidInput("Too many different models have been asked for.", field="model")
            # Imported here: the openai package takes 20 MB and half a second, and many rooms have no model.
            from generation.io.openai_model import OpenAIModel

            self._open[spec.name] = OpenAIModel(spec)
        return self._open[spec.name]

    async def aclose(self) -> None:
        """Closes all connections."""
        for model in self._open.values():
            await model.aclose()
