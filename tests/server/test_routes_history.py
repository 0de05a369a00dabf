"""A room's history over HTTP."""

from __future__ import annotations

import pytest

from collab.ids import RoomId
from tests.server.routes_fakes import FakeState, error_of

ROOM = RoomId("r/s")
BASE = "/api/rooms/r%2Fs"


async def test_the_list_of_versions() -> None:
    async with FakeState().client() as client:
        response = await client.get(f"{BASE}/versions")
        assert response.status_code == 200
        (version,) = response.json()["versions"]
        assert (version["version"], version["cause"], version["touched"]) == (
            "v234567",
            "named",
            [{"path": "a.txt", "by": ["Ann"]}],
        )


async def test_the_room_gets_a_name() -> None:
    state = FakeState()
    async with state.client() as client:
        response = await client.post(f"{BASE}/versions?name=Ben", json={"name": "demo"})
        assert response.status_code == 201
        assert response.json()["version"]["name"] == "demo"
        assert state.history.asked == [("save", ROOM, "demo", "Ben")]


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "x" * 201}, {"name": "a", "more": 1}])
async def test_a_name_that_does_not_fit_is_refused(body: object) -> None:
    async with FakeState().client() as client:
        assert error_of(await client.post(f"{BASE}/versions", json=body))[:2] == (400, "invalid_input")


async def test_a_version_and_its_files() -> None:
    async with FakeState().client() as client:
        response = await client.get(f"{BASE}/versions/v234567")
        assert response.json()["files"] == [{"file": "f1", "path": "a.txt", "length": 5, "since": 3}]
        assert response.json()["version"]["number"] == 3


async def test_a_version_that_is_not_there() -> None:
    async with FakeState().client() as client:
        status, code, message, field = error_of(await client.get(f"{BASE}/versions/v9"))
        assert (status, code, field) == (404, "not_found", "version")
        assert "ask for the history" in message


async def test_the_text_that_a_file_had() -> None:
    async with FakeState().client() as client:
        response = await client.get(f"{BASE}/versions/demo/files/a%20b.txt")
        assert response.text == "hällo"
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        assert error_of(await client.get(f"{BASE}/versions/demo/files/other"))[0] == 404


async def test_what_differs() -> None:
    state = FakeState()
    async with state.client() as client:
        response = await client.get(f"{BASE}/compare?from=v234567&to=v2&path=a.txt")
        assert response.json() == {"base": "v234567", "to": "v2", "files": [], "more": 0}
        await client.get(f"{BASE}/compare?from=v234567")
        assert state.history.reading.asked == [(ROOM, "v234567", "v2", "a.txt"), (ROOM, "v234567", None, None)]


async def test_from_which_version_on_must_be_said() -> None:
    async with FakeState().client() as client:
        assert error_of(await client.get(f"{BASE}/compare"))[::3] == (400, "from")


async def test_a_restore() -> None:
    state = FakeState()
    async with state.client() as client:
        response = await client.post(f"{BASE}/versions/v234567/restore?name=Ben", json={"path": "a.txt"})
        assert response.json() == {"version": "v234567", "change": "c234567", "paths": ["a.txt"]}
        await client.post(f"{BASE}/versions/demo/restore", json={})
        assert state.history.asked == [
            ("restore", ROOM, "v234567", "a.txt", "Ben"),
            ("restore", ROOM, "demo", None, "api"),
        ]


async def test_activity() -> None:
    state = FakeState()
    async with state.client() as client:
        report = (await client.get(f"{BASE}/activity?since=1000&name=Ben")).json()
        assert (report["since_ms"], report["last_seen_ms"], report["versions"][0]["name"]) == (1000, 5, "demo")
        await client.get(f"{BASE}/activity")
        assert state.history.reports.asked == [(ROOM, 1000, "Ben"), (ROOM, None, "api")]


@pytest.mark.parametrize("since", ["-1", "1.5", "now", "9" * 17, "٣"])
async def test_a_time_that_is_none_is_refused(since: str) -> None:
    async with FakeState().client() as client:
        response = await client.get(f"{BASE}/activity", params={"since": since})
        assert error_of(response)[::3] == (400, "since")
