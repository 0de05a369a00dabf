"""A room's history on a running server: over HTTP, the native dialect and beside Yjs clients."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.server.running import Running, joined, running

TEXT = {"Content-Type": "text/plain", "If-None-Match": "*"}
JSON = dict[str, Any]


def http(server: Running) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}/api/rooms/{server.name()}")


async def put(client: httpx.AsyncClient, path: str, text: str) -> None:
    before = await client.get(f"/files/{path}")
    headers = (
        TEXT if before.status_code == 404 else {"Content-Type": "text/plain", "If-Match": before.headers["ETag"]}
    )
    (await client.put(f"/files/{path}?name=Ann", content=text, headers=headers)).raise_for_status()


async def told(socket: ClientConnection, kind: str) -> JSON:
    """The next message of a kind."""
    async with asyncio.timeout(20):
        while True:
            message: JSON = json.loads(await socket.recv())
            if message["type"] == kind:
                return message


async def causes(client: httpx.AsyncClient) -> list[str]:
    return [one["cause"] for one in (await client.get("/versions")).json()["versions"]]


async def wait_for(client: httpx.AsyncClient, expected: list[str]) -> None:
    async with asyncio.timeout(20):
        while await causes(client) != expected:  # noqa: ASYNC110 - it is asked over HTTP
            await asyncio.sleep(0.05)


async def test_a_version_is_saved_compared_restored_undone_and_there_after_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as server, http(server) as client:
        await put(client, "a.txt", "one\ntwo\n")
        saved = (await client.post("/versions?name=Ann", json={"name": "mine"})).json()["version"]
        await put(client, "a.txt", "one\n2\n")
        differs = (await client.get("/compare?from=mine")).json()
        assert [(file["path"], file["added"], file["removed"]) for file in differs["files"]] == [("a.txt", 1, 1)]
        done = (await client.post("/versions/mine/restore?name=Ann", json={})).json()
        assert done["paths"] == ["a.txt"]
        assert (await client.get("/files/a.txt")).text == "one\ntwo\n"
        jobs = (await client.get("/jobs")).json()["jobs"]
        change = next(job for job in jobs if job["job"] == done["change"])
        assert (change["kind"], change["can_undo"]) == ("restore", True)
        (await client.post(f"/jobs/{done['change']}/undo?name=Ben")).raise_for_status()
        assert (await client.get("/files/a.txt")).text == "one\n2\n"
    async with running(tmp_path) as server, http(server) as client:
        assert (await client.get("/versions/mine")).json()["version"] == saved
        assert (await client.get("/versions/mine/files/a.txt")).text == "one\ntwo\n"
        (await client.post(f"/jobs/{done['change']}/redo")).raise_for_status()
        assert (await client.get("/files/a.txt")).text == "one\ntwo\n"


async def test_the_last_person_who_leaves_leaves_a_version(tmp_path: Path) -> None:
    async with running(tmp_path) as server, http(server) as client:
        async with joined(server, 11) as one:
            async with joined(server, 12) as other:
                await other.edit(other.replica.create("a.txt", "typed"))
                await one.until(lambda: one.text() == "typed")
            assert await causes(client) == []
        await wait_for(client, ["work"])
        version = (await client.get("/versions")).json()["versions"][0]
        assert (await client.get(f"/versions/{version['version']}/files/a.txt")).text == "typed"


async def test_a_job_begins_and_ends_with_a_version(tmp_path: Path) -> None:
    async with running(tmp_path) as server, http(server) as client:
        await put(client, "a.txt", "one\n")
        body = {"room": server.name(), "prompt": "add a readme"}
        async with client.stream("POST", f"http://127.0.0.1:{server.port}/api/generate", json=body) as stream:
            async for _ in stream.aiter_lines():
                pass
        async with asyncio.timeout(20):
            while "job_ended" not in await causes(client):  # noqa: ASYNC110 - it is asked over HTTP
                await asyncio.sleep(0.05)
        assert [cause for cause in reversed(await causes(client)) if cause != "work"] == [
            "job_started",
            "job_ended",
        ]
        report = (await client.get("/activity?since=1000")).json()
        assert [job["prompt"] for job in report["jobs"] if job["kind"] == "job"] == ["add a readme"]


async def test_a_person_in_a_terminal_keeps_restores_and_comes_back(tmp_path: Path) -> None:
    async with running(tmp_path) as server, http(server) as client:
        address = server.url(prefix="/collaborate/", query="?name=Ann")
        async with connect(address) as ann:
            await told(ann, "welcome")
            await put(client, "a.txt", "one\n")
            await ann.send("save before lunch")
            assert (await told(ann, "version_added"))["version"]["by"] == "Ann"
            saved = await told(ann, "version_saved")
            await put(client, "a.txt", "two\n")
            await ann.send('{"type":"compare","id":1,"base":"before lunch"}')
            assert (await told(ann, "comparison"))["files"][0]["path"] == "a.txt"
            await ann.send(f"restore {saved['version']['version']} a.txt")
            restored = await told(ann, "restored")
            await ann.send(f"undo {restored['change']}")
            await told(ann, "done")
            assert (await client.get("/files/a.txt")).text == "two\n"
        async with connect(address) as ann:
            await told(ann, "welcome")
            await put(client, "b.txt", "meanwhile\n")
            await ann.send("activity")
            report = await told(ann, "activity_report")
            assert report["last_seen_ms"] is not None
            assert [file["path"] for file in report["files"]] == ["b.txt"]
            await ann.send("history")
            causes = [version["cause"] for version in (await told(ann, "version_list"))["versions"]]
            assert causes[-3:] == ["restore", "work", "named"]
