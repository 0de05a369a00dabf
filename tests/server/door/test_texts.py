from __future__ import annotations

from collab.ids import FileId, RoomId
from server.door.texts import Known, Texts, version_of

ROOM = RoomId("r")


async def test_a_text_is_found_by_its_version_in_its_room() -> None:
    texts = Texts(10_000)
    version = await texts.remember(ROOM, "täxt 𝄞", FileId("f"))
    assert version == version_of("täxt 𝄞")
    assert texts.find(ROOM, version) == Known("täxt 𝄞", FileId("f"))
    assert texts.find(RoomId("other"), version) is None


async def test_the_file_is_learned_when_it_becomes_known() -> None:
    texts = Texts(10_000)
    version = await texts.remember(ROOM, "x")
    assert texts.find(ROOM, version) == Known("x")
    await texts.remember(ROOM, "x", FileId("f"))
    assert texts.find(ROOM, version) == Known("x", FileId("f"))


async def test_what_nobody_asked_for_goes_first() -> None:
    texts = Texts(700)
    first, second, third = [await texts.remember(ROOM, sign) for sign in "abc"]
    assert texts.find(ROOM, first) is not None
    fourth = await texts.remember(ROOM, "d")
    assert [texts.find(ROOM, one) is not None for one in (first, second, third, fourth)] == [
        True,
        False,
        True,
        True,
    ]


async def test_a_text_that_is_too_large_is_not_kept() -> None:
    texts = Texts(250)
    version = await texts.remember(ROOM, "".join(map(chr, range(200, 2000))))
    assert texts.find(ROOM, version) is None
    version = await texts.remember(ROOM, "small")
    assert texts.find(ROOM, version) is not None


async def test_a_large_text_is_packed_aside() -> None:
    texts = Texts(100_000)
    version = await texts.remember(ROOM, "line\n" * 100_000)
    known = texts.find(ROOM, version)
    assert known is not None
    assert known.text == "line\n" * 100_000


async def test_a_deleted_room_is_forgotten() -> None:
    texts = Texts(500)
    version = await texts.remember(ROOM, "x")
    texts.forget(ROOM)
    assert texts.find(ROOM, version) is None
    kept = [await texts.remember(ROOM, sign) for sign in "ab"]
    assert all(texts.find(ROOM, one) is not None for one in kept)
