"""Models whose answers are listened to as they stream by."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from generation.cache import ANSWER_BYTES
from generation.catalog import Catalog, ModelSpec
from generation.ports import Delta, Message, Model, Models, StreamLimits, TextDelta


class Overheard:
    """Implements generation.ports.Models over others, for one job."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._heard: list[list[str]] = []

    @property
    def only(self) -> str | None:
        """The text of the one answer that was given; None if there were none or several, or it was too long."""
        if len(self._heard) != 1:
            return None
        text = "".join(self._heard[0])
        return text if 0 < len(text) <= ANSWER_BYTES else None

    @property
    def catalog(self) -> Catalog:
        """See Models.catalog."""
        return self._models.catalog

    @property
    def default(self) -> str | None:
        """See Models.default."""
        return self._models.default

    def spec(self, name: str | None) -> ModelSpec:
        """See Models.spec."""
        return self._models.spec(name)

    def open(self, name: str | None) -> Model:
        """See Models.open."""
        said: list[str] = []
        self._heard.append(said)
        return _Overheard(self._models.open(name), said)


class _Overheard:
    def __init__(self, model: Model, said: list[str]) -> None:
        self._model = model
        self._said = said
        self._chars = 0

    @property
    def name(self) -> str:
        """See Model.name."""
        return self._model.name

    @property
    def offline(self) -> bool:
        """See Model.offline."""
        return self._model.offline

    async def stream(self, messages: Sequence[Message], limits: StreamLimits) -> AsyncIterator[Delta]:
        """See Model.stream."""
        stream = self._model.stream(messages, limits)
        try:
            async for delta in stream:
                # One that is too long is not kept, so no more of it is held than shows that it is.
                if isinstance(delta, TextDelta) and self._chars <= ANSWER_BYTES:
                    self._chars += len(delta.text)
                    self._said.append(delta.text)
                yield delta
        finally:
            close = getattr(stream, "aclose", None)
            if close is not None:
                await close()
