"""Who wrote what, asked over HTTP."""

from __future__ import annotations

from server.messages.blame import BlameResult
from tests.server.routes_fakes import AT_MS, FakeState, error_of

ROOM = "/api/rooms/main"


async def put(state: FakeState, text: str) -> None:
    async with state.client() as client:
        assert (await client.put(f"{ROOM}/files/a%20b.txt?name=Kim", content=text)).status_code == 201


async def test_a_file_is_blamed_with_names_and_places() -> None:
    state = FakeState()
    await put(state, "one\ntwo\n")
    async with state.client() as client:
        response = await client.get(f"{ROOM}/blame/a%20b.txt")
    answer = response.json()
    assert response.headers["content-type"] == "application/json"
    assert BlameResult.model_validate(answer).path == "a b.txt"
    assert [author["name"] for author in answer["authors"]] == ["Kim"]
    assert answer["ranges"] == [
        {
            "start": {"line": 0, "character": 0},
            "end": {"line": 2, "character": 0},
            "offset": 0,
            "length": 8,
            "author": 0,
            "at_ms": AT_MS,
        }
    ]


async def test_an_answer_that_the_asker_has_is_not_sent_again() -> None:
    state = FakeState()
    await put(state, "one\n")
    async with state.client() as client:
        tag = (await client.get(f"{ROOM}/blame/a%20b.txt")).headers["etag"]
        again = await client.get(f"{ROOM}/blame/a%20b.txt", headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        host = state.hub.host()
        host.document.edit(lambda editor: editor.splice(host.document.file("a b.txt").id, 0, 1, ""))
        fresh = await client.get(f"{ROOM}/blame/a%20b.txt", headers={"If-None-Match": tag})
    assert fresh.status_code == 200
    assert fresh.json()["ranges"][0]["length"] == 3


async def test_a_file_that_is_not_there_is_not_found() -> None:
    async with FakeState().client() as client:
        assert error_of(await client.get(f"{ROOM}/blame/b.txt"))[:2] == (404, "not_found")
        assert error_of(await client.get(f"{ROOM}/blame/../b.txt"))[0] in {400, 404}


async def test_the_table_of_a_room_is_exported() -> None:
    state = FakeState()
    await put(state, "one\n")
    async with state.client() as client:
        table = (await client.get(f"{ROOM}/attribution")).json()
    assert (table["room"], table["version"], table["copies"]) == ("main", 1, {})
    assert [author["name"] for author in table["authors"]] == ["Kim"]
    ((clock, length, author, first, last),) = (row for rows in table["clients"].values() for row in rows)
    assert (clock, author, first, last) == (0, 0, AT_MS // 1000, AT_MS // 1000)
    assert length >= 4
