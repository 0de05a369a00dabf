"""Vectors of texts, in the form of OpenAI's own endpoint, from the embedding model that is configured."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from collab.errors import InvalidInput
from generation.embedding import MOST_CHARACTERS, MOST_TEXTS
from server.errors import Refused
from server.messages.parts import Part
from server.raw_path import BODY_BYTES
from server.routes.bodies import read_json
from server.routes.ports import State

Text = Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS)]


class EmbeddingsBody(Part):
    """The body that asks for vectors; ``model`` may only be the one that is configured."""

    input: Text | Annotated[list[Text], Field(min_length=1, max_length=MOST_TEXTS)]
    model: str | None = None
    encoding_format: Literal["float"] = "float"


class EmbeddingRoutes:
    """``/api/embeddings``."""

    def __init__(self, state: State) -> None:
        self._meanings = state.meanings
        # As JSON, where a character may take six bytes.
        self.body_bytes = BODY_BYTES + 6 * MOST_CHARACTERS * 16

    async def embed(self, request: Request) -> Response:
        """A vector for each text."""
        if self._meanings is None:
            raise Refused(
                501, "not_configured", "There is no embedding model; set embedding_model and restart the server."
            )
        asked = await read_json(request, EmbeddingsBody, self.body_bytes)
        if asked.model not in {None, self._meanings.model}:
            raise InvalidInput(f"The model must be {self._meanings.model!r}, or be left out.", field="model")
        texts = [asked.input] if isinstance(asked.input, str) else asked.input
        answer = await self._meanings.embed(texts)
        usage = {"prompt_tokens": answer.tokens, "total_tokens": answer.tokens}
        data = [
            {"object": "embedding", "index": place, "embedding": vector}
            for place, vector in enumerate(answer.vectors)
        ]
        return JSONResponse({"object": "list", "data": data, "model": self._meanings.model, "usage": usage})
