from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from server.commands import facts
from server.commands.findings import ModelFacts, about_model
from server.settings import Settings

KEY = "sk-very-secret-key"


@asynccontextmanager
async def answering(status: str, body: str) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that answers everything with this; its port, and what it was asked."""
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked.append(await reader.readuntil(b"\r\n\r\n"))
        except asyncio.IncompleteReadError:
            writer.close()
            return
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write((head + body).encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], asked


async def first(settings: Settings) -> ModelFacts:
    """What is found of the only model."""
    [found] = await facts.models(settings)
    return found


def asking(port: int, model: str = "m") -> Settings:
    return Settings(model=model, base_url=f"http://127.0.0.1:{port}/v1", api_key=SecretStr(KEY))


async def test_the_models_are_asked_for_with_the_key() -> None:
    async with answering("200 OK", '{"data":[{"id":"m"},{"id":"other:latest"}]}') as (port, asked):
        assert (await first(asking(port))).listed is True
        assert (await first(asking(port, "other"))).listed is True
        assert (await first(asking(port, "missing"))).listed is False
    assert asked[0].startswith(b"GET /v1/models ")
    assert f"bearer {KEY}".encode() in asked[0].lower()


@pytest.mark.parametrize("body", ["", "[]", '{"data":[]}', '{"data":[{"name":"m"}]}'])
async def test_an_answer_that_is_no_list_says_nothing_of_the_model(body: str) -> None:
    async with answering("200 OK", body) as (port, _):
        assert (await first(asking(port))).listed is None


async def test_a_refused_key_is_not_shown() -> None:
    async with answering("401 Unauthorized", f"bad key {KEY}") as (port, _):
        found = list(about_model(await first(asking(port))))
    assert "401" in found[0].message
    assert KEY not in repr(found)


async def test_an_endpoint_that_is_not_there_is_told() -> None:
    seen = await first(asking(9))
    assert (seen.status, seen.problem) == (None, "ConnectError")


async def test_another_program_on_the_port_is_seen() -> None:
    async with answering("200 OK", "hello") as (port, _):
        seen = await facts.address(Settings(port=port))
    assert (seen.listens, seen.pairloom) == (True, False)


async def test_a_free_port_is_seen() -> None:
    assert not (await facts.address(Settings(port=9))).listens


def test_a_folder_that_is_not_there_yet_can_be_made(tmp_path: Path) -> None:
    seen = facts.folder(tmp_path / "a" / "b")
    assert (seen.exists, seen.writable) == (False, True)
    assert seen.free_bytes > 0


def test_a_file_in_the_way_of_the_folder_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert not facts.folder(tmp_path / "a" / "b").writable
