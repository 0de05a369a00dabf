"""Embeddings from any OpenAI-compatible endpoint. The client's own retries are off."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Final

import openai

from generation.embedding import Embedded
from generation.errors import ModelError, ModelRateLimited, ModelRefused, ModelUnavailable

BATCH: Final = 64
"""Texts of one request; some endpoints take no more."""
SECONDS: Final = 30.0
_TOLD: Final = 300


class OpenAIEmbedder:
    """Implements generation.embedding.Embedder over HTTP."""

    def __init__(self, model: str, base_url: str, api_key: str | None) -> None:
        self.name = model
        self._url = base_url
        self._key = api_key or ""
        self._client = openai.AsyncOpenAI(api_key=self._key or "none", base_url=base_url, max_retries=0)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """A vector for each text; see generation.embedding.Embedder."""
        vectors: list[list[float]] = []
        tokens = 0
        for start in range(0, len(texts), BATCH):
            some = list(texts[start : start + BATCH])
            answer = await self._request(some)
            vectors += _vectors(answer, len(some), self._url)
            counted = getattr(getattr(answer, "usage", None), "prompt_tokens", None)
            tokens += counted if isinstance(counted, int) else 0
        return Embedded(vectors, tokens)

    async def _request(self, texts: list[str]) -> Any:
        try:
            async with asyncio.timeout(SECONDS):
                # The client asks for base64 unless told otherwise, which not all endpoints know.
                return await self._client.embeddings.create(model=self.name, input=texts, encoding_format="float")
        except TimeoutError as error:
            raise ModelUnavailable(f"{self._url} did not answer with embeddings within {SECONDS:g} s.") from error
        except (openai.OpenAIError, json.JSONDecodeError, UnicodeDecodeError) as error:
            raise self._translated(error) from error

    def _translated(self, error: Exception) -> ModelError:
        said = self._said(error)
        if not isinstance(error, openai.APIStatusError):
            return ModelUnavailable(f"{self._url} gives no embeddings: {said} Check embedding_base_url.")
        status = error.status_code
        if status == 429:
            return ModelRateLimited(f"{self._url} refuses more requests for now (429): {said}")
        if status >= 500 or status in {408, 409}:
            return ModelUnavailable(f"{self._url} has a failure of its own ({status}): {said}")
        if status in {401, 403}:
            return ModelRefused(f"{self._url} refuses the key ({status}): {said} Check embedding_api_key.")
        if status == 404:
            return ModelRefused(
                f"{self._url} knows no embeddings by {self.name!r} (404): {said} Check embedding_model."
            )
        return ModelRefused(f"{self._url} refuses to make embeddings ({status}): {said}")

    def _said(self, error: Exception) -> str:
        body = getattr(error, "body", None)
        inner = body.get("message") if isinstance(body, dict) else None
        text = inner if isinstance(inner, str) and inner else str(error)
        if self._key:
            text = text.replace(self._key, "[key]")
        text = " ".join(text.split())[:_TOLD]
        return text if text.endswith((".", "!", "?")) else text + "."


def _vectors(answer: Any, expected: int, url: str) -> list[list[float]]:
    """The vectors of an answer in the order of the texts. Servers say what they like, so each is looked at."""
    found: dict[int, list[float]] = {}
    for at, one in enumerate(getattr(answer, "data", None) or ()):
        place, vector = getattr(one, "index", at), getattr(one, "embedding", None)
        whole = isinstance(vector, list) and all(isinstance(number, int | float) for number in vector)
        if isinstance(place, int) and vector and whole:
            found[place] = [float(number) for number in vector]
    sizes = {len(vector) for vector in found.values()}
    if sorted(found) != list(range(expected)) or len(sizes) != 1:
        raise ModelUnavailable(f"{url} did not answer with one vector for each text.")
    return [found[place] for place in range(expected)]
