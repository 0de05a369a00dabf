"""The models that are configured, in the order in which one stands in for another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from collab.errors import InvalidInput

Capability = Literal["code", "reasoning", "prefill", "json"]
"""``code``: good at writing it; ``reasoning``: thinks before it answers; ``prefill``: goes on from a beginning of
its answer that it is given; ``json``: can be held to JSON.
"""
AnswerFormat = Literal["auto", "blocks", "whole"]
"""How a model is told to answer: with search/replace blocks, with whole files, or as the strategy says."""

OPENAI_URL: Final = "https://api.openai.com/v1"
_ANSWER_SHARE: Final = 2
"""At most one of so many parts of the window is kept free for the answer."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens: of the prompt, of its part that the provider had cached, of the answer."""

    prompt: float
    cached: float
    answer: float


@dataclass(frozen=True, slots=True)
class Provider:
    """An endpoint that speaks the OpenAI protocol. ``base_url`` None is OpenAI's own."""

    name: str
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    missing_key: str = ""
    """Where the key should have been, in words, if it was not there; then the provider cannot be asked."""

    @property
    def url(self) -> str:
        """Its address."""
        return self.base_url or OPENAI_URL


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model: ``name`` is what people call it here, ``id`` what its provider calls it."""

    name: str
    provider: Provider
    id: str
    context_tokens: int = 128_000
    """What it takes in, prompt and answer together."""
    answer_tokens: int = 16_000
    """The longest answer that it gives."""
    capabilities: frozenset[Capability] = frozenset({"code"})
    answer_format: AnswerFormat = "auto"
    price: Price | None = None
    parallel: int = 8
    """Requests at once from which on it counts as fully loaded."""
    limits_answer: bool = True
    """Whether it is told ``answer_tokens`` as the most that it may write."""

    @property
    def prompt_tokens(self) -> int:
        """What a prompt may take, so that an answer fits beside it."""
        return self.context_tokens - min(self.answer_tokens, self.context_tokens // _ANSWER_SHARE)

    def has(self, capability: Capability) -> bool:
        """Whether it was declared to have the capability."""
        return capability in self.capabilities


class Catalog:
    """All configured models in order, without templates. With ``open_ended``, any further name may be asked for
    at the endpoint of the first one, as local servers hold many models.
    """

    def __init__(self, models: Sequence[ModelSpec] = (), *, open_ended: bool = False) -> None:
        self._models = {model.name: model for model in models}
        if len(self._models) != len(models):
            raise ValueError("Two models have the same name.")
        self._open_ended = open_ended and bool(models)

    def __iter__(self) -> Iterator[ModelSpec]:
        return iter(self._models.values())

    def __len__(self) -> int:
        return len(self._models)

    @property
    def default(self) -> ModelSpec | None:
        """The first one."""
        return next(iter(self._models.values()), None)

    def get(self, name: str) -> ModelSpec:
        """The model of this name. Raises InvalidInput with those that there are."""
        if found := self._models.get(name):
            return found
        first = self.default
        if first is None:
            raise InvalidInput(
                f"No endpoint is configured, so there is no model {name[:80]!r}; set model, base_url and api_key, "
                "or providers, or leave the model out.",
                field="model",
            )
        if self._open_ended and 0 < len(name) <= 200 and name.isprintable():
            return ModelSpec(
                name,
                first.provider,
                name,
                first.context_tokens,
                first.answer_tokens,
                parallel=first.parallel,
                limits_answer=first.limits_answer,
            )
        raise InvalidInput(
            f"There is no model {name[:80]!r}; there are: {', '.join(self._models)}.", field="model"
        )
