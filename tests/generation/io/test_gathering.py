"""What a job's model is sent, over a real room and a real index."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import pytest

from collab.document import Document
from collab.editor import Editor
from collab.errors import StoreUnavailable
from collab.ids import ClientId, FileId, RoomId
from collab.io.clock import SystemClock
from collab.syntax.syntax import Syntax
from generation.book import SENT
from generation.context.people import Participant
from generation.context.shared import MemoryPieces
from generation.errors import StreamBroken
from generation.io.gathering import LONG, Gathering
from generation.io.indexing import Indexes
from generation.io.service import GenerationEngine
from generation.io.shared_pieces import SharedPieces
from generation.ports import TextDelta
from generation.scripted import FixedModels, ScriptedModel, Step, said
from generation.sent import MOST_JOBS, Sent, SentAsk
from generation.settings import GenerationSettings
from generation.views import GenerationRequest
from tests.generation.fakes import ADA, ROOM, FakeRoom, FakeRooms, ManualClock
from tests.generation.io.playing import running

SETTINGS = GenerationSettings(merge_interval_ms=1, backoff_first=0.001, backoff_most=0.001)
ANSWER = "made.txt\n````\nhello\n````\n"


@pytest.fixture
def room() -> FakeRoom:
    document = Document(ClientId(1))
    document.watch_files()
    return FakeRoom({}, document)


@asynccontextmanager
async def working(
    room: FakeRoom,
    settings: GenerationSettings = SETTINGS,
    model: ScriptedModel | None = None,
    pieces: SharedPieces | None = None,
    syntax: Syntax | None = None,
    seed: int = 1,
) -> AsyncIterator[GenerationEngine]:
    clock = SystemClock()
    gathering = Gathering(Indexes(clock), syntax or Syntax(), clock, pieces=pieces)
    models = FixedModels(model or ScriptedModel(said(ANSWER)))
    engine = GenerationEngine(FakeRooms(room), models, settings, clock, random.Random(seed), gathering=gathering)
    async with running(engine):
        yield engine


async def asked(engine: GenerationEngine, room: FakeRoom, prompt: str, *files: str) -> SentAsk:
    """What was sent for a request, once it is done."""
    job = (await engine.submit(ROOM, GenerationRequest(prompt, files), ADA)).job
    async with asyncio.timeout(10):
        async with engine.watch(job) as events:
            async for _ in events:
                pass
    return Sent.from_bytes(room.store[SENT][job]).asks[-1]


def project(room: FakeRoom) -> None:
    """Too large to be shown as a whole."""
    filler = "\n".join(f"    value_{number} = {number}" for number in range(200))
    for name in ("billing", "orders", "search", "mail", "users", "stock", "audit", "fonts", "dates", "money"):
        room.add(f"src/{name}.py", f'class {name.title()}:\n    """Keeps {name}."""\n{filler}\n')
    room.add("src/app.py", "from src.billing import Billing\n\n\ndef main():\n    Billing()\n")


async def test_what_belongs_to_the_request_is_shown_and_said_why(room: FakeRoom) -> None:
    project(room)
    async with working(room) as engine:
        ask = await asked(engine, room, "Let `Billing` count invoices.")
    pieces = {piece.name: piece for piece in ask.pieces}
    assert pieces["src/billing.py"].form == "whole"
    assert "it defines Billing" in pieces["src/billing.py"].why
    assert "src/fonts.py" not in {name for name, piece in pieces.items() if piece.form == "whole"}
    assert "value_7 = 7" in ask.messages[-1].content
    assert ask.tokens <= SETTINGS.context_tokens
    assert ask.strategy_why


async def test_the_map_tells_what_the_project_defines(room: FakeRoom) -> None:
    project(room)
    async with working(room) as engine:
        ask = await asked(engine, room, "Hello.")
    assert "src/billing.py: Billing" in ask.messages[-1].content


class CountedSyntax(Syntax):
    """Notes what it parses."""

    def __init__(self) -> None:
        super().__init__()
        self.parsed: list[str] = []

    def warm(self, path: str, text: str) -> Iterator[None]:
        self.parsed.append(path)
        return super().warm(path, text)


async def test_what_one_process_made_of_files_another_one_does_not_make_again(room: FakeRoom) -> None:
    project(room)
    cache = MemoryPieces()
    made = []
    sent = []
    for seed, changed in enumerate((None, None, "src/mail.py")):
        if changed is not None:
            file = FileId(f"id-{changed}")
            room.document.edit(partial(Editor.splice, file=file, start=0, end=0, insert="class Letter: pass\n"))
        syntax = CountedSyntax()
        pieces = SharedPieces(cache, SystemClock())
        async with working(room, pieces=pieces, syntax=syntax, seed=seed) as engine:
            sent.append((await asked(engine, room, "Let `Billing` and `Mail` count.")).messages[-1].content)
        made.append(set(syntax.parsed) - {"made.txt"})
    assert {"src/billing.py", "src/mail.py"} <= made[0]
    assert made[1:] == [set(), {"src/mail.py"}]
    assert "class Mail" in sent[1]
    assert "src/mail.py: Mail" in sent[1]
    assert "Letter" in sent[2]


class BrokenPieces(MemoryPieces):
    """Counts in vain."""

    def __init__(self, *, hangs: bool) -> None:
        super().__init__()
        self.asked = 0
        self._hangs = hangs

    async def get(self, room: RoomId, keys: Sequence[str]) -> list[str | None]:
        self.asked += 1
        if self._hangs:
            await asyncio.Event().wait()
        raise StoreUnavailable("Redis is away.")


@pytest.mark.parametrize("hangs", [False, True])
async def test_a_cache_of_pieces_that_fails_is_let_alone_for_a_while(room: FakeRoom, hangs: bool) -> None:
    project(room)
    cache = BrokenPieces(hangs=hangs)
    clock = ManualClock()
    pieces = SharedPieces(cache, clock)
    async with working(room, pieces=pieces) as engine:
        first = await asked(engine, room, "Let `Billing` count.")
        assert "src/billing.py: Billing" in first.messages[-1].content
        assert cache.asked == 1
        clock.now += 31
        room.add("src/new.py", "class New: pass\n")
        await asked(engine, room, "Let `New` count.")
    assert cache.asked == 2


async def test_what_a_deleted_room_had_is_forgotten_before_the_cache_is_used() -> None:
    cache = MemoryPieces()
    pieces = SharedPieces(cache, ManualClock())
    await pieces.keep(ROOM, {"a": "x"})
    assert await pieces.find(ROOM, ["a", "b"]) == {"a": "x"}
    pieces.forget(ROOM)
    assert await pieces.find(ROOM, ["a"]) == {}


async def test_who_is_where_is_told(room: FakeRoom) -> None:
    project(room)
    room.people = [Participant("Ada", FileId("id-src/mail.py"), 3), Participant("Bob", None)]
    async with working(room) as engine:
        ask = await asked(engine, room, "Go on here.")
    assert "Ada (who asks): src/mail.py, line 3" in ask.messages[-1].content
    assert "src/mail.py" in {piece.name for piece in ask.pieces if piece.form == "whole"}


async def test_what_was_asked_before_is_told(room: FakeRoom) -> None:
    room.add("a.txt", "x")
    async with working(room) as engine:
        await asked(engine, room, "Make a file.")
        ask = await asked(engine, room, "And now?")
    assert "Ada asked: 'Make a file.' (done; wrote made.txt)" in ask.messages[-1].content


async def test_two_requests_to_a_room_that_did_not_change_begin_alike(room: FakeRoom) -> None:
    room.add("AGENTS.md", "Use tabs.")
    for name in ("a", "b", "c"):
        room.add(f"{name}.py", f"def {name}(): pass\n" * 20)
    async with working(room) as engine:
        await asked(engine, room, "Make it.")
        one = await asked(engine, room, "Fix a.py.")
        other = await asked(engine, room, "Fix b.py.")
    first, second = one.messages[-1].content, other.messages[-1].content
    files_end = first.index("c.py\n````")
    assert one.messages[0] == other.messages[0]
    assert first[:files_end] == second[:files_end]


async def test_a_definition_that_is_named_in_a_file_that_is_too_long_is_shown_alone(room: FakeRoom) -> None:
    long = "\n".join(f"def f{number}():\n    return {number}\n" for number in range(LONG // 10))
    room.add("long.py", f"{long}\ndef wanted():\n    return 'here'\n")
    for number in range(5):
        room.add(f"other{number}.py", "x = 1\n" * 2_000)
    async with working(room, replace(SETTINGS, context_wanted=4_000)) as engine:
        ask = await asked(engine, room, "Rename `wanted`.")
    [piece] = [piece for piece in ask.pieces if piece.kind == "symbol"]
    assert piece.name.startswith("long.py:")
    assert piece.name.endswith(" wanted")
    assert "return 'here'" in ask.messages[-1].content
    assert "return 777\n" not in ask.messages[-1].content


async def test_of_many_jobs_only_the_newest_keep_what_was_sent(room: FakeRoom) -> None:
    async with working(room) as engine:
        for number in range(MOST_JOBS + 2):
            await asked(engine, room, f"Make number {number}.")
    assert len(room.store[SENT]) == MOST_JOBS


async def test_a_request_that_goes_on_and_one_that_repairs_are_kept_too(room: FakeRoom) -> None:
    room.add("app.py", "x = 1\n")
    broken = "app.py\n````\nx = (\n````\n"
    whole = "app.py\n````\nx = 2\n````\n"
    cut: list[Step] = [TextDelta("a.txt\n````\na\n````\n\n" + broken[:12]), StreamBroken("It broke off.")]
    model = ScriptedModel(cut, said(broken), said(whole))
    async with working(room, model=model) as engine:
        await asked(engine, room, "Set x to 2.")
    [record] = room.store[SENT].values()
    asks = Sent.from_bytes(record).asks
    assert [ask.purpose for ask in asks] == ["answer", "continuation", "repair"]
    assert [[message.content for message in ask.messages] for ask in asks] == [
        [message.content for message in messages] for messages in model.asked
    ]
