from __future__ import annotations

import pytest

from collab.ids import RoomId
from tests.server.routes_fakes import FakeState, error_of


async def test_the_list_of_rooms() -> None:
    state = FakeState()
    state.hub.host("b")
    state.hub.host("a")
    async with state.client() as client:
        rooms = (await client.get("/api/rooms")).json()["rooms"]
    assert rooms == [
        {
            "room": name,
            "stored_bytes": 10,
            "last_change_ms": 1,
            "connections": 0,
            "log_entries": 3,
            "checkpoint_ms": 2,
            "nodes": ["node-1"],
        }
        for name in ("a", "b")
    ]


async def test_a_room_tells_what_is_in_it_and_who_is_there() -> None:
    state = FakeState()
    host = state.hub.host()
    host.put("a.txt", "a")
    host.saving, host.not_saved_reason = False, "The disk is full."
    async with state.client() as client:
        body = (await client.get("/api/rooms/main")).json()
    assert body["files"] == 1
    assert body["people"] == [{"client": 9, "name": "Kim", "color": "#445566", "kind": "person", "file": None}]
    assert (body["saving"], body["not_saved_reason"]) == (False, "The disk is full.")


async def test_a_room_that_nobody_wrote_to_is_not_found() -> None:
    async with FakeState().client() as client:
        assert error_of(await client.get("/api/rooms/typo"))[:2] == (404, "not_found")


async def test_a_room_is_deleted() -> None:
    state = FakeState()
    state.hub.host().put("a.txt", "a")
    async with state.client() as client:
        assert (await client.delete("/api/rooms/main")).status_code == 204
    assert state.hub.hosts == {}


@pytest.mark.parametrize(
    ("segment", "room"),
    [("a%2Fb", "a/b"), ("a%252Fb", "a%2Fb"), ("%61", "a"), ("it's", "it's"), ("a+b", "a+b")],
)
async def test_the_rooms_segment_is_decoded_once(segment: str, room: str) -> None:
    state = FakeState()
    async with state.client() as client:
        response = await client.put(f"/api/rooms/{segment}/files/x.txt", content=b"x")
    assert response.status_code == 201
    assert list(state.hub.hosts) == [RoomId(room)]


@pytest.mark.parametrize(
    "segment", ["a%2F%2Fb", "%2E%2E", "a%00", "a%20b", "%C3%BC", "x" * 256, "a%22b", "%2Fa", "a%2F.."]
)
async def test_names_that_no_room_may_have_are_refused(segment: str) -> None:
    state = FakeState()
    async with state.client() as client:
        assert error_of(await client.get(f"/api/rooms/{segment}/files"))[:2] == (400, "invalid_room")
    assert state.hub.hosts == {}


@pytest.mark.parametrize("path", ["%FF/files", "%C3/files", "main/files/%ED%A0%80"])
async def test_addresses_that_are_no_utf8_are_refused(path: str) -> None:
    async with FakeState().client() as client:
        assert error_of(await client.get(f"/api/rooms/{path}"))[:2] == (400, "invalid_input")


async def test_the_settings_of_a_room_are_changed_and_the_others_stay() -> None:
    state = FakeState()
    state.hub.host()
    async with state.client() as client:
        await client.patch("/api/rooms/main", json={"title": "Demo", "mode": "ask"})
        changed = (await client.patch("/api/rooms/main", json={"mode": "review"})).json()
        wrong = await client.patch("/api/rooms/main", json={"mode": "never"})
    assert changed == {"settings": {"title": "Demo", "mode": "review"}}
    assert (error_of(wrong)[0], error_of(wrong)[3]) == (400, "mode")
