"""Vectors of texts over HTTP."""

from __future__ import annotations

import pytest

from collab.io.clock import SystemClock
from generation.embedding import HashedEmbedder, MemoryVectors
from generation.io.meanings import Meanings
from tests.server.routes_fakes import FakeState, error_of


@pytest.fixture
def state() -> FakeState:
    return FakeState(meanings=Meanings(HashedEmbedder(size=8), MemoryVectors(), SystemClock()))


async def test_a_text_or_several_get_their_vectors(state: FakeState) -> None:
    asked = {"input": ["hello", "world"], "model": "hashed"}
    async with state.client() as client:
        one = (await client.post("/api/embeddings", json={"input": "hello"})).json()
        two = (await client.post("/api/embeddings", json=asked)).json()
    assert (one["object"], one["model"], len(one["data"])) == ("list", "hashed", 1)
    assert [len(row["embedding"]) for row in two["data"]] == [8, 8]
    assert [row["index"] for row in two["data"]] == [0, 1]
    assert two["data"][0]["embedding"] == one["data"][0]["embedding"]
    assert two["usage"]["prompt_tokens"] == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"input": ""},
        {"input": []},
        {"input": ["x"] * 257},
        {"input": "x" * 32_001},
        {"input": "x", "model": "y"},
        {"input": "x", "encoding_format": "base64"},
    ],
)
async def test_what_is_out_of_bounds_is_refused(state: FakeState, body: dict[str, object]) -> None:
    async with state.client() as client:
        response = await client.post("/api/embeddings", json=body)
    assert error_of(response)[:2] == (400, "invalid_input")


async def test_without_a_model_it_says_which_setting_is_missing() -> None:
    async with FakeState().client() as client:
        response = await client.post("/api/embeddings", json={"input": "x"})
    status, code, message, _ = error_of(response)
    assert (status, code) == (501, "not_configured")
    assert "embedding_model" in message
