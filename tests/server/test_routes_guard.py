from __future__ import annotations

import logging

import httpx
import pytest

from server.settings import Settings
from tests.server.routes_fakes import FakeRow, FakeState, error_of

FILE = "/api/rooms/main/files/a.txt"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/rooms"), ("GET", "/nothing"), ("POST", "/api/rooms"), ("GET", "/r/main"), ("GET", "/")],
)
async def test_every_answer_carries_the_security_headers(method: str, path: str) -> None:
    async with FakeState().client() as client:
        response = await client.request(method, path)
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cross-origin-opener-policy"] == "same-origin"
    assert response.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]


async def test_a_wrong_method_names_those_that_are_taken() -> None:
    async with FakeState().client() as client:
        response = await client.patch(FILE)
    status, code, message, _ = error_of(response)
    assert (status, code) == (405, "method_not_allowed")
    assert response.headers["allow"] == "DELETE, GET, HEAD, PUT"
    assert "PATCH" in message


@pytest.mark.parametrize("path", ["/nothing", "/api", "/api/rooms/", "/api/rooms/main/nothing", "//", "/a//b"])
async def test_an_address_with_nothing_there_is_not_found(path: str) -> None:
    async with FakeState().client() as client:
        assert error_of(await client.get(httpx.URL("http://127.0.0.1:8000" + path)))[:2] == (404, "not_found")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://127.0.0.1:9999", "Sec-Fetch-Site": "same-origin"},
    ],
)
async def test_changes_from_other_sites_are_refused(headers: dict[str, str]) -> None:
    state = FakeState()
    async with state.client() as client:
        assert error_of(await client.put(FILE, content=b"x", headers=headers))[:2] == (403, "foreign_origin")
        assert error_of(await client.post("/api/generate", json={}, headers=headers))[0] == 403
    assert state.hub.hosts == {}


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}],
)
async def test_changes_from_the_own_page_and_from_programs_are_taken(headers: dict[str, str]) -> None:
    async with FakeState().client() as client:
        assert (await client.put(FILE, content=b"x", headers=headers)).status_code == 201


async def test_an_allowed_origin_may_change_read_and_ask_before() -> None:
    origin = "https://pairloom.example.org"
    state = FakeState(Settings(allowed_origins=[origin]))
    headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
    async with state.client() as client:
        asked = await client.options(FILE, headers={**headers, "Access-Control-Request-Method": "PUT"})
        written = await client.put(FILE, content=b"x", headers=headers)
        other = await client.get(FILE, headers={"Origin": "https://evil.example"})
    assert asked.headers["access-control-allow-origin"] == origin
    assert "PUT" in asked.headers["access-control-allow-methods"]
    assert written.status_code == 201
    assert written.headers["access-control-allow-origin"] == origin
    assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize("path", ["/api/rooms", "/r/main", "/health/live", "/"])
async def test_a_name_that_was_pointed_here_is_not_served(path: str) -> None:
    async with FakeState().client(Host="evil.example:8000") as client:
        response = await client.get(path)
    assert error_of(response)[:2] == (421, "wrong_host")


async def test_an_error_inside_is_logged_and_told_without_details(caplog: pytest.LogCaptureFixture) -> None:
    state = FakeState()

    async def broken() -> list[FakeRow]:
        raise RuntimeError("the secret part")

    state.hub.rooms = broken  # type: ignore[method-assign]
    with caplog.at_level(logging.ERROR):
        async with state.client() as client:
            response = await client.get("/api/rooms")
    status, code, message, _ = error_of(response)
    assert (status, code) == (500, "internal_error")
    assert "secret" not in message
    assert "the secret part" in caplog.text
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_a_route_without_a_body_takes_no_large_one() -> None:
    state = FakeState()
    state.hub.host("main")
    async with state.client() as client:
        response = await client.post("/api/rooms/main/jobs/j1/undo", content=b"x" * 70_000)
    assert error_of(response)[0] == 413
    assert state.generation.calls == []


async def test_live_and_ready_say_different_things() -> None:
    state = FakeState()
    async with state.client() as client:
        assert (await client.get("/health/ready")).json() == {"status": "ready", "version": "0.0.test"}
        state.reason = "The store refuses to save: the disk is full."
        live, ready = await client.get("/health/live"), await client.get("/health/ready")
    assert live.status_code == 200
    assert ready.status_code == 503
    assert ready.json()["reason"] == "The store refuses to save: the disk is full."
