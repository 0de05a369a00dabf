from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from collab.document import Document
from collab.ids import ClientId, FileId
from generation.embedding import Embedded, HashedEmbedder, MemoryVectors, VectorStore
from generation.errors import ModelError, ModelRateLimited, ModelRefused, ModelUnavailable
from generation.io.indexing import Indexed, Indexes
from generation.io.meanings import REST_SECONDS, Meanings
from generation.io.openai_embedder import BATCH, OpenAIEmbedder
from generation.io.searching import Searching
from generation.io.vectors_file import VectorFile
from tests.generation.fakes import ROOM, ManualClock


@dataclass
class CountingEmbedder:
    """Implements Embedder; fails as long as it is told to."""

    inner: HashedEmbedder = field(default_factory=HashedEmbedder)
    asked: list[str] = field(default_factory=list)
    failing: ModelError | None = None
    name: str = "hashed"

    async def embed(self, texts: Sequence[str]) -> Embedded:
        if self.failing is not None:
            raise self.failing
        self.asked += texts
        return await self.inner.embed(texts)


@dataclass
class World:
    embedder: CountingEmbedder = field(default_factory=CountingEmbedder)
    store: VectorStore = field(default_factory=MemoryVectors)
    clock: ManualClock = field(default_factory=ManualClock)
    document: Document = field(default_factory=lambda: Document(ClientId(1)))

    def __post_init__(self) -> None:
        self.document.watch_files()
        self.meanings = Meanings(self.embedder, self.store, self.clock)
        self.indexes = Indexes(self.clock, self.meanings.settled)
        self.add("shop/cart.py", "a basket that holds what customers want to buy\n")
        self.add("shop/stock.py", "how many goods are left in the warehouse\n")

    def add(self, path: str, text: str) -> None:
        self.document.edit(lambda editor: editor.create(FileId(path), path, text))

    async def ready(self) -> Indexed:
        found = await self.indexes.ready(ROOM, self.document)
        await self.meanings.update(found)
        return found


async def test_files_are_found_whose_meaning_is_near() -> None:
    world = World()
    found = await world.ready()
    assert await world.meanings.similar(found, "goods in the warehouse", 5, 1.0) == ["shop/stock.py"]


async def test_a_search_says_that_meanings_were_compared() -> None:
    world = World()
    await world.ready()
    answer = await Searching(world.indexes, world.meanings).search(ROOM, world.document, "basket for customers")
    assert answer.semantic
    assert answer.hits[0].path == "shop/cart.py"
    assert all(0 < hit.score <= 1 for hit in answer.hits)


async def test_only_what_has_changed_is_embedded_again_and_never_the_same_text_twice() -> None:
    world = World()
    await world.ready()
    before = len(world.embedder.asked)
    world.document.edit(lambda editor: editor.splice(FileId("shop/cart.py"), 0, 0, "new "))
    await world.ready()
    assert len(world.embedder.asked) == before + 1
    world.document.edit(lambda editor: editor.splice(FileId("shop/cart.py"), 0, 4, ""))
    await world.ready()
    assert len(world.embedder.asked) == before + 1


async def test_a_file_that_is_gone_is_near_to_nothing() -> None:
    world = World()
    await world.ready()
    world.document.edit(lambda editor: editor.delete(FileId("shop/stock.py")))
    found = await world.ready()
    assert await world.meanings.similar(found, "goods in the warehouse", 5, 1.0) == []


async def test_while_the_endpoint_fails_files_are_found_by_words_and_it_is_left_alone_for_a_while() -> None:
    world = World()
    found = await world.ready()
    world.embedder.failing = ModelUnavailable("It is down.")
    assert await world.meanings.similar(found, "warehouse", 5, 1.0) is None
    world.embedder.failing = None
    assert await world.meanings.similar(found, "warehouse", 5, 1.0) is None
    answer = await Searching(world.indexes, world.meanings).search(ROOM, world.document, "warehouse")
    assert (answer.semantic, [hit.path for hit in answer.hits]) == (False, ["shop/stock.py"])
    world.clock.now += REST_SECONDS
    assert await world.meanings.similar(found, "warehouse", 5, 1.0) == ["shop/stock.py"]


async def test_in_the_background_what_changes_gets_its_vectors() -> None:
    world = World()
    async with running(world):
        found = await world.indexes.ready(ROOM, world.document)
        async with asyncio.timeout(10):
            while len(found.embedded) < 2:  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.01)
    assert await world.meanings.similar(found, "warehouse goods", 5, 1.0) == ["shop/stock.py"]


@asynccontextmanager
async def running(world: World) -> AsyncIterator[None]:
    task = asyncio.create_task(world.meanings.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_vectors_are_kept_in_a_file_up_to_a_number(tmp_path: Path) -> None:
    store = VectorFile(tmp_path / "deep" / "vectors.db", most=3)
    await store.put({f"k{number}": bytes([number]) for number in range(3)})
    await store.put({"k3": b"3"})
    await store.close()
    again = VectorFile(tmp_path / "deep" / "vectors.db")
    assert await again.get(["k0", "k1", "k3", "nothing"]) == {"k1": b"\1", "k3": b"3"}
    await again.close()


async def test_a_file_that_is_no_use_is_done_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "vectors.db"
    path.write_bytes(b"this is no database, whatever its name says" * 100)
    store = VectorFile(path)
    await store.put({"k": b"v"})
    assert await store.get(["k"]) == {}
    assert "are not kept" in caplog.text
    await store.close()


Answer = tuple[int, object]


@asynccontextmanager
async def endpoint(answer: Answer | None = None) -> AsyncIterator[tuple[str, list[dict[str, object]]]]:
    """An OpenAI-compatible server on this machine; without ``answer`` it does as it should."""
    bodies: list[dict[str, object]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-l")
        )
        body = json.loads(await reader.readexactly(length))
        bodies.append(body)
        texts = body["input"]
        data = [{"index": at, "embedding": [float(len(text)), 1.0]} for at, text in enumerate(texts)]
        status, said = answer or (200, {"data": data[::-1], "usage": {"prompt_tokens": len(texts)}})
        sent = json.dumps(said).encode()
        writer.write(
            b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % (status, len(sent))
        )
        writer.write(b"Connection: close\r\n\r\n" + sent)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", bodies


async def test_any_compatible_endpoint_gives_vectors_in_the_order_of_the_texts_and_in_batches() -> None:
    async with endpoint() as (url, bodies):
        embedder = OpenAIEmbedder("small", url, "secret-key")
        answer = await embedder.embed(["x" * (number + 1) for number in range(BATCH + 3)])
        await embedder.aclose()
    assert [vector[0] for vector in answer.vectors] == [float(number + 1) for number in range(BATCH + 3)]
    assert answer.tokens == BATCH + 3
    assert [len(body["input"]) for body in bodies] == [BATCH, 3]  # type: ignore[arg-type]
    assert {body["model"] for body in bodies} == {"small"}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((429, {"error": {"message": "slow down"}}), ModelRateLimited),
        ((500, {"error": {"message": "oops"}}), ModelUnavailable),
        ((401, {"error": {"message": "bad key secret-key"}}), ModelRefused),
        ((404, {"error": {"message": "no such model"}}), ModelRefused),
        ((400, {"error": {"message": "too long"}}), ModelRefused),
        ((200, {"data": []}), ModelUnavailable),
        ((200, {"data": [{"index": 0, "embedding": ["a"]}]}), ModelUnavailable),
        ((200, {"data": [{"index": 5, "embedding": [1.0]}]}), ModelUnavailable),
    ],
)
async def test_what_an_endpoint_may_do_wrong_is_a_clear_error(answer: Answer, error: type[ModelError]) -> None:
    async with endpoint(answer) as (url, _):
        embedder = OpenAIEmbedder("small", url, "secret-key")
        with pytest.raises(error) as caught:
            await embedder.embed(["x"])
        await embedder.aclose()
    assert "secret-key" not in caught.value.message
    assert url in caught.value.message


async def test_an_endpoint_that_is_not_there_is_told() -> None:
    embedder = OpenAIEmbedder("small", "http://127.0.0.1:9/v1", None)
    with pytest.raises(ModelUnavailable, match="embedding_base_url"):
        await embedder.embed(["x"])
    await embedder.aclose()
