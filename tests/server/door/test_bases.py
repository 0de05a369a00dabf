from __future__ import annotations

import asyncio

from collab.ids import RoomId
from server.door.bases import KEPT, MOST_RECORDS, MOST_SOURCES, PACK_CHARS, PACKS, SOURCES, Bases
from tests.collab.replicas import HandClock
from tests.server.routes_fakes import FakeHost


class World:
    """One room, and a new look at it for each import."""

    def __init__(self) -> None:
        self.host = FakeHost(RoomId("r"))
        self.clock = HandClock()
        self.turn = asyncio.Lock()

    async def look(self) -> Bases:
        bases = Bases(self.host, self.clock, self.turn)
        await bases.read()
        return bases

    async def note(self, source: str, **files: str) -> None:
        await (await self.look()).note(source, files)

    async def base(self, source: str, path: str, theirs: str) -> str | None:
        return await (await self.look()).base(source, path, theirs)

    def texts(self) -> int:
        """How many texts are stored."""
        return sum(int(count) for count in self.host.stored.get(PACKS, {}).values())


async def test_a_source_goes_on_from_what_it_had_last() -> None:
    world = World()
    await world.note("folder", a="one\ntwo\n", b="other\n")
    assert await world.base("folder", "a", "one\ntwo\nthree\n") == "one\ntwo\n"
    assert await world.base("folder", "c", "x") is None
    assert await world.base("elsewhere", "a", "one\n") is None
    await world.note("folder", a="one\nzwei\n")
    assert await world.base("folder", "a", "one\nzwei\nthree\n") == "one\nzwei\n"


async def test_an_older_copy_is_recognised_by_its_likeness() -> None:
    world = World()
    for text in ("one\n", "one\ntwo\n", "one\ntwo\nthree\n"):
        await world.note("folder", a=text)
    assert await world.base("folder", "a", "one\nmine\n") == "one\n"
    assert await world.base("folder", "a", "one\ntwo\nthree\nmine\n") == "one\ntwo\nthree\n"


async def test_only_the_last_versions_are_kept() -> None:
    world = World()
    for number in range(KEPT + 3):
        await world.note("folder", a=f"line {number}\n")
    assert len((await world.look()).versions("folder", "a")) == KEPT
    assert world.texts() <= 2 * KEPT


async def test_what_some_source_has_is_known_as_imported() -> None:
    world = World()
    await world.note("folder", a="one\n")
    bases = await world.look()
    assert bases.imported("a", "one\n")
    assert not bases.imported("a", "two\n")
    assert not bases.imported("b", "one\n")


async def test_the_same_text_is_stored_once_for_all_sources() -> None:
    world = World()
    await world.note("one", a="same\n", b="same\n")
    await world.note("two", c="same\n")
    assert world.texts() == 1


async def test_many_imports_leave_few_records() -> None:
    world = World()
    for number in range(3 * MOST_RECORDS):
        await world.note("folder", **{f"f{number}": f"text {number}\n", "a": f"line {number}\n"})
    assert len(world.host.stored[SOURCES]) <= MOST_RECORDS + 1
    assert await world.base("folder", "f0", "text 0\nmore\n") == "text 0\n"
    assert await world.base("folder", "a", f"line {3 * MOST_RECORDS - 1}\nmore\n") is not None


async def test_texts_that_nobody_needs_go_and_the_others_stay() -> None:
    world = World()
    await world.note("folder", **{f"f{number}": f"text {number}\n" for number in range(10)})
    for round_ in range(KEPT):
        await world.note("folder", **{f"f{number}": f"text {number} {round_}\n" for number in range(9)})
    # Of the first pack only one text is needed still.
    assert world.texts() <= 10 * KEPT
    assert await world.base("folder", "f9", "text 9\nmore\n") == "text 9\n"
    assert await world.base("folder", "f3", "text 3 2\nmore\n") == "text 3 2\n"


async def test_the_source_that_was_not_heard_of_for_longest_is_forgotten() -> None:
    world = World()
    for number in range(MOST_SOURCES + 1):
        world.clock.now += 1
        await world.note(f"folder {number}", a=f"text {number}\n")
    assert await world.base("folder 0", "a", "text 0\nmore\n") is None
    assert await world.base("folder 1", "a", "text 1\nmore\n") == "text 1\n"


async def test_large_texts_are_spread_over_several_packs() -> None:
    world = World()
    files = {name: name * (PACK_CHARS * 3 // 4) for name in "abc"}
    await world.note("folder", **files)
    assert len(world.host.stored[PACKS]) == 3
    assert await world.base("folder", "b", files["b"] + "more") == files["b"]


async def test_what_cannot_be_read_is_not_known() -> None:
    world = World()
    await world.note("folder", a="one\n")
    await world.note("other", b="two\n")
    world.host.stored[SOURCES]["0:folder"] = b"odd"
    world.host.stored["import_text:1"]["texts"] = b"odd"
    assert await world.base("folder", "a", "one\nmore\n") is None
    assert await world.base("other", "b", "two\nmore\n") is None
    await world.note("folder", a="one\n")
    assert await world.base("folder", "a", "one\nmore\n") == "one\n"
