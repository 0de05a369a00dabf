"""The tables [[providers]] of the settings: whom to ask for answers, and what each model can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, model_validator

from generation.catalog import AnswerFormat, Capability, Catalog, ModelSpec, Price, Provider
from generation.offline import NAME as TEMPLATES

OPENAI_KEY: Final = "OPENAI_API_KEY"
"""The variable whose key goes to OpenAI's own endpoint where none is named."""
_MOST_KEY: Final = 10_000

_Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$")]
_Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def http_url(value: str) -> str:
    """An address of an endpoint, without a slash at its end. Raises ValueError."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be a URL that starts with http:// or https:// and names a host")
    if "@" in parts.netloc:
        raise ValueError("must hold no name and no password; put the key into api_key")
    return value.rstrip("/")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ModelTable(_Table):
    """One [[providers.models]]."""

    name: _Name = Field(description="What people call the model here; no two may have the same.")
    id: _Name | None = Field(default=None, description="What its provider calls it. The default is its name.")
    context_tokens: int = Field(
        default=128_000, ge=1_000, description="Tokens that it takes in, prompt and answer together."
    )
    answer_tokens: int = Field(default=16_000, ge=100, description="Tokens of its longest answer.")
    capabilities: frozenset[Capability] = Field(
        default=frozenset({"code"}),
        description="What it is good at: code; reasoning (thinks before it answers); prefill (goes on from a "
        "beginning of its answer); json.",
    )
    answer_format: AnswerFormat = Field(
        default="auto",
        description="How it is told to answer: blocks (search and replace), whole (whole files), or auto, as the "
        "request needs.",
    )
    price_prompt: _Money | None = Field(default=None, description="US dollars for a million tokens of prompts.")
    price_cached: _Money | None = Field(
        default=None, description="The same for what the provider has cached. The default is price_prompt."
    )
    price_answer: _Money | None = Field(default=None, description="The same for answers.")
    parallel: int = Field(default=8, ge=1, description="Requests at once from which on it counts as fully loaded.")

    @model_validator(mode="after")
    def _check_prices(self) -> ModelTable:
        if (self.price_prompt is None) != (self.price_answer is None):
            raise ValueError("price_prompt and price_answer go together: give both, or none")
        if self.price_cached is not None and self.price_prompt is None:
            raise ValueError("price_cached needs price_prompt and price_answer too")
        if self.name == TEMPLATES:
            raise ValueError(f"{TEMPLATES} is the name of the templates; give the model another one")
        return self

    def price(self) -> Price | None:
        """What it costs, if that was told."""
        if self.price_prompt is None or self.price_answer is None:
            return None
        cached = self.price_cached if self.price_cached is not None else self.price_prompt
        return Price(self.price_prompt, cached, self.price_answer)


class ProviderTable(_Table):
    """One [[providers]]. The key is never in the settings file: a variable or a file of its own holds it."""

    name: _Name = Field(description="What the provider is called here; no two may have the same.")
    base_url: Annotated[str, AfterValidator(http_url)] | None = Field(
        default=None, description="Address of its OpenAI-compatible endpoint. The default is OpenAI's."
    )
    key_variable: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Environment variable that holds its key. The default is OPENAI_API_KEY for OpenAI's own "
        "endpoint, and none for others.",
    )
    key_file: Path | None = Field(
        default=None, description="File that holds its key and nothing else, in the place of key_variable."
    )
    models: list[ModelTable] = Field(min_length=1, description="Its models, one [[providers.models]] each.")

    _key: SecretStr | None = PrivateAttr(default=None)
    _missing: str = PrivateAttr(default="")

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(model.name for model in self.models)})"

    @model_validator(mode="after")
    def _check_key(self) -> ProviderTable:
        if self.key_variable is not None and self.key_file is not None:
            raise ValueError("key_variable and key_file exclude each other: say where the key is, once")
        return self

    @property
    def key(self) -> SecretStr | None:
        """The key, once it was read."""
        return self._key

    def read_key(self, environ: Mapping[str, str]) -> None:
        """Reads the key. One that is not there is no error: the model is not asked, and the reason is shown."""
        if self.key_file is not None:
            try:
                value = self.key_file.expanduser().read_text(encoding="utf-8")[:_MOST_KEY].strip()
            except (OSError, UnicodeDecodeError) as error:
                self._missing = f"the file {self.key_file} cannot be read ({type(error).__name__})"
                return
            where = f"the file {self.key_file} is empty"
        else:
            variable = self.key_variable or (OPENAI_KEY if self.base_url is None else "")
            if not variable:
                return
            value = environ.get(variable, "").strip()
            where = f"the variable {variable} is not set"
        if value:
            self._key = SecretStr(value)
        else:
            self._missing = where

    def provider(self) -> Provider:
        """The provider as the engine knows it."""
        key = self._key.get_secret_value() if self._key is not None else None
        return Provider(self.name, self.base_url, key, self._missing)


def check_tables(providers: Sequence[ProviderTable], fallback: Sequence[str]) -> None:
    """Raises ValueError where tables do not fit together."""
    names = [provider.name for provider in providers]
    models = [model.name for provider in providers for model in provider.models]
    for kind, given in (("providers", names), ("models", models), ("names in fallback", list(fallback))):
        if twice := sorted({name for name in given if given.count(name) > 1}):
            raise ValueError(f"two {kind} are called {twice[0]!r}; each needs a name of its own")
    if unknown := [name for name in fallback if name not in models]:
        raise ValueError(f"fallback names {unknown[0]!r}, which is no model of providers: {', '.join(models)}")


def catalog(providers: Sequence[ProviderTable], first: str | None, fallback: Sequence[str]) -> Catalog:
    """All models: ``first``, then those of ``fallback``, then the others as they are in the file."""
    specs = {
        model.name: ModelSpec(
            model.name,
            provider,
            model.id or model.name,
            model.context_tokens,
            model.answer_tokens,
            model.capabilities,
            model.answer_format,
            model.price(),
            model.parallel,
        )
        for table in providers
        for provider in [table.provider()]
        for model in table.models
    }
    order = dict.fromkeys([*([first] if first else []), *fallback, *specs])
    return Catalog([specs[name] for name in order])
