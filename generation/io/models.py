"""The models of a process: the configured endpoint's, and the offline one."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from collab.errors import InvalidInput
from generation.offline import NAME, OfflineModel
from generation.ports import Model
from generation.settings import GenerationSettings

if TYPE_CHECKING:
    from generation.io.openai_model import OpenAIModel

_MOST_OPEN = 16


class ConfiguredModels:
    """Implements generation.ports.Models from the settings. Close it at the end."""

    def __init__(self, settings: GenerationSettings) -> None:
        self._settings = settings
        self._offline = OfflineModel()
        self._open: dict[str, OpenAIModel] = {}
        if settings.model is not None:
            # Now, while nobody waits: in the midst of its first job a process would stand still for it.
            importlib.import_module("generation.io.openai_model")

    @property
    def default(self) -> str | None:
        """The configured model; None when only the offline one is there."""
        return self._settings.model

    def open(self, name: str | None) -> Model:
        """The model of this name at the configured endpoint, or the offline one. Raises InvalidInput."""
        chosen = name or self._settings.model or NAME
        if chosen == NAME:
            return self._offline
        if self._settings.model is None:
            raise InvalidInput(
                f"No endpoint is configured, so there is no model {chosen[:80]!r}; set model, base_url and "
                "api_key, or leave the model out.",
                field="model",
            )
        if chosen not in self._open:
            if len(chosen) > 200 or not chosen.isprintable() or len(self._open) >= _MOST_OPEN:
                raise InvalidInput("The model's name is too long, or too many have been asked for.", field="model")
            # Imported here: the openai package takes 20 MB and half a second, and many rooms have no model.
            from generation.io.openai_model import OpenAIModel

            self._open[chosen] = OpenAIModel(chosen, self._settings.base_url, self._settings.api_key)
        return self._open[chosen]

    async def aclose(self) -> None:
        """Closes all connections."""
        for model in self._open.values():
            await model.aclose()
